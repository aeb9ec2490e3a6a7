"""Bodies changed by path, with the original left alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.arm.noise.bodies import MISSING, Path, at, drop, find, leaves, pruned, put, show
from local.arm.noise.chance import number, some

NAMES = st.sampled_from(["a", "b", "Name", "properties"])
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(NAMES, BODIES, max_size=4)
BODY = {"sku": {"Name": "S1"}, "properties": {"rules": [{"name": "a", "on": True}, {"name": "b"}]}}


@given(OBJECTS)
def test_every_leaf_is_where_its_path_says(body: dict[str, Any]) -> None:
    """Reading, setting and taking out agree, and none of them touches the original."""
    before = copy.deepcopy(body)
    for path, value in leaves(body):
        assert at(body, path) == value
        assert at(put(body, path, "new"), path) == "new"
        if isinstance(path[-1], str):
            assert at(drop(body, path), path) is MISSING
            assert at(drop(body, path, prune=False), path[:-1]) is not MISSING

    assert body == before


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("SKU.name", [("sku", "Name")]),
        (
            "properties.rules[*].name",
            [("properties", "rules", 0, "name"), ("properties", "rules", 1, "name")],
        ),
        ("properties.rules[*].on", [("properties", "rules", 0, "on")]),
        ("properties.none", []),
        ("sku[*].name", []),
    ],
)
def test_patterns_lead_to_places(wanted: str, found: list[Path]) -> None:
    """In any case, with [*] for every element."""
    assert found == find(BODY, wanted)


def test_paths_are_shown_as_what_if_labels_show_them() -> None:
    """The indices of elements are segments."""
    assert show(("properties", "rules", 0, "on")) == "properties.rules.0.on"


def test_objects_left_empty_go_too() -> None:
    """But only with `prune`; elements of arrays never go."""
    body = {"a": {"b": {"c": 1}}, "d": [{"e": 1}]}

    assert drop(body, ("a", "b", "c")) == {"d": [{"e": 1}]}
    assert drop(body, ("a", "b", "c"), prune=False) == {"a": {"b": {}}, "d": [{"e": 1}]}
    assert drop(body, ("d", 0, "e")) == {"a": {"b": {"c": 1}}, "d": [{}]}
    assert pruned({"a": {"b": None}, "c": [], "d": [{}]}) == {"d": [{}]}


def test_chance_is_the_same_every_time() -> None:
    """It depends on the words alone, picks at least one, and keeps the order."""
    items = list(range(20))

    assert number("a", 1) == number("a", 1) != number("a", 2)
    assert some(items, "x") == some(items, "x") == sorted(some(items, "x"))
    assert all(some([1], "seed", seed) == [1] for seed in range(20))
    assert some([], "x") == []


def test_chance_does_not_move_when_others_come_and_go() -> None:
    """Whether an item is noisy depends on its own name, and not on how many are before it."""
    chosen = some(list(range(40)), "x")

    assert [one for one in chosen if one >= 10] == some(list(range(10, 40)), "x")
