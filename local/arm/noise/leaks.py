"""Where what-if is known to be noisy, as data.

What was seen and written down by hand stands with each type in the knowledge files (`leaks`).
``reported.json`` holds the paths of a published table of what-if noise (the NOISE_SUPPRESION_SUMMARY
of Azure/arm-template-whatif, MIT; api-versions 2014 to 2020) for the types that are known: which are
read-only, which have a default, and which nobody could tell. It steers N1 and N2 where nothing was
written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from local.arm.knowledge import ResourceType

_HERE = __name__.rpartition(".")[0]


class Reported(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """What the table says of one type."""

    readOnly: list[str] = []  # noqa: N815 - as in the knowledge files
    defaults: dict[str, Any] = {}
    unknown: list[str] = []


_UNREPORTED = Reported()


@cache
def _table() -> dict[str, Reported]:
    text = (resources.files(_HERE) / "reported.json").read_bytes()
    found = msgspec.json.decode(text, type=dict[str, Reported])
    return {name.lower(): said for name, said in found.items()}


def written(known: ResourceType, name: str) -> Mapping[str, Any]:
    """Return the paths written down for a type and class, each with its value or None. Pure."""
    listed = known.leaks.get(name, [])
    return listed if isinstance(listed, dict) else dict.fromkeys(listed)


def reported(kind: str) -> Reported:
    """Return what the table says of a full type."""
    return _table().get(kind.lower(), _UNREPORTED)
