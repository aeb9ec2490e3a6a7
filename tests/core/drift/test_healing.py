"""Healing: often enough, not for ever, and never against somebody who keeps answering."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.drift import healing
from shared.core.drift.healing import CALM, FIGHT, MOST_FLIPS, WAITS
from shared.core.drift.model import Drift, Heal, Item
from tests.core.drift.cases import NOW, STORE, item, who

HOUR = timedelta(hours=1)


def course(
    callers: Sequence[str | None], path: str = "properties.a", start: Heal | None = None
) -> Heal:
    """Return the course after each of the callers set one property again, each time after a heal."""
    heal, at = start or Heal(), NOW
    for caller in callers:
        items = (item(path, who=who(caller) if caller else None),)
        heal = healing.flipped(heal, items, at)
        if healing.fight(heal) is None:
            heal = healing.begun(heal, items, at)
        at += HOUR
    return heal


def drift(heal: Heal) -> Drift:
    """Return a stack with this course."""
    return Drift(repository="r", stack="s", heal=heal)


@pytest.mark.parametrize(
    ("callers", "named", "times"),
    [
        (["ann"], None, 0),
        (["ann", "ann"], None, 0),
        (["ann", "ann", "ann"], "ann", FIGHT),
        ([None, "ann", "ann"], "ann", FIGHT),
        (["ann", None, "ann"], "ann", FIGHT),
        ([None, None, None], healing.UNKNOWN, FIGHT),
        (["ann", "bob", "ann"], None, 0),
        (["ann", "bob", "ann", "bob"], None, 0),
        (["ann", "bob", "ann", "bob", "ann"], "ann", FIGHT),
    ],
)
def test_a_fight_is_the_third_time_by_one_caller(
    callers: list[str | None], named: str | None, times: int
) -> None:
    """Times that nobody is named for count with those of whom the log names."""
    found = healing.fight(course(callers))

    assert (found.caller if found is not None else None) == named
    assert (found.times if found is not None else 0) == times


def test_a_hundred_rounds_are_two_heals_and_one_problem() -> None:
    """However long a policy goes on, and over days: it was healed twice, and then a person is asked."""
    heal, at, heals = Heal(), NOW, 0
    for _ in range(100):
        items = (item(who=who("policy")),)
        heal = healing.calmed(healing.flipped(heal, items, at), items, at)
        if healing.may_heal(drift(heal), at):
            heal, heals = healing.begun(heal, items, at), heals + 1
        at += CALM * 0.6
    found = healing.fight(heal)

    assert heals == FIGHT - 1
    assert found is not None
    assert "policy" in healing.problem(found).message


def test_a_hundred_items_that_open_once_are_no_fight() -> None:
    """What is healed once, and opens elsewhere, is not the same thing again."""
    heal = Heal()
    for n in range(100):
        heal = course(["ann"], f"properties.p{n}", heal)

    assert healing.fight(heal) is None


def test_what_opens_before_any_heal_counts_nothing() -> None:
    """A person who edits all day fights nobody while nothing is healed."""
    assert healing.flipped(Heal(), (item(who=who()),) * 5, NOW) == Heal()


@pytest.mark.parametrize("attempts", range(1, 9))
def test_the_wait_grows_between_heals(attempts: int) -> None:
    """The first comes at once, the last wait counts for all that follow."""
    heal = Heal()
    for _ in range(attempts):
        assert healing.may_heal(drift(heal), heal.next_at or NOW)
        heal = healing.begun(heal, (), NOW)
    wait = WAITS[min(attempts, len(WAITS) - 1)]

    assert heal.next_at == NOW + wait
    assert healing.may_heal(drift(heal), NOW + wait)
    assert not healing.may_heal(drift(heal), NOW + wait - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("callers", "items", "later", "is_calm"),
    [
        (["ann"], (), CALM, False),
        (["ann"], (), CALM + timedelta(seconds=1), True),
        (["ann"], (item(),), 2 * CALM, False),
        (["ann"] * 3, (item(),), 100 * CALM, False),
        (["ann"] * 3, (), CALM, False),
        (["ann"] * 3, (), 2 * CALM, True),
        ([], (), CALM, True),
    ],
)
def test_a_day_without_a_heal_and_without_drift_starts_anew(
    callers: list[str | None], items: tuple[Item, ...], later: timedelta, *, is_calm: bool
) -> None:
    """But no fight ends by waiting while somebody has their way: a person has to settle it."""
    heal = course(callers)
    last = max((flip.last_at for flip in heal.flips), default=NOW)

    assert (healing.calmed(heal, items, last + later) == Heal()) == is_calm


def test_nothing_is_healed_against_a_problem() -> None:
    """Whatever it is, somebody is asked to act first."""
    found = healing.fight(course(["ann"] * 3))
    assert found is not None
    asked = Drift(repository="r", stack="s", problem=healing.problem(found))

    assert not healing.may_heal(asked, NOW)
    assert healing.may_heal(drift(Heal()), NOW)


@pytest.mark.parametrize(
    ("items", "count"),
    [
        ([item(), item(kind="deleted", path="")], 2),
        ([item(kind="undeclared", path="")], 0),
        ([], 0),
    ],
)
def test_what_a_release_can_bring_back(items: list[Item], count: int) -> None:
    """What nobody declared stays where it is."""
    assert len(healing.healable(items)) == count


@given(callers=st.lists(st.sampled_from(["ann", "bob"]), max_size=9), crowd=st.integers(0, 300))
def test_a_crowd_ends_no_fight(callers: list[str | None], crowd: int) -> None:
    """Hundreds of other items neither grow the document for ever nor have a fight forgotten."""
    heal = course(callers)
    fought = healing.fight(heal)
    again = healing.flipped(heal, [item(f"p{n}") for n in range(crowd)], NOW + 99 * HOUR)
    again = healing.begun(again, [item(f"q{n}") for n in range(crowd)], NOW + 99 * HOUR)

    assert len(again.flips) <= MOST_FLIPS
    assert healing.fight(again) == fought


@pytest.mark.parametrize("caller", [None, "ann"])
@pytest.mark.parametrize("path", ["", "properties.a"])
def test_a_fight_is_told_with_its_caller_and_its_place(path: str, caller: str | None) -> None:
    """So that a person knows whom to ask."""
    found = healing.fight(course([caller] * 3, path))
    assert found is not None
    problem = healing.problem(found)

    assert problem.code == "DriftFight"
    assert STORE in problem.message
    assert path in problem.message
    assert (caller or "does not name") in problem.message
