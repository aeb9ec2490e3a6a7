"""How items are held against labels: what is a hit, a miss, a false alarm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.drift.model import Kind, Label
from bench.drift.places import covers, differences, place
from bench.drift.scoring import Item, score
from bench.drift.truth import Truth

A = "/subscriptions/s/resourceGroups/g/providers/N.P/things/a"
CHILD = f"{A}/parts/one"


def label(
    kind: Kind = "modified",
    path: str = "",
    resource: str = A,
    sort: str = "property",
    hidden: str = "",
) -> Label:
    """Return a label of stack s."""
    return Label(
        edit="e", stack="s", resource=resource, kind=kind, path=path, sort=sort, hidden=hidden
    )


def truth(*places: str, gone: tuple[str, ...] = (), new: tuple[str, ...] = ()) -> Truth:
    """Return the truth: where A differs, and which ids are gone or new."""
    found = frozenset(place(one) for one in places)
    return Truth(
        modified={A.lower(): found} if found else {},
        gone=frozenset(one.lower() for one in gone),
        new=frozenset(one.lower() for one in new),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("properties.rules[web].access", "properties.rules[0].access"),
        ("properties.rules.0.access", "properties.rules[*].Access"),
        ("$.properties.rules", "properties.rules[web]"),
        ("tags['cost.centre']", 'tags["cost.centre"]'),
    ],
)
def test_spellings_of_one_place_are_one_place(one: str, other: str) -> None:
    """Which element of an array it is, and how the path is written, makes no difference."""
    assert place(one) == place(other)


def test_a_tag_with_a_dot_is_one_name() -> None:
    """A quoted selector is a name, not a way."""
    assert place("tags['a.b']") == ("tags", "a.b")


@pytest.mark.parametrize(
    "path", ["properties.sku.name", "properties.sku", "properties", "properties.sku.name.x"]
)
def test_an_item_at_above_or_below_a_label_finds_it(path: str) -> None:
    """Coarser and finer are both the same news."""
    found = score(
        [Item("modified", A.upper(), path)],
        [label(path="properties.sku.name")],
        truth("properties.sku.name"),
        "/subscriptions/s",
    )

    assert (len(found.found), len(found.missed), len(found.false)) == (1, 0, 0)


@pytest.mark.parametrize(
    "item",
    [
        Item("modified", A, "properties.other"),
        Item("deleted", A),
        Item("undeclared", A),
        Item("modified", f"{A}b", "properties.sku.name"),
    ],
)
def test_anything_else_is_a_false_alarm_and_the_label_is_missed(item: Item) -> None:
    """Another place, kind or resource is no hit."""
    found = score([item], [label(path="properties.sku.name")], truth("properties.sku.name"), "")

    assert (found.found, found.false) == ((), (item,))
    assert len(found.missed) == 1


def test_what_follows_from_an_edit_is_no_false_alarm_and_finds_nothing() -> None:
    """A storage account's second region changes with its sku: true, but not what was asked for."""
    found = score(
        [Item("modified", A, "properties.secondaryLocation")],
        [label(path="sku.name")],
        truth("sku.name", "properties.secondaryLocation"),
        "",
    )

    assert (len(found.missed), len(found.false)) == (1, 0)


@pytest.mark.parametrize(("shown", "count"), [(truth("properties.parts"), 1), (truth(), 0)])
def test_a_child_is_found_in_its_parents_body_if_that_is_true(shown: Truth, count: int) -> None:
    """A subnet that is gone also shows in its network."""
    gone = Truth(shown.modified, frozenset({CHILD.lower()}), frozenset())
    found = score(
        [Item("modified", A, "properties.parts[one]")],
        [label("deleted", resource=CHILD, sort="child deleted")],
        gone,
        "",
    )

    assert len(found.found) == count
    assert len(found.false) == 1 - count


def test_what_nothing_can_show_is_no_miss_but_counted() -> None:
    """Unless somebody finds it after all."""
    dark = label(path="properties.password", hidden="write-only")
    nothing = score([], [dark], truth(), "")
    something = score(
        [Item("modified", A, "properties.password")], [dark], truth("properties.password"), ""
    )

    assert (nothing.hidden, nothing.missed) == ((dark,), ())
    assert something.found == (dark,)


def test_one_item_twice_is_one_item() -> None:
    """Two stacks that show the same stranger do not make it two."""
    twice = [Item("undeclared", A), Item("undeclared", A)]

    assert len(score(twice, [], truth(), "").false) == 1


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner),
    max_leaves=12,
)


@given(body=st.dictionaries(st.sampled_from("xyz"), BODIES))
def test_a_body_does_not_differ_from_itself(body: dict[str, object]) -> None:
    """Whatever is in it."""
    assert list(differences(body, body)) == []


@given(before=st.dictionaries(st.sampled_from("xyz"), BODIES), name=st.sampled_from("xyz"))
def test_a_difference_is_found_where_it_is(before: dict[str, object], name: str) -> None:
    """One member set to something else is one place, at it or below it."""
    after = {**before, name: {"w": "another"}}
    found = list(differences(before, after))

    assert found
    assert all(covers(one, (name,)) for one in found)
