"""Drift: found, explained, healed, and never made up (issue 5; invariants I20 to I22)."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.flows.world import SUB, World, deployment_id, files

NSG: Final = f"/subscriptions/{SUB}/resourceGroups/rg-web/providers/Microsoft.Network/networkSecurityGroups/nsg"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A stack that was deployed, and whose baseline is confirmed."""
    world = World(monkeypatch)
    world.push(files("web", web="one"))
    world.run(60)
    world.clock.advance(601)
    world.scan()
    yield world
    world.arm.check()
    assert world.errors == []


def edit(path: str, value: Any) -> Any:
    """Return an edit of one member of the properties."""

    def change(body: dict[str, Any]) -> None:
        body["properties"][path] = value

    return change


def test_a_quiet_stack_has_no_drift(world: World) -> None:
    """After a release and its baseline nothing is wrong."""
    drift = world.drift("web")
    assert (drift.state, drift.items, drift.gaps) == ("none", (), ())
    assert drift.confirmed_at is not None


def test_a_hand_edit_is_found_and_explained(world: World) -> None:
    """Who changed what is in the next look."""
    world.arm.change(
        NSG, edit("securityRules", [{"name": "open", "properties": {"access": "Allow"}}])
    )
    world.scan()
    drift = world.drift("web")
    assert drift.state == "drifted"
    (item,) = drift.items
    assert (item.kind, item.path, item.severity) == (
        "modified",
        "properties.securityRules[name=open]",
        "high",
    )
    assert item.who is not None and item.who.caller == "hand@example.com"
