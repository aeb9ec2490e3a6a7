"""Sync's changes of a record: what Git wants (rule 2). They never touch the holder's fields."""

import hashlib
from datetime import datetime

import msgspec

from shared.core.problem import Problem
from shared.core.record.model import Desired, Record


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What one sync says of one stack; ``desired`` is None when it could not be compiled."""

    seq: int
    desired: Desired | None
    scope: str | None = None
    create_group: str | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def shown(wanted: Wish) -> str:
    """Return a short digest of what a wish says beside the source digest, for facts. Pure."""
    said = msgspec.structs.replace(wanted, seq=0, desired=None)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]


def wish(record: Record, wanted: Wish, at: datetime) -> Record:
    """Record what Git wants (rule 2). An older wish changes nothing.

    A new digest is a new generation and is due at once. A wish that could not be compiled keeps
    what was desired and shows why.
    """
    if wanted.seq <= record.seq:
        return record
    if wanted.desired is None:
        return msgspec.structs.replace(
            record,
            seq=wanted.seq,
            source_problems=wanted.problems,
            orphaned=False,
            shown=shown(wanted),
        )
    settings = msgspec.structs.replace(
        record,
        seq=wanted.seq,
        scope=wanted.scope,
        create_group=wanted.create_group,
        source_problems=(),
        warnings=wanted.warnings,
        orphaned=False,
        shown=shown(wanted),
    )
    if record.desired is not None and record.desired.digest == wanted.desired.digest:
        if not record.orphaned and record.standing != "pending":
            return settings
        return msgspec.structs.replace(settings, due_at=at)
    return msgspec.structs.replace(
        settings, desired=wanted.desired, generation=record.generation + 1, due_at=at
    )


def orphan(record: Record, seq: int) -> Record:
    """Record that the stack left a readable manifest: it is kept and shown, never touched."""
    if seq <= record.seq:
        return record
    return msgspec.structs.replace(record, seq=seq, orphaned=True, source_problems=())
