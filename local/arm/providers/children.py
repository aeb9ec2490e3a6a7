"""What hangs on a resource and is written with it: embedded, implicit and spilled-over children."""

from __future__ import annotations

from typing import Any

from local.arm import errors
from local.arm.ids import ResourceId, parse
from local.arm.knowledge import ResourceType, paths
from local.arm.knowledge.schema import Spill
from local.arm.knowledge.words import Facts, fill

_BESIDE = frozenset({"id", "name", "type", "etag"})


def without_embedded(known: ResourceType, body: dict[str, Any]) -> dict[str, Any]:
    """Return a parent's body without the children in it. Pure."""
    if not known.embeds:
        return body
    key = paths.key_in(body, "properties", "properties")
    if key is None or not isinstance(body[key], dict):
        return body
    embedded = {name.lower() for name in known.embeds}
    inner = {name: item for name, item in body[key].items() if name.lower() not in embedded}
    return {**body, key: inner}


def listed(known: ResourceType, name: str, body: dict[str, Any], version: str) -> Any:
    """Return the children that a parent's body says it has, name to body; None leaves all alone.

    Raises `ArmError` for a list that is none, or a child without a name. Pure.
    """
    found = paths.first(body, (*paths.steps("properties"), *paths.steps(name)))
    if found is None:
        since = known.keeps.get(name)
        return None if since is not None and version >= since else {}
    if not isinstance(found, list):
        raise errors.invalid_content(f"properties.{name} must be an array")
    children: dict[str, dict[str, Any]] = {}
    for child in found:
        child_name = paths.first(child, paths.steps("name"))
        if not isinstance(child_name, str) or not child_name:
            raise errors.invalid_content(f"Every element of properties.{name} needs a name")
        children[child_name] = _full(child) if name in known.flat else child
    return children


def _full(child: dict[str, Any]) -> dict[str, Any]:
    """Return a child whose properties stood beside its name in the form of a resource. Pure."""
    inner = {key: value for key, value in child.items() if key.lower() not in _BESIDE}
    return {"name": child["name"], "properties": inner}


def flattened(body: dict[str, Any]) -> dict[str, Any]:
    """Return a child's body as a parent shows it that has the properties beside the name. Pure."""
    return {"name": body["name"], **body["properties"]}


def implicit(known: ResourceType, rid: ResourceId) -> list[ResourceId]:
    """Return the children that come with a resource. Pure."""
    facts = Facts(rid, "", "", "", {})
    found = [parse(f"{rid.id}/{fill(path, facts)}") for path in known.implicit]
    return [child for child in found if child is not None]


def spilled(spill: Spill, body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the properties that a body has for a child; None if it says nothing of them. Pure."""
    value = paths.first(body, paths.steps(spill.source))
    if spill.how == "object":
        return dict(value) if isinstance(value, dict) else None
    if not isinstance(value, list):
        return None
    pairs = [entry for entry in value if isinstance(entry, dict) and "name" in entry]
    if spill.how == "pairs":
        return {str(entry["name"]): entry.get("value") for entry in pairs}
    return {
        str(entry["name"]): {"value": entry.get("connectionString"), "type": entry.get("type")}
        for entry in pairs
    }
