"""A typed document over the Documents port: read it, create it, change it by compare-and-swap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from shared.core.document import Document, decode, encode
from shared.core.errors import Stalled, Transient
from shared.ports import ChangedError, Documents, ExistsError

D = TypeVar("D", bound=Document)
Facts = Callable[[D], Mapping[str, str]]

TRIES: Final = 8
"""How often a lost compare-and-swap is tried anew before the message is left for later."""


@dataclass(frozen=True)
class Held(Generic[D]):
    """A document as read or written.

    ``etag`` and ``at`` (the storage server's time) are those of that read or write; ``unknown``
    are the fields that a newer version of Plumbline put there.
    """

    document: D
    etag: str
    at: datetime
    unknown: Mapping[str, object]


@dataclass(frozen=True)
class Shelf(Generic[D]):
    """One kind of document in the ``state`` container."""

    documents: Documents
    kind: type[D]
    facts: Facts[D]

    def read(self, name: str) -> Held[D] | None:
        """Return the document, or None. Raises Stalled when its bytes are no such document."""
        stored = self.documents.read(name)
        if stored is None:
            return None
        decoded = decode(self.kind, name, stored.data)
        return Held(decoded.document, stored.etag, stored.at, decoded.unknown)

    def mend(
        self, name: str, keep: Callable[[str, bytes], object], fresh: Callable[[datetime], D]
    ) -> bool:
        """Put ``fresh(server time)`` in the place of a document that cannot be read.

        Its bytes are given to ``keep`` first. False, and nothing is done, when it can be read, is not
        there, or somebody else was faster.
        """
        stored = self.documents.read(name)
        if stored is None:
            return False
        try:
            decode(self.kind, name, stored.data)
        except Stalled:
            keep(name, stored.data)
        else:
            return False
        document = fresh(stored.at)
        try:
            self.documents.replace(name, encode(document), stored.etag, self.facts(document))
        except ChangedError:
            return False
        return True

    def create(self, name: str, document: D) -> Held[D]:
        """Write a new document; raises ExistsError."""
        version = self.documents.create(name, encode(document), self.facts(document))
        return Held(document, version.etag, version.at, {})

    def replace(self, name: str, held: Held[D], document: D) -> Held[D]:
        """Write over exactly the version that was read; raises ChangedError."""
        data = encode(document, held.unknown)
        version = self.documents.replace(name, data, held.etag, self.facts(document))
        return Held(document, version.etag, version.at, held.unknown)

    def put(self, name: str, fresh: D, change: Callable[[D], D]) -> Held[D]:
        """Write ``fresh``, or apply ``change`` to the document that is there already.

        Raises Transient when others keep winning.
        """
        for _ in range(TRIES):
            try:
                return self.create(name, fresh)
            except ExistsError:
                held = self.read(name)
            if held is None:
                continue
            changed = change(held.document)
            if changed == held.document:
                return held
            try:
                return self.replace(name, held, changed)
            except ChangedError:
                continue
        raise Transient("StateBusy", f"{name} was changed by others {TRIES} times in a row")

    def change(
        self, name: str, fresh: D, change: Callable[[D, datetime], D], *, at: datetime
    ) -> Held[D]:
        """Apply ``change(document, server time)`` to the newest version.

        A missing document is created from ``fresh``, changed at ``at``. A change that changes
        nothing is not written. Raises Transient when others keep winning.
        """
        for _ in range(TRIES):
            held = self.read(name)
            try:
                if held is None:
                    return self.create(name, change(fresh, at))
                changed = change(held.document, held.at)
                if changed == held.document:
                    return held
                return self.replace(name, held, changed)
            except (ChangedError, ExistsError):
                continue
        raise Transient("StateBusy", f"{name} was changed by others {TRIES} times in a row")
