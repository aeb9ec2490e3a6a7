"""An append-only file of changes, so that a killed simulator has lost nothing it acknowledged.

One line per change: `[table, key, record]`, record null for a deletion. A write has reached the
operating system when `append` returns; that survives SIGKILL (not a power cut, which a laptop's
simulator need not). A torn last line was never acknowledged and is dropped.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

NAME = "arm-journal.jsonl"
_COMPACT_AFTER = 50_000


class Journal:
    """The file of one folder; without a folder it forgets everything."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / NAME if folder else None
        self._fd: int | None = None
        self._lines = 0

    def load(self) -> dict[str, dict[str, msgspec.Raw]]:
        """Return the newest record of every key by table, undecoded."""
        tables: dict[str, dict[str, msgspec.Raw]] = {}
        if self._path is None or not self._path.exists():
            return tables
        decoder = msgspec.json.Decoder(tuple[str, str, msgspec.Raw])
        for line in self._path.read_bytes().split(b"\n"):
            try:
                table, key, record = decoder.decode(line)
            except msgspec.DecodeError:
                continue
            if bytes(record) == b"null":
                tables.get(table, {}).pop(key, None)
            else:
                tables.setdefault(table, {})[key] = record
        return tables

    def rewrite(self, records: Iterable[tuple[str, str, Any]]) -> None:
        """Replace the file by these records and keep it open for appending."""
        if self._path is None:
            return
        self.close()
        draft = self._path.with_suffix(".draft")
        draft.touch(mode=0o600)
        lines = [msgspec.json.encode(record) for record in records]
        draft.write_bytes(b"".join(line + b"\n" for line in lines))
        draft.replace(self._path)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._lines = len(lines)

    def append(self, table: str, key: str, record: Any) -> None:
        """Write one change; it is safe when this returns. `record` None deletes."""
        if self._fd is None:
            return
        line = memoryview(msgspec.json.encode((table, key, record)) + b"\n")
        while line:
            line = line[os.write(self._fd, line) :]
        self._lines += 1

    @property
    def is_long(self) -> bool:
        """True if rewriting would pay."""
        return self._lines > _COMPACT_AFTER

    def close(self) -> None:
        """Close the file; appending afterwards does nothing."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
