"""The members that a provider knows, as far as the data tells: the others it drops (N16)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from local.arm.knowledge import ResourceType
from local.arm.noise import leaks
from local.arm.noise.bodies import Path
from local.arm.noise.chance import single

_PATHS = ("drop", "readOnly", "secrets", "immutable", "noEffect", "merges", "elements")
_ALWAYS = frozenset({"provisioningstate", "privateendpointconnections", "resourceguid"})


def _mentioned(known: ResourceType) -> Iterator[str]:
    for member in _PATHS:
        yield from getattr(known, member)
    for rules in (known.normalise, known.lookups, known.spills, known.withVersion):
        for rule in msgspec.to_builtins(rules):
            yield from (value for value in rule.values() if isinstance(value, str))
            yield from rule.get("drop", [])
    for said in known.leaks.values():
        yield from said
    yield from (f"properties.{name}" for name in known.embeds)
    for tree in (known.defaults, known.computed, known.volatile):
        yield from (f"properties.{name}" for name in tree.get("properties", {}))


def _heads(said: Iterable[str]) -> Iterator[str]:
    for path in said:
        head, _, rest = path.replace("[*]", "").lower().partition(".")
        if head == "properties":
            yield rest.partition(".")[0]


def known_members(kind: str, known: ResourceType) -> frozenset[str]:
    """Return the names below `properties`, in lower case, that the data mentions. Pure."""
    table = leaks.reported(kind)
    listed = [*table.readOnly, *table.defaults, *table.unknown]
    return _ALWAYS | {
        *_heads(_mentioned(known)),
        *_heads(listed),
        *(name.lower() for name in known.members),
    }


def unknown_members(
    kind: str, known: ResourceType, body: Mapping[str, Any], words: tuple[Any, ...]
) -> list[Path]:
    """Return the members of `properties` that the provider does not know. Pure.

    Where a type does not list its members, nobody can tell which it does not know: chance picks
    one of those that the data does not mention.
    """
    properties = body.get("properties")
    names = list(properties) if isinstance(properties, Mapping) else []
    vocabulary = known_members(kind, known)
    strange: list[Path] = [("properties", name) for name in names if name.lower() not in vocabulary]
    if known.members:
        return strange
    return single(strange, *words)
