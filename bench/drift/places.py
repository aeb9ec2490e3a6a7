"""Places in bodies: paths for comparing, and where two bodies differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Place = tuple[str, ...]
"""The names on the way to a place, lower case; which element of an array is not in it."""

_SELECTOR = re.compile(r"\[(?:'([^']*)'|\"([^\"]*)\"|[^\]]*)\]")
_PASSING = frozenset({"etag", "systemdata"})
_STATE = "provisioningstate"


def place(path: str) -> Place:
    """Return a path, dotted or with selectors, as a place.

    ``rules[web].name``, ``rules[0].name``, ``rules.0.name`` and ``rules[*].name`` are one place;
    a quoted selector (``tags['cost.centre']``) is a name, and so are its dots.
    """
    names: list[str] = []
    at = 0
    for found in _SELECTOR.finditer(path):
        names += path[at : found.start()].split(".")
        quoted = found[1] if found[1] is not None else found[2]
        if quoted is not None:
            names.append(quoted)
        at = found.end()
    names += path[at:].split(".")
    return tuple(name.lower() for name in names if name and name != "$" and not name.isdecimal())


def covers(one: Place, other: Place) -> bool:
    """Tell whether one of two places lies at or below the other."""
    short, long = sorted((one, other), key=len)
    return long[: len(short)] == short


def differences(before: Any, after: Any, at: Place = ()) -> Iterator[Place]:
    """Yield where two bodies differ; an array is one place.

    What changes with every write, and says nothing of its own, is left out.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        ones, others = _folded(before), _folded(after)
        for name in ones.keys() | others.keys():
            if (not at and name in _PASSING) or name == _STATE:
                continue
            yield from differences(ones.get(name), others.get(name), (*at, name))
    elif _plain(before) != _plain(after):
        yield at


def _folded(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in body.items()}


def _plain(value: Any) -> Any:
    """Return a value without etags inside, which elements of arrays have, too."""
    if isinstance(value, Mapping):
        return {
            name: _plain(item)
            for name, item in value.items()
            if name.lower() not in _PASSING and name.lower() != _STATE
        }
    return [_plain(item) for item in value] if isinstance(value, list) else value


def any_covers(wanted: Place, places: Iterable[Place]) -> bool:
    """Tell whether any of the places lies at, above or below the wanted one."""
    return any(covers(wanted, one) for one in places)
