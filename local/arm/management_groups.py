"""Management groups: the tree above the subscriptions, up to the root that is the tenant's own.

Only what somebody created is stored. The root group always exists; a subscription that stands
under no group stands under the root.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from local.arm import errors
from local.arm.clock import stamp
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.messages import Caller
from local.arm.state.records import ManagementGroup

TYPE = "Microsoft.Management/managementGroups"
SUBSCRIPTIONS = f"{TYPE}/subscriptions"
_PREFIX = f"/providers/{TYPE}/"
_NAME = re.compile(r"[-\w.()]{0,89}[-\w()]", re.ASCII)
_DEEPEST = 6


def id_of(name: str) -> str:
    """Return the canonical id of a management group. Pure."""
    return f"{_PREFIX}{name}"


def name_in(text: str) -> str | None:
    """Return the name in the id of a management group; None if it is no such id. Pure."""
    if not text.lower().startswith(_PREFIX.lower()):
        return None
    name = text[len(_PREFIX) :].rstrip("/")
    return name if name and "/" not in name else None


def find(cloud: Cloud, name: str) -> ManagementGroup:
    """Return a management group; raises ManagementGroupNotFound."""
    found = cloud.store.management_groups.get(name)
    if found is not None:
        return found
    if name.lower() == cloud.identity.tenant.lower():
        return _root(cloud)
    raise ArmError(404, "ManagementGroupNotFound", f"The management group '{name}' was not found.")


def exists(cloud: Cloud, name: str) -> bool:
    """Return whether a management group is there."""
    return name.lower() == cloud.identity.tenant.lower() or name in cloud.store.management_groups


def spelled(cloud: Cloud, name: str) -> str:
    """Return a name as it was first written, or as given if there is no such group."""
    return find(cloud, name).name if exists(cloud, name) else name


def _root(cloud: Cloud) -> ManagementGroup:
    return ManagementGroup(
        name=cloud.identity.tenant, display_name="Tenant Root Group", parent=None
    )


def everyone(cloud: Cloud) -> list[ManagementGroup]:
    """Return all groups, the root first, then the oldest."""
    rest = cloud.store.management_groups.values()
    root = find(cloud, cloud.identity.tenant)
    return [root, *(one for one in rest if one.name != root.name)]


def children(cloud: Cloud, group: ManagementGroup) -> list[ManagementGroup]:
    """Return the groups directly under one."""
    wanted = group.name.lower()
    return [one for one in everyone(cloud) if one.parent and one.parent.lower() == wanted]


def subscriptions(cloud: Cloud, group: ManagementGroup) -> list[str]:
    """Return the ids of the subscriptions directly under a group."""
    if group.parent is not None:
        return list(group.subscriptions)
    placed = {one.lower() for other in everyone(cloud) for one in other.subscriptions}
    own = cloud.identity.subscription
    return [own] if own.lower() not in placed else []


def holder(cloud: Cloud, subscription: str) -> ManagementGroup:
    """Return the group that a subscription stands directly under."""
    for group in everyone(cloud):
        if subscription.lower() in {one.lower() for one in group.subscriptions}:
            return group
    return find(cloud, cloud.identity.tenant)


def ancestors(cloud: Cloud, group: ManagementGroup) -> list[ManagementGroup]:
    """Return the groups above one, the nearest first."""
    found = []
    while group.parent is not None:
        group = find(cloud, group.parent)
        found.append(group)
    return found


def below(
    cloud: Cloud, group: ManagementGroup
) -> Iterator[tuple[ManagementGroup, ManagementGroup | str]]:
    """Yield (parent, group or subscription id) for all that stands under a group."""
    for subscription in subscriptions(cloud, group):
        yield group, subscription
    for child in children(cloud, group):
        yield group, child
        yield from below(cloud, child)


def write(
    cloud: Cloud, name: str, body: dict[str, Any], caller: Caller
) -> tuple[ManagementGroup, bool]:
    """Create a group, or change its display name and parent; return it and whether it is new.

    Raises `ArmError` for names, parents and depths that Azure does not take.
    """
    if not _NAME.fullmatch(name):
        raise ArmError(
            400,
            "InvalidManagementGroupName",
            f"The management group name '{name}' is not valid: up to 90 letters, digits, '-', '_',"
            " '.', '(' and ')' are allowed, not ending in '.'.",
        )
    given = body.get("name")
    if isinstance(given, str) and given.rpartition("/")[2].lower() != name.lower():
        raise errors.invalid_content(f"The name '{given}' does not match the URL's '{name}'")
    properties = body.get("properties") or {}
    if not isinstance(properties, dict):
        raise errors.invalid_content("properties must be an object")
    details = properties.get("details") or {}
    parent = (details.get("parent") or {}) if isinstance(details, dict) else None
    if not isinstance(parent, dict):
        raise errors.invalid_content("properties.details.parent must be an object with an id")
    return change(cloud, name, (properties.get("displayName"), parent.get("id")), caller)


def change(
    cloud: Cloud, name: str, wanted: tuple[Any, Any], caller: Caller
) -> tuple[ManagementGroup, bool]:
    """Give a group a (display name, id of a parent), None leaving either; raises `ArmError`."""
    display_name, parent_id = wanted
    for text, what in ((display_name, "displayName"), (parent_id, "parent id")):
        if not isinstance(text, str | None):
            raise errors.invalid_content(f"The {what} must be a string")
    is_new = not exists(cloud, name)
    old = None if is_new else find(cloud, name)
    root = cloud.identity.tenant
    parent: str | None = (old.parent if old else root) or None
    if parent_id is not None:
        parent = _parent(cloud, name, parent_id)
    if old is not None and old.parent is None:
        parent = None
    group = ManagementGroup(
        name=old.name if old else name,
        display_name=display_name or (old.display_name if old else name),
        parent=parent,
        subscriptions=old.subscriptions if old else [],
        version=old.version + 1 if old else 1,
        changed=stamp(cloud.clock.now()),
        changed_by=caller.oid,
    )
    cloud.store.management_groups.put(group.name, group)
    return group, is_new


def _parent(cloud: Cloud, name: str, parent_id: str) -> str:
    parent_name = name_in(parent_id)
    if parent_name is None:
        raise errors.invalid_content(f"'{parent_id}' is not the id of a management group")
    parent = find(cloud, parent_name)
    line = [parent, *ancestors(cloud, parent)]
    if name.lower() in {one.name.lower() for one in line}:
        raise ArmError(
            400,
            "InvalidManagementGroupParent",
            f"The management group '{name}' cannot be moved below itself, to '{parent.name}'.",
        )
    if len(line) > _DEEPEST:
        raise ArmError(
            400,
            "ManagementGroupDepthExceeded",
            f"The management group '{name}' would stand more than '{_DEEPEST}' levels below the"
            " root.",
        )
    return parent.name


def remove(cloud: Cloud, name: str) -> bool:
    """Delete a group with what is deployed to it; False if it is not there.

    Raises `ArmError` for the root and for a group that something stands under.
    """
    if not exists(cloud, name):
        return False
    group = find(cloud, name)
    if group.parent is None:
        raise ArmError(400, "BadRequest", "The root management group cannot be deleted.")
    if group.subscriptions or children(cloud, group):
        raise ArmError(
            400,
            "BadRequest",
            f"The management group '{group.name}' cannot be deleted because it is not empty: move"
            " its subscriptions and management groups first.",
        )
    cloud.purge(id_of(group.name))
    cloud.store.management_groups.delete(group.name)
    return True


def place(cloud: Cloud, name: str, subscription: str) -> ManagementGroup:
    """Have a subscription stand under a group; raises `ArmError` if either is not there."""
    subscription = cloud.check_subscription(subscription)
    find(cloud, name)
    displace(cloud, subscription)
    group = find(cloud, name)
    if group.parent is not None:
        group = replace(group, subscriptions=[*group.subscriptions, subscription])
        cloud.store.management_groups.put(group.name, group)
    return group


def displace(cloud: Cloud, subscription: str) -> None:
    """Have a subscription stand under the root again."""
    old = holder(cloud, subscription)
    if old.parent is not None:
        kept = [one for one in old.subscriptions if one.lower() != subscription.lower()]
        cloud.store.management_groups.put(old.name, replace(old, subscriptions=kept))


def _brief(group: ManagementGroup) -> dict[str, Any]:
    return {"id": id_of(group.name), "name": group.name, "displayName": group.display_name}


def shown(cloud: Cloud, group: ManagementGroup) -> dict[str, Any]:
    """Return a group's body."""
    details: dict[str, Any] = {
        "version": group.version,
        "updatedTime": group.changed or "2024-01-01T00:00:00.0000000Z",
        "updatedBy": group.changed_by or cloud.identity.tenant,
    }
    if group.parent is not None:
        details["parent"] = _brief(find(cloud, group.parent))
    return {
        "id": id_of(group.name),
        "type": TYPE,
        "name": group.name,
        "properties": {
            "tenantId": cloud.identity.tenant,
            "displayName": group.display_name,
            "details": details,
        },
    }
