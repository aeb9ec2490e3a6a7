"""Resource groups, and the lists of what is in them."""

from __future__ import annotations

import time

from local.arm import activity, groups, ids, lro
from local.arm.clock import stamp
from local.arm.cloud import Cloud
from local.arm.faults import lag
from local.arm.filters import page
from local.arm.messages import Answer, Request
from local.arm.providers import reads
from local.arm.routes.table import Words, route


async def put_group(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Create a group, or replace its tags."""
    group, new = groups.write(cloud, words["sub"], words["group"], request.json())
    return Answer(201 if new else 200, groups.shown(group))


async def patch_group(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Replace a group's tags if the body has any."""
    group = cloud.writable_group(words["sub"], words["group"])
    body = request.json()
    if "tags" in body:
        group.tags = groups.tags_of(body)
    group.managed_by = body.get("managedBy", group.managed_by)
    group.changed = stamp(cloud.clock.now())
    cloud.store.groups.put(ids.group_id(group.subscription, group.name), group)
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
    seconds = cloud.knobs.group_delete_seconds
    if group.deleting_at is None:
        group.deleting_at = time.time() + seconds
        cloud.store.groups.put(group_id, group)
        cloud.leave_at(group.deleting_at, group_id)
        activity.group_deleted(cloud, group_id, request)
    job = lro.start(cloud, max(group.deleting_at - time.time(), 0.0), 200)
    return Answer(202, None, lro.location_headers(cloud, request, job))


async def list_groups(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the groups of the subscription; $filter knows tagName and tagValue, $top cuts."""
    subscription = words["sub"].lower()
    found = [
        groups.shown(group)
        for group in cloud.store.groups.values()
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
    found = [
        reads.summary(cloud, record, expand)
        for record in lag.listed(cloud, prefix)
        if reads.is_listed(record)
    ]
    return Answer(200, page(request, found))


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
    route("group-resources", _GROUP + "/resources", {"GET": list_resources}),
    route("subscription-resources", "/subscriptions/{sub}/resources", {"GET": list_resources}),
)
