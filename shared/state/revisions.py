"""Documents of revisions, and the markers of those whose end is not told yet (rules 8 and 12)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.core import names
from shared.core import revision as changes
from shared.core.document import Document, encode
from shared.core.revision import Revision, Visit
from shared.ports import ChangedError, Documents, ExistsError
from shared.state.held import Held, Shelf


class Unsettled(Document, frozen=True, kw_only=True):
    """A revision whose end is not told yet."""

    repository: str
    revision: str


def _facts(revision: Revision) -> dict[str, str]:
    return {"visits": str(len(revision.visits))}


@dataclass(frozen=True)
class Revisions:
    """The documents below ``repositories/<r>/revisions/``, and the markers below ``pending/``."""

    documents: Documents

    @property
    def _shelf(self) -> Shelf[Revision]:
        return Shelf(self.documents, Revision, _facts)

    def read(self, repository: str, sha: str) -> Revision | None:
        """Return a revision's document, or None."""
        held = self.held(repository, sha)
        return None if held is None else held.document

    def held(self, repository: str, sha: str) -> Held[Revision] | None:
        """Return a revision's document with its version, or None."""
        return self._shelf.read(names.revision(repository, sha))

    def replace(self, held: Held[Revision], revision: Revision) -> Held[Revision]:
        """Write over exactly the version that was read; raises ChangedError."""
        name = names.revision(revision.repository, revision.revision)
        return self._shelf.replace(name, held, revision)

    def amend(self, held: Held[Revision], change: Callable[[Revision, datetime], Revision]) -> None:
        """Apply ``change(document, server time)`` to the newest version of a document."""
        document = held.document
        name = names.revision(document.repository, document.revision)
        self._shelf.change(name, document, change, at=held.at)

    def finish(self, held: Held[Revision], change: Callable[[Revision], Revision]) -> None:
        """Apply a change that needs no time: to the version in hand, or else to the newest one."""
        changed = change(held.document)
        if changed == held.document:
            return
        try:
            self.replace(held, changed)
        except ChangedError:
            self.amend(held, lambda newest, _: change(newest))

    def visit(self, repository: str, sha: str, visit: Visit) -> Held[Revision]:
        """Record that a revision was looked at, and what it changed; its end is to be told."""
        self._open(repository, sha)
        fresh = Revision(repository=repository, revision=sha, visits=(visit,))
        return self._shelf.put(
            names.revision(repository, sha), fresh, lambda found: changes.visited(found, visit)
        )

    def supersede(self, repository: str, sha: str, visit: Visit) -> None:
        """Answer a revision that was pushed over before it was looked at; others keep theirs."""
        self._open(repository, sha)
        fresh = Revision(repository=repository, revision=sha, visits=(visit,))
        self._shelf.put(names.revision(repository, sha), fresh, lambda found: found)

    def _open(self, repository: str, sha: str) -> None:
        """Leave a marker before the document is written: a crash in between loses nothing."""
        marker = Unsettled(repository=repository, revision=sha)
        try:
            self.documents.create(names.pending_revision(repository, sha), encode(marker), {})
        except ExistsError:
            return

    def unsettled(self, repository: str | None = None) -> Iterable[tuple[str, str]]:
        """Yield (repository, sha) of revisions whose end is not told, from one listing."""
        prefix = (
            names.PENDING_REVISIONS
            if repository is None
            else names.pending_revisions_of(repository)
        )
        for listed in self.documents.list(prefix):
            owner, _, sha = listed.name.removeprefix(names.PENDING_REVISIONS).partition("/")
            if names.is_repository_key(owner) and names.is_sha(sha):
                yield owner, sha

    def close(self, repository: str, *shas: str) -> None:
        """Remove the markers of revisions whose end is told."""
        self.documents.delete(*(names.pending_revision(repository, sha) for sha in shas))
