"""The tags resource: tags of a group, a resource or the subscription, without the rest of it."""

from __future__ import annotations

from typing import Any

from local.arm import errors, ids
from local.arm.clock import stamp
from local.arm.cloud import Cloud
from local.arm.messages import Answer, Request
from local.arm.providers import reads
from local.arm.routes.table import Words, route


def _read(cloud: Cloud, scope: str) -> tuple[str, dict[str, str]]:
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
    stored = cloud.store.settings.get(f"tags/{subscription}") or {}
    return f"/subscriptions/{subscription}", dict(stored.get("tags", {}))


def _write(cloud: Cloud, request: Request, scope: str, tags: dict[str, str]) -> None:
    now = stamp(cloud.clock.now())
    record = cloud.resource(scope)
    group = cloud.store.groups.get(scope)
    if record is not None:
        record.got["tags"] = tags
        record.put["tags"] = tags
        record.changed, record.changed_by = now, request.caller.appid
        cloud.store.resources.put(record.id, record)
    elif group is not None:
        group.tags, group.changed = tags, now
        cloud.store.groups.put(scope, group)
    else:
        cloud.store.settings.put(f"tags/{scope.rpartition('/')[2]}", {"tags": tags})


def _shown(scope: str, tags: dict[str, str]) -> Answer:
    body = {
        "id": f"{scope}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": tags},
    }
    return Answer(200, body)


def _asked(body: dict[str, Any]) -> dict[str, str]:
    tags = (body.get("properties") or {}).get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise errors.invalid_content("properties.tags must be an object of strings")
    return tags


async def get_tags(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Show the tags."""
    return _shown(*_read(cloud, words["scope"]))


async def put_tags(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Replace all tags."""
    scope, _ = _read(cloud, words["scope"])
    tags = _asked(request.json())
    _write(cloud, request, scope, tags)
    return _shown(scope, tags)


async def patch_tags(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Merge, replace or delete tags."""
    scope, tags = _read(cloud, words["scope"])
    body = request.json()
    asked = _asked(body)
    match str(body.get("operation", "")).lower():
        case "merge":
            tags.update(asked)
        case "replace":
            tags = asked
        case "delete":
            tags = {key: value for key, value in tags.items() if asked.get(key) != value}
        case other:
            raise errors.invalid_content(f"operation '{other}' is none of Merge, Replace, Delete")
    _write(cloud, request, scope, tags)
    return _shown(scope, tags)


async def delete_tags(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Remove all tags."""
    scope, _ = _read(cloud, words["scope"])
    _write(cloud, request, scope, {})
    return Answer(200)


ROUTES = (
    route(
        "tags",
        "(?P<scope>/subscriptions/.+)/providers/Microsoft.Resources/tags/default",
        {"GET": get_tags, "PUT": put_tags, "PATCH": patch_tags, "DELETE": delete_tags},
    ),
)
