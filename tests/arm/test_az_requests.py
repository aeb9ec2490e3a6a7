"""The requests that `az` makes, as it makes them (recorded from azure-cli 2.91.0)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.arm.azure import Azure, Reply, eventually, storage, template

SUB, RG = "/subscriptions/{sub}", "/subscriptions/{sub}/resourcegroups/rg-az"
DEPLOYMENTS = "/providers/Microsoft.Resources/deployments"
ONE = RG + DEPLOYMENTS + "/d1"
ACCOUNT = RG + "/providers/Microsoft.Storage/storageAccounts/stazone001"
LOCKS = SUB + "/resourceGroups/rg-az/providers/Microsoft.Authorization/locks"
AUTHORIZATION = SUB + "/providers/Microsoft.Authorization"


def call(
    azure: Azure, method: str, path: str, version: str, body: Any = None, query: str = ""
) -> Reply:
    """Make one call as az does, with its headers."""
    full = path.format(sub=azure.address.subscription_id)
    headers = {"User-Agent": "AZURECLI/2.91.0 azsdk-python-core/1.38.0", "Accept": "*/*"}
    return azure.call(method, f"{full}?{query}api-version={version}", body, headers=headers)


def spliced(**properties: Any) -> str:
    """Return the body of a deployment as az writes it: the template's name stands bare."""
    text = json.dumps({"properties": {"mode": "incremental", "parameters": {}, **properties}})
    with_comment = json.dumps(template([storage("stazone001")]), indent=1).replace(
        "{\n", "{ // as in the file\n", 1
    )
    return f"{text[:-2]}, template:{with_comment}}}}}"


@pytest.fixture
def prepared(azure: Azure) -> Azure:
    """Make a group and a deployment in it as az does, and wait for its end."""
    group = {"location": "westeurope", "tags": {"a": "1"}}
    assert call(azure, "PUT", RG, "2024-11-01", group).status == 201
    assert call(azure, "PUT", ONE, "2025-04-01", spliced()).status == 201
    deployments = azure.deployments.deployments
    eventually(lambda: deployments.get("rg-az", "d1").properties.provisioning_state == "Succeeded")
    return azure


def test_az_cloud_register_finds_every_endpoint(azure: Azure) -> None:
    """What azure-cli-core takes out of the answer, without a token."""
    body = azure.call("GET", "/metadata/endpoints?api-version=2022-09-01", token=None).body

    assert body["authentication"]["audiences"]
    assert body["suffixes"]["storage"] == "core.windows.net"
    for name in ("portal", "resourceManager", "graphAudience", "logAnalyticsResourceId", "name"):
        assert isinstance(body[name], str)


def test_az_login_reads_the_subscriptions(azure: Azure) -> None:
    """The fields that its profile keeps."""
    [one] = call(azure, "GET", "/subscriptions", "2022-12-01").body["value"]

    assert one.keys() >= {"id", "subscriptionId", "displayName", "state", "tenantId"}
    assert one["state"] == "Enabled"
    assert one["managedByTenants"] == []


@pytest.mark.parametrize(
    ("method", "path", "version", "status"),
    [
        ("POST", RG + DEPLOYMENTS + "/tpl/validate", "2025-04-01", 200),
        ("PUT", RG + DEPLOYMENTS + "/d2", "2025-04-01", 201),
        ("POST", RG + DEPLOYMENTS + "/tpl/whatIf", "2025-04-01", 202),
    ],
)
def test_az_splices_the_template_into_its_request(
    prepared: Azure, method: str, path: str, version: str, status: int
) -> None:
    """`template:{...}` with comments in it is read like JSON."""
    reply = call(prepared, method, path, version, spliced())

    assert reply.status == status


@pytest.mark.parametrize(
    ("method", "path", "version", "query", "status"),
    [
        ("GET", RG, "2024-11-01", "", 200),
        ("HEAD", RG, "2024-11-01", "", 204),
        ("GET", SUB + "/resourcegroups", "2024-11-01", "", 200),
        ("GET", ONE, "2025-04-01", "", 200),
        ("GET", RG + DEPLOYMENTS, "2025-04-01", "", 200),
        ("GET", RG + "/deployments/d1/operations", "2025-04-01", "", 200),
        ("POST", ONE + "/exportTemplate", "2025-04-01", "", 200),
        ("GET", SUB + DEPLOYMENTS, "2025-04-01", "", 200),
        (
            "GET",
            SUB + "/resources",
            "2024-11-01",
            "$filter=resourceGroup%20eq%20'rg-az'&$expand=createdTime%2CchangedTime&",
            200,
        ),
        ("GET", SUB + "/providers/Microsoft.Storage", "2024-11-01", "", 200),
        ("GET", ACCOUNT, "2024-01-01", "", 200),
        ("GET", SUB + "/tagNames", "2024-11-01", "", 200),
        ("GET", SUB + "/providers", "2024-11-01", "", 200),
        ("GET", SUB + "/locations", "2022-12-01", "", 200),
        ("GET", "/tenants", "2022-12-01", "", 200),
        ("GET", AUTHORIZATION + "/roleAssignments", "2022-04-01", "", 200),
        (
            "GET",
            AUTHORIZATION + "/roleDefinitions",
            "2022-05-01-preview",
            "$filter=roleName%20eq%20'Reader'&",
            200,
        ),
        ("GET", LOCKS, "2016-09-01", "$filter=atScope%28%29&", 200),
        ("DELETE", RG, "2024-11-01", "", 202),
        ("DELETE", ONE, "2025-04-01", "", 202),
    ],
)
def test_az_gets_its_answer(
    prepared: Azure, method: str, path: str, version: str, query: str, status: int
) -> None:
    """With the code that its client takes for success."""
    assert call(prepared, method, path, version, query=query).status == status


def test_az_resource_list_shows_times_and_states(prepared: Azure) -> None:
    """`az resource list -g` prints them."""
    query = "$filter=resourceGroup%20eq%20'rg-az'&$expand=createdTime%2CprovisioningState&"
    [one] = call(prepared, "GET", SUB + "/resources", "2024-11-01", query=query).body["value"]

    assert one["provisioningState"] == "Succeeded"
    assert one["createdTime"].endswith("Z")
    assert "changedTime" not in one
    assert "properties" not in one


def test_az_tag_list_counts(prepared: Azure) -> None:
    """Names that are on something, with their values."""
    [one] = call(prepared, "GET", SUB + "/tagNames", "2024-11-01").body["value"]

    assert (one["tagName"], one["count"]["value"]) == ("a", 1)
    assert [value["tagValue"] for value in one["values"]] == ["1"]


def test_az_lock_and_identity_are_written(prepared: Azure) -> None:
    """With the api-versions that az pins."""
    lock = call(
        prepared, "PUT", LOCKS + "/l1", "2016-09-01", {"properties": {"level": "CanNotDelete"}}
    )
    refused = call(prepared, "DELETE", RG, "2024-11-01")
    gone = call(prepared, "DELETE", LOCKS + "/l1", "2016-09-01")
    identity = call(
        prepared,
        "PUT",
        RG + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id1",
        "2025-05-31-preview",
        {"location": "westeurope"},
    )

    assert [one.status for one in (lock, refused, gone, identity)] == [201, 409, 200, 201]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Microsoft.Storage/storageAccounts", 200),
        ("Microsoft.DocumentDB/databaseAccounts", 200),
        ("Microsoft.Web/serverfarms", 200),
        ("Microsoft.DataFactory/factories", 200),
        ("Microsoft.ContainerRegistry/registries", 201),
        ("Microsoft.Sql/servers", 201),
    ],
)
def test_a_new_resource_is_answered_as_its_client_wants_it(
    azure: Azure, kind: str, status: int
) -> None:
    """`az` fails on 201 where the provider's description knows only 200 and 202."""
    path = f"{azure.group()}/providers/{kind}/shop12345?api-version=2024-01-01"
    body = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "properties": {}}

    assert azure.call("PUT", path, body).status == status
