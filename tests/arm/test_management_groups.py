"""Management groups: made, moved, listed, deleted; subscriptions under them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.arm.azure import Azure, Reply, ask, eventually

MG = "/providers/Microsoft.Management/managementGroups"
VERSION = "api-version=2021-04-01"


def call(azure: Azure, method: str, path: str, body: Any = None, **query: str) -> Reply:
    """Call the API of management groups."""
    more = "".join(f"&${name}={value}" for name, value in query.items())
    return azure.call(method, f"{path}?{VERSION}{more}", body)


def make(azure: Azure, name: str, parent: str | None = None, display: str | None = None) -> Reply:
    """Create a management group."""
    details = {"details": {"parent": {"id": f"{MG}/{parent}"}}} if parent else {}
    properties = {**details, **({"displayName": display} if display else {})}
    reply = call(azure, "PUT", f"{MG}/{name}", {"name": name, "properties": properties})
    assert reply.status == 202, reply
    return reply


def names(reply: Reply) -> list[str]:
    """Return the names in a list."""
    return [one["name"] for one in reply.body["value"]]


def test_the_root_is_the_tenants_own(azure: Azure) -> None:
    """It is there from the start, holds the subscription, and cannot be deleted."""
    root = azure.address.tenant_id
    listed = call(azure, "GET", MG)
    shown = call(azure, "GET", f"{MG}/{root}", expand="children").body
    gone = call(azure, "DELETE", f"{MG}/{root}")

    assert names(listed) == [root]
    assert shown["properties"]["displayName"] == "Tenant Root Group"
    assert "parent" not in shown["properties"]["details"]
    assert [one["id"] for one in shown["properties"]["children"]] == [azure.subscription]
    assert (gone.status, gone.code) == (400, "BadRequest")


def test_a_group_is_made_and_its_making_is_polled_for(azure: Azure) -> None:
    """202 with both headers; the poll ends in the group under the root."""
    azure.turn(resource_seconds_by_type={"Microsoft.Management/managementGroups": 0.2})
    begun = make(azure, "mg-one", display="One")
    url = begun.headers["azure-asyncoperation"].removeprefix(azure.address.endpoint)
    first = azure.call("GET", url)
    eventually(lambda: bool(azure.call("GET", url).body["status"] == "Succeeded"))
    done = azure.call("GET", url)
    shown = call(azure, "GET", f"{MG}/MG-ONE").body

    assert begun.body["status"] == "NotStarted"
    assert begun.headers["location"] == begun.headers["azure-asyncoperation"]
    assert (first.status, first.body["status"]) == (202, "Running")
    assert done.body["properties"] == shown["properties"]
    assert shown["name"] == "mg-one"
    assert shown["properties"]["details"]["parent"]["name"] == azure.address.tenant_id


def test_groups_stand_under_each_other(azure: Azure) -> None:
    """Children, descendants, path and ancestors tell of the same tree."""
    make(azure, "top", display="Top")
    make(azure, "mid", "top")
    make(azure, "low", "mid")
    root = azure.address.tenant_id
    tree = call(azure, "GET", f"{MG}/top", expand="children", recurse="true").body
    flat = call(azure, "GET", f"{MG}/top", expand="children").body
    path = call(azure, "GET", f"{MG}/low", expand="path").body
    above = call(azure, "GET", f"{MG}/low", expand="ancestors").body
    below = call(azure, "GET", f"{MG}/top/descendants")

    [mid] = tree["properties"]["children"]
    assert mid["children"][0]["name"] == "low"
    assert "children" not in flat["properties"]["children"][0]
    assert [one["name"] for one in path["properties"]["details"]["path"]] == [
        root,
        "top",
        "mid",
        "low",
    ]
    assert above["properties"]["details"]["managementGroupAncestors"] == ["mid", "top", root]
    assert names(below) == ["mid", "low"]
    assert below.body["value"][1]["properties"]["parent"]["id"] == f"{MG}/mid"


def test_a_group_is_renamed_and_moved(azure: Azure) -> None:
    """PATCH takes a display name and a parent; PUT leaves what it does not name."""
    make(azure, "top")
    make(azure, "other", display="Other")
    moved = call(azure, "PATCH", f"{MG}/other", {"parentGroupId": f"{MG}/top"})
    make(azure, "other")
    renamed = call(azure, "PATCH", f"{MG}/other", {"displayName": "New"})
    details = renamed.body["properties"]["details"]

    assert moved.body["properties"]["displayName"] == "Other"
    assert renamed.body["properties"]["displayName"] == "New"
    assert details["parent"]["name"] == "top"
    assert details["version"] == 4


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("bad%20name", {}, 400, "InvalidManagementGroupName"),
        ("x" * 91, {}, 400, "InvalidManagementGroupName"),
        ("mg", {"name": "other"}, 400, "InvalidRequestContent"),
        ("mg", {"properties": 7}, 400, "InvalidRequestContent"),
        ("mg", {"properties": {"details": {"parent": "x"}}}, 400, "InvalidRequestContent"),
        ("mg", {"properties": {"displayName": 7}}, 400, "InvalidRequestContent"),
        ("mg", {"properties": {"details": {"parent": {"id": "x"}}}}, 400, "InvalidRequestContent"),
        (
            "mg",
            {"properties": {"details": {"parent": {"id": f"{MG}/none"}}}},
            404,
            "ManagementGroupNotFound",
        ),
        (
            "top",
            {"properties": {"details": {"parent": {"id": f"{MG}/mid"}}}},
            400,
            "InvalidManagementGroupParent",
        ),
        (
            "deep",
            {"properties": {"details": {"parent": {"id": f"{MG}/l6"}}}},
            400,
            "ManagementGroupDepthExceeded",
        ),
    ],
)
def test_what_is_no_place_for_a_group_is_refused(
    azure: Azure, name: str, body: dict[str, Any], status: int, code: str
) -> None:
    """Names, bodies, parents, circles and depth."""
    make(azure, "top")
    make(azure, "mid", "top")
    for level in range(1, 7):
        make(azure, f"l{level}", f"l{level - 1}" if level > 1 else None)
    reply = call(azure, "PUT", f"{MG}/{name}", body)

    assert (reply.status, reply.code) == (status, code)


def test_only_an_empty_group_is_deleted(azure: Azure) -> None:
    """With the history of its deployments; what is not there is 204."""
    make(azure, "top")
    make(azure, "mid", "top")
    full = call(azure, "DELETE", f"{MG}/top")
    put = azure.deployments.deployments.begin_create_or_update_at_management_group_scope
    put("mid", "main", {**ask([]), "location": "westeurope"}).result()
    gone = call(azure, "DELETE", f"{MG}/mid")
    again = call(azure, "DELETE", f"{MG}/mid")
    make(azure, "mid", "top")
    listed = azure.deployments.deployments.list_at_management_group_scope("mid")

    assert (full.status, full.code) == (400, "BadRequest")
    assert (gone.status, again.status) == (202, 204)
    assert list(listed) == []


def test_the_subscription_moves_between_groups(azure: Azure) -> None:
    """It stands under one group at a time, and under the root when it leaves."""
    sub = azure.address.subscription_id
    make(azure, "one")
    make(azure, "two")
    placed = call(azure, "PUT", f"{MG}/one/subscriptions/{sub}")
    moved = call(azure, "PUT", f"{MG}/two/subscriptions/{sub}")
    left = call(azure, "GET", f"{MG}/one/subscriptions")
    there = call(azure, "GET", f"{MG}/two/subscriptions/{sub}")
    elsewhere = call(azure, "GET", f"{MG}/one/subscriptions/{sub}")
    full = call(azure, "DELETE", f"{MG}/two")
    taken = call(azure, "DELETE", f"{MG}/two/subscriptions/{sub}")
    nothing = call(azure, "DELETE", f"{MG}/two/subscriptions/{sub}")
    root = call(azure, "GET", f"{MG}/{azure.address.tenant_id}/subscriptions")

    assert placed.body["properties"]["parent"]["id"] == f"{MG}/one"
    assert moved.body["properties"]["parent"]["id"] == f"{MG}/two"
    assert names(left) == []
    assert there.body["properties"]["displayName"]
    assert (elsewhere.status, elsewhere.code) == (404, "NotFound")
    assert full.status == 400
    assert (taken.status, nothing.status) == (200, 204)
    assert names(root) == [sub]


def test_entities_show_the_whole_tree(azure: Azure) -> None:
    """Groups and subscriptions with the chain above them and counts of what is below."""
    make(azure, "top")
    make(azure, "mid", "top", "Middle")
    call(azure, "PUT", f"{MG}/mid/subscriptions/{azure.address.subscription_id}")
    body = call(azure, "POST", "/providers/Microsoft.Management/getEntities").body
    found = {one["name"]: one["properties"] for one in body["value"]}
    sub = found[azure.address.subscription_id]
    root = azure.address.tenant_id

    assert body["count"] == len(found) == 4
    assert sub["parent"]["id"] == f"{MG}/mid"
    assert sub["parentNameChain"] == [root, "top", "mid"]
    assert sub["parentDisplayNameChain"][-1] == "Middle"
    assert found["top"]["numberOfDescendants"] == 2
    assert (found["top"]["numberOfChildren"], found["mid"]["numberOfChildGroups"]) == (1, 0)


def test_names_that_are_taken_are_told(azure: Azure) -> None:
    """What a client asks before a PUT."""
    make(azure, "top")
    path = "/providers/Microsoft.Management/checkNameAvailability"
    kind = "Microsoft.Management/managementGroups"
    free = call(azure, "POST", path, {"name": "new", "type": kind}).body
    taken = call(azure, "POST", path, {"name": "TOP", "type": kind}).body

    assert free == {"nameAvailable": True}
    assert (taken["nameAvailable"], taken["reason"]) == (False, "AlreadyExists")
