"""Resource groups through the SDK."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.arm.azure import API, Azure, plain


def test_a_group_is_created_once_and_then_updated(azure: Azure) -> None:
    """PUT answers 201, then 200 with the tags replaced; the location is ARM's short form."""
    path = f"{azure.subscription}/resourcegroups/rg-Shop?api-version={API}"
    first = azure.call("PUT", path, {"location": "West Europe", "tags": {"a": "1"}})
    second = azure.call(
        "PUT", path.replace("Shop", "shop"), {"location": "westeurope", "tags": {"b": "2"}}
    )

    assert (first.status, second.status) == (201, 200)
    assert second.body == {
        "id": f"{azure.subscription}/resourceGroups/rg-Shop",
        "name": "rg-Shop",
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "tags": {"b": "2"},
        "properties": {"provisioningState": "Succeeded"},
    }


def test_a_group_can_be_patched_listed_and_asked_for(azure: Azure) -> None:
    """PATCH changes tags, HEAD answers 204 or 404, the list filters by tag."""
    groups = azure.resources.resource_groups
    azure.group("rg-a")
    azure.group("rg-b")
    groups.update("rg-a", {"tags": {"team": "shop"}})

    assert groups.check_existence("RG-A")
    assert not groups.check_existence("rg-c")
    assert [one.name for one in groups.list()] == ["rg-a", "rg-b"]
    assert [one.name for one in groups.list(filter="tagName eq 'team' and tagValue eq 'shop'")] == [
        "rg-a"
    ]
    assert [one.name for one in groups.list(top=1)] == ["rg-a", "rg-b"]


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("rg", {}, "LocationRequired"),
        ("rg.", {"location": "westeurope"}, "InvalidResourceGroupName"),
        ("rg", {"location": "westeurope", "tags": {"a": 1}}, "InvalidRequestContent"),
    ],
)
def test_a_bad_group_is_refused(azure: Azure, name: str, body: object, code: str) -> None:
    """Names, locations and tags are checked."""
    reply = azure.call("PUT", f"{azure.subscription}/resourcegroups/{name}?api-version={API}", body)

    assert (reply.status, reply.code) == (400, code)


def test_deleting_a_group_takes_its_content_along(azure: Azure) -> None:
    """While it is being deleted nothing can be written into it; then everything is gone."""
    azure.turn(group_delete_seconds=0.8)
    group = azure.group()
    azure.deploy("d", [plain("s1")]).result()
    poller = azure.resources.resource_groups.begin_delete("rg-shop")
    with pytest.raises(ResourceExistsError, match="ResourceGroupBeingDeleted"):
        azure.deploy("e", [])
    state = azure.resources.resource_groups.get("rg-shop").properties.provisioning_state
    poller.result()

    assert state == "Deleting"
    with pytest.raises(ResourceNotFoundError):
        azure.resources.resource_groups.get("rg-shop")
    assert list(azure.resources.resources.list()) == []
    azure.group()
    with pytest.raises(HttpResponseError, match="ResourceNotFound"):
        azure.resources.resources.get_by_id(
            f"{group}/providers/Contoso.Shop/shelves/s1", api_version="2024-01-01"
        )


def test_lists_of_resources_filter_expand_and_page(azure: Azure) -> None:
    """The lists have no properties, expand the times, and a page links to the next."""
    azure.group("rg-a")
    azure.group("rg-b")
    azure.deploy("d", [plain(f"s{n}", tags={"n": str(n)}) for n in range(3)], "rg-a").result()
    azure.deploy("d", [plain("other")], "rg-b").result()
    resources = azure.resources.resources
    listed = [
        one.as_dict()
        for one in resources.list_by_resource_group("rg-a", expand="createdTime,changedTime")
    ]
    page = azure.call("GET", f"{azure.subscription}/resources?api-version={API}&$top=3").body

    assert [one["name"] for one in listed] == ["s0", "s1", "s2"]
    assert all(
        "properties" not in one and "createdTime" in one and "changedTime" in one for one in listed
    )
    assert [one.name for one in resources.list(filter="tagName eq 'n' and tagValue eq '1'")] == [
        "s1"
    ]
    assert [one.name for one in resources.list(filter="resourceGroup eq 'rg-b'")] == ["other"]
    assert [one.name for one in resources.list(filter="resourceType eq 'contoso.shop/shelves'")] == [
        "s0", "s1", "s2", "other",
    ]  # fmt: skip
    assert len(page["value"]) == 3
    rest = azure.call("GET", page["nextLink"].removeprefix(azure.address.endpoint)).body
    assert [one["name"] for one in rest["value"]] == ["other"]


def test_a_filter_that_arm_does_not_know_is_refused(azure: Azure) -> None:
    """400 InvalidFilterInQueryString instead of a list that is silently wrong."""
    with pytest.raises(HttpResponseError, match="InvalidFilterInQueryString"):
        list(azure.resources.resources.list(filter="name lt 3"))


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_groups_owner_never_changes(azure: Azure, method: str) -> None:
    """`managedBy` is given when the group is made, or not at all."""
    owner = f"{azure.subscription}/resourceGroups/x/providers/A.B/c/d"
    path = f"{azure.subscription}/resourcegroups/rg?api-version={API}"
    body = {"location": "westeurope", "managedBy": owner}
    azure.call("PUT", path, body)
    same = azure.call(method, path, {**body, "managedBy": owner.upper()})
    other = azure.call(method, path, {**body, "managedBy": owner + "2"})
    azure.group("rg-free")
    late = azure.call(method, path.replace("/rg?", "/rg-free?"), body)

    assert (same.status, same.body["managedBy"]) == (200, owner)
    assert (other.status, other.code) == (409, "ResourceGroupManagedByMismatch")
    assert (late.status, late.code) == (409, "ResourceGroupManagedByMismatch")


def test_only_some_types_are_deleted_by_force(azure: Azure) -> None:
    """`forceDeletionTypes` names virtual machines, their sets, and Databricks workspaces."""
    azure.group()
    path = f"{azure.subscription}/resourcegroups/rg-shop?api-version={API}&forceDeletionTypes="
    wrong = azure.call("DELETE", f"{path}Microsoft.Storage/storageAccounts")
    right = azure.call("DELETE", f"{path}Microsoft.Compute/virtualMachines")

    assert (wrong.status, wrong.code) == (400, "InvalidForceDeletionResourceType")
    assert right.status == 202


@pytest.mark.parametrize("query", ["$top=0", "$top=-1", "$top=x", "$skiptoken=x", "$top=1e3"])
def test_a_bad_page_is_refused(azure: Azure, query: str) -> None:
    """Whole numbers only, and at least one a page."""
    reply = azure.call("GET", f"{azure.subscription}/resources?api-version={API}&{query}")

    assert (reply.status, reply.code) == (400, "InvalidQueryParameter")
