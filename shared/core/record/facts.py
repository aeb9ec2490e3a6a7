"""What of a record is shown in a listing: its facts. All are pure."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.core.document import to_text
from shared.core.policy import mark
from shared.core.record.model import PRUNE_OFF, Phase, Record

NOW: Final = to_text(datetime.fromtimestamp(0, UTC))
"""Stands in facts for a time that has come."""

UNKNOWN: Final = "*"
"""Stands in facts for a sketch that cannot be told: anything may be in it."""


def _shown_phase(record: Record) -> Phase:
    """Return the phase for the sweep: ``releasing`` only while there is something to watch."""
    idle = record.standing == "releasing" and record.in_flight is None
    return "pending" if idle else record.standing


def _shown_removed(record: Record) -> str:
    """Return ``1`` for what is to be deleted, ``off`` where that is asked for and prune is not."""
    if record.removed:
        return "1"
    return "off" if record.orphaned and PRUNE_OFF in record.warnings else ""


def follows_mark(follows: Mapping[str, str]) -> str:
    """Return a short digest of the releases that a stack was found to follow; empty for none. Pure."""
    if not follows:
        return ""
    return hashlib.sha256(msgspec.json.encode(sorted(follows.items()))).hexdigest()[:12]


def _shown_prune(record: Record) -> str:
    """Return when the stack's deletions are looked at next; empty when it owes none."""
    if not record.owes_prune:
        return ""
    return to_text(record.prune_at) if record.prune_at and not record.may_prune_now else NOW


def _shown_around(record: Record) -> str:
    if record.present is None:
        return ""
    return UNKNOWN if record.around is None else record.around


def facts(record: Record) -> dict[str, str]:
    """Return what the sweep and sync need to see in a listing, without reading the record."""
    shown = {
        "seq": str(record.seq),
        "generation": str(record.generation),
        "digest": record.desired.digest if record.desired else "",
        "phase": _shown_phase(record),
        "owed": ",".join(record.owed),
        "shown": record.shown,
        "orphaned": "1" if record.orphaned else "",
        "removed": _shown_removed(record),
        "moved": "1" if record.moved_to else "",
        "policy": mark(record.policy),
        "prune": "1" if record.policy.prune else "",
        "applied": str(record.present.generation) if record.present else "",
        "running": str(record.in_flight.generation) if record.in_flight else "",
        "failed": "1" if record.is_failed else "",
        "broken": "1" if record.source_problems else "",
        "raised": f"{record.raised[0]},{record.raised[1]}" if record.raised else "",
        "owns": record.owns if record.present else "",
        "inside": _shown_around(record),
        "touched": "1" if record.touched else "",
        "follows": follows_mark(record.present.follows) if record.present else "",
        "prune_at": _shown_prune(record),
        "correlations": ",".join(record.correlations),
        "scope": (record.scope or "").lower(),
        "release": record.present.release if record.present else "",
        "applied_at": to_text(record.present.at) if record.present else "",
        "shared": record.told_of,
        "plan": record.waiting_plan.kind if record.waiting_plan else "",
        "due_at": to_text(record.due_at) if record.due_at else "",
        "busy_until": to_text(record.busy_until) if record.busy_until else "",
    }
    return {key: value for key, value in shown.items() if value}
