"""Where an expression stands, and what it is once it has a meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from local.arm.logs.bounds import Budget

Row = Sequence[Any]
Run = Callable[[Row], Any]


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
        return self.run(())


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
