"""What what-if compares of a resource: its GET body without all that no template decides.

Taken out are the envelope (etag, systemData, provisioningState, managedBy), what the provider
decides alone, what follows from something else, and nulls and empty containers, which say the same
as their absence. Pure.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.arm.ids import key_of
from local.arm.knowledge import Knowledge, ResourceType, paths
from local.arm.providers.model import read_only
from local.arm.whatif.delta import Keys

_ORDER = ("apiVersion", "id", "name", "type", "location", "kind", "sku", "identity", "plan")
_ENVELOPE = frozenset({"etag", "systemdata", "managedby", "provisioningstate", "resourcegroup"})
_OF_CHILDREN = _ENVELOPE | {"id", "type"}
_STATE = paths.steps("properties.provisioningState")

Path = tuple[paths.Step, ...]


@dataclass(frozen=True, slots=True)
class Lens:
    """How bodies of one type are looked at; `children` are the arrays that embed child resources."""

    hidden: tuple[Path, ...]
    vain: tuple[str, ...]
    """The paths outside of arrays that a template sets in vain."""
    children: tuple[tuple[str, str, Lens], ...]
    """Property of `properties`, type of child, lens for it."""
    keys: Keys


def lens(knowledge: Knowledge, type_name: str) -> Lens:
    """Return the lens for a type; made once and kept."""
    known = knowledge.type(type_name)
    kept = _LENSES.setdefault(knowledge, {})
    found = kept.get(type_name.lower())
    if found is None:
        found = kept[type_name.lower()] = _lens(knowledge, type_name, known)
    return found


_LENSES: weakref.WeakKeyDictionary[Knowledge, dict[str, Lens]] = weakref.WeakKeyDictionary()


def _lens(knowledge: Knowledge, type_name: str, known: ResourceType) -> Lens:
    used = [rule.shown for rule in known.inUse if rule.shown is not None]
    decided = list(dict.fromkeys([*read_only(known), *known.noEffect, *used]))
    children = []
    keys = {f"{path.lower()}": element.key for path, element in known.elements.items()}
    for name, kind in known.embeds.items():
        inner = lens(knowledge, f"{type_name}/{kind}")
        flat = name in known.flat
        children.append((name.lower(), kind, _flattened(inner) if flat else inner))
        keys[f"properties.{name.lower()}"] = "name"
        below = f"properties.{name.lower()}[*]"
        for path, member in inner.keys.items():
            keys[f"{below}.{path.removeprefix('properties.') if flat else path}"] = member
    return Lens(
        hidden=tuple(map(paths.steps, decided)),
        vain=tuple(path for path in [*decided, "properties.provisioningState"] if "[" not in path),
        children=tuple(children),
        keys={path: member for path, member in keys.items() if member is not None},
    )


def _flattened(inner: Lens) -> Lens:
    """Return the lens for a child whose properties stand beside its name."""
    hidden = (
        path[1:] if path[0] is not None and path[0][1] == "properties" and len(path) > 1 else path
        for path in inner.hidden
    )
    return Lens(tuple(hidden), inner.vain, inner.children, inner.keys)


def view(
    body: Mapping[str, Any], seen: Lens, api_version: str, apart: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return what what-if shows of a GET body; `body` stays as it is.

    `apart` are the keys of child resources that the template declares on their own: they are
    compared there, and not again in the parent that embeds them.
    """
    copied = _copied(body)
    for key in [key for key in copied if key.lower() in _ENVELOPE]:
        del copied[key]
    _hide(copied, seen, key_of(str(body.get("id", ""))), apart)
    _forget_ids(copied)
    shown = {key: value for key in copied if not _empty(value := _pruned(copied[key], key))}
    lower = {key.lower(): key for key in shown}
    ordered: dict[str, Any] = {"apiVersion": api_version}
    for name in _ORDER[1:]:
        if name in lower:
            ordered[name] = shown.pop(lower[name])
    shown.pop(lower.get("properties", ""), None)
    ordered.update(shown)
    # A body without properties would be another body, not the same one without what is empty.
    holder = paths.key_in(copied, "properties", "properties")
    if holder is not None:
        ordered["properties"] = _pruned(copied[holder])
    return ordered


def in_vain(put: Mapping[str, Any], seen: Lens) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of what a template sets although it follows from something else."""
    for path in seen.vain:
        found = paths.places(put, paths.steps(path))
        for holder, key in found:
            if holder[key] is not None:
                yield path, holder[key]


def _hide(body: dict[str, Any], seen: Lens, key: str, apart: frozenset[str]) -> None:
    for path in (*seen.hidden, _STATE):
        paths.remove(body, path)
    for name, kind, inner in seen.children:
        for holder, at in paths.places(body, paths.steps(f"properties.{name}")):
            if isinstance(holder[at], list):
                named = [(f"{key}/{kind}/{_name(item)}".lower(), item) for item in holder[at]]
                holder[at] = [
                    _child(item, inner, below, apart) for below, item in named if below not in apart
                ]


def _name(item: Any) -> str:
    return str(item.get("name", "")) if isinstance(item, dict) else ""


def _child(item: Any, inner: Lens, key: str, apart: frozenset[str]) -> Any:
    if not isinstance(item, dict):
        return item
    kept = {name: value for name, value in item.items() if name.lower() not in _OF_CHILDREN}
    _hide(kept, inner, key, apart)
    return kept


def _forget_ids(body: dict[str, Any]) -> None:
    """Take out what the directory says of identities; which ones there are stays."""
    identity = body.get("identity")
    if not isinstance(identity, dict):
        return
    for key in [key for key in identity if key.lower() in ("principalid", "tenantid")]:
        del identity[key]
    users = identity.get("userAssignedIdentities")
    if isinstance(users, dict):
        identity["userAssignedIdentities"] = {user: {} for user in users}


def _empty(value: Any) -> bool:
    return value is None or value in ({}, [])


def _pruned(value: Any, key: str = "") -> Any:
    """Return a value without empty members; the elements of arrays all stay."""
    if isinstance(value, dict):
        if key.lower() == "userassignedidentities":
            return value
        return {
            name: kept for name, item in value.items() if not _empty(kept := _pruned(item, name))
        }
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    return value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
