"""The difference of two bodies, rule by rule."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.arm.whatif.delta import diff, equal

GOLDEN = Path(__file__).parents[2] / "golden" / "whatif"


def _modify(path: str, before: Any, after: Any) -> dict[str, Any]:
    return {"path": path, "propertyChangeType": "Modify", "before": before, "after": after}


def _gone(path: str, before: Any) -> dict[str, Any]:
    return {"path": path, "propertyChangeType": "Delete", "before": before}


def _new(path: str, after: Any) -> dict[str, Any]:
    return {"path": path, "propertyChangeType": "Create", "after": after}


def _array(path: str, *children: dict[str, Any]) -> dict[str, Any]:
    return {"path": path, "propertyChangeType": "Array", "children": list(children)}


def _inside(path: str, *children: dict[str, Any]) -> dict[str, Any]:
    return {"path": path, "propertyChangeType": "Modify", "children": list(children)}


YES = True
A, B, C, D = ({"name": name, "p": {"x": name}} for name in "abcd")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a": {"b": 1}}, {"a": {"b": 2}}, [_modify("a.b", 1, 2)], id="flattened"),
        pytest.param({"a": {"b": {"c": 1}}}, {}, [_gone("a", {"b": {"c": 1}})], id="subtree-gone"),
        pytest.param({}, {"a": {"b": 1}}, [_new("a", {"b": 1})], id="subtree-new"),
        pytest.param({"a": {}}, {"a": {"b": 1}}, [_new("a.b", 1)], id="into-an-empty-object"),
        pytest.param({"Sku": {"Name": 1}}, {"sku": {"name": 1}}, [], id="names-in-any-case"),
        pytest.param({"a": "X"}, {"a": "x"}, [_modify("a", "X", "x")], id="values-exactly"),
        pytest.param({"a": 1}, {"a": 1.0}, [], id="one-number"),
        pytest.param({"a": 1}, {"a": YES}, [_modify("a", 1, YES)], id="a-bool-is-no-number"),
        pytest.param({"a": "1"}, {"a": 1}, [_modify("a", "1", 1)], id="a-text-is-no-number"),
        pytest.param({"a": None}, {}, [_gone("a", None)], id="null-is-not-absent"),
        pytest.param({"a": None}, {"a": 0}, [_modify("a", None, 0)], id="null-is-a-value"),
        pytest.param({"a": {"b": 1}}, {"a": 1}, [_modify("a", {"b": 1}, 1)], id="another-kind"),
        pytest.param({"a": [1]}, {"a": {}}, [_modify("a", [1], {})], id="array-to-object"),
        pytest.param(
            {"tags": {"hidden-link:/a.b": "x"}},
            {"tags": {}},
            [_gone("tags.hidden-link:/a.b", "x")],
            id="dots-in-a-name",
        ),
        pytest.param({"a": [A, B]}, {"a": [B]}, [_array("a", _gone("0", A))], id="shifted"),
        pytest.param({"a": [B]}, {"a": [A, B]}, [_array("a", _new("0", A))], id="shifted-back"),
        pytest.param(
            {"a": ["x"]}, {"a": ["y"]}, [_array("a", _gone("0", "x"), _new("0", "y"))], id="scalars"
        ),
        pytest.param(
            {"a": [{"x": 1, "y": 1}]},
            {"a": [{"x": 1, "y": 2}]},
            [_array("a", _inside("0", _modify("y", 1, 2)))],
            id="element-changed",
        ),
        pytest.param(
            {"a": [{"x": 1}, {"x": 2}, {"x": 3}]},
            {"a": [{"x": 4}, {"x": 5}]},
            [
                _array(
                    "a",
                    _inside("0", _modify("x", 1, 4)),
                    _inside("1", _modify("x", 2, 5)),
                    _gone("2", {"x": 3}),
                )
            ],
            id="by-position-without-keys",
        ),
        pytest.param(
            {"a": [A, B, C]},
            {"a": [D, B, {**C, "p": {"x": "new"}}]},
            [
                _array(
                    "a",
                    _inside("0", _modify("name", "a", "d"), _modify("p.x", "a", "d")),
                    _inside("2", _modify("p.x", "c", "new")),
                )
            ],
            id="between-neighbours-that-stayed",
        ),
        pytest.param(
            {"a": [A, B, C]},
            {"a": [C, A, B]},
            [_array("a", _new("0", C), _gone("2", C))],
            id="moved",
        ),
        pytest.param(
            {"a": [[1, 2]]},
            {"a": [[1, 3]]},
            [_array("a", _inside("0", _array("", _gone("1", 2), _new("1", 3))))],
            id="array-in-array",
        ),
        pytest.param({"a": []}, {"a": []}, [], id="empty-arrays"),
    ],
)
def test_rule(before: Any, after: Any, expected: Any) -> None:
    """Each rule of the contract's part 2.3 gives exactly these entries."""
    assert diff(before, after) == expected


KEYED = {"properties.rules": "name", "properties.rules[*].parts": "id"}


@pytest.mark.parametrize(
    ("before", "after", "children"),
    [
        pytest.param([A, B], [B, A], [], id="order-means-nothing"),
        pytest.param([A], [{**A, "name": "A"}], [_modify("name", "a", "A")], id="any-case"),
        pytest.param([A, B], [{**B, "p": {"x": 9}}, A], [_modify("p.x", "b", 9)], id="found"),
    ],
)
def test_elements_with_keys_are_found_by_them(before: Any, after: Any, children: Any) -> None:
    """What the knowledge keys is paired by its key, wherever it stands."""
    found = diff({"properties": {"rules": before}}, {"properties": {"rules": after}}, KEYED)

    inside = [entry for one in found for child in one["children"] for entry in child["children"]]
    assert inside == children


def test_another_key_is_another_element() -> None:
    """A renamed element is one that went and one that came."""
    found = diff({"properties": {"rules": [A]}}, {"properties": {"rules": [D]}}, KEYED)

    assert found == [_array("properties.rules", _gone("0", A), _new("0", D))]


def test_keys_reach_into_arrays() -> None:
    """Arrays inside elements have keys of their own."""
    before = {"properties": {"Rules": [{"name": "r", "Parts": [{"id": 1}, {"id": "x", "v": 1}]}]}}
    after = {"properties": {"rules": [{"name": "r", "parts": [{"id": "x", "v": 2}]}]}}

    found = diff(before, after, KEYED)

    parts = _array("Parts", _gone("0", {"id": 1}), _inside("1", _modify("v", 1, 2)))
    assert found == [_array("properties.Rules", _inside("0", parts))]


def test_the_example_of_the_documentation() -> None:
    """The documentation's own example gives the documentation's own delta."""
    case = json.loads((GOLDEN / "docs_example.json").read_text())

    assert diff(case["before"], case["after"]) == case["delta"]


def test_thousands_of_equal_elements_take_no_time() -> None:
    """The pairing of long arrays full of equal elements stays below a second."""
    before = {"a": [index % 3 for index in range(4000)]}
    after = {"a": [index % 5 % 3 for index in range(4000)]}

    started = time.process_time()
    found = diff(before, after)
    elapsed = time.process_time() - started

    assert elapsed < 2.0
    assert equal(_apply(before, found), after)


SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x", "y"])
NAMES = st.sampled_from(["a", "b", "name", "c"])
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
BODIES = st.dictionaries(NAMES, JSON, max_size=4)


@given(BODIES)
def test_nothing_changed(body: Any) -> None:
    """A body differs in nothing from itself."""
    assert diff(body, copy.deepcopy(body)) == []


@given(BODIES, BODIES)
def test_the_delta_tells_the_whole_difference(before: Any, after: Any) -> None:
    """Who applies a delta to what was before has what is after."""
    assert equal(_apply(before, diff(before, after)), after)


@given(BODIES, BODIES)
def test_forwards_and_backwards_mirror_each_other(before: Any, after: Any) -> None:
    """What one direction creates at the top, the other deletes."""

    def kinds(one: Any, other: Any, kind: str) -> set[str]:
        return {entry["path"] for entry in diff(one, other) if entry["propertyChangeType"] == kind}

    assert kinds(before, after, "Create") == kinds(after, before, "Delete")


@given(st.lists(JSON, max_size=8), st.data())
def test_equal_elements_in_order_are_never_reported(elements: Any, data: Any) -> None:
    """Of an array from which some elements went, only those are reported."""
    kept = [item for item in elements if data.draw(st.booleans())]

    found = diff({"a": elements}, {"a": kept})

    children = [child for entry in found for child in entry["children"]]
    assert {child["propertyChangeType"] for child in children} <= {"Delete"}
    assert len(children) == len(elements) - len(kept)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(0, 5), max_size=30))
def test_no_fewer_scalars_stay_than_can(before: Any, after: Any) -> None:
    """As many elements stay unreported as the longest common subsequence has."""
    found = diff({"a": before}, {"a": after})

    children = [child for entry in found for child in entry["children"]]
    assert len(before) + len(after) - len(children) == 2 * _longest(before, after)


def _longest(one: list[int], other: list[int]) -> int:
    row = [0] * (len(other) + 1)
    for item in one:
        last = row[:]
        for at, against in enumerate(other):
            row[at + 1] = last[at] + 1 if item == against else max(row[at], last[at + 1])
    return row[-1]


def _apply(before: Any, delta: list[dict[str, Any]]) -> Any:
    """Return `before` as a delta changes it; the tests' own reading of the format."""
    body = copy.deepcopy(before)
    for change in delta:
        holder, name = _holder(body, change["path"])
        if change["propertyChangeType"] == "Delete":
            del holder[name]
        elif change["propertyChangeType"] == "Array":
            holder[name] = _apply_elements(holder[name], change["children"])
        else:
            holder[name] = change["after"]
    return body


def _holder(body: Any, path: str) -> tuple[Any, str]:
    """Return the object that a path leads into, and the name there; no name contains dots."""
    *way, name = path.split(".")
    for step in way:
        body = body[step]
    return body, name


def _apply_elements(before: list[Any], children: list[dict[str, Any]]) -> list[Any]:
    elements: list[Any] = list(before)
    gone = set()
    for child in children:
        at = int(child["path"])
        kind = child["propertyChangeType"]
        if kind == "Delete":
            gone.add(at)
        elif kind == "Modify" and "children" in child:
            inside = child["children"]
            if len(inside) == 1 and not inside[0]["path"]:
                elements[at] = _apply_elements(before[at], inside[0]["children"])
            else:
                elements[at] = _apply(before[at], inside)
    result = [item for at, item in enumerate(elements) if at not in gone]
    for child in children:
        if child["propertyChangeType"] == "Create":
            result.insert(int(child["path"]), child["after"])
    return result
