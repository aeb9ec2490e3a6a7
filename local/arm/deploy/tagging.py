"""The tags resource of a scope: read, checked and written, by a client or by a deployment."""

from __future__ import annotations

from typing import Any, Final

from local.arm import errors, groups, ids
from local.arm.clock import stamp
from local.arm.cloud import Cloud
from local.arm.messages import Caller
from local.arm.providers import locks, reads, refusals

TYPE: Final = "microsoft.resources/tags"
Tags = dict[str, str]


def read(cloud: Cloud, scope: str) -> tuple[str, Tags]:
    """Return (canonical scope, its tags); raises `ArmError`."""
    rid = ids.parse(scope)
    if rid is not None:
        record = reads.find(cloud, reads.canonical(cloud, rid))
        return record.id, dict(record.got.get("tags") or {})
    pair = ids.group_of(scope)
    if pair is not None:
        group = cloud.group(*pair)
        return ids.group_id(group.subscription, group.name), dict(group.tags)
    subscription = cloud.check_subscription(scope.strip("/").split("/")[-1])
    return f"/subscriptions/{subscription}", of_subscription(cloud, subscription)


def of_subscription(cloud: Cloud, subscription: str) -> Tags:
    """Return the tags that a subscription itself has."""
    stored = cloud.store.settings.get(f"tags/{subscription}") or {}
    return dict(stored.get("tags", {}))


def write(cloud: Cloud, caller: Caller, scope: str, tags: Tags) -> None:
    """Replace the tags of a scope in ARM's spelling; raises `ArmError`."""
    locks.check_write(cloud, scope)
    refusals.check_tags(tags)
    record = cloud.resource(scope)
    group = cloud.store.groups.get(scope)
    if record is not None:
        record.got["tags"] = tags
        record.put["tags"] = tags
        record.changed, record.changed_by = stamp(cloud.clock.now()), caller.appid
        cloud.store.resources.put(record.id, record)
    elif group is not None:
        group.tags = tags
        groups.note_change(cloud, group)
    else:
        cloud.store.settings.put(f"tags/{scope.rpartition('/')[2]}", {"tags": tags})


def shown(scope: str, tags: Tags) -> dict[str, Any]:
    """Return the body of the tags resource of a scope. Pure."""
    return {
        "id": f"{scope}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": tags},
    }


def asked(body: dict[str, Any]) -> Tags:
    """Return the tags in a body. Raises `ArmError` for what no tag can be. Pure."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise errors.invalid_content("'properties' with 'tags' is needed")
    tags = properties.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise errors.invalid_content("properties.tags must be an object of strings")
    refusals.check_tags(tags)
    for name in tags:
        refusals.check_tag_name(name)
    return tags
