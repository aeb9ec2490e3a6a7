"""Say what became of revisions, from one listing of a repository's records (rule 12)."""

from dataclasses import dataclass

from shared.core import names
from shared.core import revision as revisions
from shared.core.errors import Stalled
from shared.core.record import Record
from shared.core.revision import Answer, Revision, StackStatus, Standing
from shared.state.archive import Archive
from shared.state.records import Records


@dataclass(frozen=True)
class Answers:
    """Looks at repositories."""

    records: Records
    archive: Archive

    def look(self, repository: str) -> "Look":
        """Return how the repository's stacks stand now."""
        standings = {
            identity[1]: revisions.standing_in(found.facts)
            for found in self.records.listed(names.records_of(repository))
            if (identity := names.identity_of_record(found.name)) is not None
        }
        return Look(self, repository, standings)


class Look:
    """How a repository's stacks stood at one moment; records are read when they matter."""

    def __init__(self, world: Answers, repository: str, standings: dict[str, Standing]) -> None:
        self._world = world
        self._repository = repository
        self._standings = standings
        self._read: dict[str, Record | None] = {}

    def answer(self, revision: Revision) -> Answer:
        """Return the status of a revision; raises Transient and Stalled for storage."""
        return revisions.answer(revision, self._standings, self._ended(revision), self._record)

    def _record(self, stack: str) -> Record | None:
        if stack not in self._read:
            self._read[stack] = self._readable(stack)
        return self._read[stack]

    def _readable(self, stack: str) -> Record | None:
        """Return a record; one that cannot be read hides itself, not its neighbours."""
        try:
            held = self._world.records.read(self._repository, stack)
        except Stalled as e:
            if e.reason != "DocumentUnreadable":
                raise
            return None
        return None if held is None else held.document

    def _ended(self, found: Revision) -> dict[tuple[str, int], StackStatus]:
        """Look into history for generations that the records have left behind."""
        ended: dict[tuple[str, int], StackStatus] = {}
        visit = found.visits[-1] if found.visits else None
        if visit is None or visit.settled is not None:
            return ended
        for name, generation in visit.changed.items():
            standing = self._standings.get(name)
            if standing is None or not (standing.generation > generation or standing.orphaned):
                continue
            outcomes = self._outcomes(name, generation)
            if outcomes & {"succeeded", "kept"}:
                ended[name, generation] = "deployed"
            elif outcomes:
                ended[name, generation] = "failed"
        return ended

    def _outcomes(self, stack: str, generation: int) -> set[str]:
        archive = self._world.archive
        ids = archive.release_ids(self._repository, stack)
        wanted = [i for i in ids if i.partition(".")[0] == str(generation)]
        found = [archive.release(self._repository, stack, i) for i in wanted]
        return {release.outcome for release in found if release is not None}
