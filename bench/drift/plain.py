"""What a plain what-if of each stack says of the same estate: the comparison."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.drift.azure import Azure, Counts, asked, deployments, together
from bench.drift.model import Estate, Stack
from bench.drift.scoring import Item

_DELETED_BY_HAND = "Create"
_SILENT = frozenset({"NoEffect"})


@dataclass(frozen=True)
class Told:
    """What one what-if told: items, ids that it ignored, and whether it looked everywhere."""

    items: tuple[Item, ...]
    ignored: tuple[str, ...]
    incomplete: bool


@dataclass(frozen=True)
class Plain:
    """What all what-ifs told, and what they cost."""

    items: tuple[Item, ...]
    ignored: frozenset[str]
    incomplete: int
    seconds: float
    counts: Counts


def ask(azure: Azure, estate: Estate) -> Plain:
    """Ask one what-if per stack, some at once, with the SDK."""
    azure.forget()
    began = time.monotonic()
    with deployments(azure) as client:

        def one(stack: Stack) -> Told:
            poller = client.deployments.begin_what_if(stack.group, stack.name, asked(azure, stack))
            return told(poller.result())

        found = together(one, estate.stacks)
    return Plain(
        items=tuple(item for one in found for item in one.items),
        ignored=frozenset(name.lower() for one in found for name in one.ignored),
        incomplete=sum(one.incomplete for one in found),
        seconds=time.monotonic() - began,
        counts=azure.counts(),
    )


def told(result: Any) -> Told:
    """Return what a what-if's result says. Pure.

    A reader takes Modify for drift, Create for a resource that is gone, and NoEffect and Ignore for
    nothing.
    """
    if result.status != "Succeeded":
        return Told((), (), incomplete=True)
    changes = result.properties["changes"] if result.properties else []
    items = [item for change in changes for item in _items(change)]
    ignored = [change["resourceId"] for change in changes if change["changeType"] == "Ignore"]
    blind = any(change["changeType"] == "Unsupported" for change in changes)
    skipped = bool(result.properties.get("diagnostics")) if result.properties else False
    return Told(tuple(items), tuple(ignored), incomplete=blind or skipped)


def _items(change: Any) -> Iterator[Item]:
    resource = change["resourceId"]
    if change["changeType"] == _DELETED_BY_HAND:
        yield Item("deleted", resource)
    elif change["changeType"] == "Modify":
        for path in dict.fromkeys(_paths(change.get("delta") or [])):
            yield Item("modified", resource, path)


def _paths(delta: Any, at: str = "") -> Iterator[str]:
    """Yield the path of every entry; an index inside an array is left to the array."""
    for entry in delta:
        path = ".".join(part for part in (at, entry["path"]) if part)
        if entry.get("children"):
            yield from _paths(entry["children"], path)
        elif entry["propertyChangeType"] not in _SILENT:
            yield path
