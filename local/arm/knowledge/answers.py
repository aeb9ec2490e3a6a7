"""With which status a PUT that creates is answered: 201, except where a provider says 200.

The generated clients of such a provider take 201 for a failure, so the difference shows.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec


@cache
def _exceptions() -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the types, and the heads of those whose children are all meant."""
    folder = resources.files("local.arm.knowledge").joinpath("builtin")
    text = folder.joinpath("created_with_200.json").read_bytes()
    names = [name.lower() for name in msgspec.json.decode(text, type=list[str])]
    heads = tuple(name.removesuffix("*") for name in names if name.endswith("/*"))
    return frozenset(names), heads


def created(kind: str) -> int:
    """Return the status for a new resource of a full type, in any case. Pure."""
    types, heads = _exceptions()
    lower = kind.lower()
    return 200 if lower in types or lower.startswith(heads) else 201
