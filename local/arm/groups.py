"""Resource groups: their bodies, and what may be written to them."""

from __future__ import annotations

import re
from typing import Any

from local.arm import errors, ids
from local.arm.clock import stamp
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.providers import model, refusals, versions
from local.arm.state.records import Group

_NAME = re.compile(r"[-\w.()]{0,89}[-\w()]")


def shown(group: Group) -> dict[str, Any]:
    """Return a resource group's body. Pure."""
    body: dict[str, Any] = {
        "id": ids.group_id(group.subscription, group.name),
        "name": group.name,
        "type": ids.GROUP_TYPE,
        "location": group.location,
        "tags": group.tags,
        "properties": {
            "provisioningState": "Succeeded" if group.deleting_at is None else "Deleting"
        },
    }
    if group.managed_by is not None:
        body["managedBy"] = group.managed_by
    return body


def note_change(cloud: Cloud, group: Group) -> None:
    """Store a group that was changed now."""
    group.changed = stamp(cloud.clock.now())
    cloud.store.groups.put(ids.group_id(group.subscription, group.name), group)


def tags_of(body: dict[str, Any]) -> dict[str, str]:
    """Return the tags in a request body; raises `ArmError` if they are no strings. Pure."""
    tags = body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise errors.invalid_content("tags must be an object of strings")
    refusals.check_tags(tags)
    return tags


def check_owner(group: Group | None, owner: Any) -> None:
    """Refuse to give a group another owner than it was made with. Raises `ArmError`. Pure."""
    if owner is not None and not isinstance(owner, str):
        raise errors.invalid_content("managedBy must be the id of a resource")
    if group is None:
        return
    before = group.managed_by
    if owner is not None and (before is None or ids.key_of(owner) != ids.key_of(before)):
        raise ArmError(
            409,
            "ResourceGroupManagedByMismatch",
            f"The resource group '{group.name}' cannot be managed by '{owner}':"
            f" {f'it is managed by {before!r}' if before else 'it was made without an owner'},"
            " which cannot be changed.",
        )


def write(cloud: Cloud, subscription: str, name: str, body: dict[str, Any]) -> tuple[Group, bool]:
    """Create a group, or replace its tags; return it and whether it is new. Raises `ArmError`."""
    if not _NAME.fullmatch(name):
        raise ArmError(
            400,
            "InvalidResourceGroupName" if len(name) <= 90 else "ResourceGroupNameLengthLimit",  # noqa: PLR2004 - ARM's limit
            f"The provided resource group name '{name}' has these invalid characters or length:"
            " up to 90 letters, digits, '-', '_', '.', '(' and ')' are allowed, not ending in '.'.",
        )
    location = body.get("location")
    if not isinstance(location, str) or not location:
        raise ArmError(
            400, "LocationRequired", "The location property is required for this definition."
        )
    versions.check_region(cloud, location, "LocationNotAvailableForResourceGroup", "resource group")
    location = model.normal_location(location)
    old = cloud.store.groups.get(ids.group_id(subscription, name))
    if old is not None and old.deleting_at is not None:
        raise errors.group_being_deleted(old.name)
    if old is not None and old.location != location:
        raise ArmError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in"
            f" location '{old.location}'.",
        )
    check_owner(old, body.get("managedBy"))
    now = stamp(cloud.clock.now())
    group = Group(
        subscription=cloud.check_subscription(subscription),
        name=old.name if old else name,
        location=location,
        tags=tags_of(body),
        managed_by=old.managed_by if old else body.get("managedBy"),
        created=old.created if old else now,
        changed=now,
    )
    cloud.store.groups.put(ids.group_id(group.subscription, group.name), group)
    return group, old is None
