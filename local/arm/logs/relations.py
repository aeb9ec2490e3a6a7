"""Runs tabular operators: from the columns and rows of a source to those of the result.

Everything is bound before the first row moves, so a query that is wrong at its end does no work.
Rows are tuples and flow one by one, except through operators that must see all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from local.arm.logs import values
from local.arm.logs.aggregates import Aggregate, bind_aggregate
from local.arm.logs.binding import bind, predicate
from local.arm.logs.columns import chosen, fresh, named
from local.arm.logs.faults import Place, QueryError, unresolved
from local.arm.logs.scope import Bound, Column, Row, Run, Scope
from local.arm.logs.syntax import Expression, Item, Key, Name, Operator

Rows = Iterable[Row]


@dataclass(frozen=True, slots=True)
class Relation:
    """Columns, and what gives their rows; `name` is the source's, `render` a chart to draw."""

    columns: tuple[Column, ...]
    rows: Callable[[], Rows]
    name: str = ""
    render: str | None = None


def apply(scope: Scope, relation: Relation, operator: Operator) -> Relation:
    """Return what an operator makes of a relation. Raises `QueryError`."""
    scope = replace(scope, operator=operator.name, columns=relation.columns)
    columns, run = OPERATORS[operator.name](scope, operator.arguments, operator.place)
    budget = scope.budget

    def rows() -> Rows:
        for row in run(relation.rows()):
            budget.step()
            yield row

    render = operator.arguments if operator.name == "render" else relation.render
    return Relation(columns, rows, relation.name, render)


_Operator = tuple[tuple[Column, ...], Callable[[Rows], Rows]]


# ------------------------------------------------------------------ row by row


def _where(scope: Scope, condition: Expression, _: Place) -> _Operator:
    test = predicate(scope, condition)
    return tuple(scope.columns), lambda rows: (row for row in rows if test(row) is True)


def _project(scope: Scope, items: Sequence[Item], _: Place) -> _Operator:
    found = [(name, bind(scope, value)) for name, value, _ in named(items, scope.operator)]
    return _columns_of(found), _mapping([bound.run for _, bound in found])


def _columns_of(found: Sequence[tuple[str, Bound]]) -> tuple[Column, ...]:
    return tuple(Column(name, bound.kind) for name, bound in found)


def _mapping(runs: Sequence[Run]) -> Callable[[Rows], Rows]:
    return lambda rows: (tuple(run(row) for run in runs) for row in rows)


def _extend(scope: Scope, items: Sequence[Item], _: Place) -> _Operator:
    columns = list(scope.columns)
    runs: list[Run] = [_getter(at) for at in range(len(columns))]
    for name, value, given in named(items, scope.operator):
        bound = bind(scope, value)
        at = scope.index(name) if given else None
        if at is None:
            columns.append(Column(fresh(name, columns), bound.kind))
            runs.append(bound.run)
        else:
            columns[at], runs[at] = Column(name, bound.kind), bound.run
    return tuple(columns), _mapping(runs)


def _getter(at: int) -> Run:
    return lambda row: row[at]


def _away(scope: Scope, patterns: Sequence[Name], _: Place) -> _Operator:
    gone = chosen(scope, patterns)
    return _picked(scope, [at for at, one in enumerate(scope.columns) if one.name not in gone])


def _keep(scope: Scope, patterns: Sequence[Name], _: Place) -> _Operator:
    kept = chosen(scope, patterns)
    return _picked(scope, [at for at, one in enumerate(scope.columns) if one.name in kept])


def _picked(scope: Scope, indexes: Sequence[int]) -> _Operator:
    columns = tuple(scope.columns[at] for at in indexes)
    return columns, lambda rows: (tuple(row[at] for at in indexes) for row in rows)


def _rename(scope: Scope, pairs: Sequence[tuple[Name, Name]], _: Place) -> _Operator:
    columns = list(scope.columns)
    for new, old in pairs:
        at = scope.index(old.name)
        if at is None:
            raise unresolved(scope.operator, "column", old.name, old.place)
        columns[at] = Column(new.name, columns[at].kind)
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        twice = next(new for new, _ in pairs if names.count(new.name) > 1)
        message = f"'{scope.operator}' operator: the column name '{twice.name}' is used twice"
        raise QueryError("SEM0024", message, twice.place)
    return tuple(columns), lambda rows: rows


def whole_number(scope: Scope, expression: Expression) -> int:
    """Return a constant count. Raises `QueryError`."""
    bound = bind(scope, expression)
    value = bound.value() if bound.constant else None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        message = f"'{scope.operator}' operator: a constant whole number is expected"
        raise QueryError("SEM0001", message, expression.place)
    return value


def _take(scope: Scope, count: Expression, _: Place) -> _Operator:
    most = whole_number(scope, count)
    return tuple(scope.columns), lambda rows: islice(rows, most)


def _count(scope: Scope, _: None, __: Place) -> _Operator:
    step = scope.budget.step

    def run(rows: Rows) -> Rows:
        count = 0
        for _ in rows:
            step()
            count += 1
        yield (count,)

    return (Column("Count", "long"),), run


def _render(scope: Scope, _: str, __: Place) -> _Operator:
    return tuple(scope.columns), lambda rows: rows


# ------------------------------------------------------------------ all rows at once


def _held(scope: Scope, rows: Rows) -> list[Row]:
    keep = scope.budget.keep
    return [keep(row) for row in rows]


def _sort(scope: Scope, keys: Sequence[Key], _: Place) -> _Operator:
    runs = [(_sortable(scope, key.value), key) for key in keys]

    def run(rows: Rows) -> Rows:
        held = _held(scope, rows)
        scope.budget.step(len(held))
        # From the least important key to the most: each sort keeps the order of equals.
        for value, key in reversed(runs):
            known = [row for row in held if value(row) is not None]
            unknown = [row for row in held if value(row) is None]
            known.sort(key=value, reverse=key.descending)
            held = unknown + known if key.nulls_first else known + unknown
        return held

    return tuple(scope.columns), run


def _sortable(scope: Scope, expression: Expression) -> Run:
    bound = bind(scope, expression)
    return bound.run if bound.kind != "dynamic" else lambda row: _as_text(bound.run(row))


def _as_text(value: Any) -> str | None:
    return None if value is None else values.text(value)


def _top(scope: Scope, arguments: tuple[Expression, Sequence[Key]], place: Place) -> _Operator:
    count, keys = arguments
    most = whole_number(scope, count)
    columns, run = _sort(scope, keys, place)
    return columns, lambda rows: islice(run(rows), most)


def _distinct(scope: Scope, items: Sequence[Item] | None, place: Place) -> _Operator:
    if items is None:
        items = [Item(None, Name(column.name, place)) for column in scope.columns]
    columns, project = _project(scope, items, place)
    _refuse_dynamic(scope, columns, place)
    keep = scope.budget.keep

    def run(rows: Rows) -> Rows:
        seen: set[Any] = set()
        for row in project(rows):
            scope.budget.step()
            key = tuple(values.frozen(one) for one in row)
            if key not in seen:
                seen.add(key)
                yield keep(row)

    return columns, run


def _refuse_dynamic(scope: Scope, columns: Sequence[Column], place: Place) -> None:
    for column in columns:
        if column.kind == "dynamic":
            message = (
                f"'{scope.operator}' operator: the key '{column.name}' is of a 'dynamic' type."
                " Please use an explicit cast as grouping by a 'dynamic' type is not supported"
            )
            raise QueryError("SEM0103", message, place)


def _summarize(
    scope: Scope, arguments: tuple[Sequence[Item], Sequence[Item]], place: Place
) -> _Operator:
    wanted, by = arguments
    keys = [(name, bind(scope, value)) for name, value, _ in named(by, scope.operator)]
    key_columns = _columns_of(keys)
    _refuse_dynamic(scope, key_columns, place)
    names = frozenset(name for name, _ in keys)
    aggregates = [bind_aggregate(scope, item, names) for item in wanted]
    columns = list(key_columns)
    for aggregate in aggregates:
        for column in aggregate.columns:
            columns.append(Column(fresh(column.name, columns), column.kind))
    runs = [bound.run for _, bound in keys]
    return tuple(columns), lambda rows: _groups(scope, rows, runs, aggregates)


def _groups(scope: Scope, rows: Rows, keys: Sequence[Run], aggregates: Sequence[Aggregate]) -> Rows:
    groups: dict[Any, tuple[Row, list[Row]]] = {}
    for row in rows:
        scope.budget.step()
        key = tuple(run(row) for run in keys)
        frozen = tuple(values.frozen(one) for one in key)
        groups.setdefault(frozen, (key, []))[1].append(scope.budget.keep(row))
    if not keys and not groups:
        groups[()] = ((), [])
    for shown, members in groups.values():
        scope.budget.step(len(members) * max(len(aggregates), 1))
        yield (*shown, *(value for one in aggregates for value in one.run(members)))


OPERATORS: Mapping[str, Callable[[Scope, Any, Place], _Operator]] = {
    "where": _where,
    "project": _project,
    "project-away": _away,
    "project-keep": _keep,
    "project-rename": _rename,
    "extend": _extend,
    "summarize": _summarize,
    "sort": _sort,
    "top": _top,
    "take": _take,
    "distinct": _distinct,
    "count": _count,
    "render": _render,
}
