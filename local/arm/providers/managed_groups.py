"""Groups that a provider makes for a resource of its own, such as a cluster's nodes.

They bear the name that the resource shows, are managed by it, and go with it.
"""

from __future__ import annotations

from local.arm import ids
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.knowledge import ResourceType
from local.arm.providers import model
from local.arm.state.records import Group, Resource


def _name(known: ResourceType, record: Resource) -> str | None:
    found = model.find(record.got, known.managedGroup) if known.managedGroup else None
    return found.rstrip("/").rpartition("/")[2] if isinstance(found, str) and found else None


def make(cloud: Cloud, known: ResourceType, record: Resource) -> None:
    """Make the group of a new resource. Raises `ArmError` if somebody else has one of that name."""
    name = _name(known, record)
    rid = model.rid_of(record)
    if name is None or rid.subscription is None:
        return
    group_id = ids.group_id(rid.subscription, name)
    other = cloud.store.groups.get(group_id)
    if other is not None and ids.key_of(other.managed_by or "") != ids.key_of(record.id):
        raise ArmError(
            409,
            "ManagedResourceGroupAlreadyExists",
            f"The resource group '{name}' for '{record.id}' already exists and is not its own.",
            gateway=False,
        )
    group = Group(
        subscription=rid.subscription,
        name=name,
        location=model.normal_location(str(record.got.get("location") or "")),
        tags={},
        managed_by=record.id,
        created=record.created,
        changed=record.changed,
    )
    cloud.store.groups.put(group_id, group)


def remove(cloud: Cloud, known: ResourceType, record: Resource) -> None:
    """Remove the group of a resource that is deleted, with all that is in it."""
    name = _name(known, record)
    subscription = model.rid_of(record).subscription
    if name is None or subscription is None:
        return
    group = cloud.store.groups.get(ids.group_id(subscription, name))
    if group is not None and ids.key_of(group.managed_by or "") == ids.key_of(record.id):
        cloud.purge(ids.group_id(group.subscription, group.name))
