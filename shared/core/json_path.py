"""JSON paths as the manifest and the API write them: ``properties.rules[*]['odd name']``. Pure.

Members are dotted, or quoted in brackets where a dot would mislead; ``[*]`` and ``.*`` stand for any
one member or element, ``[name=web]`` for the element that a member names. Elements have no numbers:
arrays of ARM come in any order. There are no filters, no recursion and no regular expressions: whether
a path fits can be told in one walk.
"""

import re
from typing import Final, NamedTuple

LONGEST: Final = 512


class Element(NamedTuple):
    """An element of an array, told by the member that names it."""

    key: str
    value: str


Step = str | Element | None
"""A member's name, an element, or ANY."""

ANY: Final = None

_STEP = re.compile(
    r"""(?P<member>[^.\[\]'"*\s]+)
      | (?P<any>\*)
      | \[\s*(?:(?P<star>\*)|'(?P<quoted>(?:[^'\\]|\\['\\])+)')\s*\]
      | \[(?P<key>[A-Za-z]\w*)=(?:'(?P<named>(?:[^'\\]|\\['\\])*)'|(?P<plain>[^\[\]'\\]*))\]
    """,
    re.VERBOSE,
)


class BadPathError(ValueError):
    """A text that is no path; its message says why, from which character on."""


def parse_path(text: str) -> tuple[Step, ...]:
    """Return the steps of a path, at least one. Raises BadPathError. Pure."""
    if not text:
        raise BadPathError("is empty")
    if len(text) > LONGEST:
        raise BadPathError(f"is longer than {LONGEST} characters")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        if text[at] == "." and steps:
            at += 1
            if text[at : at + 1] == "[":
                raise BadPathError(f"has a bracket behind the full stop at character {at}")
        elif text[at] != "[" and steps:
            raise BadPathError(f"lacks a full stop before character {at + 1}")
        match = _STEP.match(text, at)
        if match is None:
            raise BadPathError(f"cannot be read from character {at + 1} on")
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def _step(match: "re.Match[str]") -> Step:
    if match["any"] or match["star"]:
        return ANY
    if match["key"] is not None:
        plain = match["plain"]
        return Element(match["key"], _unquoted(match["named"]) if plain is None else plain)
    return match["member"] if match["quoted"] is None else _unquoted(match["quoted"])


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
