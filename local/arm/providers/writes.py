"""Writing and deleting resources, by a client or by a deployment."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from local.arm import errors, ids, management_groups, noise
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.ids import ResourceId
from local.arm.knowledge import ResourceType
from local.arm.knowledge.words import fill
from local.arm.messages import Caller
from local.arm.providers import (
    children,
    graves,
    managed_groups,
    model,
    patches,
    reads,
    references,
    refusals,
    registration,
    role_assignments,
    versions,
)
from local.arm.state.records import Resource


@dataclass(frozen=True, slots=True)
class Write:
    """One write: to what, with what, in which version of the interface, by whom.

    `said` is what of the body the caller sent himself, where that is not all of it (a PATCH).
    """

    rid: ResourceId
    body: dict[str, Any]
    api_version: str
    caller: Caller
    said: dict[str, Any] | None = None


def check(cloud: Cloud, write: Write) -> None:
    """Refuse what the provider refuses by the look of the request; nothing is changed.

    The group and the parent are not looked for: a deployment may be about to make them. Raises
    `ArmError`.
    """
    rid = reads.canonical(cloud, write.rid)
    known = cloud.knowledge.type(rid.type)
    location = model.find(write.body, "location")
    versions.check_version(cloud, rid, write.api_version, location)
    versions.check_region(
        cloud, location, "LocationNotAvailableForResourceType", f"resource type '{rid.type}'"
    )
    versions.check_members(cloud, known, write.body)
    refusals.check_body(known, rid, write.body)
    for name in known.embeds:
        children.listed(known, name, write.body, write.api_version)
    old = cloud.resource(rid.id)
    if old is None:
        refusals.check_name(cloud, known, rid, write.body)
        return
    refusals.check_location(rid, location, old)
    if known.immutable:
        case = model.case_of(old, cloud.identity.tenant)
        refusals.check_immutable(known, old, write.body, model.answer(known, case, write.body))


def put(cloud: Cloud, write: Write) -> tuple[Resource, bool]:
    """Create or replace a resource; return it and whether it is new.

    Raises `ArmError` as ARM and the provider would.
    """
    rid = _check_place(cloud, write.rid)
    write = replace(write, rid=rid)
    known = cloud.knowledge.type(rid.type)
    check(cloud, write)
    refusals.check_turn(cloud, known, rid)
    old = cloud.resource(rid.id)
    role_assignments.check(cloud, rid, write.body, old)
    if old is None:
        old = _recovered(cloud, known, write)
        if old is not None and known.softDelete and known.softDelete.recreate == "refuse":
            return old, True
        is_new = old is None
    else:
        is_new = False
    write = replace(write, body=_stored(cloud, known, write, old))
    gone = _no_longer_embedded(cloud, known, write)
    record = _store(cloud, known, write, old)
    for child in gone:
        cloud.purge(child.id)
    _write_embedded(cloud, known, record, write)
    _write_spilled(cloud, known, record, write)
    if is_new:
        managed_groups.make(cloud, known, record)
        _write_implicit(cloud, known, record, write)
    _touch_parent(cloud, rid, write.caller)
    return record, is_new


def patch(cloud: Cloud, write: Write) -> Resource:
    """Merge into a resource: objects by key, null removes, all else replaces (JSON merge patch)."""
    rid = reads.canonical(cloud, write.rid)
    old = reads.find(cloud, rid)
    body = patches.patched(cloud, old, write.body)
    record, _ = put(cloud, replace(write, rid=rid, body=body, said=write.body))
    return record


def delete(
    cloud: Cloud, rid: ResourceId, caller: Caller, *, for_good: bool = False
) -> Resource | None:
    """Delete a resource with its children; None if it is not there.

    What the provider keeps for a while is kept, unless it is `for_good`. Raises `ArmError` if
    something else needs the resource.
    """
    record = cloud.resource(rid.id)
    if record is None:
        return None
    if record.pending == "Deleting" and reads.is_busy(record):
        return record
    references.check_unused(cloud, record)
    refusals.check_turn(cloud, cloud.knowledge.type(record.type), rid)
    managed_groups.remove(cloud, cloud.knowledge.type(record.type), record)
    seconds = cloud.knobs.seconds_for(record.type)
    if seconds > 0 and not for_good:
        record.pending, record.ready_at = "Deleting", time.time() + seconds
        cloud.store.resources.put(record.id, record)
        cloud.leave_at(record.ready_at, record.id)
    else:
        cloud.purge(record.id, for_good=for_good)
    _touch_parent(cloud, reads.canonical(cloud, rid), caller)
    return record


def _check_place(cloud: Cloud, rid: ResourceId) -> ResourceId:
    if rid.subscription is not None:
        cloud.check_subscription(rid.subscription)
        registration.check(cloud, rid.subscription, rid.namespace)
        if rid.group is not None:
            cloud.writable_group(rid.subscription, rid.group)
    parent = rid.parent
    needs_parent = parent is not None and not cloud.knowledge.type(rid.type).parentless
    if parent is not None and needs_parent and cloud.resource(parent.id) is None:
        raise errors.parent_not_found(rid.type, parent.id)
    if rid.is_extension and cloud.resource(rid.scope) is None:
        outer = ids.parse(rid.scope)
        name = management_groups.name_in(rid.scope)
        if name is not None:
            management_groups.find(cloud, name)
        elif outer is not None:
            raise errors.resource_not_found(outer.type, outer.name, outer.group)
    return reads.canonical(cloud, rid)


def _recovered(cloud: Cloud, known: ResourceType, write: Write) -> Resource | None:
    grave = graves.open_for(cloud, known, write.rid, write.body)
    return graves.reopen(cloud, grave) if grave else None


def _stored(
    cloud: Cloud, known: ResourceType, write: Write, old: Resource | None
) -> dict[str, Any]:
    """Return the body that a noisy provider takes the request for (N15, N16)."""
    classes = cloud.knobs.noise_for(write.rid.type)
    if not classes:
        return write.body
    subject = noise.Subject(write.rid.id, write.rid.type, write.body, cloud.knobs.noise_seed)
    return noise.stored(known, subject, old.put if old else None, classes)


def _store(cloud: Cloud, known: ResourceType, write: Write, old: Resource | None) -> Resource:
    rid, caller = write.rid, write.caller
    now = stamp(cloud.clock.now())
    seconds = cloud.knobs.seconds_for(rid.type)
    body = children.without_embedded(known, model.clean(write.body))
    record = Resource(
        id=rid.id,
        type=rid.type,
        name=rid.name,
        put=body,
        got={},
        api_version=write.api_version,
        etag=f'W/"{new_guid()}"',
        created=old.created if old else now,
        changed=now,
        created_by=old.created_by if old else caller.appid,
        changed_by=caller.appid,
        serial=old.serial if old else cloud.next_serial(),
        ready_at=time.time() + seconds if seconds > 0 else 0.0,
        pending="Updating" if old or known.etag else "Creating",
        own=old.own if old else None,
    )
    record.got = model.answer(known, model.case_of(record, cloud.identity.tenant), body)
    cloud.store.resources.put(rid.id, record)
    references.note(cloud, record)
    return record


def rewrite(cloud: Cloud, record: Resource) -> None:
    """Store a resource whose `own` has changed, with the body that follows."""
    known = cloud.knowledge.type(record.type)
    case = model.case_of(record, cloud.identity.tenant)
    record.got = model.answer(known, case, record.put)
    cloud.store.resources.put(record.id, record)


def _no_longer_embedded(cloud: Cloud, known: ResourceType, write: Write) -> list[Resource]:
    """Return the children that a parent's body leaves out; raises `ArmError` if one is needed."""
    found = []
    parent = cloud.resource(write.rid.id) if known.embeds else None
    for name, kind in known.embeds.items():
        wanted = children.listed(known, name, write.body, write.api_version)
        if parent is None or wanted is None:
            continue
        names = {child.lower() for child in wanted}
        for child in reads.children(cloud, parent, kind):
            if child.name.rpartition("/")[2].lower() not in names:
                references.check_unused(cloud, child)
                found.append(child)
    return found


def _write_embedded(cloud: Cloud, known: ResourceType, record: Resource, write: Write) -> None:
    """Write the children that a parent's body holds."""
    for name, kind in known.embeds.items():
        wanted = children.listed(known, name, write.body, write.api_version)
        for child_name, child in (wanted or {}).items():
            _write_child(cloud, ids.parse(f"{record.id}/{kind}/{child_name}"), child, write)


def _write_child(cloud: Cloud, rid: ResourceId | None, body: dict[str, Any], write: Write) -> None:
    if rid is not None:
        rid = reads.canonical(cloud, rid)
        inner = Write(rid, body, write.api_version, write.caller)
        _store(cloud, cloud.knowledge.type(rid.type), inner, cloud.resource(rid.id))


def _write_spilled(cloud: Cloud, known: ResourceType, record: Resource, write: Write) -> None:
    """Write into children what the provider keeps there of this body."""
    said = write.body if write.said is None else write.said
    for spill in known.spills:
        properties = children.spilled(spill, said)
        if properties is None:
            continue
        rid = ids.parse(f"{record.id}/{spill.child}")
        old = cloud.resource(rid.id) if rid else None
        before = (model.find(old.put, "properties") or {}) if old else {}
        if spill.how == "object":
            properties = {**before, **properties}
        _write_child(cloud, rid, {"properties": properties}, write)


def _write_implicit(cloud: Cloud, known: ResourceType, record: Resource, write: Write) -> None:
    facts = model.facts(model.case_of(record, cloud.identity.tenant), record.got)
    for path in known.implicit:
        rid = ids.parse(f"{record.id}/{fill(path, facts)}")
        if rid is not None and cloud.resource(rid.id) is None:
            _write_child(cloud, rid, fill(known.bodies.get(path, {}), facts), write)
    if known.companions and cloud.knobs.noise_for(record.type) & {"N12", "N21"}:
        for companion in known.companions:
            name, body = fill(companion.name, facts), fill(companion.body, facts)
            beside = ids.parse(f"{write.rid.scope}/providers/{companion.type}/{name}")
            if beside is not None and cloud.resource(beside.id) is None:
                _write_child(cloud, beside, body, write)


def _touch_parent(cloud: Cloud, rid: ResourceId, caller: Caller) -> None:
    """Move the parent's etag when an embedded child changed under it."""
    parent = rid.parent
    record = cloud.resource(parent.id) if parent else None
    if record is None:
        return
    embedded = cloud.knowledge.type(record.type).embeds.values()
    if rid.types[-1].lower() in {kind.lower() for kind in embedded}:
        record.etag = f'W/"{new_guid()}"'
        record.changed, record.changed_by = stamp(cloud.clock.now()), caller.appid
        cloud.store.resources.put(record.id, record)
