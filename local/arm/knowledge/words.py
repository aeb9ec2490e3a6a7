"""Fills the ``{words}`` in the knowledge files with the facts of one resource."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_WORD = re.compile(r"\{([A-Za-z]+)(?::([^{}]*))?\}")

Facts = Mapping[str, Callable[[str], Any]]
"""Word -> what it stands for, given the argument behind its colon ("" without one)."""


def fill(value: Any, facts: Facts) -> Any:
    """Return `value` with its words replaced; a string that is one word keeps the fact's type.

    Pure. Raises KeyError for a word that no fact explains: the file is wrong.
    """
    if isinstance(value, str):
        whole = _WORD.fullmatch(value)
        if whole:
            return facts[whole[1]](whole[2] or "")
        return _WORD.sub(lambda word: str(facts[word[1]](word[2] or "")), value)
    if isinstance(value, dict):
        return {key: fill(item, facts) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, facts) for item in value]
    return value
