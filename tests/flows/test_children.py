"""What is inside other resources: found through its parent, and told once."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tests.flows.test_drift import HAND, NSG, confirm
from tests.flows.world import World, files, template

RULE = f"{NSG}/securityRules/web"


def inline(access: str) -> list[dict[str, Any]]:
    """Return the rules as their group shows them."""
    return [{"name": "web", "id": RULE, "properties": {"access": access}}]


def written() -> bytes:
    """Return a template of a group and of its rule, a resource of its own."""
    body = orjson.loads(template("one"))
    (group,) = body["resources"]
    group["properties"]["securityRules"] = inline("Deny")
    rule = {
        "type": "Microsoft.Network/networkSecurityGroups/securityRules",
        "apiVersion": group["apiVersion"],
        "name": "nsg/web",
        "properties": {"access": "Deny"},
    }
    return orjson.dumps({**body, "resources": [group, rule]})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world whose stack has a group and a rule in it, and whose baseline is confirmed."""
    world = World(monkeypatch)
    world.push({**files("web"), "web.json": written()})
    world.run(60)
    confirm(world)
    yield world
    world.arm.check()
    assert world.errors == []


def put_group(world: World, access: str) -> None:
    """Write the group with its rules by hand: Azure's log has an entry of the group only."""

    def edit(body: dict[str, Any]) -> None:
        body["properties"]["securityRules"] = inline(access)

    world.arm.change(NSG, edit)
    rule = world.arm._kept[RULE.lower()]
    body = {**rule.body, "properties": {"access": access}}
    world.arm._kept[RULE.lower()] = dataclasses.replace(rule, body=body)


@pytest.mark.parametrize("hours", [0, 25])
def test_a_child_that_was_written_with_its_parent_is_found(world: World, hours: int) -> None:
    """In the next look, and in the next full one: as the child's drift, by who wrote the parent."""
    assert world.drift("web").state == "none"
    put_group(world, "Allow")
    world.scan()
    world.clock.advance(hours * 3600)
    world.scan()
    (item,) = world.drift("web").items

    assert (item.resource.lower(), item.path, item.severity) == (
        RULE.lower(),
        "properties.access",
        "high",
    )
    assert item.who is not None
    assert item.who.caller == HAND


def test_a_child_that_is_brought_back_with_its_parent_is_drift_no_more(world: World) -> None:
    """The same way back."""
    put_group(world, "Allow")
    world.scan()
    put_group(world, "Deny")
    world.clock.advance(300)
    world.scan()

    assert (world.drift("web").state, world.drift("web").items) == ("none", ())
