"""What a query is made of, each part with its place in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.arm.logs.faults import Place

# ------------------------------------------------------------------ scalar expressions


@dataclass(frozen=True, slots=True)
class Literal:
    """A value of a type."""

    kind: str
    value: Any
    place: Place


@dataclass(frozen=True, slots=True)
class Name:
    """A column, or what a `let` bound."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Star:
    """All columns, as the argument of arg_max and distinct."""

    place: Place


@dataclass(frozen=True, slots=True)
class Member:
    """`base.key`, `base["key"]` or `base[0]`: a part of a dynamic value."""

    base: Expression
    key: Expression
    place: Place


@dataclass(frozen=True, slots=True)
class Call:
    """A function of arguments."""

    name: str
    arguments: tuple[Expression, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Binary:
    """An arithmetic or comparing operator between two values."""

    operator: str
    left: Expression
    right: Expression
    place: Place


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` between two and more."""

    operator: str
    terms: tuple[Expression, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class InList:
    """`in`, `in~`, `!in`, `!in~`, has_any and has_all: a value and a list."""

    operator: str
    value: Expression
    items: tuple[Expression, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Between:
    """`between (low .. high)`, or not."""

    negated: bool
    value: Expression
    low: Expression
    high: Expression
    place: Place


Expression = Literal | Name | Star | Member | Call | Binary | Logic | InList | Between


@dataclass(frozen=True, slots=True)
class Item:
    """An expression with the name it gets; None lets the operator find one."""

    name: str | None
    value: Expression


@dataclass(frozen=True, slots=True)
class Key:
    """What to sort by."""

    value: Expression
    descending: bool
    nulls_first: bool


# ------------------------------------------------------------------ tables


@dataclass(frozen=True, slots=True)
class Table:
    """A table by name."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Datatable:
    """Rows that stand in the query."""

    columns: tuple[tuple[str, str], ...]
    values: tuple[Expression, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Print:
    """One row."""

    items: tuple[Item, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Union:
    """The rows of several tables; as an operator the piped ones come first."""

    sources: tuple[Pipeline, ...]
    inner: bool
    fuzzy: bool
    with_source: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Operator:
    """A tabular operator. What `arguments` holds depends on its name (see `parser`)."""

    name: str
    arguments: Any
    place: Place


@dataclass(frozen=True, slots=True)
class Join:
    """What is joined, how, and on which pairs of columns (left, right)."""

    kind: str
    right: Pipeline
    on: tuple[tuple[Name, Name], ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A source and what is done to it, one after the other."""

    source: Table | Datatable | Print | Union | Pipeline
    operators: tuple[Operator, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Let:
    """A name for a value or a table."""

    name: str
    value: Expression | Pipeline
    place: Place


@dataclass(frozen=True, slots=True)
class Query:
    """The whole: names first, then what is asked."""

    lets: tuple[Let, ...]
    pipelines: tuple[Pipeline, ...]
