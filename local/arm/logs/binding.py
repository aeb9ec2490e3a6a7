"""Gives a scalar expression its meaning: names their columns, values their types.

The result is a plain Python function of a row. All that is wrong with an expression is found here,
before the first row is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from local.arm.logs import comparing, operators, values
from local.arm.logs.faults import QueryError, type_error, unresolved, unsupported
from local.arm.logs.functions import FUNCTIONS
from local.arm.logs.scope import Bound, Row, Run, Scope
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


def bind(scope: Scope, expression: Expression) -> Bound:
    """Return the meaning of an expression. Raises `QueryError`."""
    return _BINDERS[type(expression)](scope, expression)


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
        raise type_error(message, node.place)

    def run(row: Row) -> Any:
        inside, at = base.run(row), key.run(row)
        if isinstance(inside, dict):
            return inside.get(at) if isinstance(at, str) else None
        if isinstance(inside, list) and isinstance(at, int) and -len(inside) <= at < len(inside):
            return inside[at]
        return None

    return Bound("dynamic", run, constant=base.constant and key.constant)


def predicate(scope: Scope, expression: Expression) -> Run:
    """Return a condition as a function of a row; null counts as false. Raises `QueryError`."""
    bound = bind(scope, expression)
    if bound.kind not in ("bool", "dynamic"):
        message = f"'{scope.operator}' operator: the condition is of type {bound.kind}, not bool"
        raise type_error(message, expression.place)
    return bound.run


def _binary(scope: Scope, node: Binary) -> Bound:
    return operators.binary(node, bind(scope, node.left), bind(scope, node.right))


def _in_list(scope: Scope, node: InList) -> Bound:
    value = bind(scope, node.value)
    return operators.in_list(node, value, [bind(scope, item) for item in node.items])


def _between(scope: Scope, node: Between) -> Bound:
    value, low, high = (bind(scope, one) for one in (node.value, node.low, node.high))
    return operators.between(node, value, low, high)


def _logic(scope: Scope, node: Logic) -> Bound:
    runs = [predicate(scope, term) for term in node.terms]
    if node.operator == "and":
        return Bound("bool", lambda row: all(run(row) is True for run in runs))
    return Bound("bool", lambda row: any(run(row) is True for run in runs))


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
            raise type_error(message, node.arguments[at].place)


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


def _ingestion_time(_: Scope, node: Call) -> Bound:
    """Bind ingestion_time(): when a row of a table came in; null for rows that a query has made."""
    _count(node, 0, 0)
    return Bound("datetime", lambda row: getattr(row, "ingested", None))


def _moment(scope: Scope, node: Call, *, back: bool) -> Bound:
    now = Bound("datetime", lambda _: scope.now, constant=True)
    if not node.arguments:
        return now
    offset = bind(scope, node.arguments[0])
    if offset.kind != "timespan":
        raise type_error(f"{node.name}(): expected a timespan, not {offset.kind}", node.place)
    return operators.two(now, offset, "datetime", comparing.arithmetic("-" if back else "+"))


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
        raise type_error(f"{node.name}(): the results are of different types", node.place)

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
    raise type_error(message, node.place)


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
    "ingestion_time": _ingestion_time,
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
