"""Find what a stack waits for, and the values that it takes from others (rule 11).

Used by ``release``. It reads the records of the stacks that are depended on, and of those that they
depend on: one that is itself about to change is not ready, although it is at its own digest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core import waves
from shared.core.errors import Stalled
from shared.core.record import Record
from shared.core.waves import Awaited, Inputs, Waits, levels
from shared.ports import Parallel
from shared.state.archive import Archive
from shared.state.records import Records


@dataclass(frozen=True)
class Dependencies:
    """The question. Nothing is read for a stack that depends on nobody."""

    records: Records
    archive: Archive
    parallel: Parallel

    def __call__(self, record: Record) -> Inputs | Waits:
        """Return the values, or what is waited for; raises Stalled for a value that is not there."""
        if not record.waits_for:
            return waves.NO_INPUTS
        return _Look(self, record.repository).inputs(record)

    def read(self, repository: str, stack: str) -> Record | None:
        """Return a stack's record, or None."""
        try:
            held = self.records.read(repository, stack)
        except Stalled as e:
            # It is waited for: what is wrong there is shown there.
            if e.reason != "DocumentUnreadable":
                raise
            return None
        return None if held is None else held.document

    def outputs(self, record: Record) -> Mapping[str, Any]:
        """Return the outputs of the release that is applied; raises Stalled when it is not kept."""
        applied = record.applied
        if applied is None:
            return {}
        release = self.archive.release(record.repository, record.applied_home, applied.release)
        if release is None:
            raise Stalled(
                "ReleaseMissing",
                f"The release {applied.release} of {record.stack!r} is not in the history container.",
                hint="Push any change of that stack: its next release is kept anew.",
            )
        return release.outputs


class _Look:
    """One look at a stack's dependencies and at theirs: each is read once."""

    def __init__(self, world: Dependencies, repository: str) -> None:
        self._world = world
        self._repository = repository
        self._outputs: dict[str, Mapping[str, Any]] = {}
        self._waits: dict[str, Waits | None] = {}

    def inputs(self, record: Record) -> Inputs | Waits:
        """Return what ``record``'s stack takes, or the first chain that it waits for."""
        records = self._read(record.waits_for)
        links = {name: found.waits_for if found else () for name, found in records.items()}
        for wave in levels(records, links):
            for name in wave:
                self._waits[name] = self._chain(name, records)
        return self._values(record, records)

    def _read(self, names: Sequence[str]) -> dict[str, Record | None]:
        """Return the records of the stacks and of all that they depend on, level by level."""
        found: dict[str, Record | None] = {}
        edge = list(names)
        while edge:
            read = self._world.parallel.map(
                lambda name: self._world.read(self._repository, name), edge
            )
            found.update(zip(edge, read, strict=True))
            following = (name for record in read if record for name in record.waits_for)
            edge = [name for name in dict.fromkeys(following) if name not in found]
        return found

    def _chain(self, name: str, records: Mapping[str, Record | None]) -> Waits | None:
        """Return what keeps a dependency: itself, one of its own, or a value that has changed."""
        record = records[name]
        own = waves.unready(name, record)
        if record is None or (own is not None and own.phase not in {"pending", "steady"}):
            return Waits(chain=(own or _pending(name),))
        try:
            found = self._values(record, records)
        except Stalled as e:
            # What that stack cannot take is its own trouble, and shown there.
            return Waits(chain=(Awaited(stack=name, phase="stalled", code=e.reason),))
        if isinstance(found, Waits):
            return Waits(chain=(_pending(name), *found.chain))
        if own is not None:
            return Waits(chain=(own,))
        changed = record.applied is not None and record.applied.inputs != found.digest
        return Waits(chain=(_pending(name),)) if changed else None

    def _values(self, record: Record, records: Mapping[str, Record | None]) -> Inputs | Waits:
        for name in record.waits_for:
            # In a circle, which state may hold although no manifest may, nobody comes first.
            waits = self._waits.get(name, Waits(chain=(_pending(name),)))
            if waits is not None:
                return waits
        givers = sorted({taken.stack for taken in record.takes.values()} - self._outputs.keys())
        read = self._world.parallel.map(lambda name: self._left(records.get(name)), givers)
        self._outputs.update(zip(givers, read, strict=True))
        return waves.inputs_of(record, self._outputs, _releases(record, records))

    def _left(self, record: Record | None) -> Mapping[str, Any]:
        return {} if record is None else self._world.outputs(record)


def _releases(record: Record, records: Mapping[str, Record | None]) -> dict[str, str]:
    """Return the applied release of each stack that ``record``'s depends on directly. Pure."""
    return {
        name: other.applied.release
        for name in record.waits_for
        if (other := records.get(name)) is not None and other.applied is not None
    }


def _pending(stack: str) -> Awaited:
    return Awaited(stack=stack, phase="pending")
