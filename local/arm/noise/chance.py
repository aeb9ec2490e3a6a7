"""Picks by chance that always come out the same: by words, not by a generator's state."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def number(*words: object) -> int:
    """Return the number that belongs to these words: 64 bits, evenly spread. Pure."""
    text = "|".join(str(word) for word in words)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def some(items: Sequence[Item], *words: object) -> list[Item]:
    """Return about half of the items, at least one if there are any, in their order. Pure."""
    chosen = [item for at, item in enumerate(items) if number(*words, at) % 2]
    return chosen or list(items[number(*words) % len(items) :][:1] if items else [])
