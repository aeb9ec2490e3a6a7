"""Operators between two values: what they need and what they give. All are pure.

Null compares as Kusto says: equal to nothing (null), unequal to what is not null; a text is never
null but empty.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from local.arm.logs import values
from local.arm.logs.values import NUMBERS

Apply = Callable[[Any, Any], Any]

_TERM = re.compile(r"[^\W_]+")
_ORDERS: dict[str, Apply] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


# ------------------------------------------------------------------ texts


def has(text: str, term: str) -> bool:
    """Return whether a text holds a term as a whole: nothing of a word before or after it."""
    if not term:
        return True
    at = text.find(term)
    while at >= 0:
        end = at + len(term)
        before = at > 0 and text[at - 1].isalnum() and term[0].isalnum()
        after = end < len(text) and text[end].isalnum() and term[-1].isalnum()
        if not before and not after:
            return True
        at = text.find(term, at + 1)
    return False


def _words_start(text: str, part: str) -> bool:
    return any(word.startswith(part) for word in _TERM.findall(text))


def _words_end(text: str, part: str) -> bool:
    return any(word.endswith(part) for word in _TERM.findall(text))


def _contains(text: str, part: str) -> bool:
    return part in text


_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "has": has,
    "contains": _contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "hasprefix": _words_start,
    "hassuffix": _words_end,
}


def of_texts(name: str) -> Apply:
    """Return a text operator such as `!contains_cs`."""
    negated, bare = name.startswith("!"), name.lstrip("!")
    cased = bare.endswith("_cs")
    test = _TEXTS[bare.removesuffix("_cs")]

    def apply(left: Any, right: Any) -> bool:
        text, part = values.text(left), values.text(right)
        found = test(text, part) if cased else test(text.lower(), part.lower())
        return found != negated

    return apply


def equals_in_any_case(left: Any, right: Any) -> bool:
    """Return whether two texts are the same but for case (`=~`)."""
    return values.text(left).lower() == values.text(right).lower()


# ------------------------------------------------------------------ equality and order


def comparable(left: str, right: str) -> bool:
    """Return whether values of two types can be compared."""
    same = left == right or {left, right} <= NUMBERS or "dynamic" in (left, right)
    return same or {left, right} == {"string", "guid"}


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, datetime | timedelta) != isinstance(right, datetime | timedelta):
        return values.text(left) == values.text(right)
    return bool(left == right)


def equal(left: Any, right: Any) -> bool | None:
    """Return `==`."""
    if left is None or right is None:
        return None if left is right else False
    return _same(left, right)


def unequal(left: Any, right: Any) -> bool | None:
    """Return `!=`."""
    if left is None or right is None:
        return None if left is right else True
    return not _same(left, right)


def ordered(name: str) -> Apply:
    """Return an operator of order; null is in no order with anything."""
    test = _ORDERS[name]

    def apply(left: Any, right: Any) -> bool | None:
        if left is None or right is None:
            return None
        try:
            return bool(test(left, right))
        except TypeError:
            return None

    return apply


# ------------------------------------------------------------------ arithmetic


def result_of(name: str, left: str, right: str) -> str | None:
    """Return the type that an arithmetic operator gives, None if it does not go."""
    if left in NUMBERS and right in NUMBERS:
        return "real" if "real" in (left, right) or "decimal" in (left, right) else "long"
    return {
        ("-", "datetime", "datetime"): "timespan",
        ("-", "datetime", "timespan"): "datetime",
        ("+", "datetime", "timespan"): "datetime",
        ("+", "timespan", "datetime"): "datetime",
        ("+", "timespan", "timespan"): "timespan",
        ("-", "timespan", "timespan"): "timespan",
        ("/", "timespan", "timespan"): "real",
        ("-", "long", "timespan"): "timespan",
        ("*", "timespan", "long"): "timespan",
        ("*", "timespan", "real"): "timespan",
        ("*", "long", "timespan"): "timespan",
        ("*", "real", "timespan"): "timespan",
        ("/", "timespan", "long"): "timespan",
        ("/", "timespan", "real"): "timespan",
    }.get((name, left, right))


_LARGEST = 2**63


def _wrapped(value: Any) -> Any:
    """Keep a whole number within 64 bits, as the engine does."""
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return (value + _LARGEST) % (2 * _LARGEST) - _LARGEST
    return value


def _divided(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        return (
            None if right == 0 else int(math.copysign(1, left * right)) * (abs(left) // abs(right))
        )
    if isinstance(right, timedelta | int | float) and not right:
        return None if isinstance(left, timedelta) or not left else math.copysign(math.inf, left)
    return left / right


def _rest(left: Any, right: Any) -> Any:
    return (
        None
        if right == 0
        else math.fmod(left, right)
        if isinstance(left, float) or isinstance(right, float)
        else left - right * _divided(left, right)
    )


_SUMS: dict[str, Apply] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _rest,
}


def arithmetic(name: str, *, negates_span: bool = False) -> Apply:
    """Return an arithmetic operator; null in, and what goes out of range, is null."""
    apply = _SUMS[name]

    def run(left: Any, right: Any) -> Any:
        if left is None or right is None:
            return None
        if negates_span:
            left = timedelta(0)
        try:
            return _wrapped(apply(left, right))
        except (OverflowError, ZeroDivisionError, TypeError):
            return None

    return run
