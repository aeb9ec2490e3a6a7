"""Writing and reading in the forked cloud of a rehearsal: what a provider refuses is written anyway.

What-if does not know what a provider will refuse (an immutable property, a name that is taken
elsewhere): it shows what the body would make of the resource.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec

from local.arm import groups, ids, management_groups
from local.arm.clock import stamp
from local.arm.cloud import Cloud
from local.arm.deploy import tagging
from local.arm.engine import PlannedResource
from local.arm.errors import ArmError
from local.arm.ids import ResourceId
from local.arm.messages import Caller
from local.arm.providers import children, model, reads, writes
from local.arm.providers.writes import Write
from local.arm.state.records import Group, Resource

_encode = msgspec.json.Encoder(order="sorted").encode


def write(cloud: Cloud, resource: PlannedResource, body: dict[str, Any], caller: Caller) -> str:
    """Write a resource as its deployment would; return its id in ARM's spelling."""
    match resource.type.lower():
        case "microsoft.resources/resourcegroups":
            return _write_group(cloud, resource, body)
        case "microsoft.management/managementgroups":
            with contextlib.suppress(ArmError):
                management_groups.write(cloud, resource.name, body, caller)
            return management_groups.id_of(resource.name)
        case "microsoft.management/managementgroups/subscriptions":
            name, _, subscription = resource.name.partition("/")
            with contextlib.suppress(ArmError):
                management_groups.place(cloud, name, subscription)
            return resource.id
    rid = ids.parse(resource.id)
    if rid is None:
        return resource.id
    if rid.type.lower() == tagging.TYPE:
        with contextlib.suppress(ArmError):
            scope, _ = tagging.read(cloud, rid.scope)
            tagging.write(cloud, caller, scope, tagging.asked(body))
        return resource.id
    record = cloud.resource(resource.id)
    if record is not None and _says_the_same(cloud, record, body):
        return record.id
    try:
        return writes.put(cloud, Write(rid, body, resource.api_version, caller))[0].id
    except ArmError:
        return _force(cloud, reads.canonical(cloud, rid), body, resource.api_version)


def read(cloud: Cloud, resource_id: str, api_version: str) -> dict[str, Any] | None:
    """Return the GET body at an api-version; None if there is no such resource."""
    rid = ids.parse(resource_id)
    if rid is not None and rid.type.lower() == tagging.TYPE:
        return _tags(cloud, rid)
    record = cloud.resource(resource_id)
    if record is not None:
        return reads.body(cloud, record, api_version)
    group = cloud.store.groups.get(resource_id)
    if group is not None:
        return groups.shown(group)
    name = management_groups.name_in(resource_id)
    above = None if name is None else cloud.store.management_groups.get(name)
    return None if above is None else management_groups.shown(cloud, above)


def _tags(cloud: Cloud, rid: ResourceId) -> dict[str, Any] | None:
    """Return the tags of a scope, which are always there if it is."""
    try:
        return tagging.shown(*tagging.read(cloud, rid.scope))
    except ArmError:
        return None


def _says_the_same(cloud: Cloud, record: Resource, body: dict[str, Any]) -> bool:
    """Tell whether a PUT would write what was written before: then nothing follows from it."""
    known = cloud.knowledge.type(record.type)
    if known.embeds or known.spills or known.merges:
        return False
    return bool(_encode(record.put) == _encode(model.clean(body)))


def _write_group(cloud: Cloud, resource: PlannedResource, body: dict[str, Any]) -> str:
    subscription = resource.scope.subscription_id or ""
    try:
        group, _ = groups.write(cloud, subscription, resource.name, body)
    except ArmError:
        location = body.get("location")
        tags = body.get("tags")
        group = Group(
            subscription=subscription,
            name=resource.name,
            location=model.normal_location(location) if isinstance(location, str) else "",
            tags=tags if isinstance(tags, dict) else {},
        )
        cloud.store.groups.put(ids.group_id(subscription, resource.name), group)
    return ids.group_id(group.subscription, group.name)


def _force(cloud: Cloud, rid: ResourceId, body: dict[str, Any], api_version: str) -> str:
    old = cloud.resource(rid.id)
    now = stamp(cloud.clock.now())
    known = cloud.knowledge.type(rid.type)
    case = model.Circumstances(rid, cloud.identity.tenant, old.created if old else now, now)
    record = Resource(
        id=rid.id,
        type=rid.type,
        name=rid.name,
        put=children.without_embedded(known, model.clean(body)),
        got=model.answer(known, case, children.without_embedded(known, body)),
        api_version=api_version,
        etag="",
        created=case.created,
        changed=now,
        created_by="",
        changed_by="",
        serial=old.serial if old else cloud.next_serial(),
    )
    cloud.store.resources.put(rid.id, record)
    with contextlib.suppress(ArmError):
        _force_children(cloud, rid, body, api_version)
    return rid.id


def _force_children(cloud: Cloud, rid: ResourceId, body: dict[str, Any], api_version: str) -> None:
    """Have the embedded children that a parent's body says; raises `ArmError` if it is no body."""
    known = cloud.knowledge.type(rid.type)
    for name, kind in known.embeds.items():
        wanted = children.listed(known, name, body, api_version)
        if wanted is None:
            continue
        names = {child.lower() for child in wanted}
        for old in cloud.store.resources.below(f"{rid.id}/{kind}"):
            child = ids.parse(old.id)
            if child is not None and child.names[len(rid.names)].lower() not in names:
                cloud.purge(old.id)
        for child_name, child_body in wanted.items():
            child = ids.parse(f"{rid.id}/{kind}/{child_name}")
            if child is not None:
                _force(cloud, reads.canonical(cloud, child), child_body, api_version)


def imagine(
    cloud: Cloud, resource_id: str, api_version: str, put: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the GET body that a resource would have; `cloud` stays as it is."""
    rid = ids.parse(resource_id)
    if rid is None:
        return None
    other = cloud.fork()
    made = _force(other, reads.canonical(other, rid), dict(put), api_version)
    return read(other, made, api_version)
