"""Repositories whose stacks gain and lose resources, for tests of what is deleted."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tests.flows.world import SCHEMA, SUB, World

GROUPS = f"/subscriptions/{SUB}/resourceGroups"
NSG = "Microsoft.Network/networkSecurityGroups"
NET = "Microsoft.Network/virtualNetworks"
NO = {"code": "InvalidParameter", "message": "no"}
AWHILE_S = 120.0


def resource(name: str, kind: str = NSG, *depends_on: str) -> dict[str, Any]:
    """Return a resource of a template."""
    return {
        "type": kind,
        "apiVersion": "2023-11-01",
        "name": name,
        "location": "westeurope",
        "dependsOn": list(depends_on),
        "properties": {},
    }


def template(*resources: str | dict[str, Any]) -> bytes:
    """Return a template; a name alone is a network security group's."""
    made = [resource(one) if isinstance(one, str) else one for one in resources]
    return orjson.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": made})


def repository(
    stacks: Mapping[str, Sequence[str | dict[str, Any]]],
    *,
    prune: bool = True,
    removed: Sequence[str] = (),
    depends: dict[str, str] | None = None,
    group: str = "",
) -> dict[str, Any]:
    """Return a repository: the stacks by their resources, each in a group of its name or ``group``."""
    lines = ["version: 1", f"defaults: {{adopt: take, prune: {str(prune).lower()}}}"]
    if removed:
        lines.append(f"removed: [{', '.join(removed)}]")
    lines.append("stacks:")
    for name in stacks:
        after = f", dependsOn: [{depends[name]}]" if depends and name in depends else ""
        lines.append(
            f"  {name}: {{template: {name}.json, scope: rg-{group or name}, "
            f"createResourceGroup: westeurope{after}}}"
        )
    made: dict[str, Any] = {f"{name}.json": template(*each) for name, each in stacks.items()}
    return made | {"plumbline.yaml": "\n".join(lines)}


def of(stack: str, name: str, kind: str = NSG) -> str:
    """Return a resource's id in a stack's own group, in lower case."""
    path = "/".join(
        part for pair in zip(kind.split("/")[1:], name.split("/"), strict=True) for part in pair
    )
    return f"{GROUPS}/rg-{stack}/providers/{kind.split('/', maxsplit=1)[0]}/{path}".lower()


def deleted(world: World) -> list[str]:
    """Return the last parts of the ids that ARM was asked to delete, in order."""
    return [one.rpartition("/")[2] for one in world.arm.deletions]
