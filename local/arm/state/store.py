"""The tables of records, in memory and in the journal.

All changes happen on the server's event loop; other threads (template evaluation) only read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from local.arm.ids import key_of
from local.arm.knobs import Knobs
from local.arm.state.journal import Journal
from local.arm.state.records import (
    Deployment,
    Group,
    Job,
    Operation,
    Registration,
    Resource,
    Submission,
)

Record = TypeVar("Record")


class Table(Generic[Record]):
    """Records of one kind by id, matched without regard to case."""

    def __init__(self, name: str, kind: type[Record], journal: Journal) -> None:
        self.name = name
        self._kind = kind
        self._journal = journal
        self._records: dict[str, Record] = {}

    def load(self, raw: dict[str, msgspec.Raw]) -> None:
        """Take over what the journal held."""
        decoder = msgspec.json.Decoder(self._kind)
        self._records = {key: decoder.decode(record) for key, record in raw.items()}

    def get(self, record_id: str) -> Record | None:
        """Return the record, or None."""
        return self._records.get(key_of(record_id))

    def put(self, record_id: str, record: Record) -> None:
        """Write a record; it is safe when this returns."""
        key = key_of(record_id)
        self._journal.append(self.name, key, record)
        self._records[key] = record

    def delete(self, record_id: str) -> bool:
        """Remove a record; False if there was none."""
        key = key_of(record_id)
        if key not in self._records:
            return False
        self._journal.append(self.name, key, None)
        del self._records[key]
        return True

    def below(self, prefix: str) -> list[Record]:
        """Return the records whose id starts with `prefix` and a slash, oldest first."""
        start = key_of(prefix) + "/"
        return [record for key, record in self._records.items() if key.startswith(start)]

    def values(self) -> list[Record]:
        """Return all records, oldest first."""
        return list(self._records.values())

    def items(self) -> Iterator[tuple[str, Record]]:
        """Iterate over (key, record)."""
        return iter(list(self._records.items()))

    def clear(self) -> None:
        """Remove everything."""
        for key in list(self._records):
            self._journal.append(self.name, key, None)
        self._records.clear()

    def __len__(self) -> int:
        return len(self._records)


class Store:
    """All tables of one simulator; `folder` None keeps them in memory only."""

    def __init__(self, folder: Path | None) -> None:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(folder)
        self.settings = Table("settings", dict[str, Any], self._journal)
        self.knobs = Table("knobs", Knobs, self._journal)
        self.groups = Table("groups", Group, self._journal)
        self.resources = Table("resources", Resource, self._journal)
        self.deployments = Table("deployments", Deployment, self._journal)
        self.submissions = Table("submissions", Submission, self._journal)
        self.templates = Table("templates", dict[str, Any], self._journal)
        self.operations = Table("operations", Operation, self._journal)
        self.jobs = Table("jobs", Job, self._journal)
        self.registrations = Table("registrations", Registration, self._journal)
        self._tables: tuple[Table[Any], ...] = (
            self.settings,
            self.knobs,
            self.groups,
            self.resources,
            self.deployments,
            self.submissions,
            self.templates,
            self.operations,
            self.jobs,
            self.registrations,
        )
        found = self._journal.load()
        for table in self._tables:
            table.load(found.get(table.name, {}))
        self.compact()

    def _everything(self) -> Iterable[tuple[str, str, Any]]:
        for table in self._tables:
            for key, record in table.items():
                yield table.name, key, record

    def compact(self) -> None:
        """Rewrite the journal without what has been replaced."""
        self._journal.rewrite(self._everything())

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

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()
