"""What is shown of drift: every field named, ages counted, nothing that was not known."""

from datetime import timedelta

import msgspec
import pytest

from shared.core.drift import view
from shared.core.drift.model import (
    Closed,
    Coverage,
    Coverages,
    Drift,
    Gap,
    Heal,
    Item,
)
from shared.core.drift.noise import found
from shared.core.problem import Problem
from tests.core.drift.cases import GROUP, NOW, STORE, STORE_TYPE, item, who

AT = NOW + timedelta(minutes=10)
COVERAGE = Coverage(scope=GROUP.lower(), in_stacks=3, in_none=1, others=(STORE,))
KNOWN = Drift(
    repository="shop",
    stack="web",
    state="drifted",
    release="1.1",
    checked_at=NOW,
    full_at=NOW,
    confirmed_at=NOW,
    items=(item(who=who()), item("b", first_seen=NOW - timedelta(minutes=50))),
    gaps=(Gap(code="Forbidden", message="m", resource=STORE, hint="h"),),
    noise=(found(STORE_TYPE, "a", "moves", NOW),),
    history=(Closed(item=item(who=who()), closed_at=AT, reason="healed", release="1.2"),),
    heal=Heal(attempts=2, next_at=AT),
    problem=Problem(code="DriftFight", message="m"),
)


@pytest.mark.parametrize(
    ("facts", "state", "items"),
    [
        ({}, "unknown", 0),
        ({"state": "none"}, "none", 0),
        ({"state": "drifted", "items": "12"}, "drifted", 12),
        ({"state": "drifted", "items": "many"}, "drifted", 0),
        ({"state": "drifted", "items": "-1"}, "drifted", 0),
        ({"state": "drifted", "items": "\u00b2"}, "drifted", 0),
        ({"state": "drifted", "checked_at": "never"}, "drifted", 0),
    ],
)
def test_a_list_shows_what_facts_say(facts: dict[str, str], state: str, items: int) -> None:
    """Unknown until it was inspected; a fact that cannot be read hides no stack."""
    shown = view.of_facts(facts)

    assert (shown.state, shown.items, shown.checked_at) == (state, items, None)


def test_all_that_is_known_is_shown() -> None:
    """Items with their ages and who did it, the past, gaps, noise, healing and coverage."""
    shown = view.stack_drift_view(KNOWN, COVERAGE, AT)
    first, second = shown.items

    assert (shown.name, shown.repository, shown.state, shown.release) == (
        "web",
        "shop",
        "drifted",
        "1.1",
    )
    assert (first.age_s, second.age_s, shown.age_s) == (600.0, 3600.0, 3600.0)
    assert first.who is not None
    assert (first.who.caller, second.who) == ("ann", None)
    assert [(one.opened_at, one.closed_at, one.reason, one.caller) for one in shown.history] == [
        (NOW, AT, "healed", "ann")
    ]
    assert [(gap.code, gap.hint) for gap in shown.gaps] == [("Forbidden", "h")]
    assert [(one.type, one.path, one.seen) for one in shown.noise] == [(STORE_TYPE, "a", 1)]
    assert (shown.heals, shown.next_heal_at, shown.problem) == (2, AT, KNOWN.problem)
    assert shown.coverage is not None
    assert shown.coverage.others == (STORE,)


def test_a_stack_that_was_never_looked_at_claims_nothing() -> None:
    """Unknown, with no age and no coverage (I27)."""
    shown = view.stack_drift_view(Drift(repository="shop", stack="web"), None, AT)

    assert (shown.state, shown.age_s, shown.checked_at, shown.coverage) == (
        "unknown",
        None,
        None,
        None,
    )


def test_a_clock_that_went_back_makes_no_negative_age() -> None:
    """Workers' clocks differ."""
    shown = view.stack_drift_view(KNOWN, None, NOW - timedelta(days=1))

    assert shown.age_s == 0.0


def test_every_field_of_an_item_is_shown() -> None:
    """What is added to an item is shown, or left out knowingly."""
    assert set(view.ItemView.__struct_fields__) == {*Item.__struct_fields__, "age_s"} - {
        "survived"  # its hint says so
    }


def test_coverage_is_shown_with_what_could_not_be_listed() -> None:
    """By subscription; as JSON, as it is answered."""
    problem = Problem(code="Forbidden", message="m")
    shown = view.coverages_view(Coverages(at=NOW, scopes=(COVERAGE,), problems={"s": problem}))

    assert msgspec.json.decode(msgspec.json.encode(shown))["scopes"] == [
        {"scope": GROUP.lower(), "in_stacks": 3, "in_none": 1, "others": [STORE]}
    ]
    assert (shown.at, shown.problems) == (NOW, {"s": problem})
