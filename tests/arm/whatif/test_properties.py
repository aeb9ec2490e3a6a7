"""Whatever is deployed is no change; whatever changes is shown, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.arm.whatif.delta import equal
from tests.arm.azure import SCHEMA, template
from tests.arm.whatif.world import GROUP, World, kinds, leaves, nested

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon"])
SCALARS = st.booleans() | st.integers(0, 9) | st.sampled_from(["", "x", "Y", "a b", "10.0.0.0/16"])
VALUES = st.recursive(
    SCALARS | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["one", "two", "Three", "id", "name"]), inner, max_size=3)
    ),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(["p", "q", "r", "s"]), VALUES, max_size=4)
TAGS = st.dictionaries(
    st.sampled_from(["env", "team", "a.b"]), st.sampled_from(["1", "2"]), max_size=2
)


@st.composite
def shelves(draw: st.DrawFn) -> dict[str, Any]:
    """Return a resource of a type that nobody knows."""
    shelf: dict[str, Any] = {
        "type": "Contoso.Shop/shelves",
        "apiVersion": "2024-01-01",
        "name": draw(NAMES),
        "location": draw(st.sampled_from(["westeurope", "West Europe"])),
        "properties": draw(BODIES),
    }
    tags = draw(TAGS | st.none())
    return shelf if tags is None else {**shelf, "tags": tags}


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """Return a virtual network with some subnets inside."""
    subnets = draw(st.lists(st.integers(0, 5), unique=True, max_size=4))
    return {
        "type": "Microsoft.Network/virtualNetworks",
        "apiVersion": "2024-05-01",
        "name": "vnet",
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [
                {"name": f"s{one}", "properties": {"addressPrefix": f"10.0.{one}.0/24"}}
                for one in subnets
            ],
        },
    }


def _unlike(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the resources of which each name is the first."""
    return list({one["name"]: one for one in reversed(resources)}.values())


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    """Return a template: plain, nested, looped, with references; with or without symbols."""
    resources = _unlike(draw(st.lists(shelves(), min_size=1, max_size=3)))
    first = resources[0]
    if draw(st.booleans()):
        resources.append(draw(networks()))
    if draw(st.booleans()):
        reads = f"[reference(resourceId('{first['type']}', '{first['name']}'), '2024-01-01', 'Full').name]"
        resources.append({**first, "name": "reader", "properties": {"it": reads}})
    if draw(st.booleans()):
        loop = {"name": "loop", "count": draw(st.integers(0, 3))}
        resources.append({**first, "name": "[concat('loop', copyIndex())]", "copy": loop})
    if draw(st.booleans()):
        inner = template(
            [{**draw(shelves()), "name": "[parameters('n')]"}], {"n": {"type": "string"}}
        )
        resources.append(nested("inner", inner, given={"n": {"value": "nested"}}))
    if draw(st.booleans()):
        resources.append({**first, "name": "never", "condition": False})
    if draw(st.booleans()):
        return template(resources)
    named = {f"symbol{at}": one for at, one in enumerate(resources)}
    return {
        "$schema": SCHEMA,
        "languageVersion": "2.0",
        "contentVersion": "1.0.0.0",
        "resources": named,
    }


@SLOW
@given(templates())
def test_what_was_deployed_is_no_change(whole: dict[str, Any]) -> None:
    """A template that was deployed is foretold to change nothing, nested parts and loops included."""
    world = World()
    world.deploy(copy.deepcopy(whole))

    found = world.what_if(whole)

    assert {one["changeType"] for one in found["changes"]} <= {"NoChange"}
    assert found["potentialChanges"] == []
    assert found["diagnostics"] == []


@SLOW
@given(templates(), templates())
def test_what_is_foretold_comes_true(old: dict[str, Any], new: dict[str, Any]) -> None:
    """The `after` of a what-if is the `before` of the next one, when the deployment has run."""
    world = World()
    world.deploy(old)
    foretold = world.changes(copy.deepcopy(new))
    world.deploy(copy.deepcopy(new))
    then = {one["resourceId"].lower(): one for one in world.changes(copy.deepcopy(new))}

    for one in foretold:
        if one["changeType"] != "Ignore":
            assert equal(one["after"], then[one["resourceId"].lower()]["before"])


@SLOW
@given(shelves(), st.data())
def test_what_a_hand_changes_is_shown_and_nothing_else(shelf: dict[str, Any], data: Any) -> None:
    """One changed leaf is one entry at its own path."""
    shelf["properties"] |= {"known": {"leaf": 1, "rest": 2}}
    way = data.draw(st.sampled_from(["known.leaf", "known.fresh", "fresh"]))
    world = World()
    world.deploy([shelf])
    patch: Any = 7
    for name in reversed(("properties", *way.split("."))):
        patch = {name: patch}
    world.change(f"{GROUP}/providers/Contoso.Shop/shelves/{shelf['name']}", patch)

    [found] = world.changes([shelf])

    kind = "Modify" if way == "known.leaf" else "Delete"
    assert list(leaves(found["delta"])) == [(f"properties.{way}", kind)]


@SLOW
@given(networks(), networks())
def test_subnets_that_stay_are_never_shown(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Of the children in a parent, exactly those that come and go are entries."""
    world = World()
    world.deploy([old])

    [found] = world.changes([new])

    def names(one: dict[str, Any]) -> set[str]:
        return {subnet["name"] for subnet in one["properties"]["subnets"]}

    entries = [kind for _, kind in leaves(found["delta"])]
    if names(old) and names(new):
        assert entries.count("Delete") == len(names(old) - names(new))
        assert entries.count("Create") == len(names(new) - names(old))
        assert len(entries) == len(names(old) ^ names(new))
    assert kinds([found])["vnet"] == ("NoChange" if names(old) == names(new) else "Modify")
