"""Places in a resource's body: what they are called, and which patterns match them. Pure.

A place is a tuple of steps: a member's name, or an ``Element`` of an array that has a name of its own.
Its text is a JSON path, ``properties.subnets[name=web].properties.addressPrefix``; members that are
no words are quoted, ``tags['cost.center']``, and so are elements' names that could be read as more of
the path: two places never have one text. In a pattern ``*`` stands for any one member and ``[*]`` for
any element.
"""

import re
from typing import Final, NamedTuple

from shared.core.scopes import fold


class Element(NamedTuple):
    """An element of an array, told by the member that names it."""

    key: str
    value: str


Step = str | Element
Place = tuple[Step, ...]

ANY: Final = "*"
EACH: Final = "[*]"
MOST_STEPS: Final = 40

_WORD = re.compile(r"[A-Za-z_$][\w$-]*", re.ASCII)
_PLAIN = re.compile(r"[^\[\]'\\]*")
_TOKEN = re.compile(
    r"(?P<dot>\.)?(?:(?P<word>[A-Za-z_$][\w$-]*|\*)|\[(?P<each>\*)\]|\['(?P<quoted>(?:[^'\\]|\\.){1,256})'\])",
    re.ASCII | re.DOTALL,
)


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


def parse(written: str) -> tuple[str, ...]:
    """Return the steps of a pattern, ``[*]`` as ``EACH``; raises ValueError with what is wrong."""
    steps: list[str] = []
    at = 0
    while at < len(written):
        match = _TOKEN.match(written, at)
        if match is None:
            raise ValueError(f"what is at character {at + 1} is no part of a JSON path")
        is_dotted = match["dot"] is not None
        if is_dotted != (match["word"] is not None and at > 0):
            raise ValueError(f"a dot is missing, or too much, at character {at + 1}")
        if match["quoted"] in {ANY, EACH}:
            raise ValueError(f"a member of this name cannot be meant, at character {at + 1}")
        if len(steps) == MOST_STEPS:
            raise ValueError(f"the path has more than {MOST_STEPS} steps")
        steps.append(_step(match))
        at = match.end()
    if not steps:
        raise ValueError("the path is empty")
    return tuple(steps)


def _step(match: re.Match[str]) -> str:
    if match["each"] is not None:
        return EACH
    if match["quoted"] is not None:
        return re.sub(r"\\(.)", r"\1", match["quoted"], flags=re.DOTALL)
    return match["word"]


def covers(steps: tuple[str, ...], place: Place) -> bool:
    """Tell whether a pattern names a place, or something that it lies in; names without case."""
    if len(steps) > len(place):
        return False
    return all(_is_step(one, other) for one, other in zip(steps, place, strict=False))


def _is_step(wanted: str, step: Step) -> bool:
    if isinstance(step, Element):
        return wanted in {EACH, ANY}
    return wanted == ANY or fold(wanted) == fold(step)
