"""The holder's changes of a record over what left its stack: decided on, asked for, gone. All are pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

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
        record, deleting=tuple(items), prune_at=until, busy_until=until, prune_problem=None
    )


def removing(record: Record, left: tuple[Left, ...]) -> Record:
    """Give up all that a stack has: from now on it is what left it, and a return begins anew.

    The generation is another, since history has releases of this one.
    """
    if record.applied is None and record.attempted is None:
        return msgspec.structs.replace(record, left=left, touched=())
    generation = record.generation + 1
    return msgspec.structs.replace(
        record,
        **{**NOTHING, "left": left, "deployment_id": record.deployment_id},
        generation=generation,
        raised=(record.generation, generation),
        judged=generation,
        phase="steady",
    )


def deleted(
    record: Record,
    seen: Iterable[Deletion],
    *,
    dropped: Iterable[str] = (),
    due_at: datetime,
    problem: Problem | None,
    at: datetime,
) -> Record:
    """Note how deletions stand; what is gone, or another stack's (``dropped``), is left no more.

    Whoever has nothing more of a removed stack notes when.
    """
    known = {fold(one.id): one for one in seen}
    struck = {key for key, one in known.items() if one.gone} | {fold(one) for one in dropped}
    left = tuple(one for one in record.left if fold(one.id) not in struck)
    over = record.orphaned and record.removed and record.applied is None and not left
    return msgspec.structs.replace(
        record,
        left=left,
        deleting=tuple(
            known.get(fold(one.id), one) for one in record.deleting if fold(one.id) not in struck
        ),
        prune_at=due_at if left or record.applied is not None else None,
        prune_problem=problem,
        removed_at=(record.removed_at or at) if over else None,
        busy_until=None,
    )


def put_off(record: Record, until: datetime, problem: Problem | None = None) -> Record:
    """Look at deletions no sooner than then; ``problem`` is what a person should know."""
    return msgspec.structs.replace(record, prune_at=until, prune_problem=problem, busy_until=None)


def not_deleting(record: Record) -> Record:
    """Decide on no deletion any more: it is not wanted now."""
    return msgspec.structs.replace(
        record, deleting=(), prune_at=None, prune_problem=None, busy_until=None
    )


def delayed(record: Record, at: datetime, wait: timedelta) -> Record:
    """Let the stack go after a hiccup, and look at its deletions again after ``wait``."""
    return msgspec.structs.replace(record, prune_at=at + wait, busy_until=None)
