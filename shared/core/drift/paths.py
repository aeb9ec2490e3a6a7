"""Places in a resource's body: what they are called, and which patterns match them. Pure.

A place is a tuple of steps: a member's name, or an ``Element`` of an array that has a name of its own.
Its text is a JSON path, ``properties.subnets[name=web].properties.addressPrefix``; members that are
no words are quoted, ``tags['cost.center']``, and so are elements' names that could be read as more of
the path: two places never have one text. It is written as ``shared/core/json_path.py`` reads it.
"""

import re
from collections.abc import Sequence
from typing import Final

from shared.core import json_path
from shared.core.json_path import Element
from shared.core.scopes import fold

__all__ = ["EACH", "Element", "Place", "Step", "covers", "pattern", "text"]


Step = str | Element
Place = tuple[Step, ...]

EACH: Final = "[*]"

_WORD = re.compile(r"[A-Za-z_$][\w$-]*", re.ASCII)
_PLAIN = re.compile(r"[^\[\]'\\]*")


def text(place: Place) -> str:
    """Return the JSON path of a place."""
    parts: list[str] = []
    for step in place:
        if isinstance(step, Element):
            value = step.value if _PLAIN.fullmatch(step.value) else _quoted(step.value)
            parts.append(f"[{step.key}={value}]")
        else:
            parts.append(_member(step, is_first=not parts))
    return "".join(parts)


def pattern(place: Place) -> str:
    """Return the path of a place in which elements of arrays are all alike: ``rules[*].name``."""
    parts: list[str] = []
    for step in place:
        parts.append(EACH if isinstance(step, Element) else _member(step, is_first=not parts))
    return "".join(parts)


def _member(name: str, *, is_first: bool) -> str:
    if _WORD.fullmatch(name):
        return name if is_first else f".{name}"
    return f"[{_quoted(name)}]"


def _quoted(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def covers(steps: Sequence[json_path.Step], place: Place) -> bool:
    """Tell whether a pattern names a place, or something that it lies in; names without case."""
    if len(steps) > len(place):
        return False
    return all(_is_step(one, other) for one, other in zip(steps, place, strict=False))


def _is_step(wanted: json_path.Step, step: Step) -> bool:
    if wanted is json_path.ANY:
        return True
    if isinstance(wanted, Element) or isinstance(step, Element):
        return wanted == step
    return fold(wanted) == fold(step)
