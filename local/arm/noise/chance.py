"""Picks by chance that always come out the same: by words, not by a generator's state."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def number(*words: object) -> int:
    """Return the number that belongs to these words: 64 bits, evenly spread. Pure."""
    text = "|".join(str(word) for word in words)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def some(
    items: Sequence[Item], *words: object, name: Callable[[Item], object] = repr
) -> list[Item]:
    """Return about half of the items, at least one if there are any, in their order. Pure.

    Whether one is chosen depends on its ``name`` and not on its place: what comes or goes beside it
    changes nothing for it.
    """
    chosen = [item for item in items if number(*words, name(item)) % 2]
    return chosen or single(items, *words, name=name)


def single(
    items: Sequence[Item], *words: object, name: Callable[[Item], object] = repr
) -> list[Item]:
    """Return one of the items, none if there are none. Pure.

    It goes by their names, so that it stays the same one while others go, and mostly while others come.
    """
    return sorted(items, key=lambda item: number(*words, name(item)))[:1]
