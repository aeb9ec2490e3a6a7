"""How a provider turns the body that was PUT into the body that GET returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from local.arm.clock import guid_for
from local.arm.ids import ResourceId, parse
from local.arm.knowledge import ResourceType, paths
from local.arm.knowledge import regions as _regions
from local.arm.knowledge.paths import Path
from local.arm.knowledge.words import Facts, copied, key_for
from local.arm.providers.compiled import Compiled, compiled, read_only
from local.arm.providers.walks import prune, rewrite
from local.arm.state.records import Resource

__all__ = [
    "Circumstances",
    "answer",
    "case_of",
    "clean",
    "facts",
    "find",
    "key_for",
    "normal_location",
    "read_only",
    "rid_of",
]

_TEMPLATE_ONLY = frozenset(
    {"apiversion", "dependson", "condition", "copy", "scope", "comments", "resources", "existing"}
    | {"id", "name", "type", "etag", "systemdata", "@options", "resourcegroup", "subscriptionid"}
)
_ORDER = ("kind", "sku", "location", "tags", "identity", "plan", "zones", "managedBy")
_ENVELOPE = frozenset(name.lower() for name in _ORDER)
_IDENTITIES = {"systemassigned": "SystemAssigned", "userassigned": "UserAssigned", "none": "None"}

normal_location = _regions.normal
_steps = lru_cache(4096)(paths.steps)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the provider knows besides the body; `own` is what actions changed (see `actions`)."""

    rid: ResourceId
    tenant: str
    created: str
    changed: str
    people: tuple[str, str] = ("", "")
    own: Mapping[str, Any] = field(default_factory=dict)


def find(body: Any, path: str) -> Any:
    """Return the value at a dotted path, keys without regard to case; None if absent. Pure."""
    return paths.first(body, _steps(path))


def clean(body: dict[str, Any]) -> dict[str, Any]:
    """Return a request body without what is the envelope's or the template's. Pure."""
    return {key: value for key, value in body.items() if key.lower() not in _TEMPLATE_ONLY}


def facts(case: Circumstances, body: dict[str, Any]) -> Facts:
    """Return what the words of the knowledge files stand for here. Pure."""
    rotations = case.own.get("rotations") or {}
    born = case.own.get("born") or ""
    moments = (case.created, case.changed)
    return Facts(case.rid, case.tenant, *moments, body, case.people, rotations=rotations, born=born)


def rid_of(record: Resource) -> ResourceId:
    """Return the parts of a record's id. Pure."""
    rid = parse(record.id)
    if rid is None:
        raise ValueError(f"the store holds a resource with the unreadable id {record.id!r}")
    return rid


def case_of(record: Resource, tenant: str) -> Circumstances:
    """Return the circumstances in which a record's body was made. Pure."""
    return Circumstances(
        rid_of(record),
        tenant,
        record.created,
        record.changed,
        (record.created_by, record.changed_by),
        record.own or {},
    )


def answer(known: ResourceType, case: Circumstances, put: dict[str, Any]) -> dict[str, Any]:
    """Return the GET body that follows from a PUT body. Pure.

    What the provider decides alone is taken out of the body, the rest is rewritten as it likes,
    then its defaults and its own values are added. `provisioningState`, `systemData`, etags and
    embedded children are added when the body is read: they depend on when.
    """
    ready = compiled(known)
    asked: dict[str, Any] = copied(clean(put))
    words = facts(case, asked)
    key = paths.key_in(asked, "properties", "properties")
    if key is None or not isinstance(asked[key], dict):
        asked[key or "properties"] = {}
    prune(asked, ready.ignored)
    kept = _set_aside(ready, asked)
    rewrite(asked, ready.normalise, words)
    for lookup in ready.lookups:
        lookup.apply(asked, words)
    rewrite(asked, ready.normalise_late, words)
    ready.defaults.fill_in(asked, words)
    for elements in ready.elements:
        elements.apply(asked, words)
    ready.computed.overlay(asked, words)
    for path, value in kept:
        _put_back(asked, path, value)
    for path, value in (case.own.get("set") or {}).items():
        _set(asked, _steps(path), value)
    return _shape(known, case, asked)


def _set_aside(ready: Compiled, asked: dict[str, Any]) -> list[tuple[Path, Any]]:
    """Take out what has no effect; it only counts if the provider has nothing of its own there."""
    kept = []
    for path in ready.no_effect:
        for holder, key in paths.places(asked, path):
            if isinstance(holder, dict):
                kept.append((path, holder.pop(key)))
    return kept


def _put_back(asked: dict[str, Any], path: Path, value: Any) -> None:
    if None not in path and not paths.places(asked, path):
        _set(asked, path, value)


def _set(body: Any, path: Path, value: Any) -> None:
    for step in path[:-1]:
        if step is None or not isinstance(body, dict):
            return
        key = paths.key_in(body, *step) or step[0]
        body = body.setdefault(key, {})
    last = path[-1]
    if last is not None and isinstance(body, dict):
        body[paths.key_in(body, *last) or last[0]] = value


def _identity(case: Circumstances, wanted: Any) -> Any:
    """Return an identity with the ids that the directory gave it."""
    if not isinstance(wanted, dict) or str(wanted.get("type", "None")).lower() == "none":
        return wanted
    kinds = [kind.strip() for kind in str(wanted.get("type")).split(",")]
    kinds = [_IDENTITIES.get(kind.lower(), kind) for kind in kinds]
    shown: dict[str, Any] = {"type": ", ".join(kinds)}
    if "SystemAssigned" in kinds:
        shown["principalId"] = guid_for(case.own.get("born") or case.rid.key, "principal")
        shown["tenantId"] = case.tenant
    users = wanted.get("userAssignedIdentities")
    if isinstance(users, dict):
        shown["userAssignedIdentities"] = {
            user: {
                "principalId": guid_for(user.lower(), "principal"),
                "clientId": guid_for(user.lower(), "client"),
            }
            for user in users
        }
    return shown


def _shape(known: ResourceType, case: Circumstances, asked: dict[str, Any]) -> dict[str, Any]:
    """Put the members in the order and spelling of a GET body."""
    rid = case.rid
    shown: dict[str, Any] = {"id": rid.id, "name": rid.names[-1], "type": rid.type}
    keys = {key.lower(): key for key in asked}
    properties = asked[keys.pop("properties")]
    for name in _ORDER:
        value = asked.get(keys.get(name.lower(), name))
        if value is not None:
            shown[name] = value
    for lower, key in keys.items():
        if lower not in _ENVELOPE and asked[key] is not None:
            shown[key] = asked[key]
    location = shown.get("location")
    if isinstance(location, str) and not _has_own_spelling(known):
        shown["location"] = normal_location(location)
    if known.tracked or "location" in shown:
        shown.setdefault("tags", {})
    if "identity" in shown:
        shown["identity"] = _identity(case, shown["identity"])
    shown["properties"] = properties
    return shown


def _has_own_spelling(known: ResourceType) -> bool:
    """Return whether the provider writes locations in its own way, as in West Europe."""
    return any(rule.path.lower() == "location" for rule in known.normalise)
