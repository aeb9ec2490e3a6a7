"""What could break drift: secrets, what the log forgot or told late, documents that are damaged."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.core import names
from tests.flows.test_children import RULE, written
from tests.flows.test_drift import GROUP, NSG, confirm, deployed, edit, only_item, tag
from tests.flows.test_healing import healing
from tests.flows.world import SUB, World, files


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world whose stack was deployed, and whose baseline is confirmed."""
    world = deployed(monkeypatch)
    confirm(world)
    yield world
    world.arm.check()
    assert world.errors == []


def scans(world: World, hours: float, *, every_s: float = 300.0) -> None:
    """Let scans tick for some hours."""
    for _ in range(round(hours * 3600 / every_s)):
        world.clock.advance(every_s - 30.0)
        world.scan()


@pytest.mark.parametrize(
    "change",
    [
        edit("adminPassword", "hunter2-now"),
        edit("appSettings", [{"name": "MODE", "value": "hunter2-now"}]),
    ],
)
def test_a_secret_of_what_if_is_not_shown(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Where the snapshot is no measure, what what-if tells is shown, and no secret in it (I28)."""
    world = World(monkeypatch)
    done: list[bool] = []

    def strike(moment: Any, call: str, name: str) -> None:
        if moment == "before" and call == "arm.resource" and NSG in name and not done:
            done.append(True)
            world.arm.change(NSG, change)

    world.hook = strike
    world.push(files("web", web="one"))
    world.run(60)
    confirm(world)
    assert only_item(world.drift("web")).released == "(unknown)"
    raw = world.documents.read(names.drift("example", "web"))
    assert raw is not None
    assert b"hunter2" not in raw.data
    assert "hunter2" not in str(world.log.events)


def test_an_activity_document_that_cannot_be_read_stops_nothing(world: World) -> None:
    """The log is asked again for what was in it."""
    world.documents.overwrite(names.activity(SUB), b"not json")
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    assert only_item(world.drift("web")).who is not None


def test_what_nobody_declared_is_nobodys_fight(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come and go as often as it likes: no heal has anything to do with it."""
    world = World(monkeypatch)
    world.push(healing())
    world.run(60)
    confirm(world)
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    world.run(60)
    other = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/mine"
    for _ in range(4):
        world.arm.make(other, {"location": "westeurope", "properties": {}})
        scans(world, 0.1)
        world.arm.remove(other)
        scans(world, 0.1)
    assert len(world.drift("web").history) > 4
    assert world.drift("web").problem is None
