"""What a template asks for, taken literally: resources, nested deployments, outputs."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NESTED = "microsoft.resources/deployments"


@dataclass(frozen=True)
class PlannedResource:
    """A resource that a deployment writes; ``deployment_id`` is the innermost one."""

    id: str
    type: str
    name: str
    api_version: str
    body: Mapping[str, Any]
    deployment_id: str


def planned_resources(
    template: Mapping[str, Any], scope: str, deployment_id: str
) -> tuple[list[PlannedResource], list[str]]:
    """Return the resources that a template writes, nested ones included, and nested ids."""
    found: list[PlannedResource] = []
    nested: list[str] = []
    listed = template.get("resources", [])
    for item in listed.values() if isinstance(listed, Mapping) else listed:
        if item.get("condition") is False or item.get("existing") is True:
            continue
        target, kind = _scope_of(item, scope), item["type"]
        path = "/".join(
            f"{a}/{b}" for a, b in zip(kind.split("/")[1:], item["name"].split("/"), strict=True)
        )
        resource_id = f"{target}/providers/{kind.split('/')[0]}/{path}"
        body = {key: value for key, value in item.items() if key not in {"apiVersion", "dependsOn"}}
        body = copy.deepcopy({**body, "id": resource_id})
        found.append(
            PlannedResource(
                resource_id, kind, item["name"], item["apiVersion"], body, deployment_id
            )
        )
        if kind.lower() == NESTED:
            nested.append(resource_id)
            inner, below = planned_resources(item["properties"]["template"], target, resource_id)
            found += inner
            nested += below
    return found, nested


def _scope_of(item: Mapping[str, Any], scope: str) -> str:
    group = item.get("resourceGroup")
    if not group:
        return scope
    subscription = item.get("subscriptionId") or scope.split("/")[2]
    return f"/subscriptions/{subscription}/resourceGroups/{group}"


def outputs_shown(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the outputs as ARM shows them: secure ones without a value."""
    shown = {}
    for name, output in dict(template.get("outputs", {})).items():
        kind = str(output["type"])
        secure = kind.lower().startswith("secure")
        shown[name] = {"type": kind} if secure else {"type": kind, "value": output["value"]}
    return copy.deepcopy(shown)
