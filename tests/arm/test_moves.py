"""Moving resources between groups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.arm.azure import API, Azure, network, plain, storage


def ask(azure: Azure, verb: str, resources: Any, target: str) -> Any:
    """Ask for a move out of rg-shop."""
    body = {"resources": resources, "targetResourceGroup": target}
    path = f"{azure.subscription}/resourceGroups/rg-shop/{verb}?api-version={API}"
    return azure.call("POST", path, body)


def test_what_moves_keeps_itself_and_changes_its_id(azure: Azure) -> None:
    """Children move along, guids stay, and references inside the move follow."""
    group, other = azure.group(), azure.group("rg-other")
    vnet = f"{group}/providers/Microsoft.Network/virtualNetworks/vnet"
    links = plain("s1", properties={"network": vnet, "else": f"{group}/providers/A.B/c/d"})
    azure.deploy("d", [network(), {**links, "dependsOn": [vnet]}]).result()
    before = azure.call("GET", f"{vnet}?api-version=2024-05-01").body
    shelf = f"{group}/providers/Contoso.Shop/shelves/s1"
    reply = ask(azure, "moveResources", [vnet, shelf], other)
    after = azure.call("GET", f"{vnet.replace(group, other)}?api-version=2024-05-01").body
    moved = azure.call("GET", f"{shelf.replace(group, other)}?api-version={API}").body

    assert reply.status == 202
    assert "location" in reply.headers
    assert azure.call("GET", f"{vnet}?api-version=2024-05-01").status == 404
    assert after["id"] == vnet.replace(group, other)
    assert after["properties"]["resourceGuid"] == before["properties"]["resourceGuid"]
    assert after["properties"]["subnets"][0]["id"].startswith(other)
    assert moved["properties"]["network"] == after["id"]
    assert moved["properties"]["else"] == f"{group}/providers/A.B/c/d"


def test_an_identity_keeps_its_principal_when_it_moves(azure: Azure) -> None:
    """And when it is written again at its new place."""
    group, other = azure.group(), azure.group("rg-other")
    path = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-shop"
    version = "?api-version=2024-11-30"
    body = {"location": "westeurope"}
    principal = azure.call("PUT", group + path + version, body).body["properties"]["principalId"]
    ask(azure, "moveResources", [group + path], other)
    moved = azure.call("PUT", other + path + version, body)

    assert moved.status == 200
    assert moved.body["properties"]["principalId"] == principal


def test_validation_moves_nothing(azure: Azure) -> None:
    """It says yes with a 202 that ends in 204."""
    group, other = azure.group(), azure.group("rg-other")
    azure.deploy("d", [plain("s1")]).result()
    shelf = f"{group}/providers/Contoso.Shop/shelves/s1"
    reply = ask(azure, "validateMoveResources", [shelf], other)
    path = reply.headers["location"].split(azure.address.endpoint)[1]

    assert reply.status == 202
    assert azure.call("GET", path).status == 204
    assert azure.call("GET", f"{shelf}?api-version={API}").status == 200


@pytest.mark.parametrize(
    ("resources", "target", "status", "code"),
    [
        (["{group}/providers/A.B/c/d"], "{other}", 404, "ResourceNotFound"),
        (
            ["{other}/providers/Contoso.Shop/shelves/s1"],
            "{other}",
            400,
            "InvalidResourceMoveRequest",
        ),
        (["{st}/blobServices/default"], "{other}", 400, "ResourceMoveChildNotSupported"),
        (["{st}"], "{group}", 400, "ResourceMoveTargetSameAsSource"),
        (["{st}"], "{other}x", 404, "ResourceGroupNotFound"),
        (["{st}"], "rg-other", 400, "InvalidRequestContent"),
        ([], "{other}", 400, "InvalidRequestContent"),
        ("{st}", "{other}", 400, "InvalidRequestContent"),
        (["{aci}"], "{other}", 409, "ResourceMoveProviderValidationFailed"),
        (["{shelf}"], "{other}", 409, "ResourceMoveProviderValidationFailed"),
    ],
)
@pytest.mark.parametrize("verb", ["moveResources", "validateMoveResources"])
def test_a_bad_move_is_refused(
    azure: Azure, verb: str, resources: Any, target: str, status: int, code: str
) -> None:
    """What is not there, not alone, not in this group, taken there, or cannot move at all."""
    group, other = azure.group(), azure.group("rg-other")
    words = {
        "group": group,
        "other": other,
        "st": f"{group}/providers/Microsoft.Storage/storageAccounts/stshop001",
        "aci": f"{group}/providers/Microsoft.ContainerInstance/containerGroups/aci",
        "shelf": f"{group}/providers/Contoso.Shop/shelves/s1",
    }
    aci = {"location": "westeurope", "properties": {"containers": [], "osType": "Linux"}}
    azure.call("PUT", f"{words['aci']}?api-version=2023-05-01", aci)
    azure.deploy("d", [storage(), plain("s1")]).result()
    azure.deploy("d", [plain("s1")], group="rg-other").result()
    listed = (
        [one.format(**words) for one in resources] if isinstance(resources, list) else resources
    )
    reply = ask(azure, verb, listed, target.format(**words))

    assert (reply.status, reply.code) == (status, code)


def test_a_locked_resource_does_not_move(azure: Azure) -> None:
    """Leaving is a deletion."""
    group, other = azure.group(), azure.group("rg-other")
    azure.deploy("d", [plain("s1")]).result()
    lock = {"properties": {"level": "CanNotDelete"}}
    path = f"{group}/providers/Microsoft.Authorization/locks/l?api-version=2020-05-01"
    azure.call("PUT", path, lock)
    reply = ask(azure, "moveResources", [f"{group}/providers/Contoso.Shop/shelves/s1"], other)

    assert (reply.status, reply.code) == (409, "ScopeLocked")
