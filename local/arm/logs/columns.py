"""The names of columns: made up, kept apart, and chosen by patterns."""

from __future__ import annotations

from collections.abc import Sequence

from local.arm.logs.faults import QueryError, unresolved
from local.arm.logs.scope import Column, Scope
from local.arm.logs.syntax import Call, Expression, Item, Literal, Member, Name


def named(items: Sequence[Item], operator: str) -> list[tuple[str, Expression, bool]]:
    """Return (name, expression, whether the name was given) for items; names are made up."""
    found: list[tuple[str, Expression, bool]] = []
    for item in items:
        name = item.name or _own_name(item.value)
        found.append((name or f"Column{len(found) + 1}", item.value, item.name is not None))
    seen: set[str] = set()
    for name, value, _ in found:
        if name in seen:
            message = f"'{operator}' operator: the column name '{name}' is used twice"
            raise QueryError("SEM0024", message, value.place)
        seen.add(name)
    return found


def _own_name(node: Expression) -> str:
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Member) and isinstance(node.key, Literal):
        base = _own_name(node.base)
        return f"{base}_{node.key.value}" if base else str(node.key.value)
    if isinstance(node, Call) and node.name in ("bin", "floor") and node.arguments:
        return _own_name(node.arguments[0])
    return ""


def fresh(name: str, columns: Sequence[Column]) -> str:
    """Return the name, with a number behind it if there is such a column already. Pure."""
    taken = {column.name for column in columns}
    found, number = name, 0
    while found in taken:
        number += 1
        found = f"{name}{number}"
    return found


def chosen(scope: Scope, patterns: Sequence[Name]) -> set[str]:
    """Return the names of the columns that patterns choose. Raises `QueryError`."""
    names: set[str] = set()
    for pattern in patterns:
        found = {one.name for one in scope.columns if _fits(one.name, pattern.name)}
        if not found and "*" not in pattern.name:
            raise unresolved(scope.operator, "column", pattern.name, pattern.place)
        names |= found
    return names


def _fits(name: str, pattern: str) -> bool:
    if pattern.startswith("*") and pattern.endswith("*"):
        return pattern.strip("*") in name
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
