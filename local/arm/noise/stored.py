"""What noise does when a body is stored: arrays that grow (N15), members that are lost (N16)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from local.arm.knowledge import ResourceType
from local.arm.noise import leaks
from local.arm.noise.bodies import MISSING, Path, arrays, at, drop, find, named, put
from local.arm.noise.case import Subject
from local.arm.noise.chance import some
from local.arm.noise.vocabulary import unknown_members

NAMING = ("name", "category", "categoryGroup", "key", "id", "value")


def name_of(item: Any) -> Any:
    """Return what tells an element of an array from the others, in any case. Pure."""
    if not isinstance(item, Mapping):
        return item
    names = (item[name] for name in NAMING if item.get(name) is not None)
    return str(next(names, repr(item))).lower()


def joined(old: list[Any], new: list[Any]) -> list[Any]:
    """Return the old elements in their order, as the new ones have them, then the new. Pure."""
    fresh = {repr(name_of(item)): item for item in new}
    kept = [fresh.pop(repr(name_of(item)), item) for item in old]
    return [*kept, *fresh.values()]


def merged(known: ResourceType, body: Mapping[str, Any], words: tuple[Any, ...]) -> list[Path]:
    """Return the arrays in a PUT that are added to what is there. Pure."""
    listed = [*known.merges, *leaks.written(known, "N15")]
    if listed:
        return list(dict.fromkeys(path for one in listed for path in find(body, one)))
    embedded = {name.lower() for name in known.embeds}
    free = [
        path
        for path, _ in arrays(body)
        if str(path[0]).lower() == "properties" and str(path[1]).lower() not in embedded
    ]
    return some(free, *words, name=lambda path: named(body, path))


def stored(
    known: ResourceType,
    subject: Subject,
    old: Mapping[str, Any] | None,
    classes: Collection[str],
) -> dict[str, Any]:
    """Return the body that a provider takes a PUT (`subject.put`) for. Pure.

    `old` is what was PUT last; None if the resource is new.
    """
    body: Any = dict(subject.put)
    if "N16" in classes:
        for path in unknown_members(subject.type, known, body, subject.words("N16")):
            body = drop(body, path)
    if "N15" in classes and old is not None:
        for path in merged(known, body, subject.words("N15")):
            before, after = at(old, path), at(body, path)
            if before is not MISSING and isinstance(before, list) and isinstance(after, list):
                body = put(body, path, joined(before, after))
    return body if isinstance(body, dict) else {}
