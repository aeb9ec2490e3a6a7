"""How a stack takes over what another name had: ``renamedFrom``, and a rename that is undone.

Rule 15, ``adr/0009-what-a-stack-leaves-behind.md``. All are pure.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from shared.core import names
from shared.core.errors import Stalled
from shared.core.record.model import HOLD, VERIFY_AFTER, Record
from shared.core.record.moving import NOTHING, former, given_away, kept_at

Known = Callable[[str], Record | None]
"""Returns the record of a stack, or None."""

MOST_NAMES: Final = 32
"""No stack was renamed more often than that without a release in between."""


def heir(record: Record, record_of: Known) -> Record | None:
    """Return the record that has what this one tells of, over however many names; None: lost."""
    current: Record | None = record
    for _ in range(MOST_NAMES):
        if current is None or current.moved_to is None:
            return current
        current = record_of(current.moved_to)
    return None


def is_asked(record: Record) -> bool:
    """Tell whether the stack shall take over another name, or came back after it was renamed.

    Raises Stalled (``RenameTaken``) when it has a history of its own, which it would lose.
    """
    if record.orphaned or names.is_half_name(record.stack):
        return False
    if record.moved_to is not None:
        return True
    if record.renamed_from in {None, record.came_from}:
        return False
    if record.reached is not None or record.in_flight is not None or record.halves:
        raise Stalled(
            "RenameTaken",
            f"The stack was deployed under its own name before it was to take over "
            f"{record.renamed_from!r}.",
            hint="Take renamedFrom out, or give the stack a name that was never deployed.",
        )
    return True


def predecessor(record: Record, record_of: Known) -> Record | None:
    """Return the record that holds what ``record``'s stack takes over; None: there is nothing.

    Names in between that were never deployed are passed over. Raises Stalled (``RenameTaken``) when
    another stack of the manifest has it. Pure but for what it is told of records.
    """
    name, seen = record.renamed_from or record.moved_to, {record.stack}
    while name is not None and name not in seen and len(seen) < MOST_NAMES:
        seen.add(name)
        found = record_of(name)
        if found is None:
            return None
        if found.moved_to is None:
            blank = found.reached is None and found.in_flight is None
            if not blank or found.renamed_from is None:
                return found
            name = found.renamed_from
            continue
        if found.moved_to == record.stack and record.moved_to is None:
            return found  # it was given over, and a worker died before it was taken
        name = record.moved_to if found.moved_to == record.stack else found.moved_to
        other = record_of(name or "")
        if other is not None and not other.orphaned:
            raise Stalled(
                "RenameTaken",
                f"{found.stack!r} is called {other.stack!r} now, which is in the manifest, too.",
                hint="Take renamedFrom out, or the other stack.",
            )
    return None


def unsettled(found: Record, at: datetime) -> str | None:
    """Return why what a record tells of cannot be taken over yet; None when it can. Pure."""
    last = found.attempted
    if not found.orphaned:
        return "it has not left the manifest yet"
    if found.in_flight is not None:
        return f"its release {found.in_flight.release} has not ended"
    if found.busy_until is not None and found.busy_until > at:
        return "somebody is at work on it"
    sent_at = found.intended_at or (last.at if last is not None else at)
    if last is not None and last.outcome == "lost" and at - sent_at < VERIFY_AFTER:
        return f"its release {last.release} may still arrive"
    return None


def given_over(found: Record, to: str, at: datetime) -> Record:
    """Note who takes over, unless the stack has come back or works again."""
    if found.moved_to == to or unsettled(found, at) is not None:
        return found
    return given_away(found, to)


def carried(record: Record, found: Record, at: datetime) -> Record:
    """Take over what another name had: what is applied, where, and its history."""
    if record.orphaned:
        return msgspec.structs.replace(record, due_at=at)
    generation = max(record.generation, found.generation + 1)
    return msgspec.structs.replace(
        record,
        generation=generation,
        raised=(record.generation, generation),
        attempt=found.attempt,
        attempted=found.attempted,
        intended_at=found.intended_at,
        reached=found.reached,
        applied=kept_at(found),
        touched=found.touched,
        unsure=found.unsure,
        owns=found.owns,
        around=found.around,
        left=found.left,
        deleting=found.deleting,
        prune_at=None,
        owed=tuple(debt for debt in found.owed if debt == "snapshot"),
        deployment_id=found.deployment_id,
        halves=found.halves,
        formerly=tuple(f for f in former(found, found.generation) if f.stack != record.stack),
        freeze=record.freeze or found.freeze,
        taken_over=found.taken_over,
        moved_to=None,
        came_from=record.renamed_from,
        phase="pending",
        judged=generation,
        problem=None,
        failure=None,
        failures=0,
        busy_until=at + HOLD,
        due_at=at + HOLD,
    )


def kept(record: Record) -> Record:
    """Note that there is nothing to take over: what the record tells of is its own."""
    return msgspec.structs.replace(record, moved_to=None, came_from=record.renamed_from)


def begun_anew(record: Record, at: datetime) -> Record:
    """Begin as a new stack: the one that has what this one had is still in the manifest."""
    generation = record.generation + 1
    return msgspec.structs.replace(
        record,
        **NOTHING,
        generation=generation,
        raised=(record.generation, generation),
        halves={},
        formerly=(),
        moved_to=None,
        came_from=record.renamed_from,
        phase="pending",
        judged=generation,
        busy_until=at + HOLD,
        due_at=at + HOLD,
    )
