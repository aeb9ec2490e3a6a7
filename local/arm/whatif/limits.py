"""How far what-if takes nested deployments apart (reference, part 2.1)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from local.arm import ids
from local.arm.engine import Scope


@dataclass(frozen=True, slots=True)
class Limits:
    """How far nested deployments are taken apart: how many, to how many groups, how long."""

    templates: int = 500
    groups: int = 800
    seconds: float = 300.0
    now: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Budget:
    """What is left of the limits during one what-if."""

    limits: Limits
    started: float
    templates: int = 0
    groups: set[str] = field(default_factory=set)

    def spend(self, scope: Scope) -> str | None:
        """Count one more nested template; return the limit that is in its way."""
        if self.limits.now() - self.started > self.limits.seconds:
            return f"expanding took longer than '{self.limits.seconds:.0f}' seconds"
        if self.templates >= self.limits.templates:
            return f"nested deployments are expanded up to '{self.limits.templates}' in total"
        groups_now = {*self.groups, ids.key_of(scope.id)}
        if scope.kind == "resourceGroup" and len(groups_now) > self.limits.groups:
            return f"nested deployments are expanded to '{self.limits.groups}' resource groups"
        self.templates += 1
        if scope.kind == "resourceGroup":
            self.groups = groups_now
        return None
