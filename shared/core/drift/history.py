"""Items over time: first seen, gone again, and why. Pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from shared.core.drift.model import Closed, Item
from shared.core.scopes import fold

MOST_KEPT: Final = 100
"""How many closed items a stack remembers."""

MOST_ITEMS: Final = 500
"""How many open items are kept of a stack, the worst of them: a crowd of small ones hides no other."""

_RANK: Final = {"high": 0, "medium": 1, "low": 2}


def carried(
    before: Iterable[Item], found: Iterable[Item], looked_at: Collection[str] | None
) -> tuple[Item, ...]:
    """Return the open items after a look: those found, and those of resources that were not looked at.

    ``looked_at`` are folded ids, None: everything. An item that was open before keeps when it was
    first seen, and who did it where the log does not say so any more.
    """
    old = {item.key: item for item in before}
    new = {item.key: _aged(item, old.get(item.key)) for item in found}
    for key, item in old.items():
        if key not in new and looked_at is not None and fold(item.resource) not in looked_at:
            new[key] = item
    worst = sorted(new, key=lambda key: (_RANK[new[key].severity], key))[:MOST_ITEMS]
    return tuple(new[key] for key in sorted(worst))


def _aged(item: Item, before: Item | None) -> Item:
    if before is None:
        return item
    return msgspec.structs.replace(item, first_seen=before.first_seen, who=item.who or before.who)


def closed(
    before: Sequence[Item],
    after: Sequence[Item],
    history: Sequence[Closed],
    *,
    reason: str,
    release: str | None,
    at: datetime,
) -> tuple[Closed, ...]:
    """Return the history with the items that are gone, newest first."""
    still = {item.key for item in after}
    gone = [
        Closed(item=item, closed_at=at, reason=reason, release=release)
        for item in before
        if item.key not in still
    ]
    return (*gone, *history)[:MOST_KEPT]


def opened(before: Sequence[Item], after: Sequence[Item]) -> tuple[Item, ...]:
    """Return the items that were not there before."""
    known = {item.key for item in before}
    return tuple(item for item in after if item.key not in known)
