"""What comes next in a deletion that was decided on: who is looked at, asked for, and when again. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.core.backoff import delay_s
from shared.core.errors import PlumblineError, Transient
from shared.core.problem import Problem, problem_of
from shared.core.prune.ids import is_inside
from shared.core.prune.model import Deletion
from shared.core.scopes import fold

MOST_AT_ONCE: Final = 10
"""How many resources are looked at, and asked for, in one turn: a hold lasts 45 s."""

AGAIN: Final = timedelta(minutes=10)
"""When ARM is asked again for a deletion that it took and that does not end."""

UNSURE: Final = timedelta(minutes=1)
"""When ARM is asked again by whoever finds that it was about to be asked."""

REST: Final = timedelta(hours=1)
"""When what was refused, waits for approval, or is kept is looked at again."""

SLOW: Final = timedelta(minutes=30)
"""How long a deletion may take before a person is told."""

_QUICK: Final = timedelta(seconds=5)
_STEADY: Final = timedelta(seconds=30)
_YOUNG: Final = timedelta(minutes=1)


def ready(items: Sequence[Deletion], at: datetime) -> tuple[Deletion, ...]:
    """Return the deletions whose turn it is: what goes before them is gone.

    What a template's order alone puts before them may also have been refused.
    """
    known = {fold(one.id): one for one in items}
    found = []
    for one in items:
        before = [known[fold(other)] for other in one.after if fold(other) in known]
        free = all(
            other.gone or (other.refused is not None and not is_inside(other.id, one.id))
            for other in before
        )
        resting = one.again_at is not None and one.again_at > at
        waits = resting and (one.refused is not None or one.tries > 0)
        if free and not one.gone and not waits:
            found.append(one)
    return tuple(found[:MOST_AT_ONCE])


def is_to_be_asked(one: Deletion, at: datetime) -> bool:
    """Tell whether ARM is asked to delete a resource that is there: not while it is at it."""
    return one.again_at is None or one.again_at <= at


def asked(one: Deletion, at: datetime) -> Deletion:
    """Note that ARM is about to be asked; should its answer be lost, it is asked again soon."""
    return msgspec.structs.replace(one, began_at=one.began_at or at, again_at=at + UNSURE)


def accepted(one: Deletion, at: datetime) -> Deletion:
    """Note that ARM took the deletion: it may take a while."""
    return msgspec.structs.replace(one, again_at=at + AGAIN, tries=0)


def unasked(one: Deletion, at: datetime) -> Deletion:
    """Note that ARM was not asked after all: it is done at a later turn."""
    return msgspec.structs.replace(one, again_at=at)


def failed(one: Deletion, error: PlumblineError, at: datetime) -> Deletion:
    """Note that ARM did not do it: later, where others stand in the way for now, or not at all."""
    if isinstance(error, Transient):
        wait = timedelta(seconds=delay_s(one.tries, error.retry_after_s))
        return msgspec.structs.replace(one, tries=one.tries + 1, again_at=at + wait)
    return msgspec.structs.replace(one, refused=problem_of(error), again_at=at + REST)


def found(one: Deletion) -> Deletion:
    """Note that the resource is there, and could be looked at."""
    return msgspec.structs.replace(one, refused=None)


def gone(one: Deletion) -> Deletion:
    """Note that the resource is not there."""
    return msgspec.structs.replace(one, gone=True, refused=None)


def merged(items: Iterable[Deletion], seen: Iterable[Deletion]) -> tuple[Deletion, ...]:
    """Return the deletions as they were seen last."""
    newest = {fold(one.id): one for one in seen}
    return tuple(newest.get(fold(one.id), one) for one in items)


def wait_for(items: Sequence[Deletion], at: datetime) -> timedelta:
    """Return after which time the deletions are looked at next."""
    waits = [REST]
    for one in ready(items, at):
        begun = one.began_at is not None
        young = one.began_at is None or at - one.began_at < _YOUNG
        waits.append(_QUICK if young or not begun else _STEADY)
    waits += [
        max(_QUICK, one.again_at - at)
        for one in items
        if not one.gone and (one.refused is not None or one.tries) and one.again_at is not None
    ]
    return min(waits)


def problem(
    items: Sequence[Deletion], kept: Sequence[str], waits: Problem | None, at: datetime
) -> Problem | None:
    """Return what a person should know of the deletions, the most pressing first."""
    refused = [one for one in items if one.refused is not None]
    if refused and refused[0].refused is not None:
        first = refused[0].refused
        more = f" So it is with {len(refused) - 1} more." if len(refused) > 1 else ""
        return Problem(
            code="PruneRefused",
            message=f"{refused[0].id} left the stack and cannot be deleted: {first.message}{more}",
            hint=first.hint or "Mend it, or delete it by hand. It is tried again within an hour.",
            detail={"code": first.code},
        )
    slow = [one for one in items if not one.gone and one.began_at and at - one.began_at > SLOW]
    if slow:
        return Problem(
            code="PruneSlow",
            message=f"{slow[0].id} is being deleted for longer than {SLOW.seconds // 60} minutes.",
            hint="Look in Azure at what still uses it.",
        )
    if waits is not None:
        return waits
    if kept:
        return Problem(
            code="PruneKept",
            message=f"{kept[0]} left the stack and is kept: a stack has a resource inside of it.",
            hint="Delete it by hand once nobody needs it any more.",
        )
    return None
