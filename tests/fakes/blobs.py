"""Documents and History in memory, with the teeth of the real ones."""

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from shared.core.errors import Stalled
from shared.ports import ChangedError, Clock, ExistsError, Listed, Stored, Version
from tests.fakes.system import FakeClock, Faults

FACTS_LIMIT_BYTES = 7 * 1024
_FACT = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class _Blob:
    data: bytes
    etag: str
    facts: Mapping[str, str]


class _MemoryContainer:
    """Blobs by name. ETags are unique over all blobs and all time, times are whole seconds."""

    def __init__(self, kind: str, clock: Clock, faults: Faults) -> None:
        self.exists = True
        self.blobs: dict[str, _Blob] = {}
        self.lock = Lock()
        self._kind = kind
        self._clock = clock
        self._faults = faults
        self._writes = 0

    def now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)

    def around(self, method: str, name: str) -> AbstractContextManager[None]:
        return self._faults.around(f"{self._kind}.{method}", name)

    def check(self, name: str) -> None:
        if not self.exists:
            raise Stalled("StorageContainerMissing", f"could not reach {name}: HTTP 404")

    def put(self, name: str, data: bytes, facts: Mapping[str, str]) -> Version:
        self._writes += 1
        blob = _Blob(bytes(data), f'"0x{self._writes:X}"', dict(facts))
        self.blobs[name] = blob
        return Version(blob.etag, self.now())

    def names(self, prefix: str) -> list[str]:
        found = (name for name in list(self.blobs) if name.startswith(prefix))
        return sorted(found, key=str.encode)


class MemoryDocuments:
    """The port Documents in memory; ``clock`` is the storage server's."""

    def __init__(self, clock: Clock | None = None, faults: Faults | None = None) -> None:
        self._container = _MemoryContainer("documents", clock or FakeClock(), faults or Faults())

    def read(self, name: str) -> Stored | None:
        """Return the document, or None when there is none."""
        with self._container.around("read", name):
            self._container.check(name)
            blob = self._container.blobs.get(name)
            return None if blob is None else Stored(blob.data, blob.etag, self._container.now())

    def create(self, name: str, data: bytes, facts: Mapping[str, str]) -> Version:
        """Write a document that must not exist yet; raises ExistsError."""
        _check_facts(facts)
        with self._container.around("create", name), self._container.lock:
            self._container.check(name)
            if name in self._container.blobs:
                raise ExistsError(name)
            return self._container.put(name, data, facts)

    def replace(self, name: str, data: bytes, etag: str, facts: Mapping[str, str]) -> Version:
        """Write over exactly the version ``etag``; raises ChangedError otherwise."""
        _check_facts(facts)
        with self._container.around("replace", name), self._container.lock:
            self._container.check(name)
            blob = self._container.blobs.get(name)
            if blob is None or blob.etag != etag:
                raise ChangedError(name)
            return self._container.put(name, data, facts)

    def delete(self, *names: str) -> None:
        """Remove documents; it is no error when one is gone already."""
        for start in range(0, len(names), 256):
            batch = names[start : start + 256]
            with self._container.around("delete", batch[0]), self._container.lock:
                self._container.check(batch[0])
                for name in batch:
                    self._container.blobs.pop(name, None)

    def list(self, prefix: str) -> Iterable[Listed]:
        """Yield the documents below ``prefix`` by name; what is deleted meanwhile may be left out."""
        with self._container.around("list", prefix):
            self._container.check(prefix)
            names = self._container.names(prefix)
        for name in names:
            if (blob := self._container.blobs.get(name)) is not None:
                yield Listed(name, dict(blob.facts), blob.etag)

    def overwrite(self, name: str, data: bytes, facts: Mapping[str, str] | None = None) -> None:
        """Let an operator edit a document by hand, or its bytes rot."""
        self._container.put(name, data, facts or {})

    def lose_container(self) -> None:
        """Let an operator delete the container with all that is in it."""
        self._container.exists = False
        self._container.blobs.clear()


class MemoryHistory:
    """The port History in memory."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._container = _MemoryContainer("history", FakeClock(), faults or Faults())

    def put(self, name: str, data: bytes) -> bool:
        """Write ``name`` if it is not there; True when this call wrote it, False when it was there."""
        with self._container.around("put", name), self._container.lock:
            self._container.check(name)
            if name in self._container.blobs:
                return False
            self._container.put(name, data, {})
            return True

    def read(self, name: str) -> bytes | None:
        """Return the bytes, or None when there are none."""
        with self._container.around("read", name):
            self._container.check(name)
            blob = self._container.blobs.get(name)
            return None if blob is None else blob.data

    def list(self, prefix: str) -> Iterable[str]:
        """Yield the names below ``prefix``, sorted."""
        with self._container.around("list", prefix):
            self._container.check(prefix)
            yield from self._container.names(prefix)

    def corrupt(self, name: str, data: bytes) -> None:
        """Let the bytes rot, which the port itself cannot do."""
        self._container.put(name, data, {})

    def forget(self, name: str) -> None:
        """Let something be lost, which the port itself cannot do."""
        self._container.blobs.pop(name, None)

    def lose_container(self) -> None:
        """Let an operator delete the container with all that is in it."""
        self._container.exists = False
        self._container.blobs.clear()


def _check_facts(facts: Mapping[str, str]) -> None:
    if wrong := [key for key in facts if not _FACT.fullmatch(key) or key == "plumbline_write"]:
        raise ValueError(f"facts {wrong}: use lower-case ASCII identifiers")
    if sum(len(key) + len(value.encode()) for key, value in facts.items()) > FACTS_LIMIT_BYTES:
        raise ValueError("facts are too long for blob metadata")
