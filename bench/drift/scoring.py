"""Compares what was found with the labels. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.drift.model import Label
from bench.drift.places import any_covers, covers, place
from bench.drift.rehearsal import filled
from bench.drift.truth import Truth


@dataclass(frozen=True)
class Item:
    """One difference that was found: of the product's, or of a plain what-if."""

    kind: str
    resource: str
    path: str = ""


@dataclass(frozen=True)
class Score:
    """How good a list of items is. ``missed`` and ``hidden`` are labels, ``false`` are items."""

    found: tuple[Label, ...]
    missed: tuple[Label, ...]
    hidden: tuple[Label, ...]
    false: tuple[Item, ...]

    def by_sort(self) -> dict[str, str]:
        """Return "found of all" for each sort of edit that may be found."""
        found = Counter(label.sort for label in self.found)
        every = found + Counter(label.sort for label in self.missed)
        return {sort: f"{found[sort]}/{count}" for sort, count in sorted(every.items())}

    def shown(self, most: int = 50) -> dict[str, Any]:
        """Return examples, for whoever wants to know what went wrong."""
        return {
            "misses": [
                {
                    "edit": o.edit,
                    "sort": o.sort,
                    "kind": o.kind,
                    "resource": o.resource,
                    "path": o.path,
                }
                for o in self.missed[:most]
            ],
            "out_of_reach": [
                {"edit": o.edit, "resource": o.resource, "path": o.path, "reason": o.hidden}
                for o in self.hidden[:most]
            ],
            "false_alarms": [
                {"kind": o.kind, "resource": o.resource, "path": o.path} for o in self.false[:most]
            ],
            "false_alarms_by_place": _by_place(self.false),
        }


def _by_place(items: Iterable[Item]) -> dict[str, int]:
    """Count items by kind, type and place: what is wrong once is often wrong a thousand times."""
    counts = Counter(
        f"{one.kind} {_type_of(one.resource)} {'.'.join(place(one.path))}".strip() for one in items
    )
    return dict(counts.most_common(40))


def _type_of(resource: str) -> str:
    parts = resource.rpartition("/providers/")[2].split("/")
    return "/".join([parts[0], *parts[1::2]])


def score(
    items: Sequence[Item],
    labels: Sequence[Label],
    truth: Truth,
    subscription: str,
    ignored: frozenset[str] = frozenset(),
) -> Score:
    """Score items against labels and the truth.

    A label is found by an item of its resource and kind whose path lies at, above or below its own;
    what became of a child also by an item of its parent's that is true. An item is false unless the
    truth has a difference of its kind there: what follows from an edit is no false alarm. ``ignored``
    are ids that were named without being called drift, which finds an undeclared resource.
    """
    by_resource: dict[str, list[Item]] = {}
    for item in dict.fromkeys(items):
        by_resource.setdefault(item.resource.lower(), []).append(item)
    false = tuple(one for one in dict.fromkeys(items) if not _is_true(one, truth))
    found: list[Label] = []
    missed: list[Label] = []
    hidden: list[Label] = []
    for label in labels:
        resource = filled(label.resource, subscription).lower()
        named = label.kind == "undeclared" and resource in ignored
        if named or _is_found(label, resource, by_resource, truth):
            found.append(label)
        else:
            (hidden if label.hidden else missed).append(label)
    return Score(tuple(found), tuple(missed), tuple(hidden), false)


def _is_true(item: Item, truth: Truth) -> bool:
    resource = item.resource.lower()
    if item.kind == "deleted":
        return resource in truth.gone
    if item.kind == "undeclared":
        return resource in truth.new
    return any_covers(place(item.path), truth.modified.get(resource, ()))


def _is_found(label: Label, resource: str, items: Mapping[str, list[Item]], truth: Truth) -> bool:
    own = any(
        one.kind == label.kind and covers(place(one.path), place(label.path))
        for one in items.get(resource, ())
    )
    return own or any(_is_true(one, truth) for one in _of_parents(resource, items, label))


def _of_parents(resource: str, items: Mapping[str, list[Item]], label: Label) -> Iterable[Item]:
    """Yield what was found of the resources that a child is part of: their bodies may show it."""
    if not label.sort.startswith("child"):
        return
    head, _, tail = resource.rpartition("/providers/")
    names = tail.split("/")
    for end in range(len(names) - 2, 2, -2):
        above = f"{head}/providers/{'/'.join(names[:end])}"
        yield from (one for one in items.get(above, ()) if one.kind == "modified")
