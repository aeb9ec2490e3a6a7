"""exportTemplate of a resource group: the template makes the same again."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.arm.azure import API, Azure, ask, network, plain, storage

ACCOUNT = "Microsoft.Storage/storageAccounts"
_UNSTEADY = re.compile(r'\d{4}-\d\d-\d\dT[\d:.]+Z|W/\\"[0-9a-f-]{36}\\"')


def export(azure: Azure, *options: str, resources: Any = ("*",)) -> Any:
    """Export rg-shop."""
    body = {"resources": list(resources), "options": ",".join(options)}
    return azure.call(
        "POST",
        f"{azure.subscription}/resourcegroups/rg-shop/exportTemplate?api-version={API}",
        body,
    )


def everything() -> list[Any]:
    """Make a group with parents, embedded and separate children, and references."""
    rule = {
        "name": "web",
        "properties": {
            "priority": 100,
            "direction": "Inbound",
            "access": "Allow",
            "protocol": "Tcp",
            "sourcePortRange": "*",
            "destinationPortRange": "443",
            "sourceAddressPrefix": "*",
            "destinationAddressPrefix": "*",
        },
    }
    nsg = {
        "type": "Microsoft.Network/networkSecurityGroups",
        "apiVersion": "2023-11-01",
        "name": "nsg",
        "location": "westeurope",
        "properties": {"securityRules": [rule]},
    }
    vnet = network(subnets=("web", "data"), dependsOn=["nsg"])
    nsg_id = "[resourceId('Microsoft.Network/networkSecurityGroups', 'nsg')]"
    vnet["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = {"id": nsg_id}
    container = {
        "type": f"{ACCOUNT}/blobServices/containers",
        "apiVersion": "2024-01-01",
        "name": "stshop001/default/pictures",
        "dependsOn": ["stshop001"],
        "properties": {},
    }
    identity = {
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "apiVersion": "2024-11-30",
        "name": "id-shop",
        "location": "westeurope",
    }
    odd = plain("s1", tags={"a": "1"}, properties={"text": "[[not an expression]", "empty": []})
    return [nsg, vnet, storage(), container, identity, odd]


def content(azure: Azure, group: str) -> dict[str, Any]:
    """Return everything in a group by id, without what no template can bring back."""
    found = {}
    for one in azure.call("GET", f"{group}/resources?api-version={API}").body["value"]:
        body = azure.call("GET", f"{one['id']}?api-version={API}").body
        found[one["id"]] = json.loads(_UNSTEADY.sub("~", json.dumps(body)))
    return found


@pytest.mark.parametrize(
    "options",
    [
        ["IncludeParameterDefaultValue"],
        ["IncludeParameterDefaultValue", "IncludeComments"],
        ["SkipResourceNameParameterization"],
        ["SkipAllParameterization"],
    ],
)
def test_an_exported_group_deploys_again_and_is_the_same(azure: Azure, options: list[str]) -> None:
    """Over itself nothing changes; into the emptied group everything comes back."""
    group = azure.group()
    azure.deploy("d", everything()).result()
    before = content(azure, group)
    template = export(azure, *options).body["template"]
    body = {"properties": {"mode": "Incremental", "template": template}}
    deployments = azure.deployments.deployments
    deployments.begin_create_or_update("rg-shop", "over", body).result()
    over = content(azure, group)
    azure.resources.resource_groups.begin_delete("rg-shop").result()
    azure.group()
    deployments.begin_create_or_update("rg-shop", "again", body).result()

    assert before.keys() == over.keys()
    assert before == over
    assert content(azure, group) == before


def test_names_become_parameters_and_ids_expressions(azure: Azure) -> None:
    """As the service names them; defaults come only when asked for."""
    azure.group()
    azure.deploy("d", everything()).result()
    bare = export(azure).body["template"]
    full = export(azure, "IncludeParameterDefaultValue").body["template"]
    vnet = next(one for one in bare["resources"] if one["type"].endswith("/virtualNetworks"))
    container = next(one for one in bare["resources"] if one["type"].endswith("/containers"))
    nsg = (
        "[resourceId('Microsoft.Network/networkSecurityGroups',"
        " parameters('networkSecurityGroups_nsg_name'))]"
    )

    assert bare["parameters"]["storageAccounts_stshop001_name"] == {"type": "String"}
    assert full["parameters"]["virtualNetworks_vnet_name"]["defaultValue"] == "vnet"
    assert vnet["name"] == "[parameters('virtualNetworks_vnet_name')]"
    assert vnet["dependsOn"] == [nsg]
    assert vnet["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] == {"id": nsg}
    assert container["name"] == (
        "[concat(parameters('storageAccounts_stshop001_name'), '/default', '/pictures')]"
    )


def test_chosen_resources_are_exported_alone(azure: Azure) -> None:
    """With their children; an id that is not there is refused, and so is an unknown option."""
    group = azure.group()
    azure.deploy("d", everything()).result()
    account = f"{group}/providers/{ACCOUNT}/stshop001"
    types = {
        one["type"] for one in export(azure, resources=[account]).body["template"]["resources"]
    }
    missing = export(azure, resources=[f"{account}2"])
    unknown = export(azure, "IncludeEverything")
    nothing = export(azure, resources=[])

    assert f"{ACCOUNT}/blobServices/containers" in types
    assert all(one.startswith(ACCOUNT) for one in types)
    assert (missing.status, missing.code) == (400, "ExportTemplateResourceNotFound")
    assert (unknown.status, unknown.code) == (400, "InvalidRequestContent")
    assert (nothing.status, nothing.code) == (400, "InvalidRequestContent")


def test_secrets_are_not_exported(azure: Azure) -> None:
    """A password that was put does not come out."""
    azure.group()
    server = {
        "type": "Microsoft.Sql/servers",
        "apiVersion": "2023-08-01",
        "name": "sql",
        "location": "westeurope",
        "properties": {"administratorLogin": "shop", "administratorLoginPassword": "hidden-1A"},
    }
    body = ask([server])
    azure.deployments.deployments.begin_create_or_update("rg-shop", "d", body).result()

    assert "hidden-1A" not in json.dumps(export(azure).body)
