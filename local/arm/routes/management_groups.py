"""Management groups: created, moved, listed and deleted; subscriptions under them; entities."""

from __future__ import annotations

from typing import Any

from local.arm import errors, lro, management_groups, subscription
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.filters import page
from local.arm.management_groups import SUBSCRIPTIONS, TYPE, id_of
from local.arm.messages import Answer, Request
from local.arm.routes.table import Words, route
from local.arm.state.records import ManagementGroup

_SPACE = "/providers/Microsoft.Management"
_NOT_SUBSCRIPTION = "children.childtype ne subscription"


def _brief(cloud: Cloud, group: ManagementGroup) -> dict[str, Any]:
    return {
        "id": id_of(group.name),
        "type": TYPE,
        "name": group.name,
        "properties": {"tenantId": cloud.identity.tenant, "displayName": group.display_name},
    }


async def list_groups(cloud: Cloud, request: Request, _: Words) -> Answer:
    """List all management groups, the root first."""
    shown = [_brief(cloud, group) for group in management_groups.everyone(cloud)]
    return Answer(200, page(request, shown))


async def get_group(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Show a management group; $expand knows children, path and ancestors."""
    group = management_groups.find(cloud, words["group"])
    body = management_groups.shown(cloud, group)
    properties = body["properties"]
    wanted = request.query.get("$expand", "").lower()
    if wanted == "children":
        deep = request.query.get("$recurse", "").lower() == "true"
        filtered = "".join(request.query.get("$filter", "").lower().replace("'", ""))
        children = _children(cloud, group, deep=deep, groups_only=filtered == _NOT_SUBSCRIPTION)
        properties["children"] = children or None
    elif wanted in ("path", "ancestors"):
        above = management_groups.ancestors(cloud, group)
        line = [{"name": one.name, "displayName": one.display_name} for one in above]
        details = properties["details"]
        if wanted == "path":
            own = {"name": group.name, "displayName": group.display_name}
            details["path"] = [*reversed(line), own]
        else:
            details["managementGroupAncestors"] = [one.name for one in above]
            details["managementGroupAncestorsChain"] = line
    return Answer(200, body)


def _children(
    cloud: Cloud, group: ManagementGroup, *, deep: bool, groups_only: bool
) -> list[dict[str, Any]]:
    found = []
    for child in management_groups.children(cloud, group):
        shown: dict[str, Any] = {
            "type": TYPE,
            "id": id_of(child.name),
            "name": child.name,
            "displayName": child.display_name,
        }
        if deep:
            below = _children(cloud, child, deep=True, groups_only=groups_only)
            shown["children"] = below or None
        found.append(shown)
    if not groups_only:
        found += [
            {
                "type": "/subscriptions",
                "id": f"/subscriptions/{one}",
                "name": one,
                "displayName": subscription.shown(cloud.identity)["displayName"],
            }
            for one in management_groups.subscriptions(cloud, group)
        ]
    return found


async def put_group(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Create a management group or change it; the end is polled for."""
    group, _ = management_groups.write(cloud, words["group"], request.json(), request.caller)
    body = {**management_groups.shown(cloud, group), "status": "Succeeded"}
    return _accepted(cloud, request, group.name, body)


def _accepted(cloud: Cloud, request: Request, name: str, body: dict[str, Any]) -> Answer:
    """Answer a write that is polled for, by either header."""
    job = lro.start(cloud, cloud.knobs.seconds_for(TYPE), 200, body=body, scope=_SPACE)
    url = f"{request.base}{_SPACE}/operationResults/{job.id}/managementGroups/{name}"
    url = f"{url}?api-version={request.api_version}"
    headers = {"Location": url, "Azure-AsyncOperation": url, **lro.wait_headers(cloud)}
    begun = {"id": id_of(name), "type": TYPE, "name": name, "status": "NotStarted"}
    return Answer(202, begun, headers)


async def patch_group(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Rename a management group or move it."""
    management_groups.find(cloud, words["group"])
    body = request.json()
    wanted = body.get("displayName"), body.get("parentGroupId")
    group, _ = management_groups.change(cloud, words["group"], wanted, request.caller)
    return Answer(200, management_groups.shown(cloud, group))


async def delete_group(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Delete an empty management group; 204 if it is not there."""
    if not management_groups.remove(cloud, words["group"]):
        return Answer(204)
    name = words["group"]
    return _accepted(cloud, request, name, {"id": id_of(name), "name": name, "status": "Succeeded"})


async def operation_result(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Answer a poll, by Location or Azure-AsyncOperation."""
    job = lro.find_job(cloud, words["job"])
    if lro.is_done(job):
        return Answer(200, job.body)
    name = words["group"]
    body = {"id": id_of(name), "type": TYPE, "name": name, "status": "Running"}
    return Answer(202, body, lro.wait_headers(cloud))


async def list_descendants(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List all that stands under a management group."""
    group = management_groups.find(cloud, words["group"])
    found = []
    for parent, one in management_groups.below(cloud, group):
        is_group = isinstance(one, ManagementGroup)
        name = one.name if isinstance(one, ManagementGroup) else one
        found.append(
            {
                "id": id_of(name) if is_group else f"/subscriptions/{name}",
                "type": TYPE if is_group else "/subscriptions",
                "name": name,
                "properties": {
                    "displayName": _display(cloud, one),
                    "parent": {"id": id_of(parent.name)},
                },
            }
        )
    return Answer(200, page(request, found))


def _display(cloud: Cloud, one: ManagementGroup | str) -> str:
    if isinstance(one, ManagementGroup):
        return one.display_name
    return str(subscription.shown(cloud.identity)["displayName"])


def _subscription_body(cloud: Cloud, group: ManagementGroup, name: str) -> dict[str, Any]:
    return {
        "id": f"{id_of(group.name)}/subscriptions/{name}",
        "type": SUBSCRIPTIONS,
        "name": name,
        "properties": {
            "tenant": cloud.identity.tenant,
            "displayName": _display(cloud, name),
            "parent": {"id": id_of(group.name)},
            "state": "Active",
        },
    }


async def list_subscriptions(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the subscriptions directly under a management group."""
    group = management_groups.find(cloud, words["group"])
    found = management_groups.subscriptions(cloud, group)
    return Answer(200, page(request, [_subscription_body(cloud, group, one) for one in found]))


def _placed(cloud: Cloud, words: Words) -> tuple[ManagementGroup, str] | None:
    group = management_groups.find(cloud, words["group"])
    name = cloud.check_subscription(words["sub"])
    holder = management_groups.holder(cloud, name)
    return (group, name) if holder.name.lower() == group.name.lower() else None


async def get_subscription(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Show a subscription directly under a management group."""
    placed = _placed(cloud, words)
    if placed is None:
        raise ArmError(
            404,
            "NotFound",
            f"The subscription '{words['sub']}' is not under the management group"
            f" '{words['group']}'.",
        )
    return Answer(200, _subscription_body(cloud, *placed))


async def put_subscription(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Move a subscription under a management group."""
    group = management_groups.place(cloud, words["group"], words["sub"])
    return Answer(200, _subscription_body(cloud, group, cloud.identity.subscription))


async def delete_subscription(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Move a subscription back under the root; 204 if it was elsewhere."""
    placed = _placed(cloud, words)
    if placed is None:
        return Answer(204)
    management_groups.displace(cloud, placed[1])
    return Answer(200)


async def get_entities(cloud: Cloud, request: Request, _: Words) -> Answer:
    """List everything in the tenant that the caller can see, with its place in the tree."""
    root = management_groups.find(cloud, cloud.identity.tenant)
    found = [_entity(cloud, None, root)]
    found += [_entity(cloud, parent, one) for parent, one in management_groups.below(cloud, root)]
    return Answer(200, {**page(request, found), "count": len(found)})


def _entity(
    cloud: Cloud, parent: ManagementGroup | None, one: ManagementGroup | str
) -> dict[str, Any]:
    above = [parent, *management_groups.ancestors(cloud, parent)] if parent else []
    chain = list(reversed(above))
    is_group = isinstance(one, ManagementGroup)
    name = one.name if isinstance(one, ManagementGroup) else one
    below = list(management_groups.below(cloud, one)) if isinstance(one, ManagementGroup) else []
    direct = [child for holder, child in below if holder.name == name]
    return {
        "id": id_of(name) if is_group else f"/subscriptions/{name}",
        "type": TYPE if is_group else "/subscriptions",
        "name": name,
        "properties": {
            "tenantId": cloud.identity.tenant,
            "displayName": _display(cloud, one),
            "parent": {"id": id_of(parent.name) if parent else None},
            "permissions": "delete",
            "inheritedPermissions": "delete",
            "numberOfDescendants": len(below),
            "numberOfChildren": len(direct),
            "numberOfChildGroups": sum(isinstance(child, ManagementGroup) for child in direct),
            "parentDisplayNameChain": [group.display_name for group in chain],
            "parentNameChain": [group.name for group in chain],
        },
    }


async def check_name(cloud: Cloud, request: Request, _: Words) -> Answer:
    """Say whether a name is still free."""
    name = request.json().get("name")
    if not isinstance(name, str):
        raise errors.invalid_content("name must be a string")
    if not management_groups.exists(cloud, name):
        return Answer(200, {"nameAvailable": True})
    message = f"The management group name '{name}' is taken."
    return Answer(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})


_ALL = f"{_SPACE}/managementGroups"
_ONE = _ALL + "/{group}"
ROUTES = (
    route("management-groups", _ALL, {"GET": list_groups}),
    route(
        "management-group",
        _ONE,
        {"GET": get_group, "PUT": put_group, "PATCH": patch_group, "DELETE": delete_group},
    ),
    route("management-group-descendants", _ONE + "/descendants", {"GET": list_descendants}),
    route("management-group-subscriptions", _ONE + "/subscriptions", {"GET": list_subscriptions}),
    route(
        "management-group-subscription",
        _ONE + "/subscriptions/{sub}",
        {"GET": get_subscription, "PUT": put_subscription, "DELETE": delete_subscription},
    ),
    route(
        "management-operation",
        _SPACE + "/operationResults/{job}/managementGroups/{group}",
        {"GET": operation_result},
    ),
    route("management-entities", f"{_SPACE}/getEntities", {"POST": get_entities}),
    route("management-name", f"{_SPACE}/checkNameAvailability", {"POST": check_name}),
)
