"""A fixed place to deploy to, and a runtime that answers from a dictionary."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from local.arm.engine import Context, Plan, Scope, plan

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = "rg"
PREFIX = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
RESOURCE_GROUP_SCOPE = Scope("resourceGroup", subscription_id=SUBSCRIPTION, resource_group=GROUP)


def resource_group(subscription_id: str, name: str) -> Mapping[str, Any]:
    """Return a resource group as resourceGroup() shows it."""
    return {
        "id": f"/subscriptions/{subscription_id}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "tags": {"team": "shop"},
        "properties": {"provisioningState": "Succeeded"},
    }


def guids() -> Callable[[], str]:
    """Return a source of GUIDs that counts."""
    numbers = count(1)
    return lambda: f"00000000-0000-0000-0000-{next(numbers):012d}"


def context(scope: Scope = RESOURCE_GROUP_SCOPE, location: str | None = None) -> Context:
    """Return surroundings that never change."""
    return Context(
        scope=scope,
        deployment_name="main",
        location=location,
        subscription={
            "id": f"/subscriptions/{SUBSCRIPTION}",
            "subscriptionId": SUBSCRIPTION,
            "tenantId": "11111111-1111-1111-1111-111111111111",
            "displayName": "laptop",
        },
        tenant={"tenantId": "11111111-1111-1111-1111-111111111111"},
        environment={"name": "AzureCloud", "suffixes": {"storage": "core.windows.net"}},
        deployer={"objectId": "22222222-2222-2222-2222-222222222222"},
        resource_group=resource_group,
        utc_now=datetime(2026, 5, 4, 10, 20, 30, tzinfo=UTC),
        new_guid=guids(),
    )


@dataclass
class Answers:
    """A runtime that knows some resources; asked for anything else it fails the test."""

    properties: Mapping[str, Any] = field(default_factory=dict)
    lists: Mapping[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str | None, bool]] = field(default_factory=list)

    def reference(self, resource_id: str, api_version: str | None, full: bool) -> Any:  # noqa: FBT001
        """Return the properties of a known resource."""
        self.asked.append((resource_id, api_version, full))
        body = {"properties": self.properties[resource_id], "location": "westeurope"}
        return body if full else body["properties"]

    def list(self, resource_id: str, function: str, api_version: str, body: Any | None) -> Any:
        """Return the answer to an action."""
        del api_version, body
        return self.lists[f"{resource_id}/{function}"]


def template(**sections: Any) -> dict[str, Any]:
    """Return a template with the sections given."""
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [],
        **sections,
    }


def resource(name: str, **members: Any) -> dict[str, Any]:
    """Return a small resource of a made-up type."""
    return {
        "type": "Microsoft.Rp/things",
        "apiVersion": "2024-01-01",
        "name": name,
        **members,
    }


def thing_id(name: str) -> str:
    """Return the id of such a resource."""
    return f"{PREFIX}/providers/Microsoft.Rp/things/{name}"


def planned(given_values: Mapping[str, Any] | None = None, **sections: Any) -> Plan:
    """Plan a template made of the sections; its parameters get plain values."""
    given = {name: {"value": value} for name, value in (given_values or {}).items()}
    return plan(template(**sections), given, context())


def value_of(expression: Any, parameters: Mapping[str, Any] | None = None, **sections: Any) -> Any:
    """Return the value of an expression in an output (typed object so that null may pass)."""
    declared = {name: {"type": _type(value)} for name, value in (parameters or {}).items()}
    plan_ = planned(
        parameters,
        parameters=declared,
        outputs={"it": {"type": "array", "value": [expression]}},
        **sections,
    )
    return plan_.outputs(Answers())["it"]["value"][0]


def _type(value: Any) -> str:
    kinds: dict[type, str] = {str: "string", bool: "bool", int: "int", list: "array"}
    return kinds.get(type(value), "object")
