"""Every type of the catalogue: what was deployed is no change, what a hand changed is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.arm import knowledge
from local.arm.errors import ArmError
from local.arm.knowledge import paths
from local.arm.providers import reads
from tests.arm.whatif.world import World, leaves

KNOWN = knowledge.load()
TYPES = sorted(
    f"{provider.namespace}/{name}"
    for provider in KNOWN.providers.values()
    for name in provider.types
    if provider.namespace not in ("Microsoft.Resources", "Microsoft.Management")
)
NEEDED: dict[str, dict[str, Any]] = {
    "Microsoft.Authorization/roleAssignments": {
        "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions',"
        " 'acdd72a7-3385-48ef-bd42-f606fba81ae7')]",
        "principalId": "6b29e0a3-1c2f-4a6d-9a59-0d2f6c0a7a11",
        "principalType": "ServicePrincipal",
    },
}
CALLED = {"Microsoft.Authorization/roleAssignments": "3f1c1c33-6f0c-4c63-8c0f-4b6f1c1f5e11"}


def _plain(value: Any) -> bool:
    """Tell whether a default has no words that stand for facts."""
    if isinstance(value, str):
        return "{" not in value
    return all(map(_plain, value)) if isinstance(value, list) else True


def _spelled_out(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spelled_out(item) for key, item in value.items() if _plain(item)}
    return value


def _line(kind: str, *, defaults: bool) -> list[dict[str, Any]]:
    """Return a resource of a type for a template, after its parents."""
    namespace, *types = kind.split("/")
    line = []
    for depth in range(1, len(types) + 1):
        full = "/".join((namespace, *types[:depth]))
        known = KNOWN.type(full)
        body: dict[str, Any] = _spelled_out(known.defaults) if defaults else {}
        body["properties"] = {**body.get("properties", {}), **NEEDED.get(full, {})}
        name = "/".join(["name0001x"] * (depth - 1) + [CALLED.get(full, "name0001x")])
        body |= {"type": full, "apiVersion": known.versions[0], "name": name}
        if known.tracked:
            body["location"] = "West Europe"
        line.append(body)
    return line


def _deployed(line: list[dict[str, Any]]) -> World:
    world = World()
    for resource in line:
        world.deploy([resource])
    return world


@pytest.mark.parametrize("kind", TYPES)
def test_what_was_deployed_is_no_change(kind: str) -> None:
    """Deployed with nothing but what it needs and asked about again, a type shows NoChange."""
    line = _line(kind, defaults=False)

    _check_unchanged(_deployed(line), line)


def _check_unchanged(world: World, line: list[dict[str, Any]]) -> list[dict[str, Any]]:
    changes = world.changes(line)
    assert [one["changeType"] for one in changes] == ["NoChange"] * len(line)
    assert [one["delta"] for one in changes] == [[]] * len(line)
    return changes


def _leaves_of(value: dict[str, Any], way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _leaves_of(item, (*way, key))
        elif isinstance(item, str | int | float):
            yield (*way, key)


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else "other"


def _patch(way: tuple[str, ...], value: Any) -> dict[str, Any]:
    for key in reversed(way):
        value = {key: value}
    return dict(value)


@pytest.mark.parametrize("kind", TYPES)
def test_what_a_hand_changed_is_shown_and_healed(kind: str) -> None:
    """Deployed with its defaults spelled out a type is unchanged until a hand changes a leaf.

    That leaf is shown, with what follows from it and nothing else, until it is deployed again.
    """
    line = _line(kind, defaults=True)
    world = _deployed(line)
    known = _check_unchanged(world, line)[-1]["before"]
    resource_id, version = known["id"], line[-1]["apiVersion"]

    def got() -> dict[str, Any]:
        record = world.cloud.resource(resource_id)
        assert record is not None
        return reads.body(world.cloud, record, version)

    ways = _leaves_of(_spelled_out(KNOWN.type(kind).defaults))
    way = next(ways, ("properties", "neverHeardOf"))
    before = got()
    value = paths.first(before, paths.steps(".".join(way)))
    try:
        world.change(resource_id, _patch(way, _other(value)))
    except ArmError:
        return  # the provider does not let a hand do that
    after = got()

    delta = world.changes(line)[-1]["delta"]

    shown = [path for path, _ in leaves(delta)]
    assert all(_at(before, path) != _at(after, path) for path in shown)
    moved = _at(before, ".".join(way)) != _at(after, ".".join(way))
    assert moved == any(_covers(path, way) for path in shown)
    world.deploy(line[-1:])
    _check_unchanged(world, line)


def _at(body: Any, path: str) -> Any:
    """Return what a body has at a path, up to the array in it if there is one."""
    steps = path.split(".")
    whole = next((at for at, step in enumerate(steps) if step.isdigit()), len(steps))
    return paths.first(body, paths.steps(".".join(steps[:whole])))


def _covers(path: str, way: tuple[str, ...]) -> bool:
    return ".".join(way) == path or ".".join(way).startswith(f"{path}.")
