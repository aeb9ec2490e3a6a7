"""Locks: what they keep from being changed or deleted, by anybody, deployments included.

A lock holds for its scope and all below it. CanNotDelete keeps things from being deleted, ReadOnly
keeps them from any write and from actions as well. Nothing is deleted over the head of a locked
part of it. Locks themselves can always be taken away.
"""

from __future__ import annotations

from collections.abc import Iterator

from local.arm import ids
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import ResourceId
from local.arm.providers.model import find
from local.arm.state.records import Resource

TYPE = "Microsoft.Authorization/locks"
_MARK = f"/providers/{TYPE}/".lower()
_READ_ONLY = frozenset({"readonly"})
_ANY = frozenset({"readonly", "cannotdelete"})


def _scopes(resource_id: str) -> Iterator[str]:
    """Yield an id and what it stands below, up to the subscription. Pure."""
    parts = resource_id.split("/")
    for end in range(len(parts), 2, -1):
        if end % 2 == 1:
            yield "/".join(parts[:end])


def _level(lock: Resource) -> str:
    return str(find(lock.put, "properties.level")).lower()


def _above(cloud: Cloud, resource_id: str, levels: frozenset[str]) -> list[str]:
    found = []
    for scope in _scopes(resource_id):
        locks = cloud.store.resources.below(f"{scope}/providers/{TYPE}")
        if any(_level(lock) in levels for lock in locks):
            found.append(scope)
    return found


def _below(cloud: Cloud, resource_id: str) -> list[str]:
    found = []
    for lock in cloud.store.resources.below(resource_id, lambda key: _MARK in key):
        rid = ids.parse(lock.id)
        if rid is not None and rid.type.lower() == TYPE.lower() and _level(lock) in _ANY:
            found.append(rid.scope)
    return found


def _is_lock(resource_id: str) -> bool:
    rid = ids.parse(resource_id)
    return rid is not None and rid.type.lower() == TYPE.lower()


def holds(cloud: Cloud, resource_id: str) -> bool:
    """Return whether a lock at an id, or above it, keeps it from being deleted."""
    return bool(_above(cloud, resource_id, _ANY))


def check_delete(cloud: Cloud, resource_id: str) -> None:
    """Raise ScopeLocked if a lock keeps something from being deleted."""
    if not _is_lock(resource_id):
        found = [*_above(cloud, resource_id, _ANY), *_below(cloud, resource_id)]
        _refuse(resource_id, "delete", list(dict.fromkeys(found)))


def check_write(cloud: Cloud, resource_id: str) -> None:
    """Raise ScopeLocked if a lock keeps something from being written, or acted upon."""
    if not _is_lock(resource_id):
        _refuse(resource_id, "write", _above(cloud, resource_id, _READ_ONLY))


def _refuse(resource_id: str, operation: str, scopes: list[str]) -> None:
    if scopes:
        listed = ",".join(scopes)
        raise ArmError(
            409,
            "ScopeLocked",
            f"The scope '{resource_id}' cannot perform {operation} operation because following"
            f" scope(s) are locked: '{listed}'. Please remove the lock and try again.",
        )


def shown(
    rid: ResourceId, asked: str, record: Resource, *, listed: bool = False
) -> dict[str, object]:
    """Return a lock's body: its id repeats the scope as it was asked for. Pure.

    Lists of a subscription show empty notes, a single lock does not.
    """
    properties = {"level": find(record.got, "properties.level")}
    notes = find(record.got, "properties.notes")
    owners = find(record.got, "properties.owners")
    if notes or (listed and notes == ""):
        properties["notes"] = notes
    if owners is not None:
        properties["owners"] = owners
    scope = asked if not listed else rid.scope
    name = rid.names[-1]
    return {
        "properties": properties,
        "id": f"{scope}/providers/{TYPE}/{name}",
        "type": TYPE,
        "name": name,
    }
