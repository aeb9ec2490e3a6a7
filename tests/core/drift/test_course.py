"""The course of inspections: what is known after a look, and never more than was looked at."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.document import decode, encode, from_text
from shared.core.drift import course, noise
from shared.core.drift.course import MOST_GAPS, MOST_SETTLED, PUT_OFF, Look, looked
from shared.core.drift.judgement import Judged
from shared.core.drift.model import Drift, Flip, Gap, Heal, Item, Looking, Settled, facts
from shared.core.problem import Problem
from tests.core.drift.cases import NOW, STORE, STORE_TYPE, VNET, item, who

LATER = NOW + timedelta(minutes=5)
FRESH = Drift(repository="shop", stack="web")
GAP = Gap(code="Forbidden", message="m", resource=STORE)
WHAT_IF = Gap(code="WhatIfPartial", message="m", resource=STORE)
PROBLEM = Problem(code="DriftFight", message="m")
HEAL = Heal(attempts=1, last_at=NOW, next_at=NOW)
FOUGHT = Heal(
    attempts=2,
    last_at=NOW,
    flips=(Flip(resource=STORE, path="properties.a", caller="ann", times=3, last_at=NOW),),
)
LOOKING = Looking(address="/x", release="1.1", since=NOW)


def look(
    *items: Item, gaps: tuple[Gap, ...] = (), at: Collection[str] | None = None, **more: Any
) -> Look:
    """Return a look; a full one unless it says what it covered."""
    judged = Judged(items=items, gaps=gaps, **more)
    return Look(at=LATER, judged=judged, looked_at=at, seen="s", events=NOW, confirms=True)


def drift(**more: Any) -> Drift:
    """Return what was known."""
    return msgspec.structs.replace(FRESH, release="1.1", **more)


def settled(path: str = "a", digest: str = "1", resource: str = STORE) -> Settled:
    """Return what has settled."""
    return Settled(resource=resource, path=path, digest=digest, at=NOW)


@pytest.mark.parametrize(
    ("items", "gaps", "state"),
    [
        ([], [], "none"),
        ([], [GAP], "incomplete"),
        ([item()], [], "drifted"),
        ([item()], [GAP], "drifted"),
    ],
)
def test_incomplete_is_never_none(items: list[Item], gaps: list[Gap], state: str) -> None:
    """What could not be looked at is not clean."""
    assert course.state(items, gaps) == state
    assert looked(drift(), look(*items, gaps=tuple(gaps))).state == state


@pytest.mark.parametrize(
    ("gap", "covered", "stays"),
    [
        (GAP, {STORE.lower()}, False),
        (GAP, {VNET.lower()}, True),
        (GAP, set(), True),
        (GAP, None, False),
        (WHAT_IF, {STORE.lower()}, True),
        (WHAT_IF, None, False),
        (Gap(code="WhatIfFailed", message="m"), {STORE.lower()}, True),
        (Gap(code="ReleaseOutstanding", message="m"), {STORE.lower()}, True),
        (Gap(code="ReleaseMissing", message="m"), {STORE.lower()}, True),
        (Gap(code="SnapshotLost", message="m"), {STORE.lower()}, True),
        (Gap(code="SnapshotLost", message="m", resource=STORE), {STORE.lower()}, True),
        (Gap(code="NotInSnapshot", message="m", resource=STORE), {STORE.lower()}, True),
        (Gap(code="NotInSnapshot", message="m", resource=STORE), None, False),
    ],
)
def test_a_gap_stays_until_somebody_looks_there(
    gap: Gap, covered: set[str] | None, *, stays: bool
) -> None:
    """A partial look hears no what-if and brings no snapshot back: it cannot make a stack clean."""
    after = looked(drift(gaps=(gap,)), look(at=covered))

    assert after.gaps == ((gap,) if stays else ())
    assert after.state == ("incomplete" if stays else "none")


@given(
    before=st.lists(st.sampled_from([GAP, WHAT_IF]), max_size=2),
    found=st.lists(st.sampled_from([GAP, WHAT_IF]), max_size=2),
    covered=st.none() | st.sets(st.sampled_from([STORE.lower(), VNET.lower()])),
)
def test_no_look_is_cleaner_than_its_gaps(
    before: list[Gap], found: list[Gap], covered: set[str] | None
) -> None:
    """Each gap of a look is kept, once; none means that there is none."""
    after = looked(drift(gaps=tuple(before)), look(gaps=tuple(found), at=covered))

    assert set(found) <= set(after.gaps)
    assert len(set(after.gaps)) == len(after.gaps)
    assert (after.state == "none") == (not after.gaps)


def test_gaps_are_bounded() -> None:
    """Ten thousand resources that cannot be read are a hundred gaps, and incomplete."""
    many = tuple(Gap(code="Forbidden", message=f"m{n}") for n in range(10_000))
    after = looked(drift(), look(gaps=many))

    assert (len(after.gaps), after.state) == (MOST_GAPS, "incomplete")


def test_another_release_begins_with_what_is_still_open() -> None:
    """Its items and gaps stay until they are looked at; what was measured by the old one is gone."""
    before = drift(
        state="drifted",
        items=(item(),),
        gaps=(GAP, Gap(code="SnapshotLost", message="m")),
        settled=(settled(),),
        references={STORE: "c"},
        wanted={STORE: "c"},
        sightings={STORE: ""},
        noise=(noise.found(STORE_TYPE, "a", "moves", NOW),),
        full_at=NOW,
        confirmed_at=NOW,
        seen="s",
        events=NOW,
        due_at=NOW,
        checked_at=NOW,
        looking=LOOKING,
        heal=HEAL,
        problem=PROBLEM,
    )
    after = course.begun(before, "2.1", heals=False)

    assert after == msgspec.structs.replace(
        FRESH,
        release="2.1",
        state="drifted",
        items=before.items,
        gaps=(GAP,),
        noise=before.noise,
        checked_at=NOW,
        closing=course.RELEASED,
    )


@pytest.mark.parametrize("heals", [True, False])
def test_a_release_that_is_no_heal_ends_a_fight(*, heals: bool) -> None:
    """Somebody has acted; our own heal is no act of a person's."""
    after = course.begun(drift(heal=FOUGHT, problem=PROBLEM), "1.2", heals=heals)

    assert (after.heal, after.problem) == ((FOUGHT, PROBLEM) if heals else (Heal(), None))


def test_the_same_release_goes_on() -> None:
    """Nothing is lost between two looks."""
    known = drift(items=(item(),), settled=(settled(),))

    assert course.begun(known, "1.1", heals=False) is known


@pytest.mark.parametrize(
    ("known", "age_min", "is_full"),
    [
        ({}, 9, False),
        ({}, 10, True),
        ({"looking": LOOKING}, 1, True),
        ({"confirmed_at": NOW, "full_at": NOW}, 60, False),
        ({"confirmed_at": NOW}, 60, True),
        ({"confirmed_at": NOW, "full_at": NOW - timedelta(hours=24)}, 60, True),
        ({"confirmed_at": NOW, "full_at": NOW - timedelta(hours=23)}, 60, False),
        ({"full_at": NOW}, 60, True),
    ],
)
def test_when_everything_is_looked_at(
    known: dict[str, Any], age_min: int, *, is_full: bool
) -> None:
    """To confirm the baseline, once in a period, and to fetch a what-if that was begun."""
    found = course.is_full(
        drift(**known),
        NOW - timedelta(minutes=age_min),
        NOW,
        confirm=timedelta(minutes=10),
        period=timedelta(hours=24),
    )

    assert found == is_full


def test_a_look_that_is_put_off_is_tentative_and_comes_back() -> None:
    """While a release runs nothing can be told; what was known is kept."""
    known = drift(items=(item(),), gaps=(GAP,), looking=LOOKING, state="drifted")
    after = course.put_off(known, LATER)

    assert (after.state, after.due_at, after.looking) == ("tentative", LATER + PUT_OFF, None)
    assert (after.items, after.gaps) == (known.items, known.gaps)


def test_a_what_if_that_runs_is_asked_again_should_its_message_be_lost() -> None:
    """It says nothing of the state yet."""
    after = course.waiting(drift(state="none"), LOOKING, NOW, timedelta(seconds=3))

    assert (after.state, after.looking) == ("none", LOOKING)
    assert after.due_at is not None
    assert after.due_at > NOW + timedelta(seconds=3)


@pytest.mark.parametrize("full", [True, False])
def test_what_a_look_leaves(*, full: bool) -> None:
    """When, of what, and that nothing is under way any more; a partial look confirms nothing."""
    known = drift(looking=LOOKING, due_at=NOW, items=(item(),))
    after = looked(known, look(at=None if full else {STORE.lower()}))

    assert (after.checked_at, after.looking, after.due_at) == (LATER, None, None)
    assert (after.full_at, after.confirmed_at) == ((LATER, LATER) if full else (None, None))
    assert (after.seen, after.events, after.items) == ("s", NOW, ())
    assert [(one.reason, one.closed_at) for one in after.history] == [("reverted", LATER)]


def test_items_that_open_after_a_heal_become_a_fight_and_one_problem() -> None:
    """Which stays while the fight does, items or not; and goes with it."""
    heal = msgspec.structs.replace(
        FOUGHT, flips=tuple(msgspec.structs.replace(one, times=2) for one in FOUGHT.flips)
    )
    fought = looked(drift(heal=heal), look(item(who=who("ann"))))
    quiet = looked(fought, look())
    ended = looked(course.begun(quiet, "2.1", heals=False), look())

    assert fought.problem is not None
    assert "ann" in fought.problem.message
    assert quiet.problem is not None
    assert ended.problem is None


def test_what_settled_is_kept_by_its_place_and_bounded() -> None:
    """A newer value takes the older one's place; names that come and go do not grow it for ever."""
    before = (settled("a", "1"), settled("b", "1"))
    new = (settled("a", "2", STORE.upper()),)
    after = looked(drift(settled=before), look(settled=new))
    crowd = tuple(settled(f"p{n}") for n in range(10_000))

    assert [(one.path, one.digest) for one in after.settled] == [("a", "2"), ("b", "1")]
    assert len(looked(drift(), look(settled=crowd)).settled) == MOST_SETTLED


def test_noise_is_offered_with_its_evidence() -> None:
    """Once for each resource of a look, added up over looks, and a bounded number."""
    finding = noise.found(STORE_TYPE, "a[*]", "moves", NOW)
    learned = ((STORE, finding), (STORE, finding), (VNET, finding))
    once = looked(drift(), look(learned=learned))
    twice = looked(once, look(learned=learned))
    crowd = tuple((STORE, noise.found(STORE_TYPE, f"p{n}", "x", NOW)) for n in range(1_000))

    assert [(one.seen, one.resources) for one in once.noise] == [(2, 2)]
    assert [(one.seen, one.resources) for one in twice.noise] == [(4, 2)]
    assert len(looked(drift(), look(learned=crowd)).noise) == noise.MOST_OFFERED


def test_a_document_survives_its_bytes() -> None:
    """All that is kept is read again, also what a newer version wrote beside it (I31)."""
    known = looked(
        drift(looking=LOOKING, heal=FOUGHT, items=(item("b"),)),
        look(item(who=who()), gaps=(GAP,), settled=(settled(),), at={VNET.lower()}),
    )
    again = decode(Drift, "drift", encode(known, {"newer": 1}))

    assert again.document == known
    assert again.unknown == {"newer": 1}


def test_facts_say_what_scans_need() -> None:
    """Short, and only what there is: a thousand stacks are read from one listing."""
    known = looked(drift(heal=FOUGHT, due_at=NOW), look(item(who=who("ann")), gaps=(GAP,)))
    told = facts(known)

    assert facts(FRESH) == {"state": "unknown"}
    assert (told["state"], told["release"], told["items"], told["problem"]) == (
        "drifted",
        "1.1",
        "1",
        "DriftFight",
    )
    assert from_text(told["checked_at"]) == from_text(told["full_at"]) == LATER
    assert told["confirmed"] == "1"
    assert "due_at" not in told
    assert sum(len(key) + len(value) for key, value in told.items()) < 400
