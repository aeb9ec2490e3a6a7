"""What left a stack with a good release, and what of it is still nobody's (rule 15). All are pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from shared.core.prune.data import may_go
from shared.core.prune.ids import type_of
from shared.core.prune.model import Left
from shared.core.record.model import Record
from shared.core.release import Owned
from shared.core.scopes import fold

MOST_LEFT: Final = 800
"""How many are kept in a record, the newest: as many as ARM deploys with one template."""

NO_RELEASE: Final = "0.0"
"""Stands for the release of a stack whose releases nobody remembers."""


def left(record: Record) -> Mapping[str, str]:
    """Return what the stack had and has no more: ids as ARM spelled them, to the release that left them.

    They may be gone since, and another stack may have them now. Resource groups, which are never
    deleted, are not among them.
    """
    return {one.id: one.release for one in record.left}


def after_release(
    record: Record,
    release: str,
    owned: Sequence[Owned],
    before: Sequence[Owned],
    needs: Mapping[str, tuple[str, ...]],
) -> tuple[Left, ...]:
    """Return what has left a stack after a good release of it.

    ``owned`` is the release's inventory, ``before`` that of the last good one, and the record's
    ``touched`` what failed attempts wrote since, as far as that is sure. What an earlier release left stays, unless it came
    back. ``needs`` are the template's relations before, by folded id.
    """
    here = {fold(one.id) for one in owned}
    kept = [one for one in record.left if fold(one.id) not in here]
    known = here | {fold(one.id) for one in kept}
    fresh = []
    for one in (*before, *_touched(record)):
        if fold(one.id) in known or not may_go(one.type or type_of(one.id)):
            continue
        known.add(fold(one.id))
        fresh.append(_left(one, release, needs, emptied=not owned))
    return tuple([*kept, *fresh][-MOST_LEFT:])


def of_whole(
    record: Record, owned: Sequence[Owned], needs: Mapping[str, tuple[str, ...]]
) -> tuple[Left, ...]:
    """Return all that a stack has or had: what its removal deletes."""
    last = record.applied or record.attempted
    release = last.release if last is not None else NO_RELEASE
    known = {fold(one.id) for one in record.left}
    fresh = {
        fold(one.id): _left(one, release, needs)
        for one in (*_touched(record), *owned)
        if fold(one.id) not in known and may_go(one.type or type_of(one.id))
    }
    return (*record.left, *fresh.values())


def _touched(record: Record) -> list[Owned]:
    """Return what failed attempts are known to have written: what is unsure may be others'."""
    unsure = {fold(one) for one in record.unsure}
    return [Owned(id=one, type=type_of(one)) for one in record.touched if fold(one) not in unsure]


def _left(
    one: Owned, release: str, needs: Mapping[str, tuple[str, ...]], *, emptied: bool = False
) -> Left:
    return Left(
        id=one.id,
        type=one.type or type_of(one.id),
        release=release,
        api_version=one.api_version,
        needs=needs.get(fold(one.id), ()),
        emptied=emptied,
    )
