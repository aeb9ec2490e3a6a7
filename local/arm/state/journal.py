"""An append-only file of changes, so that a killed simulator has lost nothing it acknowledged.

One line per change: `[table, key, record]`, record null for a deletion. A write has reached the
operating system when `append` returns; that survives SIGKILL (not a power cut, which a laptop's
simulator need not). A torn last line was never acknowledged and is dropped.

The files have generations. `arm-snapshot-N` is what was known when `arm-journal-N` began, so the
newest snapshot and the journals from its number on are the state. A snapshot is written beside the
running server: changes go to the next journal meanwhile, and the rename at the end makes it count.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from local.arm.state.lock import FolderError

Change = tuple[str, str, bytes]
"""Table, key and the record as JSON."""

_FILE = re.compile(r"arm-(snapshot|journal)(?:-(\d+))?\.jsonl")
_COMPACT_AFTER = 50_000
_AT_ONCE = 500
_GONE = b"null"


def journal_name(generation: int) -> str:
    """Return the name of the file of changes of one generation. Pure."""
    return f"arm-journal-{generation:06d}.jsonl"


def snapshot_name(generation: int) -> str:
    """Return the name of the file of records at the start of one generation. Pure."""
    return f"arm-snapshot-{generation:06d}.jsonl"


def unreadable(path: Path, number: int, why: str) -> FolderError:
    """Refuse a file that something else has changed. Pure."""
    return FolderError(
        f"{path}, line {number} cannot be read: {why}. Something else has changed the file. Remove"
        " that line to go on without this one change, or give another folder."
    )


def line_of(table: str, key: str, record: bytes | None) -> bytes:
    """Return one line of a file. Pure."""
    head = msgspec.json.encode((table, key))[:-1]
    return b"%b,%b]\n" % (head, _GONE if record is None else record)


class Journal:
    """The files of one folder; without a folder it forgets everything."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._fd: int | None = None
        self._generation = 0
        self._lines = 0
        self._kept = 0
        self._writer: threading.Thread | None = None

    def load(self) -> dict[str, dict[str, bytes]]:
        """Return the newest record of every key by table, undecoded, and open for appending."""
        tables: dict[str, dict[str, bytes]] = {}
        if self._folder is None:
            return tables
        snapshot, journals = self._files()
        for path in (*([snapshot] if snapshot else []), *journals):
            for table, key, record in self._changes(path):
                if record == _GONE:
                    tables.get(table, {}).pop(key, None)
                else:
                    tables.setdefault(table, {})[key] = record
        self._kept = sum(map(len, tables.values()))
        self._open(self._generation)
        return tables

    def _files(self) -> tuple[Path | None, list[Path]]:
        """Return the newest snapshot and the journals that count, and remove all others."""
        found = [
            (int(match[2] or 0), match[1] == "journal", path)
            for path in sorted((self._folder or Path()).iterdir())
            if (match := _FILE.fullmatch(path.name))
        ]
        first = max((number for number, is_journal, _ in found if not is_journal), default=0)
        for number, _, path in found:
            if number < first:
                path.unlink()
        counting = [one for one in found if one[0] >= first]
        self._generation = max((number for number, _, _ in counting), default=0)
        snapshot = next((path for _, is_journal, path in counting if not is_journal), None)
        return snapshot, [path for _, is_journal, path in counting if is_journal]

    def _changes(self, path: Path) -> Iterator[Change]:
        decoder = msgspec.json.Decoder(tuple[str, str, msgspec.Raw])
        good = 0
        with path.open("r+b") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                good += len(line)
                try:
                    table, key, record = decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise unreadable(path, number, str(error)) from error
                self._lines += 1
                yield table, key, bytes(record)
            # What follows must not be glued to a torn line.
            file.truncate(good)

    def _open(self, generation: int) -> None:
        if self._folder is None:
            return
        old, self._generation = self._fd, generation
        path = self._folder / journal_name(generation)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if old is not None:
            os.close(old)

    def append(self, table: str, key: str, record: bytes | None) -> None:
        """Write one change; it is safe when this returns. `record` None deletes."""
        if self._fd is not None:
            self._write(line_of(table, key, record))
            self._lines += 1

    def append_deletions(self, table: str, keys: Iterable[str]) -> None:
        """Write the deletion of many keys."""
        if self._fd is not None:
            lines = [line_of(table, key, None) for key in keys]
            self._write(b"".join(lines))
            self._lines += len(lines)

    def _write(self, lines: bytes) -> None:
        rest = memoryview(lines)
        while rest and self._fd is not None:
            rest = rest[os.write(self._fd, rest) :]

    @property
    def is_long(self) -> bool:
        """True if a new snapshot would pay and none is being written."""
        idle = self._writer is None or not self._writer.is_alive()
        return idle and self._lines > max(_COMPACT_AFTER, 2 * self._kept)

    def compact(self, records: Iterable[Change]) -> None:
        """Begin a generation with these records; they are read and written in a thread.

        `records` must give what was known when this was called, or newer.
        """
        if self._folder is None or self._fd is None:
            return
        self.wait()
        self._open(self._generation + 1)
        self._lines = 0
        self._writer = threading.Thread(
            target=self._snapshot,
            args=(self._folder, self._generation, records),
            name="arm-snapshot",
        )
        self._writer.start()

    def _snapshot(self, folder: Path, generation: int, records: Iterable[Change]) -> None:
        path = folder / snapshot_name(generation)
        draft = path.with_suffix(".draft")
        count, rest = 0, iter(records)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            while lines := [line_of(*record) for record in islice(rest, _AT_ONCE)]:
                file.write(b"".join(lines))
                count += len(lines)
        draft.replace(path)
        self._kept = count
        for old in folder.iterdir():
            match = _FILE.fullmatch(old.name)
            if match and int(match[2] or 0) < generation:
                old.unlink()

    def wait(self) -> None:
        """Return when no snapshot is being written."""
        if self._writer is not None:
            self._writer.join()

    def close(self) -> None:
        """Close the file; appending afterwards does nothing."""
        self.wait()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
