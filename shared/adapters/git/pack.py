"""Reads one Git pack from memory, within bounds, whatever the pack claims.

dulwich's own stores inflate every object whole, so that a pack of 200 KiB may take a gigabyte.
Here an object is inflated in pieces and only as far as its declared size, deltas are resolved
through a bounded cache, all work is charged to a budget, and content stays compressed until read.
Format: gitformat-pack(5).
"""

import hashlib
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from dulwich.errors import ApplyDeltaError
from dulwich.pack import apply_delta

from shared.adapters.git.limits import Limits

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
_OFFSET_DELTA, _ID_DELTA = 6, 7
_NAMES = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}

_HEADER_BYTES = 12
_ID_BYTES = 20
_MAX_VARINT_BYTES = 10
_MAX_CHAIN = 512
"""Git itself makes chains of 50, at most of 4095."""
_PIECE_BYTES = 64 * 1024
_RECENT_BYTES = 64 * 1024 * 1024
_INDEX_BYTES = 500
"""Roughly what one object takes in the index."""


class PackError(Exception):
    """The pack is malformed."""


class PackTooLargeError(Exception):
    """The pack is beyond the limits."""


class ObjectTooLargeError(Exception):
    """The object is there, but too large to be read."""


@dataclass(frozen=True, slots=True)
class PackObject:
    """An object's kind (COMMIT, TREE, BLOB, TAG) and content."""

    kind: int
    content: bytes


@dataclass(frozen=True, slots=True)
class _Entry:
    """How an object lies in the pack; ``base`` is the offset or the id of what a delta changes."""

    kind: int
    size: int
    body: int
    base: int | bytes | None


@dataclass(frozen=True, slots=True)
class _Found:
    """An indexed object: where it lies, what it is, its whole size in bytes."""

    offset: int
    kind: int
    size: int


@dataclass(frozen=True, slots=True)
class _Base:
    """An object that deltas may wait for; ``offset`` is None for one outside the pack."""

    offset: int | None
    kind: int
    id: bytes
    depth: int


class _Budget:
    """Counts inflated bytes; raises PackTooLargeError when the limit is used up."""

    def __init__(self, limits: Limits) -> None:
        self._left = limits.unpacked_bytes

    def charge(self, size_bytes: int) -> None:
        self._left -= size_bytes
        if self._left < 0:
            raise PackTooLargeError("unpacks to more than is accepted")


class _Recent:
    """Contents by offset, the least recently used let go beyond _RECENT_BYTES."""

    def __init__(self) -> None:
        self._contents: OrderedDict[int, bytes] = OrderedDict()
        self._size = 0

    def get(self, offset: int) -> bytes | None:
        content = self._contents.get(offset)
        if content is not None:
            self._contents.move_to_end(offset)
        return content

    def put(self, offset: int, content: bytes) -> None:
        self._size += len(content)
        self._contents[offset] = content
        while self._size > _RECENT_BYTES and len(self._contents) > 1:
            _, gone = self._contents.popitem(last=False)
            self._size -= len(gone)


class Pack:
    """The objects of one pack, by id; immutable, so that threads may share it."""

    def __init__(
        self,
        data: bytes | bytearray,
        limits: Limits,
        outside: Callable[[bytes], PackObject | None] = lambda _id: None,
    ) -> None:
        """Index the pack; raises PackError and PackTooLargeError.

        ``outside`` gives objects that deltas of a thin pack build on, by id.
        """
        self.unresolved = 0
        """Deltas that build on an object that neither the pack nor ``outside`` has."""
        self._data = memoryview(data)
        self._outside = outside
        self._limits = limits
        self._entries: dict[int, _Entry] = {}
        self._found: dict[bytes, _Found] = {}
        recent = _Recent()
        budget = _Budget(limits)
        self._scan(recent, budget)
        self._resolve(recent, budget)

    @property
    def size_bytes(self) -> int:
        """Return roughly what the pack takes in memory."""
        return len(self._data) + _INDEX_BYTES * len(self._entries)

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, id_: bytes) -> bool:
        return id_ in self._found

    def ids(self) -> Iterable[bytes]:
        """Return the binary ids of the objects that are here."""
        return self._found.keys()

    def get(self, id_: bytes) -> PackObject | None:
        """Return the object with the binary id, or None when it is not here.

        Raises ObjectTooLargeError for one larger than ``file_bytes``, or built from too much.
        """
        found = self._found.get(id_)
        if found is None:
            return None
        if found.size > self._limits.file_bytes:
            raise ObjectTooLargeError
        return PackObject(found.kind, self._content(found.offset, _Recent(), _Budget(self._limits)))

    def _scan(self, recent: _Recent, budget: _Budget) -> None:
        """Find where each entry lies, and index those that are whole objects."""
        position = _HEADER_BYTES
        for _ in range(self._count()):
            offset = position
            entry = self._entry_at(offset)
            whole = entry.base is None
            keep = whole and entry.size <= self._limits.base_bytes
            content, position = self._inflated(entry, budget, keep=keep)
            self._entries[offset] = entry
            if keep:
                self._index(offset, entry.kind, content)
                recent.put(offset, content)
        if position != len(self._data) - _ID_BYTES:
            raise PackError("there is something behind the last object")

    def _count(self) -> int:
        if len(self._data) < _HEADER_BYTES + _ID_BYTES or bytes(self._data[:4]) != b"PACK":
            raise PackError("this is no pack")
        if int.from_bytes(self._data[4:8]) not in (2, 3):
            raise PackError("the pack is of an unknown version")
        checksum = hashlib.sha1(self._data[:-_ID_BYTES], usedforsecurity=False).digest()
        if checksum != self._data[-_ID_BYTES:]:
            raise PackError("the pack's checksum is wrong")
        count = int.from_bytes(self._data[8:12])
        if count > self._limits.objects:
            raise PackTooLargeError(f"has {count} objects; {self._limits.objects} are accepted")
        return count

    def _entry_at(self, offset: int) -> _Entry:
        first = self._byte(offset)
        kind, size, shift, position = (first >> 4) & 7, first & 15, 4, offset + 1
        more = first & 0x80
        while more:
            byte = self._byte(position)
            size |= (byte & 0x7F) << shift
            more, shift, position = byte & 0x80, shift + 7, position + 1
            if position - offset > _MAX_VARINT_BYTES:
                raise PackError("an object's size is unreadable")
        base: int | bytes | None = None
        if kind == _OFFSET_DELTA:
            distance, position = self._distance(position)
            base = offset - distance
        elif kind == _ID_DELTA:
            base = bytes(self._data[position : position + _ID_BYTES])
            position += _ID_BYTES
        elif kind not in _NAMES:
            raise PackError(f"an object is of the unknown kind {kind}")
        return _Entry(kind, size, position, base)

    def _distance(self, position: int) -> tuple[int, int]:
        """Return how far back a delta's base begins, and where the delta begins."""
        start = position
        byte = self._byte(position)
        distance = byte & 0x7F
        while byte & 0x80:
            position += 1
            if position - start > _MAX_VARINT_BYTES:
                raise PackError("a delta's base is unreadable")
            byte = self._byte(position)
            distance = ((distance + 1) << 7) | (byte & 0x7F)
        return distance, position + 1

    def _byte(self, position: int) -> int:
        if position >= len(self._data) - _ID_BYTES:
            raise PackError("the pack is cut off")
        return self._data[position]

    def _inflated(self, entry: _Entry, budget: _Budget, *, keep: bool) -> tuple[bytes, int]:
        """Inflate exactly the declared size; returns it (empty unless kept) and where it ends."""
        engine = zlib.decompressobj()
        pieces: list[bytes] = []
        size, position = 0, entry.body
        # Whatever is fed beyond the end comes back as a copy: feed no more than may be needed.
        step = min(entry.size + 64, _PIECE_BYTES)
        fed: bytes | memoryview = b""
        try:
            while not engine.eof:
                if not fed:
                    fed = self._data[position : min(position + step, len(self._data) - _ID_BYTES)]
                    position += len(fed)
                if not fed:
                    raise PackError("the pack is cut off")
                piece = engine.decompress(fed, _PIECE_BYTES)
                fed = engine.unconsumed_tail
                size += len(piece)
                budget.charge(len(piece))
                if size > entry.size:
                    raise PackError("an object is larger than it says")
                if keep:
                    pieces.append(piece)
        except zlib.error as error:
            raise PackError("an object is not compressed as it should be") from error
        if size != entry.size:
            raise PackError("an object is smaller than it says")
        return b"".join(pieces), position - len(engine.unused_data)

    def _index(self, offset: int, kind: int, content: bytes) -> bytes:
        header = b"%s %d\x00" % (_NAMES[kind], len(content))
        digest = hashlib.sha1(header, usedforsecurity=False)
        digest.update(content)
        id_ = digest.digest()
        self._found.setdefault(id_, _Found(offset, kind, len(content)))
        return id_

    def _resolve(self, recent: _Recent, budget: _Budget) -> None:
        """Index the deltas, from the objects that they change outwards.

        A delta that is too large stays unindexed, and with it all that builds on it: its object
        counts as left out, like one beyond the filter.
        """
        waiting: defaultdict[int | bytes, list[int]] = defaultdict(list)
        for offset, entry in self._entries.items():
            if entry.base is not None:
                waiting[entry.base].append(offset)
        ready = [_Base(found.offset, found.kind, id_, 0) for id_, found in self._found.items()]
        self._index_on(ready, waiting, recent, budget)
        strangers = [id_ for id_ in waiting if isinstance(id_, bytes) and id_ not in self._found]
        for id_ in strangers:
            found = self._from_outside(id_)
            if found is None:
                self.unresolved += len(waiting[id_])
            else:
                self._index_on([_Base(None, found.kind, id_, 0)], waiting, recent, budget)

    def _index_on(
        self,
        ready: list[_Base],
        waiting: defaultdict[int | bytes, list[int]],
        recent: _Recent,
        budget: _Budget,
    ) -> None:
        """Index what waits for the objects in ``ready``, and then what waits for that."""
        while ready:
            base = ready.pop()
            by_offset = [] if base.offset is None else waiting.pop(base.offset, [])
            for offset in (*by_offset, *waiting.pop(base.id, ())):
                if base.depth == _MAX_CHAIN:
                    raise PackError("a chain of deltas is too long")
                if base.offset is not None:
                    self._entries[offset] = replace(self._entries[offset], base=base.offset)
                if self._is_small_delta(offset):
                    content = self._content(offset, recent, budget)
                    id_ = self._index(offset, base.kind, content)
                    ready.append(_Base(offset, base.kind, id_, base.depth + 1))

    def _base_outside(self, id_: bytes) -> bytes:
        found = self._from_outside(id_)
        if found is None:
            raise PackError("a delta builds on an object that is not here")
        return found.content

    def _from_outside(self, id_: bytes) -> PackObject | None:
        try:
            return self._outside(id_)
        except ObjectTooLargeError:
            return None

    def _is_small_delta(self, offset: int) -> bool:
        """Tell whether both the delta and what it makes may be held in memory."""
        entry = self._entries[offset]
        if entry.size > self._limits.base_bytes:
            return False
        head = zlib.decompressobj()
        try:
            start = head.decompress(
                self._data[entry.body : entry.body + _PIECE_BYTES], 2 * _MAX_VARINT_BYTES
            )
        except zlib.error as error:
            raise PackError("an object is not compressed as it should be") from error
        _, result_bytes = _delta_sizes(start)
        return result_bytes <= self._limits.base_bytes

    def _content(self, offset: int, recent: _Recent, budget: _Budget) -> bytes:
        """Return an object's content: the chain down to a whole object, then up again."""
        chain: list[int] = []
        content = recent.get(offset)
        while content is None:
            entry = self._entries[offset]
            if entry.base is None:
                content, _ = self._inflated(entry, budget, keep=True)
                recent.put(offset, content)
                break
            chain.append(offset)
            if isinstance(entry.base, bytes):
                content = self._base_outside(entry.base)
                break
            offset = entry.base
            content = recent.get(offset)
        for link in reversed(chain):
            delta, _ = self._inflated(self._entries[link], budget, keep=True)
            content = _applied(content, delta)
            budget.charge(len(content))
            recent.put(link, content)
        return content


def _applied(base: bytes, delta: bytes) -> bytes:
    base_bytes, _ = _delta_sizes(delta)
    if base_bytes != len(base):
        raise PackError("a delta does not fit its base")
    try:
        return b"".join(apply_delta(base, delta))
    except (ApplyDeltaError, ValueError) as error:
        raise PackError("a delta is malformed") from error


def _delta_sizes(delta: bytes) -> tuple[int, int]:
    """Return how large a delta says its base and its result are, in bytes."""
    numbers = _varints(delta)
    try:
        return next(numbers), next(numbers)
    except StopIteration:
        raise PackError("a delta is cut off") from None


def _varints(data: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in data[: 2 * _MAX_VARINT_BYTES]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield value
            value = shift = 0
