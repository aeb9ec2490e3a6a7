"""The knobs of the simulator: how long things take, and what clients are told to wait."""

from __future__ import annotations

from typing import Literal

import msgspec


class Knobs(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All knobs with their defaults; the control channel changes them while the server runs.

    Seconds may be fractions. `retry_after` below one second goes out as `x-ms-retry-after-ms`,
    because `Retry-After` knows whole seconds only and the SDK reads 0 as "your own default".
    """

    deployment_seconds: float = 0.0
    """The least time a deployment takes from its PUT to its end."""
    resource_seconds: float = 0.0
    """How long a provider works on one resource, in a deployment and outside."""
    resource_seconds_by_type: dict[str, float] = msgspec.field(default_factory=dict)
    """The same for single types (full type, any case)."""
    group_delete_seconds: float = 0.0
    """How long the deletion of a resource group takes."""
    registration_seconds: float = 0.0
    """How long a provider stays `Registering` (and `Unregistering`)."""
    retry_after: float | None = 0.2
    """What LRO answers tell the client to wait; null leaves the header out."""
    registered: list[str] | None = None
    """The namespaces registered from the start; null means all that the simulator knows."""
    clock_offset_seconds: float = 0.0
    """Added to real time wherever a client sees a time."""
    history_limit: int = 800
    """Deployments a scope may hold before DeploymentQuotaExceeded."""
    groom_above: int | None = 775
    """More deployments than this in a scope start the grooming of its history; null never does."""
    groom_to: int = 750
    """How many deployments grooming leaves."""
    strict: bool = False
    """Refuse types and api-versions that the knowledge does not list, and unknown members."""
    noise: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """Noise classes switched on by full type ("*" is every type): {"*": ["N1", "N5"]}."""
    whatif_evaluator: Literal["2026", "classic"] = "2026"
    """How far what-if evaluates: 2026 partially, classic gives up on nested deployments."""

    def seconds_for(self, kind: str) -> float:
        """Return how long a write to this type takes."""
        wanted = kind.lower()
        for name, seconds in self.resource_seconds_by_type.items():
            if name.lower() == wanted:
                return seconds
        return self.resource_seconds
