"""What nobody declared stays drift until somebody acts: a release takes it neither away nor over."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.core.drift.model import Item
from tests.flows.test_drift import GROUP, NSG, confirm, deployed
from tests.flows.world import World, files

STORE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/mine"
RULE = f"{NSG}/securityRules/mine"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world whose stack was deployed, and whose baseline is confirmed."""
    world = deployed(monkeypatch)
    confirm(world)
    yield world
    world.arm.check()
    assert world.errors == []


def undeclared(world: World) -> tuple[Item, ...]:
    """Return what is undeclared now."""
    return tuple(item for item in world.drift("web").items if item.kind == "undeclared")


@pytest.mark.parametrize("resource", [STORE, RULE])
def test_a_release_does_not_make_it_declared(world: World, resource: str) -> None:
    """It was first seen when it was, by whom it was, whatever is released beside it."""
    body: dict[str, Any] = {"properties": {}}
    world.arm.make(resource, body)
    world.scan()
    (first,) = undeclared(world)
    world.push(files("web", web="two"))
    world.run(60)
    world.scan()
    confirm(world)
    (after,) = undeclared(world)
    world.arm.remove(resource)
    world.clock.advance(300)
    world.scan()

    assert (after.resource, after.first_seen, after.who) == (
        first.resource,
        first.first_seen,
        first.who,
    )
    assert undeclared(world) == ()
    assert [(one.item.resource, one.reason) for one in world.drift("web").history] == [
        (resource, "reverted")
    ]
