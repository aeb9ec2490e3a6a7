"""When drift is healed, how often, and when healing stops: the fight detector. Pure.

A heal is one more attempt of the generation that is applied. Between heals the wait grows. Somebody who
sets a property again after it was healed, three times, is fought no longer: a person has to end it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.core.drift.model import Drift, Flip, Heal, Item
from shared.core.problem import Problem

FIGHT: Final = 3
"""How often one property is set again by one caller before healing stops (issue 5, part 5)."""

WAITS: Final = (
    timedelta(0),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
"""How long to wait before each heal in a row; the last one counts for all that follow."""

CALM: Final = timedelta(hours=24)
"""After a day without a heal, and without drift, it starts from the beginning."""

MOST_FLIPS: Final = 200
UNKNOWN: Final = "unknown"


def healable(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return the items that a release can bring back: not what nobody declared, nor what one did not."""
    return tuple(item for item in items if item.kind != "undeclared" and not item.survived)


def flipped(heal: Heal, opened: Sequence[Item], at: datetime) -> Heal:
    """Return the course after items opened anew: each that was healed before counts as set again."""
    if heal.last_at is None:
        return heal
    flips = {(flip.resource.lower(), flip.path, flip.caller): flip for flip in heal.flips}
    for item in opened:
        caller = item.who.caller if item.who is not None else UNKNOWN
        key = (item.resource.lower(), item.path, caller)
        old = flips.get(key)
        flips[key] = Flip(
            resource=item.resource,
            path=item.path,
            caller=caller,
            times=1 if old is None else old.times + 1,
            last_at=at,
        )
    # A crowd of others must not make a fight forgotten.
    kept = sorted(
        flips.values(), key=lambda flip: (flip.times >= FIGHT, flip.last_at), reverse=True
    )
    return msgspec.structs.replace(heal, flips=tuple(kept[:MOST_FLIPS]))


def begun(heal: Heal, items: Sequence[Item], at: datetime) -> Heal:
    """Return the course after a heal of these items was decided."""
    attempts = heal.attempts + 1
    wait = WAITS[min(attempts, len(WAITS) - 1)]
    known = {(flip.resource.lower(), flip.path, flip.caller) for flip in heal.flips}
    first = tuple(
        Flip(
            resource=item.resource,
            path=item.path,
            caller=item.who.caller if item.who is not None else UNKNOWN,
            times=1,
            last_at=at,
        )
        for item in items
        if (item.resource.lower(), item.path, item.who.caller if item.who else UNKNOWN) not in known
    )
    return msgspec.structs.replace(
        heal,
        attempts=attempts,
        last_at=at,
        next_at=at + wait,
        flips=(*heal.flips, *first)[:MOST_FLIPS],
    )


def calmed(heal: Heal, items: Sequence[Item], at: datetime) -> Heal:
    """Return the course after a look: a day without a heal, and without drift now, ends it."""
    moments = [*(flip.last_at for flip in heal.flips), *([heal.last_at] if heal.last_at else [])]
    if moments and not items and at - max(moments) > CALM:
        return Heal()
    return heal


def fight(heal: Heal) -> Flip | None:
    """Return the property that somebody keeps setting, if healing has become a fight.

    Times that the log did not name anybody for are counted with those of whom it names.
    """
    nameless = {
        (flip.resource.lower(), flip.path): flip.times
        for flip in heal.flips
        if flip.caller == UNKNOWN
    }
    fights = []
    for flip in heal.flips:
        more = nameless.get((flip.resource.lower(), flip.path), 0)
        times = flip.times + (more if flip.caller != UNKNOWN else 0)
        if times >= FIGHT:
            fights.append(msgspec.structs.replace(flip, times=times))
    return max(fights, key=lambda flip: (flip.times, flip.caller != UNKNOWN), default=None)


def problem(flip: Flip) -> Problem:
    """Return what is shown of a fight."""
    who = flip.caller if flip.caller != UNKNOWN else "Somebody whom the Activity Log does not name"
    what = f"{flip.path} of {flip.resource}" if flip.path else flip.resource
    return Problem(
        code="DriftFight",
        message=f"{who} changed {what} again {flip.times} times after Plumbline had healed it.",
        hint="Settle it with who does that (a policy, an autoscaler, a pipeline), or put the path "
        "under drift.ignore; then order a release of the stack.",
        path=flip.resource,
    )


def may_heal(drift: Drift, at: datetime) -> bool:
    """Tell whether a heal may be asked for now: no fight, and the wait is over."""
    if drift.problem is not None or fight(drift.heal) is not None:
        return False
    return drift.heal.next_at is None or drift.heal.next_at <= at
