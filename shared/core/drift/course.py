"""The course of a stack's inspections: what a look is to cover, and what is known after it. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.core.drift import healing, history
from shared.core.drift.evidence import changer
from shared.core.drift.judgement import Judged, Looked, Standard, is_still, was_written_since
from shared.core.drift.model import Drift, Finding, Gap, Heal, Item, Looking, Settled, State
from shared.core.drift.noise import MOST_OFFERED, gathered, merged
from shared.core.prediction import Prediction
from shared.core.problem import Problem
from shared.core.scopes import fold

PATIENCE: Final = timedelta(minutes=15)
"""How long a what-if may run before the look goes on without it."""

GRACE: Final = timedelta(seconds=30)
"""How much later than its own message a stack is due: a scan asks again should that be lost."""

PUT_OFF: Final = timedelta(seconds=60)
"""When a stack is looked at again whose release ran meanwhile."""

UNSEEN: Final = timedelta(hours=1)
"""When a stack is looked at again of which nothing could be listed: mostly a right is missing."""

MOST_GAPS: Final = 100
MOST_SETTLED: Final = 2_000
"""How many values that moved by themselves are remembered of a stack, the newest."""

REVERTED: Final = "reverted"
HEALED: Final = "healed"
RELEASED: Final = "released"
"""Why a difference is gone: somebody took it back, a heal did, or another release."""

OUTSTANDING: Final = "ReleaseOutstanding"
"""The gap of a stack of which what Git wants is not what is deployed: what-if was not asked."""

FAILED: Final = "WhatIfFailed"
"""The gap of a what-if that came to nothing: ARM refused it."""

AFTER_FAILURE: Final = 6
"""How much later than after a release that is outstanding a what-if is tried again that failed."""

WHATIF_LOST: Final = "WhatIfLost"
"""The gap of a what-if that ARM knows no more: it was asked for too late."""

_ASKED_AGAIN: Final = frozenset({OUTSTANDING, WHATIF_LOST})

_OF_FULL_LOOKS: Final = ("WhatIf", OUTSTANDING, "SnapshotLost", "NotInSnapshot")
"""Codes of gaps that only a full look can close: others hear no what-if, and ask for no snapshot."""


_OF_A_RELEASE: Final = frozenset(
    {OUTSTANDING, "SnapshotLost", "ReleaseMissing", "SecretUncomparable"}
)
"""Codes of gaps that are another release's, and gone with it."""


def begun(drift: Drift, release: str, *, heals: bool) -> Drift:
    """Return what is known when a stack is looked at: of another release only its items count, and gaps.

    A gap that a release does not close by itself stays until it is looked at: nothing is clean before.
    A release that was no heal ends a fight: somebody has acted.
    """
    if drift.release == release:
        return drift
    return Drift(
        repository=drift.repository,
        stack=drift.stack,
        state=drift.state,
        release=release,
        checked_at=drift.checked_at,
        items=drift.items,
        gaps=tuple(gap for gap in drift.gaps if gap.code not in _OF_A_RELEASE),
        noise=drift.noise,
        history=drift.history,
        closing=HEALED if heals else RELEASED,
        heal=drift.heal if heals else Heal(),
        problem=drift.problem if heals else None,
    )


def is_full(
    drift: Drift, applied_at: datetime, at: datetime, *, confirm: timedelta, period: timedelta
) -> bool:
    """Tell whether everything is to be looked at, what-if included, and not what was touched alone."""
    if drift.looking is not None:
        return True
    if drift.confirmed_at is None:
        return at - applied_at >= confirm
    if drift.again_at is not None and drift.again_at <= at:
        return True
    return drift.full_at is None or at - drift.full_at >= period


def adds_nothing(drift: Drift, foreseen: Prediction | Gap, at: datetime, period: timedelta) -> bool:
    """Tell whether a look at everything would say what the last one said.

    A release is outstanding still, or the what-if that had failed has failed again.
    """
    codes = {gap.code for gap in drift.gaps}
    if isinstance(foreseen, Gap):
        is_told = foreseen.code in {OUTSTANDING, FAILED} and foreseen.code in codes
    else:
        is_told = foreseen.error is not None and FAILED in codes
    return is_told and drift.full_at is not None and at - drift.full_at < period


def waiting(drift: Drift, looking: Looking, at: datetime, wait: timedelta) -> Drift:
    """Return what is known while a what-if runs; a scan asks again should its message be lost."""
    due_at = at + wait + GRACE
    return msgspec.structs.replace(drift, looking=looking, due_at=due_at)


def later(drift: Drift, at: datetime, wait_s: float) -> Drift:
    """Return what is known of a stack whose look comes later: its message is on its way until then."""
    return msgspec.structs.replace(drift, due_at=at + timedelta(seconds=wait_s) + GRACE)


def put_off(drift: Drift, at: datetime) -> Drift:
    """Return what is known while a release runs: nothing can be told until it has ended (I20)."""
    return msgspec.structs.replace(
        drift, state="tentative", looking=None, due_at=at + PUT_OFF, checked_at=at
    )


def unseen(drift: Drift, gap: Gap, at: datetime) -> Drift:
    """Return what is known when nothing could be looked at: what was amiss before is, and nothing is clean."""
    gaps = tuple(dict.fromkeys((*drift.gaps, gap)))[:MOST_GAPS]
    return msgspec.structs.replace(
        drift,
        state=state(still_open(drift), gaps),
        gaps=gaps,
        looking=None,
        again_at=at + UNSEEN,
        checked_at=at,
    )


def still_open(drift: Drift) -> tuple[Item, ...]:
    """Return the items that may be open still: a release makes anew what it owns, and nothing else."""
    return _untouched(drift.items) if drift.closing else drift.items


def _untouched(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items that no release closes by itself."""
    return tuple(item for item in items if item.kind == "undeclared")


def _never_gone(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items that are open after a release as they were before: it did not close them."""
    return tuple(item for item in items if item.kind == "undeclared" or item.survived)


@dataclass(frozen=True)
class Look:
    """What one look covered and found.

    ``looked_at`` are folded ids, None: everything. ``again``: after how long what-if is asked again that
    could not be asked, because a release is outstanding.
    """

    at: datetime
    judged: Judged
    looked_at: Collection[str] | None
    seen: str
    events: datetime | None
    confirms: bool = False
    again: timedelta = timedelta(minutes=10)


def looked(drift: Drift, look: Look) -> Drift:
    """Return what is known after a look."""
    full = look.looked_at is None
    before = still_open(drift)
    items = history.carried(before, look.judged.items, look.looked_at)
    gaps = _gaps(drift.gaps, look)
    opened = history.opened(before, items)
    # What nobody declared is never healed, so that it may come and go: nobody fights over it.
    flipped = healing.flipped(drift.heal, healing.healable(opened), look.at)
    heal = healing.calmed(flipped, items, look.at)
    learned = _learned(drift.noise, look)
    return msgspec.structs.replace(
        drift,
        state=state(items, gaps),
        checked_at=look.at,
        full_at=look.at if full else drift.full_at,
        confirmed_at=look.at if full and look.confirms else drift.confirmed_at,
        due_at=None,
        again_at=_again_at(drift, gaps, look),
        looking=None,
        closing="",
        seen=look.seen,
        events=look.events,
        settled=_settled(drift.settled, look.judged.settled),
        items=items,
        gaps=gaps,
        noise=learned,
        history=history.closed(
            drift.items,
            _never_gone(items) if drift.closing else items,
            drift.history,
            reason=drift.closing or REVERTED,
            release=drift.release,
            at=look.at,
        ),
        heal=heal,
        problem=_problem(heal),
    )


def _again_at(drift: Drift, gaps: Sequence[Gap], look: Look) -> datetime | None:
    """Return when what-if is asked again that could not be heard: soon, or where it failed not so soon."""
    codes = {gap.code for gap in gaps}
    if codes & _ASKED_AGAIN:
        return look.at + look.again
    if FAILED not in codes:
        return None
    is_over = drift.again_at is None or drift.again_at <= look.at
    return look.at + AFTER_FAILURE * look.again if is_over else drift.again_at


def state(items: Sequence[Item], gaps: Sequence[Gap]) -> State:
    """Return how a stack stands: what could not be looked at is never clean (issue 5)."""
    if items:
        return "drifted"
    return "incomplete" if gaps else "none"


def _gaps(before: Sequence[Gap], look: Look) -> tuple[Gap, ...]:
    """Return what could not be looked at: a partial look closes the gaps of what it covered."""
    found = list(look.judged.gaps)
    if look.looked_at is not None:
        covered = look.looked_at
        found += [gap for gap in before if not _is_covered(gap, covered)]
    return tuple(dict.fromkeys(found))[:MOST_GAPS]


def _is_covered(gap: Gap, looked_at: Collection[str]) -> bool:
    if gap.code.startswith(_OF_FULL_LOOKS):
        return False
    return gap.resource is not None and fold(gap.resource) in looked_at


def surviving(drift: Drift, looks: Iterable[Looked], by: Standard) -> tuple[Item, ...]:
    """Return the open items whose value is there still although the snapshot has it, too.

    A release may not have brought it back: a provider keeps what a PUT does not name. Or somebody set it
    again before the snapshot was taken. What the template leads to by now is no drift any more.
    """
    by_id = {fold(looked.owned.id): looked for looked in looks}
    found = []
    for item in drift.items:
        looked = by_id.get(fold(item.resource))
        if item.kind == "modified" and looked is not None and is_still(item, looked, by):
            kept = _kept(drift, item, looked, by)
            found += [] if kept is None else [kept]
    return tuple(found)


def _kept(drift: Drift, item: Item, looked: Looked, by: Standard) -> Item | None:
    """Return what becomes of an item whose value is there still, None where the snapshot can tell."""
    if not was_written_since(looked, by):
        if not (drift.closing or item.survived):
            return None
        more = 1 if drift.closing else 0
        return msgspec.structs.replace(item, survived=item.survived + more, hint=NOT_BROUGHT_BACK)
    if not looked.is_void:
        return None
    if not drift.closing:
        return item
    who = changer(item.resource, looked.evidence.writes) or item.who
    return msgspec.structs.replace(item, first_seen=by.at, who=who)


NOT_BROUGHT_BACK: Final = (
    "A release did not bring it back: set it back by hand, name it in the template, or ignore it."
)


def _settled(before: Iterable[Settled], found: Iterable[Settled]) -> tuple[Settled, ...]:
    together = {(fold(one.resource), one.path): one for one in (*before, *found)}
    newest = sorted(together, key=lambda key: together[key].at, reverse=True)[:MOST_SETTLED]
    return tuple(together[key] for key in sorted(newest))


def _learned(before: Sequence[Finding], look: Look) -> tuple[Finding, ...]:
    found = gathered(look.judged.learned)
    return merged(before, found)[:MOST_OFFERED] if found else tuple(before)


def _problem(heal: Heal) -> Problem | None:
    fight = healing.fight(heal)
    if fight is not None:
        return healing.problem(fight)
    return None
