"""Composite formatting as .NET's String.Format does it, over JSON values."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from local.arm.engine.dotnet.numbers import format_number

_PIECE = re.compile(
    r"\{\{|\}\}|\{\s*(?P<index>\d{1,6})\s*(?:,\s*(?P<width>-?\d{1,6})\s*)?(?::(?P<spec>[^{}]*))?\}|[{}]"
)
_MAX_WIDTH = 100_000


def format_composite(pattern: str, values: Sequence[Any]) -> str:
    """Return the pattern with its items filled in. Pure. Raises ValueError for a bad pattern."""

    def fill(match: re.Match[str]) -> str:
        piece = match.group()
        if piece in ("{{", "}}"):
            return piece[0]
        if match["index"] is None:
            raise ValueError("the input string was not in a correct format")
        index = int(match["index"])
        if index >= len(values):
            raise ValueError(
                "the index (zero based) must be greater than or equal to zero and less than the "
                "size of the argument list"
            )
        width = int(match["width"] or 0)
        if abs(width) > _MAX_WIDTH:
            raise ValueError("the width of an item is too large")
        text = display(values[index], match["spec"] or "")
        return text.ljust(-width) if width < 0 else text.rjust(width)

    return _PIECE.sub(fill, pattern)


def display(value: Any, spec: str = "") -> str:
    """Return what format() prints for a value: objects and arrays in single quotes. Pure."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return format_number(value, spec)
    return _single_quoted(value)


def _single_quoted(value: Any) -> str:
    if isinstance(value, Mapping):
        members = (f"{_quote(key)}:{_single_quoted(item)}" for key, item in value.items())
        return f"{{{','.join(members)}}}"
    if isinstance(value, list):
        return f"[{','.join(_single_quoted(item) for item in value)}]"
    if isinstance(value, str):
        return _quote(value)
    return json.dumps(value)


def _quote(text: str) -> str:
    inner = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{inner}'"
