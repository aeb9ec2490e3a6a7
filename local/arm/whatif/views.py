"""What what-if compares of a resource: its GET body without all that no template decides.

Taken out are the envelope (etag, systemData, provisioningState, managedBy), what the provider
decides alone, what follows from something else, and nulls and empty containers, which say the same
as their absence. Pure.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.arm.ids import key_of
from local.arm.knowledge import Knowledge, ResourceType, paths
from local.arm.providers.model import read_only
from local.arm.whatif.delta import Keys

_ORDER = ("apiVersion", "id", "name", "type", "location", "kind", "sku", "identity", "plan")
_ENVELOPE = ("etag", "systemData", "managedBy", "provisioningState", "resourceGroup")
_OF_CHILDREN = (*_ENVELOPE, "id", "type")
_STATE = "properties.provisioningState"
_EVERY = "[*]"

Tree = dict[str, "Tree | None"]
"""Names in lower case, or ``[*]`` for every element -> what is hidden below; None hides all."""
_NOTHING: Tree = {}


@dataclass(frozen=True, slots=True)
class Lens:
    """How bodies of one type are looked at; `children` are the arrays that embed child resources."""

    hidden: Tree
    vain: tuple[paths.Path, ...]
    """The paths outside of arrays that a template sets in vain, and as texts in `vain_texts`."""
    vain_texts: tuple[str, ...]
    children: tuple[tuple[str, str, Lens], ...]
    """Property of `properties`, type of child, lens for it."""
    keys: Keys


_LENSES: weakref.WeakKeyDictionary[Knowledge, dict[str, Lens]] = weakref.WeakKeyDictionary()


def lens(knowledge: Knowledge, type_name: str) -> Lens:
    """Return the lens for a type; made once and kept."""
    known = knowledge.type(type_name)
    kept = _LENSES.setdefault(knowledge, {})
    found = kept.get(type_name.lower())
    if found is None:
        found = kept[type_name.lower()] = _lens(knowledge, type_name, known)
    return found


def _lens(knowledge: Knowledge, type_name: str, known: ResourceType) -> Lens:
    used = [rule.shown for rule in known.inUse if rule.shown is not None]
    decided = list(dict.fromkeys([*read_only(known), *known.noEffect, *used, _STATE]))
    hidden: Tree = {}
    for path in (*decided, *_ENVELOPE, "identity.principalId", "identity.tenantId"):
        _hide(hidden, paths.steps(path))
    children = []
    keys = {path.lower(): element.key for path, element in known.elements.items()}
    for name, kind in known.embeds.items():
        inner = lens(knowledge, f"{type_name}/{kind}")
        flat = name in known.flat
        children.append((name.lower(), kind, inner))
        _graft(hidden, f"properties.{name}{_EVERY}", _of_child(inner.hidden, flat=flat))
        at = f"properties.{name.lower()}"
        keys[at] = "name"
        for path, member in inner.keys.items():
            below = path.removeprefix("properties.") if flat else path
            keys[f"{at}{_EVERY}.{below}"] = member
    vain = [path for path in decided if _EVERY not in path]
    return Lens(
        hidden=hidden,
        vain=tuple(map(paths.steps, vain)),
        vain_texts=tuple(vain),
        children=tuple(children),
        keys={path: member for path, member in keys.items() if member is not None},
    )


def _hide(tree: Tree, path: paths.Path) -> None:
    *way, last = [_EVERY if step is None else step[1] for step in path]
    for name in way:
        below = tree.setdefault(name, {})
        if below is None:
            return
        tree = below
    tree[last] = None


def _graft(tree: Tree, path: str, branch: Tree) -> None:
    for step in paths.steps(path):
        below = tree.setdefault(_EVERY if step is None else step[1], {})
        if below is None:
            return
        tree = below
    tree.update(branch)


def _of_child(hidden: Tree, *, flat: bool) -> Tree:
    """Return what is hidden of a child that its parent embeds."""
    found = dict(hidden)
    if flat:
        found.update(found.pop("properties", None) or {})
    found.update({name.lower(): None for name in _OF_CHILDREN})
    return found


def view(
    body: Mapping[str, Any], seen: Lens, api_version: str, apart: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return what what-if shows of a GET body; `body` stays as it is.

    `apart` are the keys of child resources that the template declares on their own: they are
    compared there, and not again in the parent that embeds them.
    """
    if apart and seen.children:
        body = _without_those(body, seen, apart)
    shown = _shown(body, seen.hidden)
    lower = {key.lower(): key for key in shown}
    ordered: dict[str, Any] = {"apiVersion": api_version}
    for name in _ORDER[1:]:
        if name in lower:
            ordered[name] = shown.pop(lower[name])
    properties = shown.pop(lower.get("properties", ""), {})
    ordered.update(shown)
    # A body without properties would be another body, not the same one without what is empty.
    if paths.key_in(dict(body), "properties", "properties") is not None:
        ordered["properties"] = properties
    return ordered


def in_vain(put: Mapping[str, Any], seen: Lens) -> list[str]:
    """Return the paths of what a template sets although it follows from something else."""
    return [
        text
        for text, path in zip(seen.vain_texts, seen.vain, strict=True)
        if paths.first(put, path) is not None
    ]


def _without_those(body: Mapping[str, Any], seen: Lens, apart: frozenset[str]) -> Mapping[str, Any]:
    key = paths.key_in(dict(body), "properties", "properties")
    if key is None or not isinstance(body[key], dict):
        return body
    own = key_of(str(body.get("id", "")))
    properties = dict(body[key])
    for name, kind, _ in seen.children:
        at = paths.key_in(properties, name, name)
        if at is not None and isinstance(properties[at], list):
            properties[at] = [
                item
                for item in properties[at]
                if f"{own}/{kind}/{_name(item)}".lower() not in apart
            ]
    return {**body, key: properties}


def _name(item: Any) -> str:
    return str(item.get("name", "")) if isinstance(item, dict) else ""


def _shown(value: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
    """Return an object without what is hidden and what is empty."""
    kept: dict[str, Any] = {}
    for key, item in value.items():
        lower = key.lower()
        below = tree.get(lower, _NOTHING)
        if below is None or item is None:
            continue
        if lower == "userassignedidentities" and isinstance(item, dict):
            item = {user: {} for user in item}  # noqa: PLW2901 - which there are, not what they are
        elif isinstance(item, dict):
            item = _shown(item, below)  # noqa: PLW2901 - the same, without what is hidden
        elif isinstance(item, list):
            item = _elements(item, below)  # noqa: PLW2901 - the same
        if item or not isinstance(item, dict | list):
            kept[key] = item
    return kept


def _elements(value: list[Any], tree: Tree) -> list[Any]:
    """Return an array whose elements are without what is hidden; all of them stay."""
    below = tree.get(_EVERY, _NOTHING) or _NOTHING
    if not value:
        return value
    return [
        _shown(item, below)
        if isinstance(item, dict)
        else _elements(item, below)
        if isinstance(item, list)
        else item
        for item in value
    ]
