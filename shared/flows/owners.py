"""Show on stacks that they own one resource with others, and take it back (rule 15).

Used by the sweep, whose listing has what it takes: a look costs no storage call, and only a stack
whose neighbours have changed is read and written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from shared import events
from shared.core import names, owners
from shared.core.errors import Stalled
from shared.core.owners import Identity, Suspects
from shared.core.record import Record
from shared.ports import Log
from shared.state.archive import Archive
from shared.state.records import Records

MOST_AT_ONCE: Final = 50
"""How many stacks are told in one sweep: the others have their turn in the next."""


@dataclass(frozen=True)
class Owners:
    """The step. Raises Transient; a document that cannot be read is shown, and others go on."""

    records: Records
    archive: Archive
    log: Log

    def __call__(self, listed: Iterable[tuple[str, Mapping[str, str]]], now: datetime) -> None:
        """Tell every stack in the listing that was told something else."""
        facts = {
            identity: shown
            for name, shown in listed
            if (identity := names.identity_of_record(name)) is not None
        }
        found = owners.suspects((names.record(*i), shown) for i, shown in facts.items())
        changed = [
            identity
            for identity, shown in facts.items()
            if shown.get("shared", "") != owners.told(found.get(identity, {}))
        ]
        for identity in changed[:MOST_AT_ONCE]:
            try:
                self._tell(identity, found.get(identity, {}), now)
            except Stalled as e:
                self.log(events.STALLED, stack=identity[1], reason=e.reason, hint=e.hint)

    def _tell(self, identity: Identity, others: Suspects, now: datetime) -> None:
        """Write down what a stack really shares with those that it may share something with."""
        theirs = {other: self._owned(other) for other in others}
        own = self._owned(identity) if theirs else ()
        shared, mark = owners.problems(own, theirs), owners.told(others)
        self.records.amend(
            *identity,
            lambda record, _: msgspec.structs.replace(record, shared=shared, told_of=mark),
            at=now,
        )
        if shared:
            self.log(
                events.RESOURCE_SHARED,
                repository=identity[0],
                stack=identity[1],
                others=[names.identity(*other) for other in sorted(theirs)],
            )

    def _owned(self, identity: Identity) -> tuple[str, ...]:
        held = self.records.read(*identity)
        record: Record | None = held.document if held is not None else None
        if record is None or record.present is None:
            return ()
        release = self.archive.release(
            record.repository, record.applied_home, record.present.release
        )
        return tuple(owned.id for owned in release.inventory) if release is not None else ()
