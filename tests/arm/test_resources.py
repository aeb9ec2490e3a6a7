"""Resources of any type, and what providers make of them."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.arm.azure import Azure, network, storage

SHELF = "{group}/providers/Contoso.Shop/shelves/{name}"
VERSION = "2024-01-01"


def put(azure: Azure, resource_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Write a resource through the SDK and return what it says."""
    poller = azure.resources.resources.begin_create_or_update_by_id(
        resource_id, body, api_version=VERSION
    )
    found: dict[str, Any] = poller.result().as_dict()
    return found


def get(azure: Azure, resource_id: str) -> dict[str, Any]:
    """Read a resource through the SDK."""
    found: dict[str, Any] = azure.resources.resources.get_by_id(
        resource_id, api_version=VERSION
    ).as_dict()
    return found


def test_any_type_can_be_written_read_patched_and_deleted(azure: Azure) -> None:
    """A type that nothing is known about keeps its body and gets ARM's envelope."""
    shelf = SHELF.format(group=azure.group(), name="S1")
    resources = azure.resources.resources
    made = put(azure, shelf, {"location": "West Europe", "properties": {"depth": 3, "wood": "oak"}})
    patched = resources.begin_update_by_id(
        shelf, {"properties": {"wood": None, "width": 2}, "tags": {"a": "b"}}, api_version=VERSION
    ).result()
    exists = resources.check_existence_by_id(shelf.upper(), api_version=VERSION)
    resources.begin_delete_by_id(shelf, api_version=VERSION).result()
    resources.begin_delete_by_id(shelf, api_version=VERSION).result()

    assert made["id"] == shelf
    assert made["location"] == "westeurope"
    assert made["properties"] == {"depth": 3, "wood": "oak", "provisioningState": "Succeeded"}
    assert patched.properties == {"depth": 3, "width": 2, "provisioningState": "Succeeded"}
    assert patched.tags == {"a": "b"}
    assert exists
    assert not resources.check_existence_by_id(shelf, api_version=VERSION)


def test_ids_keep_the_spelling_of_their_creation(azure: Azure) -> None:
    """Found in any case, shown as first written; known types in the provider's spelling."""
    group = azure.group("rg-Shop")
    made = put(
        azure,
        f"{group.lower()}/providers/microsoft.STORAGE/storageaccounts/stshop001",
        {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
    )

    assert made["id"] == f"{group}/providers/Microsoft.Storage/storageAccounts/stshop001"
    assert made["type"] == "Microsoft.Storage/storageAccounts"


def test_group_and_parent_must_exist(azure: Azure) -> None:
    """A resource needs its group, a child its parent."""
    group = azure.group()
    with pytest.raises(ResourceNotFoundError, match="ResourceGroupNotFound"):
        put(azure, SHELF.format(group=f"{azure.subscription}/resourceGroups/no", name="s"), {})
    with pytest.raises(ResourceNotFoundError, match="ParentResourceNotFound"):
        put(azure, SHELF.format(group=group, name="s") + "/books/b", {})


def test_a_resource_does_not_move_by_put(azure: Azure) -> None:
    """Another location for an existing name is refused."""
    shelf = SHELF.format(group=azure.group(), name="s")
    put(azure, shelf, {"location": "westeurope"})
    with pytest.raises(ResourceExistsError, match="InvalidResourceLocation"):
        put(azure, shelf, {"location": "eastus"})


def test_storage_accounts_get_endpoints_defaults_and_keys(azure: Azure) -> None:
    """What a template relies on is there: endpoints, tier, implicit services, listKeys."""
    group = azure.group()
    azure.deploy("d", [storage("stshop001")]).result()
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/stshop001"
    found = get(azure, account)
    keys = azure.call("POST", f"{account}/listKeys?api-version={VERSION}").body
    again = azure.call("POST", f"{account}/listkeys?api-version={VERSION}").body

    assert (
        found["properties"]["primaryEndpoints"]["blob"]
        == "https://stshop001.blob.core.windows.net/"
    )
    assert found["properties"]["supportsHttpsTrafficOnly"] is True
    assert found["sku"] == {"name": "Standard_LRS", "tier": "Standard"}
    assert get(azure, f"{account}/blobServices/default")["name"] == "default"
    assert [key["keyName"] for key in keys["keys"]] == ["key1", "key2"]
    assert keys == again
    assert [one.name for one in azure.resources.resources.list()] == ["stshop001"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Bad_Name", "AccountNameInvalid"),
        ("x", "AccountNameInvalid"),
        ("sttaken01", "StorageAccountAlreadyTaken"),
    ],
)
def test_storage_account_names_are_checked(azure: Azure, name: str, code: str) -> None:
    """3 to 24 lower-case letters and digits, and free in all of Azure."""
    azure.group("rg-other")
    azure.deploy("d", [storage("sttaken01")], "rg-other").result()
    group = azure.group()
    with pytest.raises(HttpResponseError, match=code):
        put(azure, f"{group}/providers/Microsoft.Storage/storageAccounts/{name}", storage(name))


def test_subnets_are_embedded_in_their_network_and_resources_of_their_own(azure: Azure) -> None:
    """One truth: written through the parent or alone, read through both; a PUT replaces the set."""
    group = azure.group()
    azure.deploy("d", [network("vnet", ("web", "data"))]).result()
    vnet = f"{group}/providers/Microsoft.Network/virtualNetworks/vnet"
    before = get(azure, vnet)
    put(azure, f"{vnet}/subnets/extra", {"properties": {"addressPrefix": "10.0.9.0/24"}})
    with_extra = get(azure, vnet)
    azure.deploy("d", [network("vnet", ("web",))]).result()
    after = get(azure, vnet)

    assert [one["name"] for one in before["properties"]["subnets"]] == ["web", "data"]
    assert [one["name"] for one in with_extra["properties"]["subnets"]] == ["web", "data", "extra"]
    assert with_extra["properties"]["subnets"][2] == get_extra(with_extra)
    assert before["etag"] != with_extra["etag"]
    assert [one["name"] for one in after["properties"]["subnets"]] == ["web"]
    assert get(azure, f"{vnet}/subnets/web")["properties"]["addressPrefix"] == "10.0.0.0/24"
    with pytest.raises(ResourceNotFoundError):
        get(azure, f"{vnet}/subnets/extra")


def get_extra(vnet: dict[str, Any]) -> dict[str, Any]:
    """Return the embedded subnet as it must look."""
    extra = vnet["properties"]["subnets"][2]
    assert extra["id"] == f"{vnet['id']}/subnets/extra"
    assert extra["properties"]["provisioningState"] == "Succeeded"
    return dict(extra)


def test_a_patch_of_the_parent_keeps_its_children(azure: Azure) -> None:
    """Tags alone do not touch the subnets."""
    group = azure.group()
    azure.deploy("d", [network("vnet", ("web", "data"))]).result()
    vnet = f"{group}/providers/Microsoft.Network/virtualNetworks/vnet"
    azure.resources.resources.begin_update_by_id(
        vnet, {"tags": {"a": "b"}}, api_version=VERSION
    ).result()
    found = get(azure, vnet)

    assert found["tags"] == {"a": "b"}
    assert [one["name"] for one in found["properties"]["subnets"]] == ["web", "data"]


def test_the_web_story_reads_as_a_template_expects(azure: Azure) -> None:
    """Plan, site, insights and workspace have the properties that outputs refer to."""
    group = azure.group()
    places: dict[str, dict[str, Any]] = {
        "Microsoft.Web/serverfarms/plan": {"sku": {"name": "B1"}},
        "Microsoft.Web/sites/Shop-Web": {"identity": {"type": "SystemAssigned"}},
        "Microsoft.Insights/components/insights": {"kind": "web"},
        "Microsoft.OperationalInsights/workspaces/logs": {},
    }
    found = {
        path: put(
            azure, f"{group}/providers/{path}", {"location": "westeurope", "properties": {}, **body}
        )
        for path, body in places.items()
    }
    plan, site, insights, logs = found.values()

    assert plan["sku"]["tier"] == "Basic"
    assert site["properties"]["defaultHostName"] == "shop-web.azurewebsites.net"
    assert len(site["identity"]["principalId"]) == 36
    key = insights["properties"]["InstrumentationKey"]
    assert insights["properties"]["ConnectionString"].startswith(f"InstrumentationKey={key};")
    assert len(logs["properties"]["customerId"]) == 36
    assert logs["properties"]["retentionInDays"] == 30


@pytest.mark.parametrize(
    ("path", "extra"),
    [
        ("Contoso.Shop/shelves/s", {}),
        ("Microsoft.Network/virtualNetworks/v", {}),
        ("Microsoft.Storage/storageAccounts/stslow", {"sku": {"name": "Standard_LRS"}}),
    ],
)
def test_long_writes_are_polled_in_the_manner_of_their_provider(
    azure: Azure, path: str, extra: dict[str, Any]
) -> None:
    """By body, by Azure-AsyncOperation and by Location: the poller ends with the resource."""
    azure.turn(resource_seconds=0.4)
    group = azure.group()
    body = {"location": "westeurope", "properties": {}, **extra}
    poller = azure.resources.resources.begin_create_or_update_by_id(
        f"{group}/providers/{path}", body, api_version=VERSION
    )
    during = get(azure, f"{group}/providers/{path}")["properties"]["provisioningState"]
    made = poller.result()
    gone = azure.resources.resources.begin_delete_by_id(
        f"{group}/providers/{path}", api_version=VERSION
    )
    gone.result()

    assert during in ("Creating", "Updating")
    assert made.properties["provisioningState"] == "Succeeded"
    assert not azure.resources.resources.check_existence_by_id(
        f"{group}/providers/{path}", api_version=VERSION
    )


def test_a_type_can_be_listed_below_its_scope(azure: Azure) -> None:
    """The provider's own list shows bodies with properties."""
    group = azure.group()
    azure.deploy("d", [network("vnet", ("web", "data"))]).result()
    vnets = azure.call(
        "GET", f"{group}/providers/Microsoft.Network/virtualNetworks?api-version={VERSION}"
    )
    subnets = azure.call(
        "GET",
        f"{group}/providers/Microsoft.Network/virtualNetworks/vnet/subnets?api-version={VERSION}",
    )

    assert [one["name"] for one in vnets.body["value"]] == ["vnet"]
    assert [one["name"] for one in subnets.body["value"]] == ["web", "data"]


def test_app_settings_are_shown_by_list_only(azure: Azure) -> None:
    """GET is refused with 405 as the provider refuses it; POST list has the values."""
    group = azure.group()
    site = f"{group}/providers/Microsoft.Web/sites/shop-web"
    put(azure, site, {"location": "westeurope", "properties": {}})
    put(azure, f"{site}/config/appsettings", {"properties": {"COLOUR": "blue"}})
    refused = azure.call("GET", f"{site}/config/appsettings?api-version={VERSION}")
    listed = azure.call("POST", f"{site}/config/appsettings/list?api-version={VERSION}").body

    assert (refused.status, refused.code) == (405, "HttpMethodNotAllowed")
    assert listed["properties"] == {"COLOUR": "blue"}
    assert get(azure, f"{site}/config/web")["name"] == "web"


def test_what_is_not_simulated_says_so(azure: Azure) -> None:
    """No false success: 501 with the operation's type."""
    group = azure.group()
    stack = f"{group}/providers/Microsoft.Resources/deploymentStacks/s"
    reply = azure.call("PUT", f"{stack}?api-version={VERSION}", {})

    assert (reply.status, reply.code) == (501, "NotSimulated")


def test_any_type_lists_keys_that_stay_the_same(azure: Azure) -> None:
    """An unknown type answers listKeys with made-up keys of its own; other verbs are refused."""
    shelf = SHELF.format(group=azure.group(), name="s")
    put(azure, shelf, {"location": "westeurope"})
    other = SHELF.format(group=f"{azure.subscription}/resourceGroups/rg-shop", name="t")
    put(azure, other, {"location": "westeurope"})
    keys = [
        azure.call("POST", f"{one}/listKeys?api-version={VERSION}").body
        for one in (shelf, shelf, other)
    ]

    assert keys[0] == keys[1] != keys[2]
    assert azure.call("POST", f"{shelf}/paint?api-version={VERSION}").code == "InvalidResourceType"
