"""Differences: all that really differs, at its place, and nothing else."""

import copy
import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.core.drift.differences import (
    MISSING,
    MOST_DEEP,
    Difference,
    at,
    differences,
    is_comparable,
)
from shared.core.drift.paths import Element, Place
from tests.core.drift.cases import BODIES, JSON, SUBNET

VOID: tuple[Any, ...] = (None, {}, [])


def nested(depth: int, leaf: Any) -> Any:
    """Return a value that is so deep inside mappings."""
    for _ in range(depth):
        leaf = {"a": leaf}
    return leaf


def rules(count: int, **more: Any) -> dict[str, Any]:
    """Return a body with an array of named elements, and more in each of their properties."""
    names = [f"rule-{n}" for n in range(count)]
    return {
        "properties": {"rules": [{"name": n, "properties": {"port": 1, **more}} for n in names]}
    }


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 2}, [(("a",), 1, 2)]),
        ({}, {"a": {"b": 1}}, [(("a",), MISSING, {"b": 1})]),
        ({"a": {"b": 1}}, {}, [(("a",), {"b": 1}, MISSING)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [(("a", "c"), 2, 3)]),
        ({"a": {"b": 1}}, {"a": [1]}, [(("a",), {"b": 1}, [1])]),
        ({"a": "1"}, {"a": 2}, [(("a",), "1", 2)]),
        ({"a": True}, {"a": 1}, [(("a",), True, 1)]),
        ({"a": False}, {"a": None}, [(("a",), False, None)]),
        ({"a": ""}, {}, [(("a",), "", MISSING)]),
        ({"a": 0}, {}, [(("a",), 0, MISSING)]),
        ({"a": "x"}, {"a": "X"}, [(("a",), "x", "X")]),
        (
            {"l": [{"name": "a", "v": 1}, {"name": "b", "v": 1}]},
            {"l": [{"name": "b", "v": 2}, {"name": "a", "v": 1}]},
            [(("l", Element("name", "b"), "v"), 1, 2)],
        ),
        (
            {"l": [{"name": "a"}]},
            {"l": [{"name": "a"}, {"name": "b"}]},
            [(("l", Element("name", "b")), MISSING, {"name": "b"})],
        ),
        ({"l": [{"name": "a"}]}, {}, [(("l",), [{"name": "a"}], MISSING)]),
        (
            {"l": [{"name": "a"}]},
            {"l": []},
            [(("l", Element("name", "a")), {"name": "a"}, MISSING)],
        ),
        (
            {"l": [{"name": "a", "v": 1}, {"name": "a", "v": 2}]},
            {"l": [{"name": "a", "v": 1}, {"name": "a", "v": 3}]},
            [
                (
                    ("l",),
                    [{"name": "a", "v": 1}, {"name": "a", "v": 2}],
                    [{"name": "a", "v": 1}, {"name": "a", "v": 3}],
                )
            ],
        ),
        (
            {"l": ["a", "a", "b"]},
            {"l": ["a", "b", "b"]},
            [(("l",), ["a", "a", "b"], ["a", "b", "b"])],
        ),
        ({"l": [True]}, {"l": [1]}, [(("l",), [True], [1])]),
    ],
)
def test_what_differs_is_told_at_its_place(
    before: Any, after: Any, found: list[tuple[Place, Any, Any]]
) -> None:
    """Leaf by leaf; a missing subtree, and an array whose elements have no names, are one."""
    assert list(differences(before, after)) == found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"l": [1, 2, 3]}, {"l": [3, 1, 2]}),
        ({"l": [{"name": "a"}, {"name": "b"}]}, {"l": [{"name": "b"}, {"name": "a"}]}),
        ({"l": [[1, 2], [3]]}, {"l": [[3], [2, 1]]}),
        ({"l": [{"v": [1, 2]}, {"v": []}]}, {"l": [{}, {"v": [2, 1]}]}),
        ({"a": None}, {}),
        ({"identity": {"type": None}, "tags": {}}, {}),
        ({"a": {"b": {"c": []}}}, {"a": None}),
        ({"id": SUBNET}, {"id": SUBNET.upper()}),
        ({"l": [{"id": SUBNET}]}, {"l": [{"id": SUBNET.lower()}]}),
        ({"AppId": 1}, {"appId": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({"etag": "1", "a": 1}, {"a": 1, "ETag": "2"}),
        ({"properties": {"provisioningState": "Updating"}}, {"properties": {}}),
        ({"a": "1", "b": True}, {"a": 1, "b": "true"}),
        ({"location": "West Europe"}, {"location": "westeurope"}),
        ({"l": [{"v": 1, "etag": "1"}]}, {"l": [{"v": 1, "etag": "2"}]}),
        ({"systemData": {"lastModifiedAt": "1"}}, {"systemData": {"lastModifiedAt": "2"}}),
    ],
)
def test_what_says_the_same_is_no_difference(before: Any, after: Any) -> None:
    """No order of an array, no emptiness, no case of an id, and nothing that tells of ARM's work."""
    assert differences(before, after) == ()
    assert differences(after, before) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1, "A": 2}, {"a": 9, "A": 2}),
        ({"a": 1, "A": 2}, {"a": 1, "A": 9}),
        ({"a": 1}, {"a": 9, "A": 1}),
        ({"l": [{"a": 1, "A": 2}]}, {"l": [{"a": 9, "A": 2}]}),
        ({"k": 1}, {"k": 9, "\u212a": 1}),
    ],
)
def test_a_member_hides_behind_no_other(before: Any, after: Any) -> None:
    """Names that differ in case, or look alike, are two members: neither stands for the other."""
    assert differences(before, after) != ()
    assert differences(after, before) != ()


def test_a_secret_is_no_name() -> None:
    """An element is not told by the digest of a secret: no path has it, and none changes with its key."""
    one, other = ({"l": [{"key": f"secret-digest:{k}:{'0' * 32}", "v": 1}]} for k in "ab")

    assert [each.place for each in differences(one, other)] == [("l",)]


def mirrored(found: tuple[Difference, ...]) -> set[tuple[int, str, str]]:
    """Return differences without regard to how members are spelled on which side."""
    return {(len(each.place), repr(each.after), repr(each.before)) for each in found}


@given(BODIES, BODIES)
def test_differences_are_the_same_from_both_sides(one: Any, other: Any) -> None:
    """What was before and what is now change places, and nothing else."""
    there, back = differences(one, other), differences(other, one)

    assert mirrored(there) == {(n, b, a) for n, a, b in mirrored(back)}


def rewritten(value: Any, rng: random.Random) -> Any:
    """Return a value that says the same: arrays in another order, empties added, ids in another case."""
    if isinstance(value, Mapping):
        again = {name: rewritten(each, rng) for name, each in value.items()}
        return {**again, f"zz{rng.random()}": rng.choice([*VOID, {"b": [], "c": {"d": None}}])}
    if isinstance(value, list):
        return rng.sample([rewritten(each, rng) for each in value], len(value))
    if isinstance(value, str) and value.startswith("/subscriptions/"):
        return rng.choice([value.upper(), value.lower()])
    return value


@given(BODIES, st.randoms(use_true_random=False))
def test_a_body_that_says_the_same_does_not_differ(body: Any, rng: random.Random) -> None:
    """Nothing differs from itself, however its arrays are ordered, with or without what is empty."""
    assert differences(body, copy.deepcopy(body)) == ()
    assert differences(body, rewritten(body, rng)) == ()


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the ways to all that is in a value, and neither mapping nor array."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name != "etag":
                yield from leaves(each, (*way, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, (*way, index))
    else:
        yield way


@given(BODIES, st.data())
def test_every_single_edit_is_found_at_its_place(body: Any, data: st.DataObject) -> None:
    """Whatever one leaf becomes, there is a difference, on the way to that leaf, that shows both values."""
    ways = list(leaves(body))
    assume(ways)
    way = data.draw(st.sampled_from(ways))
    edited = copy.deepcopy(body)
    holder = edited
    for step in way[:-1]:
        holder = holder[step]
    holder[way[-1]] = "something that was not there"
    found = differences(body, edited)

    assert found
    for each in found:
        assert at(body, each.place) == each.before
        assert at(edited, each.place) == each.after
        on_the_way = [step for step in way if isinstance(step, str)]
        members = [step for step in each.place if isinstance(step, str)]
        assert members == on_the_way[: len(members)]


@given(BODIES, BODIES)
def test_each_difference_is_what_is_at_its_place(one: Any, other: Any) -> None:
    """Who looks at the place finds what the difference says."""
    for each in differences(one, other):
        assert at(one, each.place) == each.before or each.before is MISSING
        assert at(other, each.place) == each.after or each.after is MISSING


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((), {"a": {"B": [{"name": "x", "v": 1}], "c": None}}),
        (("a", "c"), None),
        (("A", "b", Element("name", "x"), "V"), 1),
        (("a", "b", Element("name", "y")), MISSING),
        (("a", "b", "name"), MISSING),
        (("a", Element("name", "x")), MISSING),
        (("a", "x"), MISSING),
        (("a", "c", "d"), MISSING),
    ],
)
def test_what_is_at_a_place(place: Place, value: Any) -> None:
    """Members without case, elements by their names; elsewhere there is nothing."""
    assert at({"a": {"B": [{"name": "x", "v": 1}], "c": None}}, place) == value


@pytest.mark.parametrize("more", [{}, {"list": [3, 1, 2]}])
def test_large_arrays_take_about_linear_time(more: dict[str, Any]) -> None:
    """Ten thousand elements, in another order, one of them edited: found within seconds."""
    before, after = rules(10_000, **more), rules(10_000, **more)
    after["properties"]["rules"].reverse()
    after["properties"]["rules"][7]["properties"]["port"] = 2
    started = time.process_time()
    (found,) = differences(before, after)

    assert time.process_time() - started < 5
    assert found.place[2] == Element("name", "rule-9992")


def test_large_arrays_without_names_take_about_linear_time() -> None:
    """Fifty thousand texts, in another order, one more: one difference."""
    before = {"l": [f"10.0.{n}" for n in range(50_000)]}
    after = {"l": [*reversed(before["l"]), "10.1"]}
    started = time.process_time()

    assert len(differences(before, after)) == 1
    assert time.process_time() - started < 5


@pytest.mark.parametrize("depth", [MOST_DEEP - 1, 2 * MOST_DEEP])
def test_deep_bodies_are_compared(depth: int) -> None:
    """Nesting as deep as anybody's, and twice as deep, is no trouble."""
    for leaf in (1, [1, {"b": [1]}]):
        (found,) = differences(nested(depth, leaf), nested(depth, 2))
        assert len(found.place) == depth


@pytest.mark.parametrize(
    ("body", "is_so"),
    [
        (None, True),
        (nested(MOST_DEEP - 1, 1), True),
        (nested(MOST_DEEP, 1), False),
        (nested(100_000, 1), False),
        ({"a": "\ud800"}, False),
        ({"\ud800": 1}, False),
        ({"a": 2**64}, False),
        ({"a": 2**63}, True),
        ({"l": [{}] * 10_000}, True),
    ],
)
def test_odd_bodies_are_known_before_they_do_harm(body: Any, *, is_so: bool) -> None:
    """What can be neither kept nor compared is told apart, without a crash."""
    assert is_comparable(body) == is_so


@given(JSON)
def test_all_other_json_is_comparable(body: Any) -> None:
    """What Azure answers in practice is never refused."""
    assert is_comparable(body)
