"""Find who else has what is about to be deleted (rule 15): first in a listing, then exactly.

Used by ``prune`` at each of its turns: what another stack took over meanwhile stays.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.core.errors import Stalled
from shared.core.owners import Identity
from shared.core.prune.claims import Listed, suspects
from shared.core.record import Record
from shared.ports import Parallel
from shared.state.archive import Archive
from shared.state.records import Records


@dataclass(frozen=True)
class Claims:
    """The ids that others have, and the folded ones near which a release runs now."""

    theirs: tuple[str, ...]
    unsafe: frozenset[str]


@dataclass(frozen=True)
class Claimants:
    """The question. Records and releases are read of those stacks only that may have something."""

    records: Records
    archive: Archive
    parallel: Parallel

    def __call__(self, identity: Identity, ids: Sequence[str], listed: Listed) -> Claims:
        """Return what others than the stack ``identity`` have.

        Raises Transient, and Stalled for a record or release that cannot be read: nothing is deleted
        while nobody can tell whose it is.
        """
        found = suspects(identity, ids, listed)
        read = self.parallel.map(lambda other: tuple(self._has(other)), found.claimants)
        return Claims(tuple(one for theirs in read for one in theirs), found.unsafe)

    def _has(self, identity: Identity) -> Iterable[str]:
        held = self.records.read(*identity)
        if held is None:
            return
        record: Record = held.document
        yield from record.touched
        if record.present is not None:
            home, release_id = record.applied_home, record.present.release
            release = self.archive.release(record.repository, home, release_id)
            if release is None:
                raise Stalled(
                    "ReleaseMissing",
                    f"The release {release_id} of {record.stack!r} is not in the history container.",
                    hint="Push any change of that stack: its next release is kept anew.",
                )
            yield from (owned.id for owned in release.inventory)
