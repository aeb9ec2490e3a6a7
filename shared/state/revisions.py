"""Documents of revisions."""

from dataclasses import dataclass

from shared.core import names
from shared.core import revision as changes
from shared.core.revision import Revision, Visit
from shared.ports import Documents
from shared.state.held import Held, Shelf


def _facts(revision: Revision) -> dict[str, str]:
    return {"visits": str(len(revision.visits))}


@dataclass(frozen=True)
class Revisions:
    """The documents below ``repositories/<r>/revisions/``."""

    documents: Documents

    @property
    def _shelf(self) -> Shelf[Revision]:
        return Shelf(self.documents, Revision, _facts)

    def read(self, repository: str, sha: str) -> Revision | None:
        """Return a revision's document, or None."""
        held = self._shelf.read(names.revision(repository, sha))
        return None if held is None else held.document

    def visit(self, repository: str, sha: str, visit: Visit) -> Held[Revision]:
        """Record that a revision was looked at, and what it changed."""
        fresh = Revision(repository=repository, revision=sha, visits=(visit,))
        return self._shelf.put(
            names.revision(repository, sha), fresh, lambda found: changes.visited(found, visit)
        )

    def supersede(self, repository: str, sha: str, visit: Visit) -> None:
        """Answer a revision that was pushed over before it was looked at; others keep theirs."""
        fresh = Revision(repository=repository, revision=sha, visits=(visit,))
        self._shelf.put(names.revision(repository, sha), fresh, lambda found: found)
