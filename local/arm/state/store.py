"""The tables of one simulator, and the journal that they share."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

from local.arm.knobs import Knobs
from local.arm.state.journal import Journal
from local.arm.state.records import (
    Deployment,
    Event,
    Grave,
    Group,
    Job,
    ManagementGroup,
    Operation,
    Registration,
    Resource,
    Submission,
)
from local.arm.state.table import Table

__all__ = ["Store", "Table"]

_JOBS_KEPT = 1000
_HISTORY = frozenset({"submissions", "templates", "operations", "jobs", "events"})


class Store:
    """All tables of one simulator; `folder` None keeps them in memory only."""

    def __init__(self, folder: Path | None) -> None:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        journal = self._journal = Journal(folder)
        self.settings = Table("settings", dict[str, Any], journal)
        self.knobs = Table("knobs", Knobs, journal)
        self.groups = Table("groups", Group, journal)
        self.management_groups = Table("management_groups", ManagementGroup, journal)
        self.resources = Table("resources", Resource, journal, packed=True, tails=True)
        self.graves = Table("graves", Grave, journal)
        self.deployments = Table("deployments", Deployment, journal)
        self.submissions = Table("submissions", Submission, journal, packed=True)
        self.templates = Table("templates", dict[str, Any], journal, packed=True)
        self.operations = Table("operations", Operation, journal, packed=True)
        self.jobs = Table("jobs", Job, journal, packed=True, limit=_JOBS_KEPT)
        self.registrations = Table("registrations", Registration, journal)
        self.events = Table("events", Event, journal)
        self._tables: tuple[Table[Any], ...] = tuple(
            table for table in vars(self).values() if isinstance(table, Table)
        )
        found = journal.load()
        for table in self._tables:
            table.load(found.get(table.name, {}))
        self.compact_if_long()

    def fork(self) -> Store:
        """Return a store in memory that holds what this one holds now: to try something out.

        Its history (operations, jobs, events) is empty. Deployments are shared: they must be
        replaced there, not changed.
        """
        other = Store(None)
        for mine, theirs in zip(self._tables, other._tables, strict=True):
            if mine.name not in _HISTORY:
                theirs.fork(mine, shared=mine is self.deployments)
        return other

    def compact(self) -> None:
        """Rewrite the journal without what has been replaced, beside what goes on."""
        # Each table is looked at now; only the encoding and the writing come later.
        records = [table.changes() for table in self._tables]
        self._journal.compact(chain.from_iterable(records))

    def compact_if_long(self) -> None:
        """Rewrite the journal when it has grown far beyond what it holds."""
        if self._journal.is_long:
            self.compact()

    def reset(self) -> None:
        """Forget everything but the installation's own settings."""
        for table in self._tables:
            if table is not self.settings:
                table.clear()
        self.compact()
        self._journal.wait()

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()
