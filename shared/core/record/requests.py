"""What people and flows ask of a stack: to release it, to cancel, to leave it alone (rule 4).

They are the requesters' fields of the record: written at any time, without the fence. The holder
reads them at each turn; because both write the one document by compare-and-swap, a freeze and an
intent have an order, and a release that begins after a freeze does not exist (invariant I26).
"""

from datetime import datetime
from typing import Literal

import msgspec

from shared.core.plan import Kind as PlanKind

Kind = Literal["release", "retry", "heal"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A release that somebody asked for.

    It is done with when an attempt above ``above`` of ``generation`` exists, or a newer generation.
    """

    kind: Kind
    generation: int
    above: int
    by: str
    why: str
    at: datetime


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """One release that somebody wants ended."""

    release: str
    by: str
    why: str
    at: datetime


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """Until when a stack is left alone, by whom, and why."""

    by: str
    why: str
    at: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Tell whether it is in force. Pure."""
        return at < self.until


class TakenOver(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign deployment, told by its correlation id, that may be overwritten."""

    correlation_id: str
    by: str
    why: str
    at: datetime


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that somebody agreed to, by the digest of its details: nothing else is."""

    kind: PlanKind
    digest: str
    by: str
    why: str
    at: datetime
