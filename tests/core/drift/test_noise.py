"""Noise: learned from evidence, bounded, and never hiding more than what was seen."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.drift import noise
from shared.core.drift.differences import MISSING
from shared.core.drift.model import Finding
from shared.core.drift.noise import MOST_RULES, MOVES
from shared.core.drift.paths import Element, Place
from shared.core.policy import Ignore
from shared.core.prediction import PropertyChange
from tests.core.drift.cases import JSON, NOW, STORE, STORE_TYPE, TOUCHED_AT, VNET

STAMP = TOUCHED_AT.isoformat()
EARLIER = "2020-01-01T00:00:00.1234567Z"


def moving(path: str = "properties.a", seen: int = 1, at: datetime = NOW) -> Finding:
    """Return what was seen to move at the store."""
    return noise.found(STORE_TYPE, path, MOVES, at, seen)


@pytest.mark.parametrize(
    ("before", "after", "is_so"),
    [
        (EARLIER, STAMP, True),
        (EARLIER, TOUCHED_AT.strftime("%Y-%m-%dT%H:%M:%S.1234567Z"), True),
        (EARLIER, TOUCHED_AT.strftime("%Y-%m-%d %H:%M:%S+0000"), True),
        (MISSING, STAMP, True),
        (EARLIER, (TOUCHED_AT + noise.STAMP_NEAR).isoformat(), True),
        (EARLIER, (TOUCHED_AT + noise.STAMP_NEAR + timedelta(seconds=1)).isoformat(), False),
        (EARLIER, (TOUCHED_AT - noise.STAMP_NEAR - timedelta(seconds=1)).isoformat(), False),
        ("2030-01-01T00:00:00Z", STAMP, False),
        ("never", STAMP, False),
        (None, STAMP, False),
        ({"a": EARLIER}, STAMP, False),
        (EARLIER, f"{STAMP} or so", False),
        (EARLIER, TOUCHED_AT.strftime("%Y-%m-%dT%H:%M:%S"), False),
        (EARLIER, TOUCHED_AT.strftime("%Y-%m-%d"), False),
        (EARLIER, "2026-13-45T99:99:99Z", False),
        (EARLIER, "\u0662\u0660\u0662\u0666-05-04T10:20:00Z", False),
        (EARLIER, MISSING, False),
        (EARLIER, TOUCHED_AT.timestamp(), False),
        ("0001-01-01T00:00:00+23:59", STAMP, True),
        (EARLIER, "9999-12-31T23:59:59-23:59", False),
    ],
)
def test_a_stamp_went_ahead_to_when_the_resource_was_touched(
    before: Any, after: Any, *, is_so: bool
) -> None:
    """A time that a person set to another day, or back, is no stamp, and no text breaks the rule."""
    assert noise.is_stamp(before, after, [TOUCHED_AT]) == is_so
    assert not noise.is_stamp(before, after, [])


@pytest.mark.parametrize(
    ("ignore", "now", "is_ignored"),
    [
        (Ignore(type=STORE_TYPE, path="properties.rules[*].note"), "x", True),
        (Ignore(type=STORE_TYPE.upper(), path="PROPERTIES"), "x", True),
        (Ignore(type=STORE_TYPE, path="properties.rules[*].note.deeper"), "x", False),
        (Ignore(type="Microsoft.Storage", path="properties"), "x", False),
        (Ignore(type=STORE_TYPE, path="properties..x"), "x", False),
        (Ignore(type=STORE_TYPE, path=""), "x", False),
        (Ignore(type=STORE_TYPE, path="properties", value="x"), "x", True),
        (Ignore(type=STORE_TYPE, path="properties", value="x"), "X", False),
        (Ignore(type=STORE_TYPE, path="properties", value=None), None, True),
        (Ignore(type=STORE_TYPE, path="properties", value=None), MISSING, True),
        (Ignore(type=STORE_TYPE, path="properties", value=None), False, False),
        (Ignore(type=STORE_TYPE, path="properties", value=True), 1, False),
        (Ignore(type=STORE_TYPE, path="properties", value=1), True, False),
        (Ignore(type=STORE_TYPE, path="properties", value=0), False, False),
        (Ignore(type=STORE_TYPE, path="properties", value=1), 1, True),
        (Ignore(type=STORE_TYPE, path="properties", value="1"), 1, False),
        (Ignore(type=STORE_TYPE, path="properties", value="x"), {"a": "x"}, False),
        (Ignore(type=STORE_TYPE, path="properties", value="x"), ["x"], False),
    ],
)
def test_what_the_manifest_ignores(ignore: Ignore, now: Any, *, is_ignored: bool) -> None:
    """Exactly its type, its path and what is below, and its value; an unreadable path ignores nothing."""
    place: Place = ("properties", "rules", Element("name", "a"), "note")

    assert noise.is_ignored([ignore], STORE_TYPE, place, now) == is_ignored


@given(JSON)
def test_a_value_condition_lets_no_other_value_pass(value: Any) -> None:
    """Whatever Azure has there: only the very value of the manifest is no drift."""
    ignore = Ignore(type=STORE_TYPE, path="a", value=True)

    assert noise.is_ignored([ignore], STORE_TYPE, ("a",), value) == (value is True)


@pytest.mark.parametrize(
    ("findings", "seen", "resources"),
    [
        ([(STORE, moving())], 1, 1),
        ([(STORE, moving()), (STORE.upper(), moving())], 1, 1),
        ([(STORE, moving()), (VNET, moving())], 2, 2),
        ([(STORE, moving(seen=2))], 2, 1),
        ([(STORE, moving(seen=2)), (STORE, moving()), (VNET, moving())], 3, 2),
        ([(STORE, moving()), (STORE, moving("PROPERTIES.A"))], 1, 1),
    ],
)
def test_one_look_at_one_resource_is_one_sight(
    findings: list[tuple[str, Finding]], seen: int, resources: int
) -> None:
    """However many elements of an array moved: a rule needs another look, or another resource.

    Two readings in one look that saw two values are two.
    """
    (rule,) = noise.gathered(findings)

    assert (rule.seen, rule.resources) == (seen, resources)


@pytest.mark.parametrize(
    ("rule", "place", "is_so"),
    [
        (moving(seen=2), ("properties", "a"), True),
        (moving(seen=1), ("properties", "a"), False),
        (moving(seen=2), ("PROPERTIES", "A"), True),
        (moving(seen=9), ("properties", "a", "below"), False),
        (moving(seen=9), ("properties",), False),
        (moving("properties.l[*].a", seen=2), ("properties", "l", Element("name", "x"), "a"), True),
        (noise.found(STORE_TYPE, "properties.a", "modify", NOW, 9), ("properties", "a"), False),
        (noise.found("other/type", "properties.a", MOVES, NOW, 9), ("properties", "a"), False),
    ],
)
def test_a_rule_hides_exactly_its_place_after_more_than_one_sight(
    rule: Finding, place: Place, *, is_so: bool
) -> None:
    """Neither what is around it, nor by what-if's noise, nor on another type."""
    assert noise.is_moving(noise.by_key([rule]), STORE_TYPE, place) == is_so


FINDINGS = st.builds(
    noise.found,
    st.sampled_from([STORE_TYPE, "other/type"]),
    st.sampled_from(["a", "A", "b[*]"]),
    st.sampled_from([MOVES, "modify"]),
    st.integers(0, 9).map(lambda day: NOW + timedelta(days=day)),
    st.integers(1, 3),
)


@given(st.lists(FINDINGS, max_size=6), st.lists(FINDINGS, max_size=6))
def test_merging_adds_up_and_forgets_nothing(one: list[Finding], other: list[Finding]) -> None:
    """Sights are counted once, in whatever order looks come."""
    there = noise.merged(noise.merged((), one), other)
    back = noise.merged(noise.merged((), other), one)
    wholes = [msgspec.structs.replace(rule, path="", type="", first_seen=NOW) for rule in there]

    assert wholes == [
        msgspec.structs.replace(rule, path="", type="", first_seen=NOW) for rule in back
    ]
    assert sum(rule.seen for rule in there) == sum(rule.seen for rule in (*one, *other))
    assert {noise.key(rule) for rule in there} == {noise.key(rule) for rule in (*one, *other)}


def test_the_oldest_rules_go_when_there_are_too_many() -> None:
    """What a document can grow to is bounded, and what is seen still stays."""
    old = [moving(f"p{n}", at=NOW) for n in range(MOST_RULES)]
    new = [moving(f"q{n}", at=NOW + timedelta(days=1)) for n in range(10)]
    kept = noise.merged(old, new)

    assert len(kept) == MOST_RULES
    assert {rule.path for rule in new} <= {rule.path for rule in kept}


@pytest.mark.parametrize(
    ("known", "new", "is_so"),
    [
        ([], [moving()], True),
        ([moving(seen=1)], [moving()], True),
        ([moving(seen=2)], [moving()], False),
        ([moving(seen=1)], [], False),
        ([moving()], [moving("other")], True),
    ],
)
def test_only_what_is_new_is_written(
    known: list[Finding], new: list[Finding], *, is_so: bool
) -> None:
    """A rule, or the sight that makes it count; a thousand stacks do not write at each look."""
    assert noise.is_news(known, new) == is_so


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (PropertyChange("properties.a", "modify", 1, 2), [("properties.a", "modify")]),
        (PropertyChange("properties.a", "no_effect"), []),
        (PropertyChange("properties.a", "array"), [("properties.a", "array")]),
        (
            PropertyChange(
                "properties.rules",
                "array",
                children=(
                    PropertyChange("0", "modify", children=(PropertyChange("name", "modify"),)),
                    PropertyChange("12", "delete"),
                    PropertyChange("1", "no_effect"),
                ),
            ),
            [("properties.rules[*].name", "modify"), ("properties.rules[*]", "delete")],
        ),
        (PropertyChange("0", "create"), [("[*]", "create")]),
        (PropertyChange("", "create"), [("", "create")]),
        (PropertyChange("a.0.1.b", "create"), [("a[*][*].b", "create")]),
        (PropertyChange("a", "modify", children=(PropertyChange("b", "no_effect"),)), []),
    ],
)
def test_leaves_of_what_if(change: PropertyChange, found: list[tuple[str, str]]) -> None:
    """Arrays are opened, indices are all alike, what has no effect is no difference."""
    assert [(path, shape) for path, shape, _ in noise.leaves([change])] == found


def test_the_same_rule_is_told_by_any_spelling() -> None:
    """Types and paths compare without case; shapes are ours."""
    spellings = itertools.product(["T/x", "t/X"], ["Properties.A", "properties.a"])
    keys = {noise.key(noise.found(kind, path, "create", NOW)) for kind, path in spellings}

    assert len(keys) == 1
    assert noise.is_known(dict.fromkeys(keys, moving()), "T/X", "PROPERTIES.a", "create")
    assert not noise.is_known(dict.fromkeys(keys, moving()), "T/X", "PROPERTIES.a", "modify")
