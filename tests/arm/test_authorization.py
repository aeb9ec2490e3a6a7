"""Microsoft.Authorization: role assignments and definitions, lists over scopes, locks."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from local.arm.providers import role_definitions
from tests.arm.azure import API, Azure, Reply, plain, storage

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ANNA, BERT = "0b4e3f7a-3a0c-4f7d-8a51-2f0c6c3a9b11", "1c5f4a8b-4b1d-4a8e-9b62-301d7d4bac22"
ROLES = "Microsoft.Authorization/roleDefinitions"


def guid(number: int) -> str:
    """Return one of many guids."""
    return str(uuid5(NAMESPACE_OID, str(number)))


def assign(
    azure: Azure, scope: str, number: int, principal: str = ANNA, role: str = READER
) -> Reply:
    """Put a role assignment."""
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{guid(number)}"
    properties = {"roleDefinitionId": f"/providers/{ROLES}/{role}", "principalId": principal}
    return azure.call("PUT", f"{path}?api-version=2022-04-01", {"properties": properties})


def listed(azure: Azure, scope: str, kind: str, expression: str = "") -> list[Any]:
    """Return a list of Microsoft.Authorization."""
    query = f"api-version=2022-04-01&$filter={expression.replace(' ', '%20')}"
    reply = azure.call("GET", f"{scope}/providers/Microsoft.Authorization/{kind}?{query}")
    assert reply.status == 200, reply
    found: list[Any] = reply.body["value"]
    return found


def lock(azure: Azure, scope: str, level: str = "CanNotDelete", **more: Any) -> Reply:
    """Put a lock."""
    path = f"{scope}/providers/Microsoft.Authorization/locks/l1?api-version=2020-05-01"
    return azure.call("PUT", path, {"properties": {"level": level, **more}})


def test_an_assignment_is_made_once_and_never_changed(azure: Azure) -> None:
    """The tuple of principal, role and scope is unique; neither may change under one name."""
    group = azure.group()
    first = assign(azure, group, 1)
    again = assign(azure, group, 1)
    other_name = assign(azure, group, 2)
    changed = assign(azure, group, 1, principal=BERT)
    wider = assign(azure, azure.subscription, 3)

    assert (first.status, again.status, wider.status) == (201, 200, 201)
    assert (other_name.status, other_name.code) == (409, "RoleAssignmentExists")
    assert (changed.status, changed.code) == (400, "RoleAssignmentUpdateNotPermitted")
    assert guid(1).replace("-", "") in other_name.message


def test_an_assignment_needs_a_guid_a_role_and_a_principal(azure: Azure) -> None:
    """Each is refused in its own words."""
    path = f"{azure.group()}/providers/Microsoft.Authorization/roleAssignments"
    named = azure.call("PUT", f"{path}/reader?api-version=2022-04-01", {"properties": {}})
    empty = azure.call("PUT", f"{path}/{guid(1)}?api-version=2022-04-01", {"properties": {}})

    assert (named.status, named.code) == (400, "InvalidRoleAssignmentId")
    assert (empty.status, empty.code) == (400, "BadRequestFormat")


def test_a_strict_azure_knows_which_roles_exist(azure: Azure) -> None:
    """An unknown role is refused only there: others may know roles that the simulator does not."""
    group = azure.group()
    loose = assign(azure, group, 1, role=guid(99))
    azure.turn(strict=True)
    strict = assign(azure, group, 2, role=guid(98))

    assert loose.status == 201
    assert (strict.status, strict.code) == (400, "RoleDefinitionDoesNotExist")


def test_assignments_are_listed_from_above_and_below(azure: Azure) -> None:
    """Without a filter all that bears on a scope; atScope() leaves out what is below."""
    group = azure.group()
    azure.deploy("d", [plain("s1")]).result()
    shelf = f"{group}/providers/Contoso.Shop/shelves/s1"
    assign(azure, azure.subscription, 1)
    assign(azure, group, 2, principal=BERT)
    assign(azure, shelf, 3, role=OWNER)

    def names(expression: str = "", scope: str = group) -> set[str]:
        return {one["name"] for one in listed(azure, scope, "roleAssignments", expression)}

    assert names() == {guid(1), guid(2), guid(3)}
    assert names("atScope()") == {guid(1), guid(2)}
    assert names(f"principalId eq '{ANNA}'") == {guid(1), guid(3)}
    assert names(f"atScope() and assignedTo('{BERT}')") == {guid(2)}
    assert names(scope=shelf) == {guid(1), guid(2), guid(3)}


@pytest.mark.parametrize("place", ["", "{sub}", "{group}"])
def test_built_in_roles_are_read_and_listed_at_every_scope(azure: Azure, place: str) -> None:
    """By guid, by name and by type; below a subscription with its id."""
    group = azure.group()
    scope = place.format(sub=azure.subscription, group=group)
    role = azure.call("GET", f"{scope}/providers/{ROLES}/{READER}?api-version=2022-04-01").body
    by_name = listed(azure, scope, "roleDefinitions", "roleName eq 'Reader'")
    by_type = listed(azure, scope, "roleDefinitions", "type eq 'BuiltInRole'")
    prefix = azure.subscription if place else ""

    assert role["id"] == f"{prefix}/providers/{ROLES}/{READER}"
    assert role["properties"]["permissions"][0]["actions"] == ["*/read"]
    assert [one["name"] for one in by_name] == [READER]
    assert len(by_type) == len(role_definitions.built_in()) > 200


def test_a_role_of_azure_cannot_be_written(azure: Azure) -> None:
    """Not even with its own body."""
    path = f"{azure.subscription}/providers/{ROLES}/{READER}?api-version=2022-04-01"
    reply = azure.call("PUT", path, azure.call("GET", path).body)

    assert (reply.status, reply.code) == (400, "RoleDefinitionCannotBeUpdated")


def test_a_custom_role_is_listed_and_read_below_its_subscription(azure: Azure) -> None:
    """With what it does not say filled in."""
    group = azure.group()
    properties = {
        "roleName": "Shelf keeper",
        "permissions": [{"actions": ["Contoso.Shop/*"]}],
        "assignableScopes": [azure.subscription],
    }
    path = f"/providers/{ROLES}/{guid(7)}?api-version=2022-04-01"
    azure.call("PUT", azure.subscription + path, {"properties": properties})
    shown = azure.call("GET", group + path).body["properties"]
    custom = listed(azure, group, "roleDefinitions", "type eq 'CustomRole'")

    assert shown["permissions"] == [
        {"actions": ["Contoso.Shop/*"], "notActions": [], "dataActions": [], "notDataActions": []}
    ]
    assert [one["properties"]["roleName"] for one in custom] == ["Shelf keeper"]


def test_a_lock_keeps_a_group_and_what_is_in_it(azure: Azure) -> None:
    """CanNotDelete refuses deletions only, from above and from below; without it they go."""
    group = azure.group()
    azure.deploy("d", [plain("s1"), plain("s2")]).result()
    shelf = f"{group}/providers/Contoso.Shop/shelves"
    made = lock(azure, f"{shelf}/s1")
    below = azure.call("DELETE", f"{group}?api-version={API}")
    free = azure.call("DELETE", f"{shelf}/s2?api-version={API}")
    held = azure.call("DELETE", f"{shelf}/s1?api-version={API}")
    written = azure.call("PUT", f"{shelf}/s1?api-version={API}", plain("s1"))
    gone = azure.call("DELETE", made.body["id"] + "?api-version=2020-05-01")
    after = azure.call("DELETE", f"{shelf}/s1?api-version={API}")

    assert made.status == 201
    assert [(one.status, one.code) for one in (below, held)] == [(409, "ScopeLocked")] * 2
    assert f"'{shelf}/s1'" in below.message
    assert [one.status for one in (free, written, gone, after)] == [200] * 4


def test_a_read_only_lock_refuses_writes_and_actions(azure: Azure) -> None:
    """Also those of a deployment, and keys; reading goes on."""
    group = azure.group()
    azure.deploy("d", [storage()]).result()
    lock(azure, group, "ReadOnly")
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/stshop001"
    tags = {"properties": {"tags": {"a": "1"}}}
    refused = [
        azure.call("PUT", f"{account}?api-version={API}", storage()),
        azure.call("PATCH", f"{account}?api-version={API}", {"tags": {}}),
        azure.call("POST", f"{account}/listKeys?api-version={API}"),
        azure.call("PATCH", f"{group}?api-version={API}", {"tags": {}}),
        azure.call(
            "PUT", f"{group}/providers/Microsoft.Resources/tags/default?api-version={API}", tags
        ),
    ]
    with pytest.raises(Exception, match="ScopeLocked"):
        azure.deploy("e", [plain("s1")]).result()
    read = azure.call("GET", f"{account}?api-version={API}")

    assert [(one.status, one.code) for one in refused] == [(409, "ScopeLocked")] * len(refused)
    assert read.status == 200


def test_the_id_of_a_lock_repeats_the_scope_as_asked(azure: Azure) -> None:
    """And a list of the subscription shows notes that are empty."""
    group = azure.group()
    asked = group.replace("resourceGroups/rg-shop", "resourcegroups/RG-Shop")
    made = lock(azure, asked, "canNotDelete", notes="").body
    [one] = listed(azure, azure.subscription, "locks")

    assert made == {
        "properties": {"level": "CanNotDelete"},
        "id": f"{asked}/providers/Microsoft.Authorization/locks/l1",
        "type": "Microsoft.Authorization/locks",
        "name": "l1",
    }
    assert one["properties"] == {"level": "CanNotDelete", "notes": ""}
    assert one["id"] == f"{group}/providers/Microsoft.Authorization/locks/l1"
    assert listed(azure, azure.subscription, "locks", "atScope()") == []


def test_a_lock_needs_a_level(azure: Azure) -> None:
    """CanNotDelete or ReadOnly."""
    reply = lock(azure, azure.group(), "Firm")

    assert (reply.status, reply.code) == (400, "LockLevelInvalid")


def test_policies_of_above_are_listed_below(azure: Azure) -> None:
    """An assignment at the subscription shows in a group's list."""
    group = azure.group()
    path = "/providers/Microsoft.Authorization/policyAssignments/p1?api-version=2024-04-01"
    definition = "/providers/Microsoft.Authorization/policyDefinitions/x"
    azure.call("PUT", azure.subscription + path, {"properties": {"policyDefinitionId": definition}})
    [one] = listed(azure, group, "policyAssignments")

    assert one["properties"]["enforcementMode"] == "Default"
    assert listed(azure, group, "policyAssignments", "policyDefinitionId eq '/x'") == []


def test_permissions_are_told(azure: Azure) -> None:
    """Everything is allowed where nothing is forbidden."""
    reply = azure.call(
        "GET",
        f"{azure.group()}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01",
    )

    assert reply.body["value"][0]["actions"] == ["*"]


def test_a_deleted_assignment_is_shown_once_more(azure: Azure) -> None:
    """200 with what it was, then 204."""
    group = azure.group()
    made = assign(azure, group, 1)
    path = f"{made.body['id']}?api-version=2022-04-01"
    gone, again = azure.call("DELETE", path), azure.call("DELETE", path)

    assert (gone.status, again.status) == (200, 204)
    assert gone.body["properties"]["principalId"] == ANNA
