"""Scalar functions: how many arguments they take, what they give, and how. All are pure.

The time-dependent (`now`, `ago`) and those that look at types (`iff`, `case`, `bin`) are bound in
`binding`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from local.arm.logs import values

_LONGEST_TEXT = 1_048_576


@dataclass(frozen=True, slots=True)
class Function:
    """`least` to `most` arguments; what it `makes` counts against the budget.

    `wants` says of which types an argument must be, by its position; the others may be of any.
    """

    kind: str
    apply: Callable[..., Any]
    least: int = 1
    most: int = 1
    makes: bool = False
    wants: Mapping[int, frozenset[str]] = field(default_factory=dict)


def is_empty(value: Any) -> bool:
    """Return whether a value is an empty text or null."""
    return value is None or value == ""


def parse_json(value: Any) -> Any:
    """Return the dynamic value in a text; what is no JSON stays a text."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value or None


def _number(kind: str) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, str):
            return values.parse(kind, value)
        if isinstance(value, timedelta):
            return values.ticks(value) * 10
        if isinstance(value, float) and kind == "long":
            return int(value) if math.isfinite(value) else None
        return float(value) if kind == "real" and isinstance(value, int) else _plain(value)

    return convert


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float) else None


def _typed(kind: str, wanted: type) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, wanted):
            return value
        return values.parse(kind, value) if isinstance(value, str) else None

    return convert


def _bool(value: Any) -> bool | None:
    if isinstance(value, bool | int | float):
        return bool(value)
    found = values.parse("bool", value) if isinstance(value, str) else None
    return found if isinstance(found, bool) else None


def _concatenated(*parts: Any) -> str:
    text: str = "".join(map(values.text, parts))[:_LONGEST_TEXT]
    return text


def _joined(separator: Any, *parts: Any) -> str:
    text: str = values.text(separator).join(map(values.text, parts))[:_LONGEST_TEXT]
    return text


def _joined_array(items: Any, separator: Any) -> str:
    if not isinstance(items, list):
        return ""
    most = _LONGEST_TEXT // max(len(values.text(separator)), 1) + 1
    return _joined(separator, *items[:most])


def _split(text: Any, separator: Any, index: Any = None) -> Any:
    text, separator = values.text(text), values.text(separator)
    parts = text.split(separator) if separator else [text]
    if index is None:
        return parts
    return [parts[index]] if isinstance(index, int) and 0 <= index < len(parts) else None


def _substring(value: Any, start: Any, length: Any = None) -> str:
    text = values.text(value)
    start = max(start or 0, 0)
    return text[start:] if length is None else text[start : start + max(length, 0)]


def _replaced(value: Any, part: Any, other: Any) -> str:
    text, old, new = values.text(value), values.text(part), values.text(other)
    # No more of them than fit, or a short query makes a text that fills the memory.
    most = _LONGEST_TEXT // max(len(new), 1) + 1
    return text.replace(old, new, most)[:_LONGEST_TEXT] if old else text


def _index_of(text: Any, part: Any) -> int:
    return values.text(text).find(values.text(part))


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, list) else None


def _keys(value: Any) -> list[str] | None:
    return list(value) if isinstance(value, dict) else None


def _day(value: Any, offset: int = 0) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    try:
        start = value.replace(hour=0, minute=0, second=0, microsecond=0)
        return start + timedelta(days=offset)
    except OverflowError:
        return None


def _hour(value: Any) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    return value.replace(minute=0, second=0, microsecond=0)


_PERIODS = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "millisecond": timedelta(milliseconds=1),
}


def _difference(period: Any, left: Any, right: Any) -> int | None:
    """Return how many borders of a period lie between two moments."""
    length = _PERIODS.get(values.text(period).lower())
    if length is None or not isinstance(left, datetime) or not isinstance(right, datetime):
        return None
    size = values.ticks(length)
    first, second = (values.ticks(moment - values.EPOCH) // size for moment in (left, right))
    return first - second


def _absolute(value: Any) -> Any:
    return None if value is None else abs(value)


def _rounded(value: Any, digits: Any = 0) -> Any:
    if value is None:
        return None
    return float(round(value, max(min(digits or 0, 15), -15))) if math.isfinite(value) else value


def _inverted(value: Any) -> bool | None:
    return None if value is None else not value


def _first(*items: Any) -> Any:
    return next((item for item in items if not is_empty(item)), None)


def _packed(*pairs: Any) -> dict[str, Any]:
    return {
        values.text(key): values.as_json(value)
        for key, value in zip(pairs[::2], pairs[1::2], strict=False)
    }


def _array(*items: Any) -> list[Any]:
    return [values.as_json(item) for item in items]


_WHOLE, _TIME = frozenset({"int", "long"}), frozenset({"datetime"})
FUNCTIONS: dict[str, Function] = {
    "tolower": Function("string", lambda value: values.text(value).lower()),
    "toupper": Function("string", lambda value: values.text(value).upper()),
    "tostring": Function("string", values.text, makes=True),
    "strlen": Function("long", lambda value: len(values.text(value))),
    "strcat": Function("string", _concatenated, 1, 64, makes=True),
    "strcat_delim": Function("string", _joined, 2, 64, makes=True),
    "strcat_array": Function("string", _joined_array, 2, 2, makes=True),
    "split": Function("dynamic", _split, 2, 3, makes=True),
    "substring": Function("string", _substring, 2, 3, wants={1: _WHOLE, 2: _WHOLE}),
    "indexof": Function("long", _index_of, 2, 2),
    "replace_string": Function("string", _replaced, 3, 3, makes=True),
    "isempty": Function("bool", is_empty),
    "isnotempty": Function("bool", lambda value: not is_empty(value)),
    "isnull": Function("bool", lambda value: value is None),
    "isnotnull": Function("bool", lambda value: value is not None),
    "not": Function("bool", _inverted, wants={0: frozenset({"bool"})}),
    "parse_json": Function("dynamic", parse_json, makes=True),
    "todynamic": Function("dynamic", parse_json, makes=True),
    "toint": Function("long", _number("long")),
    "tolong": Function("long", _number("long")),
    "toreal": Function("real", _number("real")),
    "todouble": Function("real", _number("real")),
    "tobool": Function("bool", _bool),
    "toboolean": Function("bool", _bool),
    "todatetime": Function("datetime", _typed("datetime", datetime)),
    "totimespan": Function("timespan", _typed("timespan", timedelta)),
    "toguid": Function("guid", _typed("guid", tuple)),
    "array_length": Function("long", _length),
    "bag_keys": Function("dynamic", _keys),
    "pack": Function("dynamic", _packed, 2, 64),
    "bag_pack": Function("dynamic", _packed, 2, 64),
    "pack_array": Function("dynamic", _array, 1, 64),
    "startofday": Function("datetime", _day, 1, 2, wants={0: _TIME, 1: _WHOLE}),
    "startofhour": Function("datetime", _hour, wants={0: _TIME}),
    "datetime_diff": Function("long", _difference, 3, 3, wants={1: _TIME, 2: _TIME}),
    "abs": Function("real", _absolute, wants={0: values.NUMBERS | {"timespan"}}),
    "round": Function("real", _rounded, 1, 2, wants={0: values.NUMBERS, 1: _WHOLE}),
    "coalesce": Function("string", _first, 2, 64),
}
