"""The holder's changes of a record over what left its stack: decided on, asked for, gone. All are pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from shared.core.plan import Plan
from shared.core.problem import Problem
from shared.core.prune.model import Deletion, Left
from shared.core.record.model import HOLD, Record
from shared.core.record.moving import NOTHING
from shared.core.scopes import fold


def left_with(record: Record, left: tuple[Left, ...], around: str) -> Record:
    """Note what a good release left; a deletion of what came back is decided on no more."""
    known = {fold(one.id) for one in left}
    return msgspec.structs.replace(
        record,
        left=left,
        around=around,
        deleting=tuple(
            msgspec.structs.replace(one, refused=None, again_at=None)
            for one in record.deleting
            if fold(one.id) in known
        ),
        prune_at=None,
        prune_problem=None,
        removed_at=None,
    )


def deleting(record: Record, items: Sequence[Deletion], at: datetime) -> Record:
    """Write down which resources ARM is about to be asked to delete, before it is (rule 6).

    Others keep off meanwhile, as for a PUT.
    """
    until = at + HOLD
    return msgspec.structs.replace(
        record, deleting=tuple(items), prune_at=until, busy_until=until, plan=_other_plan(record)
    )


def _other_plan(record: Record) -> Plan | None:
    """Return the record's plan unless it is about deletions."""
    return record.plan if record.plan is not None and record.plan.kind != "prune" else None


def removing(record: Record, left: tuple[Left, ...]) -> Record:
    """Give up all that a stack has: from now on it is what left it, and a return begins anew.

    The generation is another, since history has releases of this one.
    """
    if record.applied is None and record.attempted is None:
        return msgspec.structs.replace(record, left=left, touched=(), unsure=())
    generation = record.generation + 1
    return msgspec.structs.replace(
        record,
        **{**NOTHING, "left": left},
        generation=generation,
        raised=(record.generation, generation),
        judged=generation,
        phase="steady",
    )


@dataclass(frozen=True)
class Stand:
    """How deletions stand after a turn.

    ``items`` are all that are decided on, ``dropped`` the ids that other stacks have. ``plan`` is what
    waits for approval, ``problem`` what a person should know, ``wait`` when to look again.
    """

    items: tuple[Deletion, ...] = ()
    dropped: tuple[str, ...] = ()
    plan: Plan | None = None
    problem: Problem | None = None
    wait: timedelta = timedelta(0)


def deleted(record: Record, stand: Stand, at: datetime) -> Record:
    """Note how deletions stand; what is gone, or another stack's, is left no more.

    Whoever has nothing more of a removed stack notes when.
    """
    struck = {fold(one.id) for one in stand.items if one.gone}
    struck |= {fold(one) for one in stand.dropped}
    left = tuple(one for one in record.left if fold(one.id) not in struck)
    over = record.orphaned and record.removed and record.applied is None and not left
    return msgspec.structs.replace(
        record,
        left=left,
        deleting=tuple(one for one in stand.items if fold(one.id) not in struck),
        plan=stand.plan or _other_plan(record),
        prune_at=at + stand.wait,
        prune_problem=stand.problem,
        removed_at=(record.removed_at or at) if over else None,
        busy_until=None,
    )


def put_off(record: Record, until: datetime, problem: Problem | None = None) -> Record:
    """Look at deletions no sooner than then; ``problem`` is what a person should know."""
    return msgspec.structs.replace(record, prune_at=until, prune_problem=problem)


def let_go(record: Record, until: datetime, problem: Problem | None) -> Record:
    """Let the stack go, and look at its deletions no sooner than then."""
    return msgspec.structs.replace(put_off(record, until, problem), busy_until=None)


def not_deleting(record: Record) -> Record:
    """Decide on no deletion any more: none is wanted now."""
    return msgspec.structs.replace(
        record,
        deleting=(),
        plan=_other_plan(record),
        prune_at=None,
        prune_problem=None,
        busy_until=None,
    )
