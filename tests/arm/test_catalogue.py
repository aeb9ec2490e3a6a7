"""Every type that the simulator knows, deployed in one template and looked at again."""

from __future__ import annotations

from typing import Any

from local.arm import knowledge
from local.arm.clock import guid_for
from tests.arm.azure import Azure, ask

# Types that stand at other scopes, or whose provider asks for more than a name.
_ELSEWHERE = frozenset({"Microsoft.Management", "Microsoft.Resources", "Microsoft.Features"})
_LOCKS = "Microsoft.Authorization/locks"
_ROLES = "Microsoft.Authorization/roleAssignments"
_READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def names_of(namespace: str, kind: str, number: int) -> str:
    """Return the name of a resource of a type, below a parent of the type above."""
    if f"{namespace}/{kind}" == _ROLES:
        return guid_for(kind)
    parts = kind.split("/")
    return "/".join(f"name{at}x{number}" for at in range(len(parts)))


def catalogue() -> list[dict[str, Any]]:
    """Return one resource of every type whose parents are known, parents first."""
    found: list[dict[str, Any]] = []
    for number, provider in enumerate(knowledge.load().providers.values()):
        if provider.namespace in _ELSEWHERE:
            continue
        for kind, known in sorted(provider.types.items(), key=lambda item: item[0].count("/")):
            full, above = f"{provider.namespace}/{kind}", kind.rpartition("/")[0]
            if full == _LOCKS or (above and above not in provider.types):
                continue
            name = names_of(provider.namespace, kind, number)
            entry: dict[str, Any] = {"type": full, "apiVersion": known.versions[0], "name": name}
            if known.tracked:
                entry["location"] = "westeurope"
            if above:
                parent = ", ".join(f"'{part}'" for part in name.split("/")[:-1])
                entry["dependsOn"] = [f"[resourceId('{provider.namespace}/{above}', {parent})]"]
            if full == _ROLES:
                role = f"/providers/Microsoft.Authorization/roleDefinitions/{_READER}"
                entry["properties"] = {"roleDefinitionId": role, "principalId": guid_for("anna")}
            found.append(entry)
    return found


def test_every_type_deploys_and_then_nothing_is_left_to_change(azure: Azure) -> None:
    """What-if of what was just deployed says NoChange, type by type, while no noise is on."""
    azure.group()
    resources = catalogue()
    azure.deploy("d", resources).result()
    result = azure.deployments.deployments.begin_what_if("rg-shop", "d", ask(resources)).result()
    changed = [
        (one.resource_id, one.change_type, [delta.path for delta in one.delta or []])
        for one in result.changes
        if one.change_type not in {"NoChange", "Ignore"}
    ]

    assert len(resources) > 600
    assert result.error is None
    assert changed == []
    assert len([one for one in result.changes if one.change_type == "NoChange"]) == len(resources)
