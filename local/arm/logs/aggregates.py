"""Aggregates: how the many values of a group become one.

An aggregate is bound to what it needs of a row, and run over the rows of a group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.arm.logs import values
from local.arm.logs.binding import bind, predicate
from local.arm.logs.faults import QueryError, unsupported
from local.arm.logs.scope import Bound, Column, Row, Run, Scope
from local.arm.logs.syntax import Call, Expression, Item, Name, Star
from local.arm.logs.values import NUMBERS

Rows = Sequence[Row]
_LIST_AT_MOST = 1_048_576


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What is made of a group's rows: the columns, and a value for each."""

    columns: tuple[Column, ...]
    run: Callable[[Rows], Sequence[Any]]


def bind_aggregate(scope: Scope, item: Item, keys: frozenset[str]) -> Aggregate:
    """Return the meaning of one aggregate; `keys` are the columns grouped by. Raises `QueryError`."""
    node = item.value
    if not isinstance(node, Call) or node.name not in _AGGREGATES:
        if isinstance(node, Call) and node.name in _KUSTO_ONLY:
            raise unsupported(f"the aggregate '{node.name}'", node.place)
        message = "'summarize' operator: an aggregate function is expected here"
        raise QueryError("SEM0139", message, node.place)
    if node.name in ("arg_max", "arg_min"):
        return _extreme_row(scope, item, node, keys)
    least, most, make = _AGGREGATES[node.name]
    if not least <= len(node.arguments) <= most:
        message = f"{node.name}(): function expects {least} to {most} argument(s)"
        raise QueryError("SEM0219", message, node.place)
    kind, run = make(scope, node)
    name = item.name or _name_of(node)
    return Aggregate((Column(name, kind),), lambda rows: (run(rows),))


_PREFIXES = {"make_set": "set_", "make_list": "list_", "make_set_if": "set_", "any": "any_"}


def _name_of(node: Call) -> str:
    first = node.arguments[0] if node.arguments else None
    tail = first.name if isinstance(first, Name) and node.name != "countif" else ""
    return _PREFIXES.get(node.name, f"{node.name}_") + tail


# ------------------------------------------------------------------ single values

_Made = tuple[str, Callable[[Rows], Any]]


def _count(_: Scope, __: Call) -> _Made:
    return "long", len


def _count_if(scope: Scope, node: Call) -> _Made:
    test = predicate(scope, node.arguments[0])
    return "long", lambda rows: sum(test(row) is True for row in rows)


def _distinct_count(scope: Scope, node: Call) -> _Made:
    value = bind(scope, node.arguments[0]).run
    return "long", lambda rows: len({values.frozen(found) for found in _present(value, rows)})


def _present(run: Run, rows: Rows) -> list[Any]:
    return [found for row in rows if (found := run(row)) is not None]


def _ordered(scope: Scope, node: Call) -> Bound:
    bound = bind(scope, node.arguments[0])
    if bound.kind == "dynamic":
        message = f"{node.name}(): a value of type dynamic has no order. Use an explicit cast"
        raise QueryError("SEM0064", message, node.place)
    return bound


def _extreme(pick: Callable[..., Any]) -> Callable[[Scope, Call], _Made]:
    def make(scope: Scope, node: Call) -> _Made:
        bound = _ordered(scope, node)
        return bound.kind, lambda rows: pick(_present(bound.run, rows), default=None)

    return make


def _numbers(scope: Scope, node: Call) -> Bound:
    bound = bind(scope, node.arguments[0])
    if bound.kind not in NUMBERS | {"timespan"}:
        message = f"{node.name}(): expected a number or timespan, not {bound.kind}"
        raise QueryError("SEM0064", message, node.place)
    return bound


def _sum(scope: Scope, node: Call) -> _Made:
    bound = _numbers(scope, node)
    zero: Any = timedelta(0) if bound.kind == "timespan" else 0
    return bound.kind, lambda rows: sum(_present(bound.run, rows), zero)


def _average(scope: Scope, node: Call) -> _Made:
    bound = _numbers(scope, node)
    zero: Any = timedelta(0) if bound.kind == "timespan" else 0

    def run(rows: Rows) -> Any:
        found = _present(bound.run, rows)
        return sum(found, zero) / len(found) if found else None

    return "timespan" if bound.kind == "timespan" else "real", run


def _limit(scope: Scope, node: Call) -> int:
    if len(node.arguments) == 1:
        return _LIST_AT_MOST
    bound = bind(scope, node.arguments[1])
    if not bound.constant or not isinstance(bound.value(), int):
        raise QueryError(
            "SEM0001", f"{node.name}(): the size must be a constant number", node.place
        )
    return int(bound.value())


def _list(scope: Scope, node: Call) -> _Made:
    value, most = bind(scope, node.arguments[0]).run, _limit(scope, node)
    return "dynamic", lambda rows: [values.as_json(one) for one in _present(value, rows)][:most]


def _set(scope: Scope, node: Call) -> _Made:
    value, most = bind(scope, node.arguments[0]).run, _limit(scope, node)

    def run(rows: Rows) -> list[Any]:
        found = {values.frozen(one): values.as_json(one) for one in _present(value, rows)}
        return list(found.values())[:most]

    return "dynamic", run


def _any(scope: Scope, node: Call) -> _Made:
    bound = bind(scope, node.arguments[0])
    return bound.kind, lambda rows: next(iter(_present(bound.run, rows)), None)


_AGGREGATES: dict[str, tuple[int, int, Callable[[Scope, Call], _Made]]] = {
    "count": (0, 0, _count),
    "countif": (1, 1, _count_if),
    "dcount": (1, 2, _distinct_count),
    "max": (1, 1, _extreme(max)),
    "min": (1, 1, _extreme(min)),
    "sum": (1, 1, _sum),
    "avg": (1, 1, _average),
    "make_list": (1, 2, _list),
    "make_set": (1, 2, _set),
    "take_any": (1, 1, _any),
    "any": (1, 1, _any),
    "arg_max": (2, 64, _count),
    "arg_min": (2, 64, _count),
}
_KUSTO_ONLY = frozenset(
    {"percentile", "percentiles", "stdev", "variance", "hll", "dcountif", "sumif", "avgif", "minif"}
    | {"maxif", "make_bag", "make_list_if", "make_set_if", "count_distinct", "binary_all_or"}
)


# ------------------------------------------------------------------ whole rows


def _extreme_row(scope: Scope, item: Item, node: Call, keys: frozenset[str]) -> Aggregate:
    """Bind arg_max(by, columns or *): the row in which `by` is greatest (or least)."""
    least, most, _ = _AGGREGATES[node.name]
    if not least <= len(node.arguments) <= most:
        raise QueryError("SEM0219", f"{node.name}(): function expects a column and *", node.place)
    by = _ordered(scope, node)
    first = node.arguments[0]
    name = item.name or (first.name if isinstance(first, Name) else f"{node.name}_")
    columns, runs = [Column(name, by.kind)], [by.run]
    for argument in node.arguments[1:]:
        found = _shown(scope, argument, keys | {name})
        columns += [column for column, _ in found]
        runs += [value for _, value in found]
    # The first of equals stays, as the order of the rows has it.
    pick: Callable[..., Any] = max if node.name == "arg_max" else min

    def run(rows: Rows) -> Sequence[Any]:
        known = [row for row in rows if by.run(row) is not None]
        if not known:
            return [None] * len(runs)
        best = pick(known, key=by.run)
        return [one(best) for one in runs]

    return Aggregate(tuple(columns), run)


def _shown(scope: Scope, argument: Expression, done: frozenset[str]) -> list[tuple[Column, Run]]:
    if isinstance(argument, Star):
        wanted = [column.name for column in scope.columns if column.name not in done]
        nodes: list[Expression] = [Name(name, argument.place) for name in wanted]
    else:
        nodes = [argument]
    found = []
    for number, node in enumerate(nodes):
        bound = bind(scope, node)
        name = node.name if isinstance(node, Name) else f"Column{number + 1}"
        found.append((Column(name, bound.kind), bound.run))
    return found
