"""Many paths followed in one walk through a body: what is taken out of it, what is rewritten.

A type may name fifty paths and a body have ten members, so the body leads the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from local.arm.knowledge.normal import GONE, Change
from local.arm.knowledge.paths import Path
from local.arm.knowledge.words import Facts


@dataclass(slots=True)
class Node:
    """What is to be done at one place, and below it."""

    members: dict[str, Node] = field(default_factory=dict)
    each: Node | None = None
    gone: bool = False
    changes: list[Change] = field(default_factory=list)


def grow(entries: Iterable[tuple[Path, Change | None]]) -> Node:
    """Return the tree of paths; None as a change takes out what stands there. Pure."""
    root = Node()
    for path, change in entries:
        node = root
        for step in path:
            if step is not None:
                node = node.members.setdefault(step[1], Node())
            else:
                node.each = node = node.each or Node()
        if change is None:
            node.gone = True
        else:
            node.changes.append(change)
    return root


def prune(value: Any, node: Node) -> None:
    """Take out of `value` what the tree says; elements of arrays stay."""
    if isinstance(value, dict):
        if node.members:
            for key in list(value):
                below = node.members.get(key.lower())
                if below is not None and below.gone:
                    del value[key]
                elif below is not None:
                    prune(value[key], below)
    elif node.each is not None and isinstance(value, list):
        for item in value:
            prune(item, node.each)


def rewrite(value: Any, node: Node, facts: Facts) -> None:
    """Rewrite `value` as the tree says: what is inside first, then what is around it."""
    if isinstance(value, dict):
        if node.members:
            for key in list(value):
                below = node.members.get(key.lower())
                if below is not None:
                    rewrite(value[key], below, facts)
                    found = _changed(value[key], below, facts)
                    if found is GONE:
                        del value[key]
                    else:
                        value[key] = found
    elif node.each is not None and isinstance(value, list):
        for index, item in enumerate(value):
            rewrite(item, node.each, facts)
            found = _changed(item, node.each, facts)
            if found is not GONE:
                value[index] = found


def _changed(value: Any, node: Node, facts: Facts) -> Any:
    for change in node.changes:
        value = change(value, facts)
        if value is GONE:
            break
    return value
