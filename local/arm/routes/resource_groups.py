"""Resource groups, and the lists of what is in them."""

from __future__ import annotations

import time
from functools import partial

from local.arm import activity, exports, groups, ids, lro, moves
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.faults import lag
from local.arm.filters import Shown, page
from local.arm.messages import Answer, Request
from local.arm.providers import locks, reads
from local.arm.routes.table import Words, route

_FORCED = {
    kind.lower(): kind
    for kind in (
        "Microsoft.Compute/virtualMachines",
        "Microsoft.Compute/virtualMachineScaleSets",
        "Microsoft.Databricks/workspaces",
    )
}


async def put_group(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Create a group, or replace its tags."""
    locks.check_write(cloud, ids.group_id(words["sub"], words["group"]))
    group, new = groups.write(cloud, words["sub"], words["group"], request.json())
    return Answer(201 if new else 200, groups.shown(group))


async def patch_group(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Replace a group's tags if the body has any."""
    group = cloud.writable_group(words["sub"], words["group"])
    locks.check_write(cloud, ids.group_id(group.subscription, group.name))
    body = request.json()
    groups.check_owner(group, body.get("managedBy"))
    if "tags" in body:
        group.tags = groups.tags_of(body)
    groups.note_change(cloud, group)
    return Answer(200, groups.shown(group))


async def get_group(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Show a group."""
    return Answer(200, groups.shown(cloud.group(words["sub"], words["group"])))


async def head_group(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Say whether a group exists."""
    cloud.group(words["sub"], words["group"])
    return Answer(204)


async def delete_group(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Start deleting a group with all that is in it."""
    group = cloud.group(words["sub"], words["group"])
    group_id = ids.group_id(group.subscription, group.name)
    _check_forced(request.query.get("forcedeletiontypes", ""))
    locks.check_delete(cloud, group_id)
    seconds = cloud.knobs.group_delete_seconds
    if group.deleting_at is None:
        group.deleting_at = time.time() + seconds
        cloud.store.groups.put(group_id, group)
        cloud.leave_at(group.deleting_at, group_id)
        activity.group_deleted(cloud, group_id, request)
    job = lro.start(cloud, max(group.deleting_at - time.time(), 0.0), 200)
    return Answer(202, None, lro.location_headers(cloud, request, job))


def _check_forced(listed: str) -> None:
    """Refuse `forceDeletionTypes` that the service cannot delete by force."""
    for kind in filter(None, (one.strip() for one in listed.split(","))):
        if kind.lower() not in _FORCED:
            raise ArmError(
                400,
                "InvalidForceDeletionResourceType",
                f"The resource type '{kind}' in forceDeletionTypes does not support force deletion."
                f" The types that do are: {', '.join(sorted(_FORCED.values()))}.",
            )


async def export(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Return the template that makes what is in the group again."""
    group = cloud.group(words["sub"], words["group"])
    answer = {"template": exports.template(cloud, group, request.json())}
    seconds = cloud.knobs.resource_seconds
    if seconds <= 0:
        return Answer(200, answer)
    job = lro.start(cloud, seconds, 200, body=answer)
    return Answer(202, None, lro.location_headers(cloud, request, job))


async def move(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Move resources to another group."""
    asked = moves.read(cloud, words["sub"], words["group"], request.json())
    for record in asked.records:
        locks.check_delete(cloud, record.id)
    locks.check_write(cloud, ids.group_id(asked.target.subscription, asked.target.name))
    moves.carry_out(cloud, asked, request.caller)
    job = lro.start(cloud, cloud.knobs.resource_seconds, 204)
    return Answer(202, None, lro.location_headers(cloud, request, job))


async def validate_move(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Say whether resources could be moved; nothing moves."""
    moves.read(cloud, words["sub"], words["group"], request.json())
    job = lro.start(cloud, cloud.knobs.resource_seconds, 204)
    return Answer(202, None, lro.location_headers(cloud, request, job))


async def list_groups(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the groups of the subscription; $filter knows tagName and tagValue, $top cuts."""
    subscription = words["sub"].lower()
    found = [
        groups.shown(group)
        for group in lag.listed_groups(cloud)
        if group.subscription.lower() == subscription
    ]
    kept = sorted(found, key=lambda one: str(one["name"]))
    return Answer(200, page(request, kept))


async def list_resources(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the resources of a group or subscription, without their properties."""
    prefix = f"/subscriptions/{words['sub']}"
    if "group" in words:
        group = cloud.group(words["sub"], words["group"])
        prefix = ids.group_id(group.subscription, group.name)
    expand = frozenset(request.query.get("$expand", "").lower().replace(" ", "").split(","))
    found = lag.listed(cloud, prefix, reads.is_listed, partial(reads.is_listed_at, cloud))
    return Answer(200, page(request, Shown(found, lambda one: reads.summary(cloud, one, expand))))


_GROUP = "/subscriptions/{sub}/resourcegroups/{group}"
ROUTES = (
    route("resource-groups", "/subscriptions/{sub}/resourcegroups", {"GET": list_groups}),
    route(
        "resource-group",
        _GROUP,
        {
            "PUT": put_group,
            "PATCH": patch_group,
            "GET": get_group,
            "HEAD": head_group,
            "DELETE": delete_group,
        },
    ),
    route("group-export", _GROUP + "/exportTemplate", {"POST": export}),
    route("group-move", _GROUP + "/moveResources", {"POST": move}),
    route("group-validate-move", _GROUP + "/validateMoveResources", {"POST": validate_move}),
    route("group-resources", _GROUP + "/resources", {"GET": list_resources}),
    route("subscription-resources", "/subscriptions/{sub}/resources", {"GET": list_resources}),
)
