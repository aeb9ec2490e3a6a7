"""Operators between values: what they compare, look for and reckon, by the types of their sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local.arm.logs import comparing, values
from local.arm.logs.faults import Place, type_error
from local.arm.logs.reader import TEXT_OPERATORS
from local.arm.logs.scope import Bound, Row
from local.arm.logs.syntax import Between, Binary, InList


def two(left: Bound, right: Bound, kind: str, apply: comparing.Apply) -> Bound:
    """Return what a function of two values makes of two expressions."""
    first, second = left.run, right.run
    constant = left.constant and right.constant
    return Bound(kind, lambda row: apply(first(row), second(row)), constant=constant)


def binary(node: Binary, left: Bound, right: Bound) -> Bound:
    """Return the meaning of an operator between its two sides. Raises `QueryError`."""
    name = node.operator
    if name.lstrip("!") in TEXT_OPERATORS:
        _check_texts(name, (left, right), node.place)
        return two(left, right, "bool", comparing.of_texts(name))
    if name in ("=~", "!~"):
        _check_texts(name, (left, right), node.place)
        same = comparing.equals_in_any_case
        return two(left, right, "bool", same if name == "=~" else lambda a, b: not same(a, b))
    if name in ("==", "!=", "<", ">", "<=", ">="):
        return _compared(name, left, right, node.place)
    kind = comparing.result_of(name, left.kind, right.kind)
    if kind is None:
        message = (
            f"Operator '{name}' cannot be applied to values of types {left.kind} and {right.kind}"
        )
        raise type_error(message, node.place)
    negates = kind == "timespan" and left.kind == "long" and name == "-"
    return two(left, right, kind, comparing.arithmetic(name, negates_span=negates))


def _check_texts(name: str, sides: tuple[Bound, ...], place: Place) -> None:
    for side in sides:
        if side.kind not in ("string", "dynamic", "guid"):
            message = f"Operator '{name}' wants texts, and there is a value of type {side.kind}"
            raise type_error(message, place)


def _compared(name: str, left: Bound, right: Bound, place: Place) -> Bound:
    if not comparing.comparable(left.kind, right.kind):
        raise type_error(
            f"Cannot compare values of types {left.kind} and {right.kind}. Try adding explicit"
            " casts",
            place,
        )
    apply = {"==": comparing.equal, "!=": comparing.unequal}.get(name) or comparing.ordered(name)
    return two(left, right, "bool", apply)


def in_list(node: InList, value: Bound, items: Sequence[Bound]) -> Bound:
    """Return whether a value is among items, or has them. Raises `QueryError`."""
    for item in items:
        if not comparing.comparable(value.kind, item.kind):
            raise type_error(
                f"Operator '{node.operator}' cannot look for a value of type {value.kind} among"
                f" values of type {item.kind}",
                node.place,
            )
    if node.operator in ("has_any", "has_all"):
        return _has_list(node.operator, value, items)
    negated, any_case = node.operator.startswith("!"), node.operator.endswith("~")

    def key(found: Any) -> Any:
        return values.text(found).lower() if any_case else values.frozen(found)

    def among(row: Row) -> frozenset[Any]:
        return frozenset(key(one) for item in items for one in _spread(item.run(row)))

    fixed = among(()) if all(item.constant for item in items) else None
    return Bound(
        "bool",
        lambda row: (key(value.run(row)) in (among(row) if fixed is None else fixed)) != negated,
        constant=value.constant and fixed is not None,
    )


def _spread(found: Any) -> list[Any]:
    """Return the elements of a dynamic array, which stands for all of them."""
    return found if isinstance(found, list) else [found]


def _has_list(name: str, value: Bound, items: Sequence[Bound]) -> Bound:
    every = all if name == "has_all" else any

    def run(row: Row) -> bool:
        text = values.text(value.run(row)).lower()
        terms = [values.text(one).lower() for item in items for one in _spread(item.run(row))]
        return every(comparing.has(text, term) for term in terms)

    return Bound("bool", run)


def between(node: Between, value: Bound, low: Bound, high: Bound) -> Bound:
    """Return whether a value lies between two others, both included. Raises `QueryError`."""
    if value.kind == "datetime" and high.kind == "timespan":
        high = two(low, high, "datetime", comparing.arithmetic("+"))
    above = _compared(">=", value, low, node.place).run
    below = _compared("<=", value, high, node.place).run
    negated = node.negated
    return Bound("bool", lambda row: (above(row) is True and below(row) is True) != negated)
