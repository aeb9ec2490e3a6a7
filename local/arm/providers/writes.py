"""Writing and deleting resources, by a client or by a deployment."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from local.arm import errors, ids
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import ResourceId
from local.arm.knowledge import NameRule, ResourceType
from local.arm.messages import Caller
from local.arm.providers import model, reads, registration
from local.arm.state.records import Resource


@dataclass(frozen=True, slots=True)
class Write:
    """One write: to what, with what, in which version of the interface, by whom."""

    rid: ResourceId
    body: dict[str, Any]
    api_version: str
    caller: Caller


def put(cloud: Cloud, write: Write) -> tuple[Resource, bool]:
    """Create or replace a resource; return it and whether it is new.

    Raises `ArmError` as ARM and the provider would.
    """
    rid = _check_place(cloud, write.rid)
    known = cloud.knowledge.type(rid.type)
    old = cloud.resource(rid.id)
    _check_body(cloud, known, rid, write.body, old)
    record = _store(cloud, known, rid, write, old)
    _write_embedded(cloud, known, record, write)
    if old is None:
        _write_implicit(cloud, known, record, write)
    _touch_parent(cloud, rid, write.caller)
    return record, old is None


def patch(cloud: Cloud, write: Write) -> Resource:
    """Merge into a resource: objects by key, null removes, all else replaces (JSON merge patch)."""
    rid = reads.canonical(cloud, write.rid)
    old = reads.find(cloud, rid)
    merged = merge(old.put, model.clean(write.body))
    embeds = cloud.knowledge.type(rid.type).embeds
    for name in embeds:
        # Children that the patch does not speak of stay: send them along as they are.
        if model.find(write.body, f"properties.{name}") is None:
            shown = reads.body(cloud, old)["properties"][name]
            merged.setdefault("properties", {})[name] = shown
    record, _ = put(cloud, Write(rid, merged, write.api_version, write.caller))
    return record


def merge(old: Any, new: Any) -> Any:
    """Return `old` changed by a merge patch. Pure."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    merged = dict(old)
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def delete(cloud: Cloud, rid: ResourceId, caller: Caller) -> Resource | None:
    """Delete a resource with its children; None if it is not there."""
    record = cloud.resource(rid.id)
    if record is None:
        return None
    seconds = cloud.knobs.seconds_for(record.type)
    if seconds > 0:
        record.pending, record.ready_at = "Deleting", time.time() + seconds
        cloud.store.resources.put(record.id, record)
        cloud.leave_at(record.ready_at, record.id)
    else:
        cloud.purge(record.id)
    _touch_parent(cloud, reads.canonical(cloud, rid), caller)
    return record


def _check_place(cloud: Cloud, rid: ResourceId) -> ResourceId:
    if rid.subscription is not None:
        cloud.check_subscription(rid.subscription)
        registration.check(cloud, rid.subscription, rid.namespace)
        if rid.group is not None:
            cloud.writable_group(rid.subscription, rid.group)
    parent = rid.parent
    if parent is not None and cloud.resource(parent.id) is None:
        raise errors.parent_not_found(rid.type, parent.id)
    if rid.is_extension and cloud.resource(rid.scope) is None:
        outer = ids.parse(rid.scope)
        if outer is not None:
            raise errors.resource_not_found(outer.type, outer.name, outer.group)
    return reads.canonical(cloud, rid)


def _check_body(
    cloud: Cloud, known: ResourceType, rid: ResourceId, body: dict[str, Any], old: Resource | None
) -> None:
    for name, value in (("name", rid.names[-1]), ("type", rid.type)):
        given = model.find(body, name)
        if isinstance(given, str) and given.lower() not in (value.lower(), rid.name.lower()):
            raise errors.invalid_content(f"The {name} '{given}' does not match the URL's '{value}'")
    location = model.find(body, "location")
    if known.tracked and not location:
        raise ArmError(
            400, "LocationRequired", "The location property is required for this definition."
        )
    if old is not None:
        _check_location(rid, location, old)
    elif known.name is not None:
        _check_name(cloud, known.name, rid)


def _check_location(rid: ResourceId, location: Any, old: Resource) -> None:
    before = old.got.get("location")
    if isinstance(location, str) and before and model.normal_location(location) != before:
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{rid.names[-1]}' already exists in location '{before}' in resource"
            f" group '{rid.group}'. A resource with the same name cannot be created in location"
            f" '{model.normal_location(location)}'. Please select a new resource name.",
        )


def _check_name(cloud: Cloud, rule: NameRule, rid: ResourceId) -> None:
    name = rid.names[-1]
    if not re.fullmatch(rule.pattern, name):
        raise ArmError(400, rule.code, rule.message.replace("{name}", name), gateway=False)
    if rule.unique is None:
        return
    tail = rid.id[len(rid.scope) + len("/providers/") :]
    if cloud.store.resources.of_tail(tail):
        message = rule.unique.message.replace("{name}", name)
        raise ArmError(409, rule.unique.code, message, gateway=False)


def _store(
    cloud: Cloud, known: ResourceType, rid: ResourceId, write: Write, old: Resource | None
) -> Resource:
    now = stamp(cloud.clock.now())
    created = old.created if old else now
    case = model.Circumstances(rid, cloud.identity.tenant, created, now)
    seconds = cloud.knobs.seconds_for(rid.type)
    body = write.body
    if known.embeds:
        properties = dict(model.find(body, "properties") or {})
        for name in known.embeds:
            properties.pop(name, None)
        body = {**model.clean(body), "properties": properties}
    record = Resource(
        id=rid.id,
        type=rid.type,
        name=rid.name,
        put=model.clean(body),
        got=model.answer(known, case, body),
        api_version=write.api_version,
        etag=f'W/"{new_guid()}"',
        created=created,
        changed=now,
        created_by=old.created_by if old else write.caller.appid,
        changed_by=write.caller.appid,
        serial=old.serial if old else cloud.next_serial(),
        ready_at=time.time() + seconds if seconds > 0 else 0.0,
        pending="Updating" if old or known.etag else "Creating",
    )
    cloud.store.resources.put(rid.id, record)
    return record


def _write_embedded(cloud: Cloud, known: ResourceType, record: Resource, write: Write) -> None:
    """Make the children of one kind what the parent's body says: no more, no fewer."""
    for name, kind in known.embeds.items():
        listed = model.find(write.body, f"properties.{name}") or []
        wanted = {str(model.find(child, "name")): child for child in listed}
        for child in reads.children(cloud, record, kind):
            if child.name.rpartition("/")[2].lower() not in {key.lower() for key in wanted}:
                cloud.purge(child.id)
        for child_name, child in wanted.items():
            rid = ids.parse(f"{record.id}/{kind}/{child_name}")
            if rid is not None:
                inner = Write(rid, child, write.api_version, write.caller)
                type_known = cloud.knowledge.type(rid.type)
                _store(
                    cloud, type_known, reads.canonical(cloud, rid), inner, cloud.resource(rid.id)
                )


def _write_implicit(cloud: Cloud, known: ResourceType, record: Resource, write: Write) -> None:
    for path in known.implicit:
        rid = ids.parse(f"{record.id}/{path}")
        if rid is not None:
            inner = Write(rid, {}, write.api_version, write.caller)
            _store(cloud, cloud.knowledge.type(rid.type), rid, inner, None)


def _touch_parent(cloud: Cloud, rid: ResourceId, caller: Caller) -> None:
    """Move the parent's etag when an embedded child changed under it."""
    parent = rid.parent
    record = cloud.resource(parent.id) if parent else None
    if record is None:
        return
    if rid.types[-1].lower() in {
        k.lower() for k in cloud.knowledge.type(record.type).embeds.values()
    }:
        record.etag = f'W/"{new_guid()}"'
        record.changed, record.changed_by = stamp(cloud.clock.now()), caller.appid
        cloud.store.resources.put(record.id, record)
