"""A table of records: by id, by what they are below of, and in the journal before they count.

Lists of one group must not look at all fifty thousand resources of a subscription, and those must
not fill the memory. So the keys are kept in order, which makes everything below an id one slice,
and the tables of the many and large keep their records as JSON until somebody asks: what comes out
is then a copy that is the caller's own, and counts only once it is put back.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, cast, overload

import msgspec

from local.arm.ids import key_of
from local.arm.state.journal import Change, Journal
from local.arm.state.lock import FolderError

Record = TypeVar("Record")
Part = TypeVar("Part")

_PROVIDERS = "/providers/"
_AFTER_SLASH = "0"  # the character that follows "/" in ASCII


class Table(Generic[Record]):
    """Records of one kind by id, matched without regard to case.

    `packed` keeps them as JSON. `tails` lets `of_tail` find them. `limit` is how many there may be:
    the oldest makes room. All changes happen on the server's event loop; other threads only read.
    """

    def __init__(
        self,
        name: str,
        kind: type[Record],
        journal: Journal,
        *,
        packed: bool = False,
        tails: bool = False,
        limit: int | None = None,
    ) -> None:
        self.name = name
        self.limit = limit
        self._has_tails = tails
        self._journal = journal
        self._packed = packed
        self._decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(kind)
        self._forget()

    def _forget(self) -> None:
        self._rows: dict[str, tuple[int, Record | bytes]] = {}
        self._keys: list[str] = []
        self._tails: dict[str, tuple[str, ...]] = {}
        self._serial = 0
        self._version = 0

    def load(self, raw: dict[str, bytes]) -> None:
        """Take over what the journal held."""
        self._forget()
        for key, record in raw.items():
            self._serial += 1
            kept = record if self._packed else self._read(key, record)
            self._rows[key] = (self._serial, kept)
            self._note_tail(key)
        self._keys = sorted(self._rows)
        if self.limit is not None:
            self.keep(self.limit)

    def _read(self, key: str, record: bytes) -> Record:
        try:
            return self._decoder.decode(record)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise FolderError(
                f"what the folder holds of '{key}' in table '{self.name}' cannot be read: {error}."
                " It is from another version of the simulator: give another folder."
            ) from error

    def _unpack(self, kept: Record | bytes) -> Record:
        return self._decoder.decode(cast("bytes", kept)) if self._packed else cast("Record", kept)

    def get(self, record_id: str) -> Record | None:
        """Return the record, or None."""
        row = self._rows.get(key_of(record_id))
        return self._unpack(row[1]) if row else None

    def __contains__(self, record_id: str) -> bool:
        return key_of(record_id) in self._rows

    def put(self, record_id: str, record: Record) -> None:
        """Write a record; it is safe when this returns."""
        key = key_of(record_id)
        data = msgspec.json.encode(record)
        self._journal.append(self.name, key, data)
        old = self._rows.get(key)
        if old is None:
            self._serial += 1
            self._note(key)
        self._rows[key] = (old[0] if old else self._serial, data if self._packed else record)
        if self.limit is not None:
            self.keep(self.limit)

    def add(self, record: Record) -> str:
        """Write a record under the next number; return that key."""
        key = f"{int(self._keys[-1]) + 1 if self._keys else 1:015d}"
        self.put(key, record)
        return key

    def keep(self, count: int) -> None:
        """Forget the oldest records until there are no more than this.

        The journal is not told: it forgets them with its next snapshot, and until then a folder
        that is opened again may know a few that had gone.
        """
        while len(self._rows) > count:
            self._remove(next(iter(self._rows)))

    def _note(self, key: str) -> None:
        self._version += 1
        if not self._keys or key > self._keys[-1]:
            self._keys.append(key)
        else:
            insort(self._keys, key)
        self._version += 1
        self._note_tail(key)

    def _note_tail(self, key: str) -> None:
        if self._has_tails:
            tail = _tail(key)
            self._tails[tail] = (*self._tails.get(tail, ()), key)

    def delete(self, record_id: str) -> bool:
        """Remove a record; False if there was none."""
        key = key_of(record_id)
        if key not in self._rows:
            return False
        self._journal.append(self.name, key, None)
        self._remove(key)
        return True

    def _remove(self, key: str) -> None:
        self._version += 1
        del self._keys[bisect_left(self._keys, key)]
        self._version += 1
        self._drop(key)

    def _drop(self, key: str) -> None:
        del self._rows[key]
        if not self._has_tails:
            return
        tail = _tail(key)
        self._tails[tail] = others = tuple(one for one in self._tails[tail] if one != key)
        if not others:
            del self._tails[tail]

    def delete_below(self, prefix: str) -> int:
        """Remove all records below an id; return how many."""
        first, last = self._range(prefix)
        keys = self._keys[first:last]
        self._journal.append_deletions(self.name, keys)
        self._version += 1
        del self._keys[first:last]
        self._version += 1
        for key in keys:
            self._drop(key)
        return len(keys)

    def _range(self, prefix: str) -> tuple[int, int]:
        start = key_of(prefix)
        first = bisect_left(self._keys, start + "/")
        return first, bisect_left(self._keys, start + _AFTER_SLASH, first)

    def keys_below(self, prefix: str) -> list[str]:
        """Return the keys below an id, in the order of the alphabet."""
        while True:
            version = self._version
            first, last = self._range(prefix)
            keys = self._keys[first:last]
            # A change may overtake a reader in another thread; while one goes on it is odd.
            if version == self._version and version % 2 == 0:
                return keys

    def below(self, prefix: str, where: Callable[[str], bool] | None = None) -> list[Record]:
        """Return the records whose id starts with `prefix` and a slash, oldest first.

        `where` looks at a record's key (its id in lower case) and spares the others' unpacking.
        """
        keys = self.keys_below(prefix)
        rows = [row for key in keys if (not where or where(key)) and (row := self._rows.get(key))]
        rows.sort(key=_first)
        return [self._unpack(row[1]) for row in rows]

    def view_below(self, prefix: str, where: Callable[[str], bool]) -> Sequence[Record]:
        """Return what `below` does, unpacked one by one as they are looked at."""
        found = [key for key in self.keys_below(prefix) if where(key)]
        rows = [row for key in found if (row := self._rows.get(key))]
        rows.sort(key=_first)
        return _View(rows, self._unpack)

    def mentions(self, record_id: str, word: bytes) -> bool:
        """Return whether these bytes are in a packed record; false without a record."""
        row = self._rows.get(key_of(record_id))
        return row is not None and word in cast("bytes", row[1])

    def of_tail(self, tail: str) -> list[Record]:
        """Return the records, in any scope, whose id ends in `/providers/` and this."""
        keys = list(self._tails.get(tail.lower(), ()))
        return [self._unpack(row[1]) for key in keys if (row := self._rows.get(key))]

    def first(self) -> Record | None:
        """Return the oldest record, or None."""
        row = next(iter(self._rows.values()), None)
        return self._unpack(row[1]) if row else None

    def rows(self) -> list[tuple[str, Record]]:
        """Return (key, record) of all records, oldest first."""
        return [(key, self._unpack(row[1])) for key, row in list(self._rows.items())]

    def values(self) -> list[Record]:
        """Return all records, oldest first."""
        return [self._unpack(row[1]) for row in list(self._rows.values())]

    def parts(self, kind: type[Part]) -> Iterator[Part]:
        """Iterate over all records of a packed table, read no further than `kind` asks."""
        decoder = msgspec.json.Decoder(kind)
        for _, kept in list(self._rows.values()):
            yield decoder.decode(cast("bytes", kept))

    def fork(self, other: Table[Record], *, shared: bool = False) -> None:
        """Take over what another table holds now; what happens to one then is unknown to the other.

        With `shared` the records of a table that is not packed are the same ones, not copies: who
        changes one in place changes it in both.
        """
        if self._packed or shared:
            self._rows = dict(other._rows)
        else:
            self._rows = {
                key: (serial, self._decoder.decode(msgspec.json.encode(kept)))
                for key, (serial, kept) in other._rows.items()
            }
        self._keys = list(other._keys)
        self._tails = dict(other._tails)
        self._serial = other._serial

    def changes(self) -> Iterator[Change]:
        """Iterate over (table, key, JSON) of what is there when this is called, or newer."""
        rows = dict(self._rows)
        return (
            (self.name, key, cast("bytes", kept) if self._packed else msgspec.json.encode(kept))
            for key, (_, kept) in rows.items()
        )

    def clear(self) -> None:
        """Remove everything; the journal must be compacted next."""
        self._forget()

    def __len__(self) -> int:
        return len(self._rows)


class _View(Sequence[Record]):
    """Rows as records, each unpacked when it is looked at."""

    def __init__(
        self, rows: list[tuple[int, Record | bytes]], unpack: Callable[[Record | bytes], Record]
    ) -> None:
        self._rows = rows
        self._unpack = unpack

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Record: ...

    @overload
    def __getitem__(self, at: slice) -> list[Record]: ...

    def __getitem__(self, at: int | slice) -> Record | list[Record]:
        if isinstance(at, slice):
            return [self._unpack(kept) for _, kept in self._rows[at]]
        return self._unpack(self._rows[at][1])


def _first(row: tuple[int, Any]) -> int:
    return row[0]


def _tail(key: str) -> str:
    return key.rpartition(_PROVIDERS)[2]
