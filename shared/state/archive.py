"""What is written once: contents, releases, snapshots, raw deliveries."""

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from shared.core import names
from shared.core.audit import Audit
from shared.core.document import canonical, decode, encode, to_text
from shared.core.errors import Stalled
from shared.core.poison import Poisoned
from shared.core.prune.model import Deleted
from shared.core.release import Release, Snapshot
from shared.core.scopes import fold
from shared.ports import History

MAX_CONTENT_BYTES: Final = 64 * 1024 * 1024
"""No content that Plumbline writes is larger when it is unpacked; more is a decompression bomb."""


@dataclass(frozen=True)
class Archive:
    """The ``history`` container."""

    history: History

    def put_content(self, data: bytes) -> str:
        """Keep bytes under their SHA-256, compressed; returns it. Writing twice is harmless."""
        digest = hashlib.sha256(data).hexdigest()
        self.history.put(names.contents(digest), zlib.compress(data, 6))
        return digest

    def content(self, digest: str) -> Any:
        """Return the JSON value kept under ``digest``.

        Raises Stalled (``ContentMissing``, ``ContentDamaged``): what was stored is verified, since
        it decides what is deployed.
        """
        packed = self.history.read(names.contents(digest))
        if packed is None:
            raise Stalled(
                "ContentMissing",
                f"The content {digest} is not in the history container.",
                hint="Push any change of the stack: the next sync writes its content anew.",
            )
        try:
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(packed, MAX_CONTENT_BYTES)
        except zlib.error as e:
            raise _damaged(digest) from e
        if hashlib.sha256(data).hexdigest() != digest:
            raise _damaged(digest)
        return orjson.loads(data)

    def put_json(self, value: Any) -> str:
        """Keep a JSON value as canonical JSON; returns its SHA-256."""
        return self.put_content(canonical(value))

    def put_release(self, release: Release) -> bool:
        """Write a release's document; False when it was written before."""
        name = names.release(release.repository, release.stack, release.release)
        return self.history.put(name, encode(release))

    def release(self, repository: str, stack: str, release_id: str) -> Release | None:
        """Return a release's document, or None."""
        name = names.release(repository, stack, release_id)
        data = self.history.read(name)
        return None if data is None else decode(Release, name, data).document

    def release_ids(self, repository: str, stack: str) -> Iterable[str]:
        """Yield the ids of a stack's releases that have ended."""
        prefix = names.releases_of(repository, stack)
        for name in self.history.list(prefix):
            yield name.removeprefix(prefix).removesuffix(".json")

    def releases_in(self, repository: str) -> Iterable[tuple[str, str]]:
        """Yield (stack, release) of all releases of a repository, from one listing."""
        for name in self.history.list(names.releases_in(repository)):
            found = names.identity_of_release(name)
            if found is not None:
                yield found[1], found[2]

    def put_snapshot(self, snapshot: Snapshot) -> bool:
        """Write a snapshot; False when it was written before."""
        name = names.snapshot(snapshot.repository, snapshot.stack, snapshot.release)
        return self.history.put(name, encode(snapshot))

    def snapshot(self, repository: str, stack: str, release_id: str) -> Snapshot | None:
        """Return the snapshot of a release, or None."""
        name = names.snapshot(repository, stack, release_id)
        data = self.history.read(name)
        return None if data is None else decode(Snapshot, name, data).document

    def put_deletion(self, deleted: Deleted) -> bool:
        """Keep for good that a resource was deleted; False when it was kept before."""
        said = f"{fold(deleted.id)} {to_text(deleted.began_at)}"
        digest = hashlib.sha256(said.encode()).hexdigest()
        name = names.deletion(deleted.repository, deleted.stack, deleted.release, digest)
        return self.history.put(name, encode(deleted))

    def deletions(self, repository: str, stack: str) -> Iterable[Deleted]:
        """Yield what was deleted of a stack."""
        for name in self.history.list(names.deletions_of(repository, stack)):
            data = self.history.read(name)
            if data is not None:
                yield decode(Deleted, name, data).document

    def put_delivery(self, source: str, key: str, body: bytes) -> bool:
        """Keep a raw delivery; False when this key was delivered before."""
        return self.history.put(names.delivery(source, key), body)

    def put_audit(self, audit: Audit) -> bool:
        """Keep who ordered what, for good."""
        return self.history.put(names.audit(audit.at, audit.id), encode(audit))

    def audits(self, since: datetime) -> Iterable[str]:
        """Yield the names of what was ordered since then, oldest first; the first day whole."""
        for name in self.history.list(names.AUDITS):
            if names.is_audit_since(name, since):
                yield name

    def audit(self, name: str) -> Audit | None:
        """Return who ordered what, by its document's name, or None. Raises Stalled."""
        data = self.history.read(name)
        return None if data is None else decode(Audit, name, data).document

    def put_unreadable(self, name: str, data: bytes) -> bool:
        """Keep the bytes of a document that cannot be read; the same bytes are kept once."""
        digest = hashlib.sha256(data).hexdigest()
        return self.history.put(names.unreadable(name, digest), data)

    def put_poison(self, poisoned: Poisoned) -> bool:
        """Keep a message that was tried too often; False when it was kept before."""
        return self.history.put(names.poison(poisoned.queue, poisoned.id), encode(poisoned))

    def has_poison(self, queue: str, message_id: str) -> bool:
        """Tell whether a message is kept, readable or not."""
        return self.history.read(names.poison(queue, message_id)) is not None

    def poison(self, queue: str, message_id: str) -> Poisoned | None:
        """Return a kept message, or None."""
        name = names.poison(queue, message_id)
        data = self.history.read(name)
        return None if data is None else decode(Poisoned, name, data).document


def _damaged(digest: str) -> Stalled:
    return Stalled(
        "ContentDamaged",
        f"The content {digest} in the history container is not what was written.",
        hint="Find out who can write to that container, then push any change of the stack.",
    )
