"""Tags: the tags resource of a scope, and the names that a subscription has used.

Names of tags match without regard to case and keep the spelling of their first use.
"""

from __future__ import annotations

from typing import Any

from local.arm import errors
from local.arm.cloud import Cloud
from local.arm.deploy import tagging
from local.arm.deploy.tagging import Tags
from local.arm.errors import ArmError
from local.arm.messages import Answer, Request
from local.arm.providers import refusals
from local.arm.routes.table import Words, route


def _merged(tags: Tags, more: Tags) -> Tags:
    """Return tags with others laid over them, names in any case. Pure."""
    merged = dict(tags)
    spelled = {name.lower(): name for name in tags}
    for name, value in more.items():
        merged[spelled.get(name.lower(), name)] = value
    return merged


def _without(tags: Tags, gone: Tags) -> Tags:
    """Return tags without those whose name and value are given. Pure."""
    pairs = {(name.lower(), value) for name, value in gone.items()}
    return {name: value for name, value in tags.items() if (name.lower(), value) not in pairs}


async def get_tags(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Show the tags."""
    return Answer(200, tagging.shown(*tagging.read(cloud, words["scope"])))


async def put_tags(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Replace all tags."""
    scope, _ = tagging.read(cloud, words["scope"])
    tags = tagging.asked(request.json())
    tagging.write(cloud, request.caller, scope, tags)
    return Answer(200, tagging.shown(scope, tags))


async def patch_tags(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Merge, replace or delete tags."""
    scope, tags = tagging.read(cloud, words["scope"])
    body = request.json()
    asked = tagging.asked(body)
    match str(body.get("operation", "")).lower():
        case "merge":
            tags = _merged(tags, asked)
        case "replace":
            tags = asked
        case "delete":
            tags = _without(tags, asked)
        case other:
            raise errors.invalid_content(f"operation '{other}' is none of Merge, Replace, Delete")
    tagging.write(cloud, request.caller, scope, tags)
    return Answer(200, tagging.shown(scope, tags))


async def delete_tags(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Remove all tags."""
    scope, _ = tagging.read(cloud, words["scope"])
    tagging.write(cloud, request.caller, scope, {})
    return Answer(200)


def _predefined(cloud: Cloud, subscription: str) -> dict[str, list[str]]:
    """Return the names made by hand, each with its values."""
    stored = cloud.store.settings.get(f"tag-names/{subscription}") or {}
    return {name: list(values) for name, values in stored.items()}


def _keep(cloud: Cloud, subscription: str, names: dict[str, list[str]]) -> None:
    cloud.store.settings.put(f"tag-names/{subscription}", dict(names))


def _used(cloud: Cloud, subscription: str) -> list[Tags]:
    """Return the tags of everything in a subscription that has any."""
    prefix = f"/subscriptions/{subscription}"
    found = [tagging.of_subscription(cloud, subscription)]
    found += [dict(group.tags) for group in cloud.store.groups.below(prefix)]
    found += [dict(one.got.get("tags") or {}) for one in cloud.store.resources.below(prefix)]
    return [tags for tags in found if tags]


def _names(cloud: Cloud, subscription: str) -> list[dict[str, Any]]:
    """Return all tag names with their values and how often they are used."""
    predefined = _predefined(cloud, subscription)
    spelled = {name.lower(): name for name in predefined}
    counts: dict[str, dict[str, int]] = {
        name.lower(): dict.fromkeys(values, 0) for name, values in predefined.items()
    }
    for tags in _used(cloud, subscription):
        for name, value in tags.items():
            spelled.setdefault(name.lower(), name)
            values = counts.setdefault(name.lower(), {})
            values[value] = values.get(value, 0) + 1
    return [
        _name_body(subscription, spelled[lower], values, custom=spelled[lower] in predefined)
        for lower, values in sorted(counts.items())
    ]


def _name_body(
    subscription: str, name: str, values: dict[str, int], *, custom: bool
) -> dict[str, Any]:
    tag_id = f"/subscriptions/{subscription}/tagNames/{name}"
    kind = "Partial" if custom else "None"
    return {
        "id": tag_id,
        "tagName": name,
        "count": {"type": kind, "value": sum(values.values())},
        "values": [_value_body(tag_id, value, count) for value, count in values.items()],
    }


def _value_body(tag_id: str, value: str, count: int) -> dict[str, Any]:
    return {
        "id": f"{tag_id}/tagValues/{value}",
        "tagValue": value,
        "count": {"type": "Partial", "value": count},
    }


async def list_names(cloud: Cloud, _: Request, words: Words) -> Answer:
    """List the names of tags: made by hand, or used by something."""
    return Answer(200, {"value": _names(cloud, cloud.check_subscription(words["sub"]))})


async def put_name(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Make a tag name."""
    subscription, name = cloud.check_subscription(words["sub"]), words["name"]
    refusals.check_tag_name(name)
    names = _predefined(cloud, subscription)
    known = {one.lower(): one for one in names}
    new = name.lower() not in known
    if new:
        names[name] = []
        _keep(cloud, subscription, names)
    body = next(
        one for one in _names(cloud, subscription) if one["tagName"].lower() == name.lower()
    )
    return Answer(201 if new else 200, body)


async def delete_name(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Forget a tag name; refused while something has the tag."""
    subscription, lower = cloud.check_subscription(words["sub"]), words["name"].lower()
    names = _predefined(cloud, subscription)
    kept = {name: values for name, values in names.items() if name.lower() != lower}
    if len(kept) == len(names):
        return Answer(204)
    if any(name.lower() == lower for tags in _used(cloud, subscription) for name in tags):
        raise _in_use(words["name"])
    _keep(cloud, subscription, kept)
    return Answer(200)


async def put_value(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Add a value to a tag name."""
    subscription, value = cloud.check_subscription(words["sub"]), words["value"]
    names = _predefined(cloud, subscription)
    name = next((one for one in names if one.lower() == words["name"].lower()), None)
    if name is None:
        raise ArmError(404, "TagNotFound", f"The tag name '{words['name']}' could not be found.")
    new = value not in names[name]
    if new:
        names[name].append(value)
        _keep(cloud, subscription, names)
    count = sum(
        1
        for tags in _used(cloud, subscription)
        for key, used in tags.items()
        if key.lower() == name.lower() and used == value
    )
    tag_id = f"/subscriptions/{subscription}/tagNames/{name}"
    return Answer(201 if new else 200, _value_body(tag_id, value, count))


async def delete_value(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Take a value from a tag name; refused while something has it."""
    subscription, value = cloud.check_subscription(words["sub"]), words["value"]
    names = _predefined(cloud, subscription)
    name = next((one for one in names if one.lower() == words["name"].lower()), None)
    if name is None or value not in names[name]:
        return Answer(204)
    if any(
        key.lower() == name.lower() and used == value
        for tags in _used(cloud, subscription)
        for key, used in tags.items()
    ):
        raise _in_use(f"{name}:{value}")
    names[name].remove(value)
    _keep(cloud, subscription, names)
    return Answer(200)


def _in_use(what: str) -> ArmError:
    return ArmError(
        409,
        "TagInUse",
        f"The tag '{what}' cannot be deleted: it is still on resources or resource groups.",
    )


_NAMES = "/subscriptions/{sub}/tagNames"
ROUTES = (
    route(
        "tags",
        "(?P<scope>/subscriptions/.+)/providers/Microsoft.Resources/tags/default",
        {"GET": get_tags, "PUT": put_tags, "PATCH": patch_tags, "DELETE": delete_tags},
    ),
    route("tag-names", _NAMES, {"GET": list_names}),
    route("tag-name", _NAMES + "/{name}", {"PUT": put_name, "DELETE": delete_name}),
    route(
        "tag-value",
        _NAMES + "/{name}/tagValues/{value}",
        {"PUT": put_value, "DELETE": delete_value},
    ),
)
