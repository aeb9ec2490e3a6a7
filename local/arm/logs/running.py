"""Runs a whole query over tables that it is given. Pure but for the clock of its budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from local.arm.logs import values
from local.arm.logs.binding import bind
from local.arm.logs.bounds import Budget
from local.arm.logs.columns import named
from local.arm.logs.combining import joined, united
from local.arm.logs.faults import QueryError, unresolved
from local.arm.logs.parser import parse
from local.arm.logs.relations import Relation, apply
from local.arm.logs.scope import Bound, Column, Row, Scope
from local.arm.logs.syntax import (
    Datatable,
    Expression,
    Join,
    Let,
    Name,
    Pipeline,
    Print,
    Query,
    Table,
    Union,
)

Source = Callable[[], Relation]
_TABLES_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Result:
    """One table of the reply; `cut` says that it had more rows than it may."""

    columns: tuple[Column, ...]
    rows: list[list[Any]]
    render: str | None
    cut: bool = False


def run(
    query: str, tables: Mapping[str, Source], now: datetime, budget: Budget, row_limit: int
) -> list[Result]:
    """Return the tables that a query asks for.

    Raises `QueryError` before any work is done, `TooMuchError` and `TooSlowError` during it.
    """
    runner = _Runner(tables, Scope("query", (), {}, now, budget))
    relations = runner.query(parse(query))
    return [_result(relation, row_limit) for relation in relations]


def _result(relation: Relation, row_limit: int) -> Result:
    kinds = [column.kind for column in relation.columns]
    found: list[Row] = list(islice(relation.rows(), row_limit + 1))
    rows = [
        [values.shown(kind, value) for kind, value in zip(kinds, row, strict=True)]
        for row in found[:row_limit]
    ]
    return Result(relation.columns, rows, relation.render, cut=len(found) > row_limit)


class _Runner:
    """Binds the statements of one query, in their order."""

    def __init__(self, tables: Mapping[str, Source], scope: Scope) -> None:
        self._tables = tables
        self._scope = scope
        self._scalars: dict[str, Bound] = {}
        self._relations: dict[str, Pipeline] = {}
        self._bound = 0

    def query(self, query: Query) -> list[Relation]:
        for let in query.lets:
            self._let(let)
        return [self._pipeline(pipeline) for pipeline in query.pipelines]

    def _at(self, operator: str) -> Scope:
        return replace(self._scope, operator=operator, lets=self._scalars)

    def _let(self, let: Let) -> None:
        if let.name in self._scalars or let.name in self._relations:
            message = f"The name '{let.name}' is bound twice"
            raise QueryError("SEM0024", message, let.place)
        value = let.value
        if isinstance(value, Name) and self._is_table(value.name):
            value = Pipeline(Table(value.name, value.place), (), value.place)
        if isinstance(value, Pipeline):
            # Bound now for its errors, and again where it is used: its rows are read twice then.
            self._pipeline(value)
            self._relations[let.name] = value
            return
        bound = bind(self._at("let"), value)
        if not bound.constant:
            # Without a row to look at, what is no constant has one value all the same.
            held = bound.run(())
            bound = Bound(bound.kind, lambda _: held, constant=True)
        self._scalars[let.name] = bound

    def _is_table(self, name: str) -> bool:
        return name in self._relations or name in self._tables

    def _pipeline(self, pipeline: Pipeline) -> Relation:
        self._bound += 1
        if self._bound > _TABLES_AT_MOST:
            message = "The query refers to too many tables"
            raise QueryError("SEM0001", message, pipeline.place)
        relation = self._source(pipeline.source)
        for operator in pipeline.operators:
            scope = self._at(operator.name)
            if isinstance(operator.arguments, Union):
                relation = self._union(operator.arguments, relation)
            elif isinstance(operator.arguments, Join):
                join = operator.arguments
                right = self._pipeline(join.right)
                relation = joined(scope, relation, right, join.kind, join.on)
            else:
                relation = apply(scope, relation, operator)
        return relation

    def _source(self, source: Table | Datatable | Print | Union | Pipeline) -> Relation:
        if isinstance(source, Table):
            return self._table(source)
        if isinstance(source, Datatable):
            return self._datatable(source)
        if isinstance(source, Print):
            return self._print(source)
        if isinstance(source, Union):
            return self._union(source, None)
        return self._pipeline(source)

    def _table(self, table: Table) -> Relation:
        if table.name in self._relations:
            return replace(self._pipeline(self._relations[table.name]), name=table.name)
        if table.name in self._tables:
            return self._tables[table.name]()
        if table.name in self._scalars:
            message = (
                "Top-level expressions must return tabular results. (Hint: If you're trying to"
                " output a scalar value, use the 'print' operator.)"
            )
            raise QueryError("SEM0003", message, table.place)
        raise unresolved("where", "table or column expression", table.name, table.place)

    def _datatable(self, source: Datatable) -> Relation:
        columns = tuple(Column(name, kind) for name, kind in source.columns)
        width, scope = len(columns), self._at("datatable")
        cells = [
            _cell(scope, columns[at % width].kind, value) for at, value in enumerate(source.values)
        ]
        rows = [tuple(cells[at : at + width]) for at in range(0, len(cells), width)]
        return Relation(columns, lambda: rows, "datatable")

    def _print(self, source: Print) -> Relation:
        scope = self._at("print")
        found = [
            (name if given or not name.startswith("Column") else f"print_{at}", bind(scope, value))
            for at, (name, value, given) in enumerate(named(source.items, "print"))
        ]
        columns = tuple(Column(name, bound.kind) for name, bound in found)
        return Relation(columns, lambda: [tuple(bound.run(()) for _, bound in found)], "print")

    def _union(self, union: Union, first: Relation | None) -> Relation:
        relations: list[Relation] = [first] if first is not None else []
        for source in union.sources:
            try:
                relations.append(self._pipeline(source))
            except QueryError:
                if not (union.fuzzy and isinstance(source.source, Table)):
                    raise
        if not relations:
            raise QueryError("SEM0100", "'union' operator: none of the tables exists", union.place)
        scope = self._at("union")
        return united(scope, relations, union.with_source, inner=union.inner)


def _cell(scope: Scope, kind: str, expression: Expression) -> Any:
    bound = bind(scope, expression)
    value = bound.run(())
    if bound.kind == kind or value is None or {bound.kind, kind} <= values.NUMBERS:
        return float(value) if kind == "real" and value is not None else value
    if kind == "dynamic":
        return value
    parsed = values.parse(kind, value) if isinstance(value, str) else None
    if parsed is None:
        message = f"datatable: a value of type {bound.kind} is no {kind}"
        raise QueryError("SEM0064", message, expression.place)
    return parsed
