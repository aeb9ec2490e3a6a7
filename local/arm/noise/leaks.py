"""Where what-if is known to be noisy, as data: by type, class and path.

``leaks.json`` holds what was seen and written down by hand. ``reported.json`` holds the paths of
a published table of what-if noise (2014 to 2020 api-versions): which are read-only, which have a
default, and which nobody could tell; it steers N1 and N2 where nothing was written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

_HERE = __name__.rpartition(".")[0]

Listed = list[str] | dict[str, Any]
"""Paths, or paths with the value that what-if expects there."""


class Reported(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """What the table says of one type."""

    readOnly: list[str] = []  # noqa: N815 - as in the knowledge files
    defaults: dict[str, Any] = {}
    unknown: list[str] = []


_NOTHING: Mapping[str, Listed] = {}
_UNREPORTED = Reported()


@cache
def _written() -> dict[str, dict[str, Listed]]:
    text = (resources.files(_HERE) / "leaks.json").read_bytes()
    found = msgspec.json.decode(text, type=dict[str, dict[str, Listed]])
    return {name.lower(): listed for name, listed in found.items()}


@cache
def _table() -> dict[str, Reported]:
    text = (resources.files(_HERE) / "reported.json").read_bytes()
    found = msgspec.json.decode(text, type=dict[str, Reported])
    return {name.lower(): said for name, said in found.items()}


def written(kind: str, name: str) -> Mapping[str, Any]:
    """Return the paths written down for a full type and class, each with its value or None."""
    listed = _written().get(kind.lower(), _NOTHING).get(name, [])
    return listed if isinstance(listed, dict) else dict.fromkeys(listed)


def reported(kind: str) -> Reported:
    """Return what the table says of a full type."""
    return _table().get(kind.lower(), _UNREPORTED)


def types(name: str) -> list[str]:
    """Return the full types, in lower case, for which a class is written down."""
    return sorted(kind for kind, listed in _written().items() if name in listed)


def members(kind: str) -> list[str]:
    """Return further members that a full type has: those written down for nothing but to be known."""
    return list(written(kind, "members"))
