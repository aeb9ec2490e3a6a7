"""Sync's changes of a record: what Git wants (rule 2). They never touch the holder's fields."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from shared.core.policy import Policy
from shared.core.problem import Problem
from shared.core.record.model import PRUNE_OFF, Desired, Record
from shared.core.record.requests import Approved
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
    policy: Policy = Policy()


def shown(wanted: Wish) -> str:
    """Return a short digest of what a wish says beside the source digest, for facts. Pure."""
    said = msgspec.structs.replace(wanted, seq=0, desired=None)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]


def wish(record: Record, wanted: Wish, at: datetime) -> Record:
    """Record what Git wants (rule 2). An older wish changes nothing.

    A new digest is a new generation and is due at once, and so is a stack that takes its values, or
    waits, differently, or that may delete now what it left. A wish that could not be compiled keeps
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
            removed=False,
            approved=_still_approved(record, wanted=not record.orphaned),
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
        policy=wanted.policy,
        orphaned=False,
        removed=False,
        approved=_still_approved(record, wanted=wanted.policy.prune and not record.orphaned),
        shown=shown(wanted),
    )
    if record.desired is not None and record.desired.digest == wanted.desired.digest:
        relinked = (record.waits_for, record.takes, record.renamed_from) != (
            wanted.waits_for,
            wanted.takes,
            wanted.renamed_from,
        )
        again = bool(record.source_problems) or record.orphaned
        relinked = relinked or (wanted.policy.prune and not record.policy.prune)
        if again and record.dependents and "dependents" not in record.owed:
            # Who waited for it to compile again, or to come back, is told at its next look.
            settings = msgspec.structs.replace(settings, owed=(*settings.owed, "dependents"))
        if not again and record.standing != "pending" and not relinked:
            return settings
        return msgspec.structs.replace(settings, due_at=at)
    return msgspec.structs.replace(
        settings, desired=wanted.desired, generation=record.generation + 1, due_at=at
    )


def orphan(record: Record, seq: int, *, named: bool, prunes: bool, at: datetime) -> Record:
    """Record that the stack left a readable manifest: it is kept and shown.

    ``named``: the manifest has it under ``removed``, ``prunes``: what ``prune`` is under defaults.
    Its resources are to be deleted with both, where its own last ``prune`` counts as well.
    """
    if seq <= record.seq:
        return record
    named = named and record.moved_to is None  # what it had is another stack's
    removed = named and (prunes or record.policy.prune)
    return msgspec.structs.replace(
        record,
        seq=seq,
        orphaned=True,
        removed=removed,
        approved=_still_approved(record, wanted=removed),
        source_problems=(),
        warnings=(PRUNE_OFF,) if named and not removed else (),
        due_at=at if removed and not record.removed else record.due_at,
    )


def _still_approved(record: Record, *, wanted: bool) -> Approved | None:
    """Return the approval; one of deletions ends when Git does not want them any more.

    Who takes a removal back and lists the stack again much later is asked again.
    """
    approved = record.approved
    return None if approved is not None and approved.kind == "prune" and not wanted else approved
