"""Whose doing each entry of a what-if is: the truth, or a class of noise. For scoring only. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.arm.whatif.delta import ARRAY, Change, identity

Entry = tuple[str, str]
"""Path and kind: a property's dotted path, with the indices of elements as segments, and its
propertyChangeType; or "" and the changeType of a resource that has no delta."""


def entries(changes: Sequence[Change], at: str = "") -> dict[Entry, bytes]:
    """Return every entry of a delta, with what identifies its values."""
    found: dict[Entry, bytes] = {}
    for change in changes:
        path = ".".join(part for part in (at, change["path"]) if part)
        children = change.get("children")
        if children:
            found.update(entries(children, path))
        elif change["propertyChangeType"] != ARRAY:
            values = {side: change[side] for side in ("before", "after") if side in change}
            found[path, change["propertyChangeType"]] = identity(values)
    return found


@dataclass(slots=True)
class Labels:
    """The labels of one what-if."""

    truth: list[dict[str, Any]] = field(default_factory=list)
    noise: list[dict[str, Any]] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """Return them as the side channel shows them."""
        return {"value": self.noise, "true": self.truth}

    def add(self, resource_id: str, stages: Sequence[tuple[str, Mapping[Entry, bytes]]]) -> None:
        """Label one resource; the first stage is the truth, each other one what a class made of it."""
        truth = stages[0][1]
        self.truth += [_named(resource_id, entry) for entry in sorted(truth)]
        made = _made(stages)
        final = stages[-1][1]
        self.noise += [
            {**_named(resource_id, entry), "class": name, "hidden": False}
            for entry, name in sorted(made.items())
            if entry in final and final[entry] != truth.get(entry)
        ]
        self.noise += [
            {**_named(resource_id, entry), "class": _hider(entry, stages), "hidden": True}
            for entry in sorted(truth.keys() - final.keys())
        ]


def _made(stages: Iterable[tuple[str, Mapping[Entry, bytes]]]) -> dict[Entry, str]:
    """Return, for every entry, the class that put it there or changed it last."""
    made: dict[Entry, str] = {}
    last: Mapping[Entry, bytes] | None = None
    for name, now in stages:
        if last is not None:
            made.update({entry: name for entry in now if now[entry] != last.get(entry)})
        last = now
    return made


def _hider(entry: Entry, stages: Iterable[tuple[str, Mapping[Entry, bytes]]]) -> str:
    """Return the class in whose stage a true entry went missing for the last time."""
    hider, there = "", True
    for name, now in stages:
        if there and entry not in now:
            hider = name
        there = entry in now
    return hider


def _named(resource_id: str, entry: Entry) -> dict[str, Any]:
    return {"resourceId": resource_id, "path": entry[0], "kind": entry[1]}
