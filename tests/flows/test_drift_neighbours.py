"""Drift of a stack in whose resource group another one is being released."""

from typing import Any

import pytest

from tests.fakes.arm import Outcome
from tests.flows.test_drift import GROUP, confirm, deployed
from tests.flows.world import World, files, template

NEW = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/other"
MANIFEST = """
version: 1
stacks:
  web: {template: web.json, scope: rg-web}
  yard: {template: yard.json, scope: rg-web, adopt: take}
"""


def both() -> dict[str, Any]:
    """Return a repository with a second stack in the group of the first."""
    own = template("", "other")
    return files("web", web="one") | {"plumbline.yaml": MANIFEST, "yard.json": own}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world in which the neighbour's first release runs, and has made a resource."""
    world = deployed(monkeypatch)
    confirm(world)
    world.arm.default = Outcome(seconds=120)
    world.push(both())
    world.run(20)
    world.arm.make(NEW, {"location": "westeurope", "properties": {}})
    world.scan()
    return world


def test_what_a_running_release_may_be_making_is_no_drift(world: World) -> None:
    """Until it has ended nobody knows what it owns, and the stack next door is not blamed for it."""
    assert world.record("yard").in_flight is not None
    drift = world.drift("web")
    assert (drift.state, drift.items, drift.history) == ("none", (), ())


def test_what_the_release_made_is_no_drift_afterwards(world: World) -> None:
    """It is the neighbour's then."""
    world.run(200)
    world.scan()

    drift = world.drift("web")
    assert world.record("yard").standing == "steady"
    assert (drift.state, drift.items, drift.history) == ("none", (), ())


def test_what_somebody_else_made_meanwhile_is_found_once_it_has_ended(world: World) -> None:
    """Nothing is forgotten that was not told while the release ran."""
    other = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/mine"
    world.arm.make(other, {"location": "westeurope", "properties": {}})
    world.scan()
    assert world.drift("web").items == ()
    world.run(200)
    world.scan()

    assert [item.resource for item in world.drift("web").items] == [other]
