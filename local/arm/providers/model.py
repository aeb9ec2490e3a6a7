"""How a provider turns the body that was PUT into the body that GET returns."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from local.arm.clock import guid_for
from local.arm.ids import ResourceId, parse
from local.arm.knowledge import ResourceType
from local.arm.knowledge.words import fill
from local.arm.state.records import Resource

_TEMPLATE_ONLY = frozenset(
    {"apiversion", "dependson", "condition", "copy", "scope", "comments", "resources", "existing"}
    | {"id", "name", "type", "etag", "systemdata", "@options", "resourcegroup", "subscriptionid"}
)
_ORDER = ("kind", "sku", "location", "tags", "identity", "plan", "zones", "managedBy")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the provider knows besides the body."""

    rid: ResourceId
    tenant: str
    created: str
    changed: str


def normal_location(location: str) -> str:
    """Return a location as ARM stores it: lower case without spaces. Pure."""
    return location.replace(" ", "").lower()


def find(body: Any, path: str) -> Any:
    """Return the value at a dotted path, keys without regard to case; None if absent. Pure."""
    for part in path.split("."):
        if not isinstance(body, dict):
            return None
        body = next((value for key, value in body.items() if key.lower() == part.lower()), None)
    return body


def _key(body: dict[str, Any], name: str) -> str:
    wanted = name.lower()
    return next((key for key in body if key.lower() == wanted), name)


def _fill_in(body: dict[str, Any], more: dict[str, Any]) -> None:
    """Add what is missing from `body`, at every depth; null in the body counts as missing."""
    for name, value in more.items():
        key = _key(body, name)
        if body.get(key) is None:
            body[key] = copy.deepcopy(value)
        elif isinstance(value, dict) and isinstance(body[key], dict):
            _fill_in(body[key], value)


def _overlay(body: dict[str, Any], more: dict[str, Any]) -> None:
    """Set what the provider decides in `body`, at every depth."""
    for name, value in more.items():
        key = _key(body, name)
        if isinstance(value, dict) and isinstance(body.get(key), dict):
            _overlay(body[key], value)
        else:
            body[key] = copy.deepcopy(value)


def _remove(body: Any, path: str) -> None:
    head, _, tail = path.partition(".")
    if not isinstance(body, dict):
        return
    key = _key(body, head)
    if tail:
        _remove(body.get(key), tail)
    else:
        body.pop(key, None)


def clean(body: dict[str, Any]) -> dict[str, Any]:
    """Return a request body without what is the envelope's or the template's. Pure."""
    return {key: value for key, value in body.items() if key.lower() not in _TEMPLATE_ONLY}


def _constant(value: Any, _: str) -> Any:
    return value


def facts(case: Circumstances, body: dict[str, Any]) -> dict[str, Callable[[str], Any]]:
    """Return what the words of the knowledge files stand for here. Pure."""
    rid = case.rid
    location = normal_location(str(find(body, "location") or "westeurope"))
    plain: dict[str, str | None] = {
        "id": rid.id,
        "name": rid.names[-1],
        "lowername": rid.names[-1].lower(),
        "parent": rid.names[0],
        "location": location,
        "subscription": rid.subscription,
        "group": rid.group,
        "tenant": case.tenant,
        "scope": rid.scope,
        "now": case.changed,
        "created": case.created,
    }
    words: dict[str, Callable[[str], Any]] = {
        word: partial(_constant, value) for word, value in plain.items()
    }
    words["guid"] = lambda word: guid_for(rid.key, word)
    words["key"] = lambda word: key_for(rid.key, word)
    words["body"] = lambda path: find(body, path)
    return words


def key_for(*words: str) -> str:
    """Return the access key that belongs to these words: 64 bytes in base64, made up. Pure."""
    return base64.b64encode(hashlib.sha512("|".join(words).encode()).digest()).decode()


def rid_of(record: Resource) -> ResourceId:
    """Return the parts of a record's id. Pure."""
    rid = parse(record.id)
    if rid is None:
        raise ValueError(f"the store holds a resource with the unreadable id {record.id!r}")
    return rid


def _identity(case: Circumstances, wanted: Any) -> Any:
    """Return an identity with the ids that the directory gave it."""
    if not isinstance(wanted, dict) or str(wanted.get("type", "None")).lower() == "none":
        return wanted
    shown: dict[str, Any] = {"type": wanted.get("type")}
    if "systemassigned" in str(wanted.get("type")).lower():
        shown["principalId"] = guid_for(case.rid.key, "principal")
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


def answer(known: ResourceType, case: Circumstances, put: dict[str, Any]) -> dict[str, Any]:
    """Return the GET body that follows from a PUT body. Pure.

    `provisioningState` and `systemData` are added when the body is read: they depend on when.
    """
    asked = copy.deepcopy(clean(put))
    words = facts(case, asked)
    properties = asked.get(_key(asked, "properties"))
    asked[_key(asked, "properties")] = properties if isinstance(properties, dict) else {}
    for path in known.drop:
        _remove(asked, path)
    for lookup in known.lookups:
        found = lookup.values.get(str(find(asked, lookup.by)))
        if found:
            holder = asked.setdefault(_key(asked, lookup.into), {})
            _fill_in(holder, found)
    _fill_in(asked, fill(known.defaults, words))
    _overlay(asked, fill(known.computed, words))
    return _shape(known, case, asked)


def _shape(known: ResourceType, case: Circumstances, asked: dict[str, Any]) -> dict[str, Any]:
    rid = case.rid
    shown: dict[str, Any] = {"id": rid.id, "name": rid.names[-1], "type": rid.type}
    rest = {key.lower(): key for key in asked}
    for name in (*_ORDER, *(key for key in asked if key.lower() != "properties")):
        key = rest.pop(name.lower(), None)
        if key is not None and key.lower() != "properties" and asked[key] is not None:
            shown[name] = asked[key]
    if isinstance(shown.get("location"), str):
        shown["location"] = normal_location(shown["location"])
    if known.tracked or "location" in shown:
        shown.setdefault("tags", {})
    if "identity" in shown:
        shown["identity"] = _identity(case, shown["identity"])
    shown["properties"] = asked[_key(asked, "properties")]
    return shown
