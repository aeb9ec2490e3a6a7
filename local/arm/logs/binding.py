"""Gives a scalar expression its meaning: names their columns, values their types.

The result is a plain Python function of a row. All that is wrong with an expression is found here,
before the first row is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from local.arm.logs import comparing, values
from local.arm.logs.bounds import Budget
from local.arm.logs.faults import Place, QueryError, unresolved, unsupported
from local.arm.logs.functions import FUNCTIONS
from local.arm.logs.reader import TEXT_OPERATORS
from local.arm.logs.syntax import (
    Between,
    Binary,
    Call,
    Expression,
    InList,
    Literal,
    Logic,
    Member,
    Name,
    Star,
)
from local.arm.logs.values import NUMBERS

Row = Sequence[Any]
Run = Callable[[Row], Any]
_NO_ROW: Row = ()


class Column(NamedTuple):
    """A column: its name (case matters) and its type."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Bound:
    """An expression that can be run: its type, and its value if it is the same for all rows."""

    kind: str
    run: Run
    constant: bool = False

    def value(self) -> Any:
        """Return the value of a constant."""
        return self.run(_NO_ROW)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: in which operator, on which columns, with which names."""

    operator: str
    columns: Sequence[Column]
    lets: Mapping[str, Bound]
    now: datetime
    budget: Budget

    def index(self, name: str) -> int | None:
        """Return the index of a column."""
        return next((at for at, one in enumerate(self.columns) if one.name == name), None)


def bind(scope: Scope, expression: Expression) -> Bound:
    """Return the meaning of an expression. Raises `QueryError`."""
    return _BINDERS[type(expression)](scope, expression)


def _type_error(message: str, place: Place) -> QueryError:
    return QueryError("SEM0064", message, place)


def _literal(_: Scope, node: Literal) -> Bound:
    value = node.value
    return Bound(node.kind, lambda _: value, constant=True)


def _name(scope: Scope, node: Name) -> Bound:
    at = scope.index(node.name)
    if at is not None:
        return Bound(scope.columns[at].kind, lambda row: row[at])
    if node.name in scope.lets:
        return scope.lets[node.name]
    raise unresolved(scope.operator, "column or scalar expression", node.name, node.place)


def _star(scope: Scope, node: Star) -> Bound:
    raise QueryError(
        "SEM0001", f"'{scope.operator}' operator: '*' is no scalar expression", node.place
    )


def _member(scope: Scope, node: Member) -> Bound:
    base, key = bind(scope, node.base), bind(scope, node.key)
    if base.kind != "dynamic":
        message = f"Path expression cannot be applied to a value of type {base.kind}"
        raise _type_error(message, node.place)

    def run(row: Row) -> Any:
        inside, at = base.run(row), key.run(row)
        if isinstance(inside, dict):
            return inside.get(at) if isinstance(at, str) else None
        if isinstance(inside, list) and isinstance(at, int) and -len(inside) <= at < len(inside):
            return inside[at]
        return None

    return Bound("dynamic", run, constant=base.constant and key.constant)


def _two(left: Bound, right: Bound, kind: str, apply: comparing.Apply) -> Bound:
    first, second = left.run, right.run
    constant = left.constant and right.constant
    return Bound(kind, lambda row: apply(first(row), second(row)), constant=constant)


def _binary(scope: Scope, node: Binary) -> Bound:
    left, right = bind(scope, node.left), bind(scope, node.right)
    name = node.operator
    if name.lstrip("!") in TEXT_OPERATORS:
        _check_texts(name, (left, right), node.place)
        return _two(left, right, "bool", comparing.of_texts(name))
    if name in ("=~", "!~"):
        _check_texts(name, (left, right), node.place)
        same = comparing.equals_in_any_case
        return _two(left, right, "bool", same if name == "=~" else lambda a, b: not same(a, b))
    if name in ("==", "!=", "<", ">", "<=", ">="):
        return _compared(name, left, right, node.place)
    kind = comparing.result_of(name, left.kind, right.kind)
    if kind is None:
        message = (
            f"Operator '{name}' cannot be applied to values of types {left.kind} and {right.kind}"
        )
        raise _type_error(message, node.place)
    negates = kind == "timespan" and left.kind == "long" and name == "-"
    return _two(left, right, kind, comparing.arithmetic(name, negates_span=negates))


def _check_texts(name: str, sides: tuple[Bound, ...], place: Place) -> None:
    for side in sides:
        if side.kind not in ("string", "dynamic", "guid"):
            message = f"Operator '{name}' wants texts, and there is a value of type {side.kind}"
            raise _type_error(message, place)


def _compared(name: str, left: Bound, right: Bound, place: Place) -> Bound:
    if not comparing.comparable(left.kind, right.kind):
        raise _type_error(
            f"Cannot compare values of types {left.kind} and {right.kind}. Try adding explicit"
            " casts",
            place,
        )
    apply = {"==": comparing.equal, "!=": comparing.unequal}.get(name) or comparing.ordered(name)
    return _two(left, right, "bool", apply)


def predicate(scope: Scope, expression: Expression) -> Run:
    """Return a condition as a function of a row; null counts as false. Raises `QueryError`."""
    bound = bind(scope, expression)
    if bound.kind not in ("bool", "dynamic"):
        message = f"'{scope.operator}' operator: the condition is of type {bound.kind}, not bool"
        raise _type_error(message, expression.place)
    return bound.run


def _logic(scope: Scope, node: Logic) -> Bound:
    runs = [predicate(scope, term) for term in node.terms]
    if node.operator == "and":
        return Bound("bool", lambda row: all(run(row) is True for run in runs))
    return Bound("bool", lambda row: any(run(row) is True for run in runs))


def _in_list(scope: Scope, node: InList) -> Bound:
    value = bind(scope, node.value)
    items = [bind(scope, item) for item in node.items]
    for item in items:
        if not comparing.comparable(value.kind, item.kind):
            raise _type_error(
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

    fixed = among(_NO_ROW) if all(item.constant for item in items) else None
    return Bound(
        "bool",
        lambda row: (key(value.run(row)) in (among(row) if fixed is None else fixed)) != negated,
        constant=value.constant and fixed is not None,
    )


def _spread(found: Any) -> list[Any]:
    """Return the elements of a dynamic array, which stands for all of them."""
    return found if isinstance(found, list) else [found]


def _has_list(name: str, value: Bound, items: list[Bound]) -> Bound:
    every = all if name == "has_all" else any

    def run(row: Row) -> bool:
        text = values.text(value.run(row)).lower()
        terms = [values.text(one).lower() for item in items for one in _spread(item.run(row))]
        return every(comparing.has(text, term) for term in terms)

    return Bound("bool", run)


def _between(scope: Scope, node: Between) -> Bound:
    value, low, high = (bind(scope, one) for one in (node.value, node.low, node.high))
    if value.kind == "datetime" and high.kind == "timespan":
        high = _two(low, high, "datetime", comparing.arithmetic("+"))
    above = _compared(">=", value, low, node.place).run
    below = _compared("<=", value, high, node.place).run
    negated = node.negated
    return Bound("bool", lambda row: (above(row) is True and below(row) is True) != negated)


# ------------------------------------------------------------------ functions


def _call(scope: Scope, node: Call) -> Bound:
    special = _SPECIAL.get(node.name)
    if special is not None:
        return special(scope, node)
    function = FUNCTIONS.get(node.name)
    if function is None:
        if node.name in _KUSTO_ONLY:
            raise unsupported(f"the function '{node.name}'", node.place)
        raise QueryError("SEM0260", f"Unknown function: '{node.name}'", node.place)
    _count(node, function.least, function.most)
    arguments = [bind(scope, one) for one in node.arguments]
    _check_kinds(node, arguments, function.wants)
    kind = arguments[0].kind if node.name in ("abs", "coalesce") else function.kind
    runs, apply = [one.run for one in arguments], function.apply
    constant = all(one.constant for one in arguments)
    if function.makes:
        hold = scope.budget.hold
        return Bound(kind, lambda row: hold(apply(*(run(row) for run in runs))), constant=constant)
    if len(runs) == 1:
        run = runs[0]
        return Bound(kind, lambda row: apply(run(row)), constant=constant)
    return Bound(kind, lambda row: apply(*(run(row) for run in runs)), constant=constant)


def _check_kinds(
    node: Call, arguments: Sequence[Bound], wants: Mapping[int, frozenset[str]]
) -> None:
    for at, argument in enumerate(arguments):
        kinds = wants.get(at)
        if node.name == "coalesce":
            kinds = frozenset({arguments[0].kind})
        if kinds is not None and argument.kind not in kinds:
            message = (
                f"{node.name}(): argument {at + 1} is of type {argument.kind}, not {min(kinds)}"
            )
            raise _type_error(message, node.arguments[at].place)


def _count(node: Call, least: int, most: int) -> None:
    if not least <= len(node.arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        message = f"{node.name}(): function expects {wanted} argument(s), not {len(node.arguments)}"
        raise QueryError("SEM0219", message, node.place)


def _now(scope: Scope, node: Call) -> Bound:
    _count(node, 0, 1)
    return _moment(scope, node, back=False)


def _ago(scope: Scope, node: Call) -> Bound:
    _count(node, 1, 1)
    return _moment(scope, node, back=True)


def _moment(scope: Scope, node: Call, *, back: bool) -> Bound:
    now = Bound("datetime", lambda _: scope.now, constant=True)
    if not node.arguments:
        return now
    offset = bind(scope, node.arguments[0])
    if offset.kind != "timespan":
        raise _type_error(f"{node.name}(): expected a timespan, not {offset.kind}", node.place)
    return _two(now, offset, "datetime", comparing.arithmetic("-" if back else "+"))


def _choice(scope: Scope, node: Call) -> Bound:
    """Bind iff(condition, then, else) and case(condition, then, ..., else)."""
    _count(node, 3, 3 if node.name != "case" else 99)
    if len(node.arguments) % 2 == 0:
        raise QueryError("SEM0219", "case(): the last argument is the default", node.place)
    pairs = [
        (predicate(scope, node.arguments[at]), bind(scope, node.arguments[at + 1]))
        for at in range(0, len(node.arguments) - 1, 2)
    ]
    last = bind(scope, node.arguments[-1])
    kinds = {then.kind for _, then in pairs} | {last.kind}
    if len(kinds) > 1 and not kinds <= NUMBERS and "dynamic" not in kinds:
        raise _type_error(f"{node.name}(): the results are of different types", node.place)

    def run(row: Row) -> Any:
        for test, then in pairs:
            if test(row) is True:
                return then.run(row)
        return last.run(row)

    kind = "dynamic" if "dynamic" in kinds else "real" if kinds & {"real"} else last.kind
    return Bound(kind, run)


def _bin(scope: Scope, node: Call) -> Bound:
    """Bind bin(value, size): the multiple of the size below a value."""
    _count(node, 2, 2)
    value, size = (bind(scope, one) for one in node.arguments)
    if not size.constant or not size.value():
        raise QueryError("SEM0001", "bin(): the size must be a constant and not zero", node.place)
    step = size.value()
    if value.kind in ("datetime", "timespan") and size.kind == "timespan":
        ticks, origin = values.ticks(step), values.EPOCH
        if value.kind == "datetime":
            return _mapped(value, lambda at: origin + _floor(at - origin, ticks))
        return _mapped(value, lambda span: _floor(span, ticks))
    if value.kind in NUMBERS and size.kind in NUMBERS:
        kind = "real" if "real" in (value.kind, size.kind) else "long"
        return Bound(kind, _mapped(value, lambda number: number // step * step).run)
    message = f"bin(): cannot round a value of type {value.kind} to {size.kind}"
    raise _type_error(message, node.place)


def _floor(span: timedelta, ticks: int) -> timedelta:
    return timedelta(microseconds=values.ticks(span) // ticks * ticks)


def _mapped(value: Bound, apply: Callable[[Any], Any]) -> Bound:
    def run(row: Row) -> Any:
        found = value.run(row)
        return None if found is None else apply(found)

    return Bound(value.kind, run)


_SPECIAL: dict[str, Callable[[Scope, Call], Bound]] = {
    "now": _now,
    "ago": _ago,
    "iff": _choice,
    "iif": _choice,
    "case": _choice,
    "bin": _bin,
    "floor": _bin,
}
# What the language has and a client may well try: refused by name instead of as unknown.
_KUSTO_ONLY = frozenset(
    {
        "extract",
        "extract_all",
        "replace_regex",
        "toscalar",
        "materialize",
        "prev",
        "next",
        "row_number",
    }
    | {
        "format_datetime",
        "parse_url",
        "geo_info_from_ip_address",
        "mv_apply",
        "series_stats",
        "hash",
    }
    | {"workspace", "app", "resource", "cluster", "database", "externaldata", "bin_at", "trim"}
)
_BINDERS: dict[type, Callable[[Scope, Any], Bound]] = {
    Literal: _literal,
    Name: _name,
    Star: _star,
    Member: _member,
    Call: _call,
    Binary: _binary,
    Logic: _logic,
    InList: _in_list,
    Between: _between,
}
