"""Brings several relations together: one after the other, or side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from local.arm.logs import values
from local.arm.logs.columns import fresh
from local.arm.logs.faults import QueryError, unresolved
from local.arm.logs.relations import Relation, Rows
from local.arm.logs.scope import Column, Row, Scope
from local.arm.logs.syntax import Name


def united(
    scope: Scope, relations: Sequence[Relation], with_source: str | None, *, inner: bool
) -> Relation:
    """Return the rows of several relations under the columns of all (or of each of them)."""
    columns: list[Column] = []
    for relation in relations:
        for column in relation.columns:
            others = {one.kind for one in columns if one.name == column.name}
            if column not in columns and not others:
                columns.append(column)
            elif column not in columns:
                columns.append(Column(_typed_name(column), column.kind))
    plans = [_plan(relation, columns) for relation in relations]
    if inner:
        shared = [at for at in range(len(columns)) if all(plan[at] is not None for plan in plans)]
        columns = [columns[at] for at in shared]
        plans = [[plan[at] for at in shared] for plan in plans]
    if with_source is not None:
        columns.insert(0, Column(with_source, "string"))

    def rows() -> Rows:
        for relation, plan in zip(relations, plans, strict=True):
            head = (relation.name,) if with_source is not None else ()
            for row in relation.rows():
                scope.budget.step()
                yield (*head, *(None if at is None else row[at] for at in plan))

    return Relation(tuple(columns), rows)


def _typed_name(column: Column) -> str:
    return f"{column.name}_{column.kind}"


def _plan(relation: Relation, columns: Sequence[Column]) -> list[int | None]:
    """Return where a relation has each column, None where it has not."""
    where: dict[Column, int] = {}
    for at, column in enumerate(relation.columns):
        where[column] = at
        where.setdefault(Column(_typed_name(column), column.kind), at)
    return [where.get(column) for column in columns]


def joined(
    scope: Scope, left: Relation, right: Relation, kind: str, on: Sequence[tuple[Name, Name]]
) -> Relation:
    """Return the pairs of rows of two relations that have the same keys. Raises `QueryError`."""
    keys = [_pair(scope, left, right, pair) for pair in on]
    mine = [first for first, _ in keys]
    theirs = [second for _, second in keys]
    budget = scope.budget

    def key(row: Row, indexes: Sequence[int]) -> Any:
        found = tuple(row[at] for at in indexes)
        return None if None in found else tuple(values.frozen(one) for one in found)

    def rows() -> Rows:
        index: dict[Any, list[Row]] = {}
        for row in right.rows():
            budget.step()
            index.setdefault(key(row, theirs), []).append(budget.keep(row))
        index.pop(None, None)
        seen: set[Any] = set()
        for row in left.rows():
            budget.step()
            found = key(row, mine)
            matches = index.get(found, ()) if found is not None else ()
            if kind == "innerunique":
                if found in seen:
                    continue
                seen.add(found)
            yield from _paired(kind, row, matches, len(right.columns), budget.step)

    if kind in ("leftanti", "leftsemi"):
        return Relation(left.columns, rows)
    columns = list(left.columns)
    for column in right.columns:
        columns.append(Column(fresh(column.name, columns), column.kind))
    return Relation(tuple(columns), rows)


def _paired(
    kind: str, row: Row, matches: Sequence[Row], width: int, step: Callable[[], None]
) -> Rows:
    if kind in ("leftanti", "leftsemi"):
        if bool(matches) == (kind == "leftsemi"):
            yield row
        return
    for match in matches:
        step()
        yield (*row, *match)
    if not matches and kind == "leftouter":
        yield (*row, *([None] * width))


def _pair(
    scope: Scope, left: Relation, right: Relation, pair: tuple[Name, Name]
) -> tuple[int, int]:
    found = []
    for relation, name in zip((left, right), pair, strict=True):
        at = replace(scope, columns=relation.columns).index(name.name)
        if at is None:
            raise unresolved("join", "column", name.name, name.place)
        found.append(at)
    first, second = found
    kinds = left.columns[first].kind, right.columns[second].kind
    if kinds[0] != kinds[1] or "dynamic" in kinds:
        message = f"join: the keys are of types {kinds[0]} and {kinds[1]}; cast them to one"
        raise QueryError("SEM0103", message, pair[1].place)
    return first, second
