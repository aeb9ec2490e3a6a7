"""Locks, as far as deployments meet them: on rows of the history and on what mode Complete deletes."""

from __future__ import annotations

from collections.abc import Iterator

from local.arm import ids
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.providers.model import find

LOCK_TYPE = "Microsoft.Authorization/locks"
_LEVELS = frozenset({"cannotdelete", "readonly"})


def _scopes(resource_id: str) -> Iterator[str]:
    """Yield an id and what it stands below, up to the subscription. Pure."""
    parts = resource_id.split("/")
    for end in range(len(parts), 2, -1):
        if end % 2 == 1:
            yield "/".join(parts[:end])


def _locks_at(cloud: Cloud, scope: str) -> bool:
    found = cloud.store.resources.below(f"{scope}/providers/{LOCK_TYPE}")
    return any(str(find(lock.put, "properties.level")).lower() in _LEVELS for lock in found)


def locked_scope(cloud: Cloud, resource_id: str) -> str | None:
    """Return the scope whose lock keeps something from being deleted; None if none does.

    A lock holds for what stands below its scope, and a thing is not deleted over the head of a
    locked part of it.
    """
    for scope in _scopes(resource_id):
        if _locks_at(cloud, scope):
            return scope
    for part in cloud.store.resources.below(resource_id):
        if part.type.lower() == LOCK_TYPE.lower():
            rid = ids.parse(part.id)
            return rid.scope if rid else resource_id
    return None


def check_delete(cloud: Cloud, resource_id: str) -> None:
    """Raise ScopeLocked for what a lock keeps."""
    scope = locked_scope(cloud, resource_id)
    if scope is not None:
        raise ArmError(
            409,
            "ScopeLocked",
            f"The scope '{resource_id}' cannot perform delete operation because following scope(s)"
            f" are locked: '{scope}'. Please remove the lock and try again.",
        )
