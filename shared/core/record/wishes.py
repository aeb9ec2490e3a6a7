"""Sync's changes of a record: what Git wants (rule 2). They never touch the holder's fields."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from shared.core.problem import Problem
from shared.core.record.model import Desired, Record
from shared.core.taken import Taken


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What one sync says of one stack; ``desired`` is None when it could not be compiled."""

    seq: int
    desired: Desired | None
    scope: str | None = None
    create_group: str | None = None
    waits_for: tuple[str, ...] = ()
    takes: Mapping[str, Taken] = msgspec.field(default_factory=dict)
    dependents: tuple[str, ...] = ()
    renamed_from: str | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    timeout_s: int | None = None


def shown(wanted: Wish) -> str:
    """Return a short digest of what a wish says beside the source digest, for facts. Pure."""
    said = msgspec.structs.replace(wanted, seq=0, desired=None)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]


def wish(record: Record, wanted: Wish, at: datetime) -> Record:
    """Record what Git wants (rule 2). An older wish changes nothing.

    A new digest is a new generation and is due at once, and so is a stack that takes its values, or
    waits, differently. A wish that could not be compiled keeps
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
        waits_for=wanted.waits_for,
        takes=wanted.takes,
        dependents=wanted.dependents,
        renamed_from=wanted.renamed_from,
        source_problems=(),
        warnings=wanted.warnings,
        timeout_s=wanted.timeout_s,
        orphaned=False,
        shown=shown(wanted),
    )
    if record.desired is not None and record.desired.digest == wanted.desired.digest:
        relinked = (record.waits_for, record.takes, record.renamed_from) != (
            wanted.waits_for,
            wanted.takes,
            wanted.renamed_from,
        )
        again = bool(record.source_problems) or record.orphaned
        if again and record.dependents and "dependents" not in record.owed:
            # Who waited for it to compile again, or to come back, is told at its next look.
            settings = msgspec.structs.replace(settings, owed=(*settings.owed, "dependents"))
        if not again and record.standing != "pending" and not relinked:
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
