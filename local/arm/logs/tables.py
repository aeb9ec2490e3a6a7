"""The tables that queries can name. One is a `Kind`: its columns, and where its rows come from.

A further table is a further entry in `TABLES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from local.arm.cloud import Cloud
from local.arm.logs import activity_table
from local.arm.logs.relations import Relation
from local.arm.logs.running import Source
from local.arm.logs.scope import Column, Row


@dataclass(frozen=True, slots=True)
class View:
    """What a query may see: one workspace's copy of what is below an id, in a time.

    `below` is an id in lower case, "" for everything.
    """

    cloud: Cloud
    workspace: str
    below: str
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A table: its columns, and its rows as far as a view shows them."""

    columns: tuple[Column, ...]
    rows: Callable[[View], Iterator[Row]]


def _activity(view: View) -> Iterator[Row]:
    found = activity_table.rows(view.cloud, view.workspace, view.below)
    for row in found:
        at = row.entry.at
        if (view.since is None or view.since <= at) and (view.until is None or at <= view.until):
            yield row


TABLES: dict[str, Kind] = {
    activity_table.NAME: Kind(activity_table.COLUMNS, _activity),
}


def sources(views: list[View]) -> dict[str, Source]:
    """Return the tables as a query finds them: those of several workspaces one after the other."""
    return {name: partial(_relation, name, kind, views) for name, kind in TABLES.items()}


def _relation(name: str, kind: Kind, views: list[View]) -> Relation:
    return Relation(kind.columns, lambda: (row for view in views for row in kind.rows(view)), name)
