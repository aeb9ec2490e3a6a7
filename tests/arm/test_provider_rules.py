"""What providers refuse, keep, hide and do besides taking a body."""

from __future__ import annotations

import time
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from local.arm import groups, ids, knowledge
from local.arm.clock import Clock
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.messages import Caller
from local.arm.providers import writes
from local.arm.providers.writes import Write
from local.arm.state.store import Store
from local.arm.tokens import Identity
from tests.arm.azure import Azure, Reply, eventually, network, storage

VERSION = "2024-05-01"
HERE = {"location": "westeurope"}
WRITTEN = (200, 201, 202)
RULES = "Microsoft.Network/networkSecurityGroups"


def send(azure: Azure, method: str, path: str, body: Any = None, version: str = VERSION) -> Reply:
    """Call a path below the providers of the test's group (or any path from the root)."""
    if not path.startswith("/"):
        path = f"{azure.subscription}/resourceGroups/rg-shop/providers/{path}"
    return azure.call(method, f"{path}?api-version={version}", body)


def made(azure: Azure, path: str, version: str = VERSION, **body: Any) -> dict[str, Any]:
    """Put a resource that must be taken; return what GET shows."""
    reply = send(azure, "PUT", path, {**HERE, **body}, version)
    assert reply.status in WRITTEN, reply
    found: dict[str, Any] = send(azure, "GET", path, version=version).body
    return found


# Changes that are refused


@pytest.mark.parametrize(
    ("path", "first", "second", "target"),
    [
        (
            "Microsoft.Storage/storageAccounts/stshop001",
            {"properties": {"isHnsEnabled": True}},
            {"properties": {"IsHnsEnabled": False}},
            "isHnsEnabled",
        ),
        (
            "Microsoft.Network/publicIPAddresses/pip",
            {"sku": {"name": "Standard"}},
            {"sku": {"name": "Basic"}},
            "sku.name",
        ),
        (
            "Microsoft.Web/serverfarms/plan",
            {"properties": {"reserved": True}},
            {"properties": {"reserved": False}},
            "reserved",
        ),
    ],
)
def test_what_is_fixed_for_life_cannot_be_changed(
    azure: Azure, path: str, first: dict[str, Any], second: dict[str, Any], target: str
) -> None:
    """409 PropertyChangeNotAllowed by PUT and PATCH; the same again, or nothing said, is fine."""
    azure.group()
    made(azure, path, **first)
    refused = send(azure, "PUT", path, {**HERE, **second})
    patched = send(azure, "PATCH", path, second)

    assert (refused.status, refused.code) == (409, "PropertyChangeNotAllowed")
    assert refused.message == f"Changing property '{target}' is not allowed."
    assert refused.body["error"]["target"] == target
    assert patched.code == "PropertyChangeNotAllowed"
    assert send(azure, "PUT", path, {**HERE, **first}).status == 200
    assert send(azure, "PUT", path, HERE).status == 200


def test_a_write_can_be_checked_without_being_done() -> None:
    """What preflight asks: the provider's refusals, without group or parent, and no effect."""
    cloud = Cloud(Store(None), Clock(), knowledge.load(), Identity("s", "t"))
    groups.write(cloud, "s", "rg", HERE)
    providers = "/subscriptions/s/resourceGroups/rg/providers"
    account = ids.parse(f"{providers}/Microsoft.Storage/storageAccounts/stshop001")
    orphan = ids.parse(f"{providers}/Microsoft.Network/virtualNetworks/v/subnets/s")
    assert account
    assert orphan
    caller = Caller("o", "a", "t")

    def write(rid: ids.ResourceId, **properties: Any) -> Write:
        return Write(rid, {**HERE, "properties": properties}, VERSION, caller)

    writes.check(cloud, write(orphan))
    writes.check(cloud, write(account, isHnsEnabled=True))
    assert len(cloud.store.resources) == 0
    writes.put(cloud, write(account, isHnsEnabled=True))
    before = cloud.resource(account.id)
    with pytest.raises(ArmError, match="PropertyChangeNotAllowed"):
        writes.check(cloud, write(account, isHnsEnabled=False))

    assert cloud.resource(account.id) == before


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("Microsoft.Storage/storageAccounts/No_Good", HERE, "AccountNameInvalid"),
        ("Microsoft.Storage/storageAccounts/stshop001", {}, "LocationRequired"),
        ("Microsoft.Network/virtualNetworks/v", {**HERE, "properties": 1}, "InvalidRequestContent"),
        ("Microsoft.Network/virtualNetworks/v", {**HERE, "tags": ["a"]}, "InvalidRequestContent"),
        (
            "Microsoft.Network/virtualNetworks/v",
            {**HERE, "properties": {"subnets": [{"properties": {}}]}},
            "InvalidRequestContent",
        ),
    ],
)
def test_what_cannot_be_right_is_refused(
    azure: Azure, path: str, body: dict[str, Any], code: str
) -> None:
    """By PUT, with the code of ARM or the provider."""
    azure.group()

    assert send(azure, "PUT", path, body).code == code


# Keys, commands, settings


def test_a_key_is_made_anew_on_demand(azure: Azure) -> None:
    """The one named is another for good; a name that is no key's is refused."""
    azure.group()
    account = "Microsoft.Storage/storageAccounts/stshop001"
    made(azure, account)
    before = send(azure, "POST", f"{account}/listKeys").body["keys"]
    after = send(azure, "POST", f"{account}/regenerateKey", {"keyName": "key1"}).body["keys"]
    refused = send(azure, "POST", f"{account}/regenerateKey", {"keyName": "key9"})
    made(azure, account, tags={"a": "b"})

    assert after[0]["value"] != before[0]["value"]
    assert after[1] == before[1]
    assert send(azure, "POST", f"{account}/listKeys").body["keys"] == after
    assert (refused.status, refused.code) == (400, "InvalidRequestContent")


def test_a_site_is_stopped_and_started(azure: Azure) -> None:
    """Commands answer without a body and change what GET shows, also after the next PUT."""
    azure.group()
    site = "Microsoft.Web/sites/shop-web"
    made(azure, site)
    stopped = send(azure, "POST", f"{site}/stop")
    still = made(azure, site, tags={"a": "b"})
    send(azure, "POST", f"{site}/start")

    assert (stopped.status, stopped.body) == (200, None)
    assert still["properties"]["state"] == "Stopped"
    assert send(azure, "GET", site).body["properties"]["state"] == "Running"
    assert send(azure, "POST", f"{site}/restart").status == 200
    assert send(azure, "POST", f"{site}/syncfunctiontriggers").status == 204


def test_the_settings_in_a_sites_body_are_kept_in_its_config(azure: Azure) -> None:
    """GET of the site shows nulls (N3); config/web and POST list have the values."""
    azure.group()
    site = "Microsoft.Web/sites/shop-web"
    config = {
        "linuxFxVersion": "PYTHON|3.11",
        "appSettings": [{"name": "COLOUR", "value": "blue"}],
        "connectionStrings": [{"name": "db", "connectionString": "made-up", "type": "SQLAzure"}],
    }
    shown = made(azure, site, properties={"siteConfig": config})
    settings = send(azure, "POST", f"{site}/config/appsettings/list").body
    strings = send(azure, "POST", f"{site}/config/connectionstrings/list").body
    web = send(azure, "GET", f"{site}/config/web").body

    assert shown["properties"]["siteConfig"]["appSettings"] is None
    assert settings["properties"] == {"COLOUR": "blue"}
    assert strings["properties"] == {"db": {"value": "made-up", "type": "SQLAzure"}}
    assert web["properties"]["linuxFxVersion"] == "PYTHON|3.11"
    assert "blue" not in str(web)


def test_secrets_of_a_vault_are_not_shown(azure: Azure) -> None:
    """The value is kept for references and seen by nobody else."""
    azure.group()
    made(azure, "Microsoft.KeyVault/vaults/kv-shop")
    secret = made(
        azure, "Microsoft.KeyVault/vaults/kv-shop/secrets/s", properties={"value": "hush"}
    )

    assert "hush" not in str(secret)
    assert secret["properties"]["secretUri"] == "https://kv-shop.vault.azure.net/secrets/s"


# What is deleted and kept


VAULT = "Microsoft.KeyVault/vaults/kv-shop"


def deleted(azure: Azure, tail: str = "", method: str = "GET") -> Reply:
    """Ask about deleted vaults."""
    place = f"{azure.subscription}/providers/Microsoft.KeyVault"
    path = (
        f"{place}/locations/westeurope/deletedVaults/{tail}" if tail else f"{place}/deletedVaults"
    )
    return send(azure, method, path)


def test_a_deleted_vault_holds_its_name_until_it_is_recovered(azure: Azure) -> None:
    """A new one is refused, in any group; createMode recover brings it back with its secrets."""
    azure.group()
    azure.group("rg-other")
    first = made(azure, VAULT, tags={"a": "b"})
    made(azure, f"{VAULT}/secrets/s", properties={"value": "hush"})
    send(azure, "DELETE", VAULT)
    refused = send(azure, "PUT", VAULT, HERE)
    elsewhere = send(azure, "PUT", first["id"].replace("rg-shop", "rg-other"), HERE)
    (listed,) = deleted(azure).body["value"]
    recovered = send(azure, "PUT", VAULT, {**HERE, "properties": {"createMode": "recover"}})

    assert (refused.status, refused.code) == (409, "ConflictError")
    assert elsewhere.code == "ConflictError"
    assert listed["properties"]["vaultId"] == first["id"]
    assert listed["properties"]["tags"] == {"a": "b"}
    assert recovered.status in WRITTEN
    assert send(azure, "GET", VAULT).body["tags"] == {"a": "b"}
    assert send(azure, "GET", f"{VAULT}/secrets/s").status == 200
    assert deleted(azure).body["value"] == []


def test_a_deleted_vault_is_purged(azure: Azure) -> None:
    """Then the name is free; before, GET of the deleted one shows it."""
    azure.group()
    made(azure, VAULT)
    send(azure, "DELETE", VAULT)
    shown = deleted(azure, "kv-shop")
    purged = deleted(azure, "kv-shop/purge", "POST")

    assert shown.body["type"] == "Microsoft.KeyVault/deletedVaults"
    assert purged.status == 200
    assert deleted(azure, "kv-shop").code == "ResourceNotFound"
    assert send(azure, "PUT", VAULT, HERE).status in WRITTEN
    assert send(azure, "GET", f"{VAULT}/secrets/s").status == 404


def test_purge_protection_and_missing_graves_are_refused(azure: Azure) -> None:
    """A protected vault is not purged; what was never deleted cannot be recovered."""
    azure.group()
    recover = {**HERE, "properties": {"createMode": "recover"}}

    assert send(azure, "PUT", VAULT, recover).code == "ResourceNotFound"
    made(azure, VAULT, properties={"enablePurgeProtection": True})
    send(azure, "DELETE", VAULT)
    assert deleted(azure, "kv-shop/purge", "POST").status == 400
    assert send(azure, "GET", f"{azure.subscription}/providers/No.Such/deletedVaults").status == 404


def test_a_vault_is_kept_for_as_long_as_it_says(azure: Azure) -> None:
    """When its days are over it is gone without anybody's doing."""
    azure.group()
    made(azure, VAULT, properties={"softDeleteRetentionInDays": 7})
    send(azure, "DELETE", VAULT)
    azure.turn(clock_offset_seconds=6.9 * 86400)
    before = deleted(azure).body["value"]
    azure.turn(clock_offset_seconds=7.1 * 86400)

    assert len(before) == 1
    assert deleted(azure).body["value"] == []


def test_the_deletion_of_a_group_keeps_its_vaults(azure: Azure) -> None:
    """As a vault's own deletion does."""
    azure.group()
    made(azure, VAULT)
    azure.resources.resource_groups.begin_delete("rg-shop").result()

    assert [one["name"] for one in deleted(azure).body["value"]] == ["kv-shop"]


def test_a_deleted_workspace_comes_back_when_it_is_written_again(azure: Azure) -> None:
    """Its id for customers and its tables return; force=true forgets it."""
    group = azure.group()
    logs = "Microsoft.OperationalInsights/workspaces/logs"
    made(azure, logs)
    made(azure, f"{logs}/tables/Shop_CL", properties={"plan": "Basic"})
    send(azure, "DELETE", logs)
    again = send(azure, "PUT", logs, HERE)
    tables = send(azure, "GET", f"{logs}/tables/Shop_CL").status
    azure.call("DELETE", f"{group}/providers/{logs}?api-version={VERSION}&force=true")
    anew = send(azure, "PUT", logs, HERE)

    assert (again.status, tables) == (200, 200)
    assert anew.status in WRITTEN
    assert send(azure, "GET", f"{logs}/tables/Shop_CL").status == 404


# What is in use


def nic(azure: Azure) -> dict[str, Any]:
    """Make a network, an address, and an interface that uses both."""
    group = azure.group()
    azure.deploy("d", [network("vnet", ("web", "data"))]).result()
    address = made(azure, "Microsoft.Network/publicIPAddresses/pip", sku={"name": "Standard"})
    properties = {
        "subnet": {"id": f"{group}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/WEB"},
        "publicIPAddress": {"id": address["id"]},
    }
    one = {"name": "one", "properties": properties}
    return made(
        azure, "Microsoft.Network/networkInterfaces/nic", properties={"ipConfigurations": [one]}
    )


def test_what_is_in_use_is_not_deleted_and_says_by_whom(azure: Azure) -> None:
    """A subnet alone or through its network, an address; when the user is gone they may go."""
    interface = nic(azure)
    user = f"{interface['id']}/ipConfigurations/one"
    subnet = "Microsoft.Network/virtualNetworks/vnet/subnets/web"
    refused = send(azure, "DELETE", subnet)
    through = send(
        azure, "PUT", "Microsoft.Network/virtualNetworks/vnet", network("vnet", ("data",))
    )
    address = send(azure, "DELETE", "Microsoft.Network/publicIPAddresses/pip")

    assert (refused.status, refused.code) == (400, "InUseSubnetCannotBeDeleted")
    assert user in refused.message
    assert through.code == "InUseSubnetCannotBeDeleted"
    assert address.code == "PublicIPAddressCannotBeDeleted"
    assert send(azure, "GET", subnet).body["properties"]["ipConfigurations"] == [{"id": user}]
    pip = send(azure, "GET", "Microsoft.Network/publicIPAddresses/pip").body
    assert pip["properties"]["ipConfiguration"] == {"id": user}
    assert send(azure, "DELETE", "Microsoft.Network/networkInterfaces/nic").status == 200
    assert "ipConfigurations" not in send(azure, "GET", subnet).body["properties"]
    assert send(azure, "DELETE", subnet).status == 200


def test_a_network_goes_when_nothing_outside_uses_its_subnets(azure: Azure) -> None:
    """A user of a subnet keeps the whole network."""
    nic(azure)
    vnet = "Microsoft.Network/virtualNetworks/vnet"

    assert send(azure, "DELETE", vnet).code == "InUseSubnetCannotBeDeleted"
    send(azure, "DELETE", "Microsoft.Network/networkInterfaces/nic")
    assert send(azure, "DELETE", vnet).status == 200


def test_what_is_on_its_way_out_is_not_written(azure: Azure) -> None:
    """409 Conflict until it is gone; a second deletion is taken for the first."""
    azure.group()
    shelf = "Contoso.Shop/shelves/s"
    made(azure, shelf)
    azure.turn(resource_seconds=30)
    first = send(azure, "DELETE", shelf)
    refused = send(azure, "PUT", shelf, HERE)
    second = send(azure, "DELETE", shelf)

    assert (first.status, second.status) == (202, 202)
    assert (refused.status, refused.code) == (409, "Conflict")
    assert send(azure, "GET", shelf).body["properties"]["provisioningState"] == "Deleting"


def test_a_subnet_is_written_while_nothing_else_of_its_network_is(azure: Azure) -> None:
    """429 AnotherOperationInProgress for a sibling; the busy one is named."""
    azure.group()
    azure.deploy("d", [network("vnet", ("web",))]).result()
    azure.turn(resource_seconds=5)
    vnet = "Microsoft.Network/virtualNetworks/vnet"
    first = send(
        azure, "PUT", f"{vnet}/subnets/a", {"properties": {"addressPrefix": "10.0.8.0/24"}}
    )
    second = send(
        azure, "PUT", f"{vnet}/subnets/b", {"properties": {"addressPrefix": "10.0.9.0/24"}}
    )

    assert first.status in WRITTEN
    assert (second.status, second.code) == (429, "AnotherOperationInProgress")
    assert f"{vnet}/subnets/a" in second.message


# Styles, versions, noise


@pytest.mark.parametrize(
    ("path", "put_has", "delete_has"),
    [
        ("Microsoft.Web/serverfarms/plan", set(), set()),
        (
            "Microsoft.Network/virtualNetworks/vnet",
            {"azure-asyncoperation"},
            {"azure-asyncoperation", "location"},
        ),
        ("Microsoft.Storage/storageAccounts/stslow", {"location"}, set()),
        ("Contoso.Shop/shelves/s", set(), {"location"}),
    ],
)
def test_each_provider_takes_its_time_in_its_own_way(
    azure: Azure, path: str, put_has: set[str], delete_has: set[str]
) -> None:
    """Sync holds the line, the others send the client polling; the SDK gets there every time."""
    azure.turn(resource_seconds=0.3)
    group = azure.group()
    began = time.monotonic()
    put = send(azure, "PUT", path, HERE)
    waited = time.monotonic() - began
    names = {"azure-asyncoperation", "location"}
    resources = azure.resources.resources
    poller = resources.begin_create_or_update_by_id(
        f"{group}/providers/{path}", HERE, api_version=VERSION
    )
    made_of = poller.result().properties["provisioningState"]
    gone = send(azure, "DELETE", path)
    eventually(lambda: send(azure, "GET", path).status == 404)
    resources.begin_create_or_update_by_id(
        f"{group}/providers/{path}", HERE, api_version=VERSION
    ).result()
    resources.begin_delete_by_id(f"{group}/providers/{path}", api_version=VERSION).result()

    assert names & set(put.headers) == put_has
    assert (waited > 0.3) == (path == "Microsoft.Web/serverfarms/plan")
    assert made_of == "Succeeded"
    assert names & set(gone.headers) == delete_has
    assert send(azure, "GET", path).status == 404


@pytest.mark.parametrize(
    ("path", "version", "status", "code", "said"),
    [
        (
            "Microsoft.Storage/storageAccounts/s",
            "2000-01-01",
            400,
            "NoRegisteredProviderFound",
            "2024-01-01",
        ),
        (
            "Microsoft.Storage/vaults/s",
            "2024-01-01",
            404,
            "InvalidResourceType",
            "Microsoft.Storage",
        ),
        ("Contoso.Shop/shelves/s", "2024-01-01", 404, "InvalidResourceNamespace", "Contoso.Shop"),
    ],
)
def test_a_strict_simulator_knows_what_there_is(
    azure: Azure, path: str, version: str, status: int, code: str, said: str
) -> None:
    """PUT and GET name what is not known, and what would be."""
    azure.group()
    azure.turn(strict=True)
    for method in ("PUT", "GET"):
        refused = send(azure, method, path, HERE if method == "PUT" else None, version)

        assert (refused.status, refused.code) == (status, code)
        assert said in refused.message
    assert send(azure, "GET", path.rpartition("/")[0], version=version).code == code


def test_a_strict_simulator_refuses_members_that_no_resource_has(azure: Azure) -> None:
    """A slip of the pen beside `properties` is named."""
    azure.group()
    azure.turn(strict=True)
    account = "Microsoft.Storage/storageAccounts/stshop001"
    refused = send(azure, "PUT", account, {**HERE, "propertes": {}}, "2024-01-01")

    assert refused.code == "InvalidRequestContent"
    assert "'propertes'" in refused.message
    assert send(azure, "PUT", account, HERE, "2024-01-01").status in WRITTEN


def test_older_versions_show_less(azure: Azure) -> None:
    """What a version does not know it does not show (N14)."""
    azure.group()
    account = "Microsoft.Storage/storageAccounts/stshop001"
    new = made(azure, account)["properties"]
    old = send(azure, "GET", account, version="2019-04-01").body["properties"]

    assert "keyCreationTime" in new
    assert "keyCreationTime" not in old
    assert "keyType" not in old["encryption"]["services"]["blob"]


@pytest.mark.parametrize(("version", "left"), [("2024-05-01", []), ("2025-01-01", ["web"])])
def test_a_network_without_subnets_in_its_body(azure: Azure, version: str, left: list[str]) -> None:
    """Older versions take that for none, newer ones leave the subnets alone (#393)."""
    azure.group()
    azure.deploy("d", [network("vnet", ("web",))]).result()
    body = network("vnet")
    del body["properties"]["subnets"]
    vnet = "Microsoft.Network/virtualNetworks/vnet"
    send(azure, "PUT", vnet, body, version)
    shown = send(azure, "GET", vnet).body["properties"]["subnets"]

    assert [one["name"] for one in shown] == left


def test_rules_stand_in_their_group_and_alone(azure: Azure) -> None:
    """One truth for inline rules and children, in the provider's own spelling."""
    azure.group()
    rule = {"protocol": "TCP", "access": "allow", "direction": "inbound", "priority": "100"}
    group = made(
        azure, f"{RULES}/nsg", properties={"securityRules": [{"name": "a", "properties": rule}]}
    )
    alone = send(azure, "GET", f"{RULES}/nsg/securityRules/a").body

    assert group["properties"]["securityRules"] == [alone]
    assert alone["properties"]["protocol"] == "Tcp"
    assert alone["properties"]["priority"] == 100
    assert len(group["properties"]["defaultSecurityRules"]) == 6


def test_noise_n15_keeps_what_a_put_leaves_out(azure: Azure) -> None:
    """Diagnostic settings replace their categories, or add to them when the noise is on."""
    azure.group()
    made(azure, VAULT)
    setting = f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/all"

    def categories(*wanted: str) -> list[str]:
        logs = [{"category": one, "enabled": True} for one in wanted]
        shown = made(azure, setting, properties={"logs": logs})
        return [one["category"] for one in shown["properties"]["logs"]]

    assert categories("Audit", "Policy") == ["Audit", "Policy"]
    azure.turn(noise={"Microsoft.Insights/diagnosticSettings": ["N15"]})
    assert {"Audit", "Policy"} <= set(categories("Audit"))
    azure.turn(noise={})
    assert categories("Policy") == ["Policy"]


def test_noise_n12_brings_resources_that_nobody_asked_for(azure: Azure) -> None:
    """Application Insights makes an action group and a rule beside itself."""
    azure.group()
    azure.turn(noise={"microsoft.insights/components": ["N12"]})
    made(azure, "Microsoft.Insights/components/insights")
    names = sorted(one.name for one in azure.resources.resources.list())

    assert names == [
        "Application Insights Smart Detection",
        "Failure Anomalies - insights",
        "insights",
    ]


def test_refusals_reach_a_deployment(azure: Azure) -> None:
    """A deployment fails with the provider's own code and target."""
    azure.group()
    azure.deploy("d", [storage(properties={"isHnsEnabled": True})]).result()
    with pytest.raises((HttpResponseError, ResourceExistsError)) as caught:
        azure.deploy("e", [storage(properties={"isHnsEnabled": False})]).result()

    assert "PropertyChangeNotAllowed" in str(caught.value)
