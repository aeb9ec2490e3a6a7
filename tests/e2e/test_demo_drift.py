"""The demo's steps about drift: what breaks them, told without a laptop."""

from dataclasses import replace
from typing import Any

import pytest

from local.demo.azure import Fact
from local.demo.drift_story import (
    SHOWN_LIMIT_S,
    ByHand,
    Inspected,
    Quiet,
    Traced,
    broken_by_hand,
    broken_quiet,
    is_healed,
    is_quiet,
)

PATH = "properties.days"
FACT = Fact("rg-logs", "Contoso.Shop/shelves", "a", "2024-01-01", PATH, 90)
STEP = ByHand(title="t", stack="logs", fact=FACT, value=30, severity="medium")
HEALED = replace(STEP, heals=True)
ITEM = {
    "kind": "modified",
    "resource": "/subscriptions/s/resourceGroups/rg-logs/providers/Contoso.Shop/shelves/a",
    "path": PATH,
    "managed": True,
    "wanted": 90,
    "released": 90,
    "now": 30,
    "severity": "medium",
    "left_with": None,
    "who": {"caller": "dana@x.example", "operation": "Contoso.Shop/shelves/write"},
}
CLOSED = {**ITEM, "reason": "healed", "caller": "dana@x.example"}


def drift(*items: Any, history: tuple[Any, ...] = (), **more: Any) -> dict[str, Any]:
    """Return a stack's drift as the API shows it."""
    state = "drifted" if items else "none"
    shown = {"state": state, "release": "1.1", "confirmed_at": "now", "gaps": []}
    return {**shown, "items": list(items), "history": list(history), **more}


def shown(**more: Any) -> Traced:
    """Return an outcome in which the edit is shown and left alone, but for what is given."""
    good = Traced("dana@x.example", 4.0, ITEM, drift(ITEM), found=[30], puts=0)
    return replace(good, **more)


def healed(**more: Any) -> Traced:
    """Return an outcome in which the edit is shown and healed, but for what is given."""
    good = Traced("dana@x.example", 4.0, ITEM, drift(history=(CLOSED,)), found=[90], puts=1)
    return replace(good, **more)


def test_an_edit_that_is_shown_whole_and_left_alone_holds() -> None:
    """Who, where, from what, to what, how bad; and Azure keeps it."""
    assert broken_by_hand(STEP, shown()) == []


def test_an_edit_that_is_healed_once_holds() -> None:
    """Azure has what Git wants after one deployment, and the history tells of it."""
    assert broken_by_hand(HEALED, healed()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"item": {**ITEM, "who": None}},
        {"item": {**ITEM, "who": {**ITEM["who"], "caller": "somebody else"}}},  # type: ignore[dict-item]
        {"item": {**ITEM, "wanted": "(absent)"}},
        {"item": {**ITEM, "now": 90}},
        {"item": {**ITEM, "severity": "low"}},
        {"shown_after_s": SHOWN_LIMIT_S + 0.1},
        {"puts": 1},
        {"found": [90]},
        {"found": []},
        {"drift": drift()},
    ],
    ids=str,
)
def test_an_edit_that_is_shown_otherwise_breaks_its_step(wrong: dict[str, Any]) -> None:
    """Each of these would be a wrong or late word about somebody's edit, or one deployment too many."""
    assert broken_by_hand(STEP, shown(**wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"puts": 0},
        {"puts": 2},
        {"found": [30]},
        {"drift": drift(ITEM)},
        {"drift": drift()},
        {"drift": drift(history=({**CLOSED, "reason": "reverted"},))},
        {"drift": drift(history=(CLOSED, CLOSED))},
        {"drift": drift(history=(CLOSED,), state="incomplete")},
    ],
    ids=str,
)
def test_an_edit_that_is_not_healed_once_breaks_its_step(wrong: dict[str, Any]) -> None:
    """A heal is one deployment, after which there is no drift, and one line in the history."""
    assert broken_by_hand(HEALED, healed(**wrong))


def quiet(shown: dict[str, Any], others: tuple[str, ...] = ()) -> Inspected:
    """Return an outcome of a quiet time with one stack."""
    return Inspected({}, {"logs": shown}, {"scopes": [{"others": others}]}, {}, 1.0)


def test_a_quiet_time_shows_nothing_but_what_left_the_templates() -> None:
    """Any difference, gap or stranger is a false alarm, also one that came and went."""
    step = Quiet("t")

    assert broken_quiet(step, quiet(drift())) == []
    assert broken_quiet(step, quiet(drift(ITEM)))
    assert broken_quiet(step, quiet(drift(history=(CLOSED,))))
    assert broken_quiet(step, quiet(drift(state="incomplete", gaps=[{"message": "no right"}])))
    assert broken_quiet(step, quiet(drift(state="unknown")))
    assert broken_quiet(step, quiet(drift(), ("/subscriptions/s/providers/a/b/new",)))


def test_what_left_a_template_must_be_shown_with_its_release() -> None:
    """It is no false alarm, and it may not be passed over either."""
    step, left = Quiet("t", left=frozenset({"old"})), "/subscriptions/s/providers/a/b/old"
    item = {**ITEM, "resource": left, "left_with": "2.1"}

    assert broken_quiet(step, quiet(drift(item), (left,))) == []
    assert broken_quiet(step, quiet(drift(), (left,)))
    assert broken_quiet(step, quiet(drift({**item, "left_with": None}), (left,)))


def test_it_is_quiet_once_each_stack_was_confirmed_for_its_present_release() -> None:
    """A look at an earlier release, or before noise could be told, is not what is waited for."""
    stacks = {"logs": {"release": "1.1"}}

    assert is_quiet(stacks, {"logs": drift()})
    assert not is_quiet(stacks, {})
    assert not is_quiet(stacks, {"logs": drift(release="1.0")})
    assert not is_quiet(stacks, {"logs": drift(confirmed_at=None)})


def test_it_is_healed_once_it_is_no_longer_open_but_in_the_history() -> None:
    """What was never shown has not been healed."""
    assert is_healed(drift(history=(CLOSED,)), PATH)
    assert not is_healed(drift(), PATH)
    assert not is_healed(drift(ITEM, history=(CLOSED,)), PATH)
    assert not is_healed(None, PATH)
