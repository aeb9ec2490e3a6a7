"""Resources that were deleted and are kept for a while: seen, recovered, purged."""

from __future__ import annotations

from typing import Any

from local.arm import errors
from local.arm.clock import stamp
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import ResourceId, key_of
from local.arm.knowledge import ResourceType
from local.arm.knowledge.schema import SoftDelete
from local.arm.providers import model
from local.arm.state.records import Grave, Resource


def kept(cloud: Cloud, kind: str) -> list[Grave]:
    """Return the deleted resources of a type that are still kept, oldest first."""
    now = stamp(cloud.clock.now())
    found = []
    for grave in cloud.store.graves.values():
        if grave.until <= now:
            cloud.store.graves.delete(grave.resource.id)
        elif grave.resource.type.lower() == kind.lower():
            found.append(grave)
    return found


def in_the_way(cloud: Cloud, rid: ResourceId, rule: SoftDelete) -> Grave | None:
    """Return the deleted resource whose name a new one would take."""
    for grave in kept(cloud, rid.type):
        same_name = grave.resource.name.lower() == rid.name.lower()
        if key_of(grave.resource.id) == rid.key or (rule.unique and same_name):
            return grave
    return None


def open_for(
    cloud: Cloud, known: ResourceType, rid: ResourceId, body: dict[str, Any]
) -> Grave | None:
    """Return the deleted resource that a PUT recovers; None if there is none.

    Raises `ArmError` if the name is taken by one that the PUT does not recover, or if it means to
    recover what is not there.
    """
    rule = known.softDelete
    if rule is None:
        return None
    grave = in_the_way(cloud, rid, rule)
    asked = model.find(body, rule.recover_at) if rule.recover_at else None
    recovers = asked is not None and str(asked).lower() == str(rule.recover_value).lower()
    if grave is None:
        if recovers:
            raise errors.resource_not_found(rid.type, rid.name, rid.group)
        return None
    at_home = key_of(grave.resource.id) == rid.key
    if at_home and (recovers or rule.recreate == "recover"):
        return grave
    message = rule.message.replace("{name}", rid.name).replace("{id}", grave.resource.id)
    raise ArmError(409, rule.code, message, gateway=False)


def reopen(cloud: Cloud, grave: Grave) -> Resource:
    """Bring a deleted resource back with all that hung on it."""
    for record in (grave.resource, *grave.below):
        record.ready_at, record.pending = 0.0, "Updating"
        cloud.store.resources.put(record.id, record)
    cloud.store.graves.delete(grave.resource.id)
    return grave.resource


def find(cloud: Cloud, kind: str, location: str, name: str, group: str | None) -> Grave:
    """Return a deleted resource; raises ResourceNotFound."""
    for grave in kept(cloud, kind):
        rid = model.rid_of(grave.resource)
        here = group is None or (rid.group or "").lower() == group.lower()
        if (
            here
            and rid.name.lower() == name.lower()
            and model.normal_location(grave.location) == model.normal_location(location)
        ):
            return grave
    raise errors.resource_not_found(kind, name, group)


def purge(cloud: Cloud, grave: Grave) -> None:
    """Forget a deleted resource for good; raises `ArmError` if that is forbidden."""
    rule = cloud.knowledge.type(grave.resource.type).softDelete
    if rule and rule.protected_at and model.find(grave.resource.got, rule.protected_at):
        raise ArmError(
            400,
            "DeletedResourcePurgeNotAllowed",
            f"Purging '{grave.resource.name}' is not allowed: purge protection is enabled. It is"
            f" purged at {grave.until}.",
            gateway=False,
        )
    cloud.store.graves.delete(grave.resource.id)


def place(rule: SoftDelete, grave: Grave) -> str:
    """Return the id of a deleted resource. Pure."""
    rid = model.rid_of(grave.resource)
    group = f"/resourceGroups/{rid.group}" if rule.by_group else ""
    return (
        f"/subscriptions/{rid.subscription}/providers/{rid.namespace}"
        f"/locations/{grave.location}{group}/{rule.collection}/{rid.name}"
    )


def body(rule: SoftDelete, grave: Grave) -> dict[str, Any]:
    """Return what a client sees of a deleted resource. Pure."""
    record = grave.resource
    dates = {"deletionDate": grave.deleted, "scheduledPurgeDate": grave.until}
    if rule.named is None:
        properties = {**record.got["properties"], **dates}
        return {**record.got, "id": place(rule, grave), "properties": properties}
    protected = model.find(record.got, rule.protected_at) if rule.protected_at else None
    return {
        "id": place(rule, grave),
        "name": record.name,
        "type": f"{record.type.partition('/')[0]}/{rule.collection}",
        "properties": {
            rule.named: record.id,
            "location": grave.location,
            "tags": record.got.get("tags", {}),
            **dates,
            **({"purgeProtectionEnabled": True} if protected else {}),
        },
    }
