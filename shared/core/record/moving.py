"""How a stack leaves a place and comes back to it: what is left behind has a record of its own.

Rule 15, ``adr/0009-what-a-stack-leaves-behind.md``. Where a stack is, its ``deployment_id`` says;
where it shall be, its scope does. All are pure.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from shared.core import names
from shared.core.record.model import HOLD, VERIFY_AFTER, Applied, Desired, Former, Phase, Record
from shared.core.scopes import fold


def home(record: Record) -> str | None:
    """Return the id of the deployment that the stack shall have; None before it has a scope."""
    if names.is_half_name(record.stack):
        return record.deployment_id
    if record.scope is None:
        return None
    return names.deployment_id(record.scope, record.repository, record.stack)


def place(record: Record) -> str | None:
    """Return the id of the deployment that tells how the stack stands: where it was put last.

    A stack of which nothing was put, or all of it was refused, is where it shall be.
    """
    wanted, held = home(record), record.deployment_id
    put = record.reached is not None or record.in_flight is not None
    return held if held is not None and put else wanted


def is_same(one: str | None, other: str | None) -> bool:
    """Tell whether two ids or scopes are one to ARM."""
    return fold(one or "") == fold(other or "")


def is_elsewhere(record: Record) -> bool:
    """Tell whether what was put is in another scope than the one that is wanted now."""
    held, wanted = place(record), home(record)
    if held is None or wanted is None:
        return False
    return not is_same(names.scope_of(held), names.scope_of(wanted))


def half_name(record: Record) -> str:
    """Return the name of what the stack leaves behind: that of the last generation put there."""
    last = record.attempted or record.applied
    return names.half(record.stack, last.generation if last is not None else 0)


def leaving(record: Record, half: str, at: datetime) -> Record:
    """Write down what is about to be left behind, before it is; others keep off meanwhile."""
    where = names.scope_of(place(record) or "")
    return msgspec.structs.replace(
        record,
        halves={**record.halves, half: where},
        busy_until=at + HOLD,
        due_at=at + HOLD,
        looked_after_until=None,
    )


def left_behind(found: Record, record: Record, at: datetime) -> Record:
    """Return the half's record after ``record``'s stack has left; written before, it stays.

    It is looked at again when a PUT of unknown end can arrive no more.
    """
    if found.deployment_id == record.deployment_id and found.moved_to is None:
        return found
    last = record.attempted or record.applied
    generation = last.generation if last is not None else 0
    phase: Phase = "steady" if record.applied is not None else "failed"
    return msgspec.structs.replace(
        record,
        stack=found.stack,
        generation=generation,
        desired=Desired(revision=last.revision, digest=last.digest) if last else None,
        scope=names.scope_of(record.deployment_id or ""),
        create_group=None,
        waits_for=(),
        takes={},
        dependents=(),
        source_problems=(),
        warnings=(),
        orphaned=True,
        removed=False,
        plan=None,
        planning=None,
        approved=None,
        shown="",
        asked=None,
        freeze=None,
        fence=found.fence + 1,
        phase="pending" if record.in_flight else phase,
        judged=generation,
        applied=kept_at(record),
        raised=None,
        unfinished=0,
        busy_until=None,
        due_at=at + VERIFY_AFTER,
        looked_after_until=None,
        owed=tuple(debt for debt in record.owed if debt == "snapshot"),
        shared=(),
        told_of="",
        unaudited=(),
        halves={},
        formerly=former(record, generation),
        moved_to=None,
    )


def left(record: Record, at: datetime) -> Record:
    """Begin anew: nothing is applied, and what was is its half's."""
    return msgspec.structs.replace(
        record,
        **NOTHING,
        phase="pending",
        judged=record.generation,
        busy_until=at + HOLD,
        due_at=at + HOLD,
    )


NOTHING: Final[Mapping[str, object]] = {
    "attempt": 0,
    "attempted": None,
    "intended_at": None,
    "timed_out_s": None,
    "reached": None,
    "applied": None,
    "problem": None,
    "failure": None,
    "failures": 0,
    "lost_answers": 0,
    "owed": (),
    "deployment_id": None,
    "touched": (),
    "unsure": (),
    "owns": "",
    "around": "",
    "left": (),
    "deleting": (),
    "prune_at": None,
    "prune_problem": None,
    "plan": None,
    "planning": None,
    "anew": True,
}
"""What a record says of a place where nothing was put yet."""


def half_here(record: Record) -> str | None:
    """Return the half that is where the stack is, or shall be when nothing of it is elsewhere.

    One is there after the stack came back, or after a worker died over leaving.
    """
    wanted = home(record)
    if wanted is None or is_elsewhere(record):
        return None
    here = names.scope_of(wanted)
    return next((half for half, scope in record.halves.items() if is_same(scope, here)), None)


def rejoined(record: Record, half: Record, at: datetime) -> Record:
    """Take up again what was left behind: the stack came back to that scope."""
    if place(record) == record.deployment_id and record.deployment_id is not None:
        return record  # the stack never left, or has taken it up
    return msgspec.structs.replace(
        record,
        attempt=half.attempt,
        attempted=half.attempted,
        intended_at=half.intended_at,
        timed_out_s=half.timed_out_s,
        reached=half.reached,
        applied=half.applied,
        deployment_id=half.deployment_id,
        touched=half.touched,
        unsure=half.unsure,
        owns=half.owns,
        around=half.around,
        left=half.left,
        deleting=half.deleting,
        prune_at=None,
        owed=half.owed,
        phase="pending",
        judged=record.generation,
        problem=None,
        failure=None,
        failures=0,
        busy_until=at + HOLD,
        due_at=at + HOLD,
    )


def given_away(record: Record, to: str) -> Record:
    """Note that another stack has what this record tells of: nobody looks after it here."""
    return msgspec.structs.replace(
        record,
        fence=record.fence + 1,
        moved_to=to,
        busy_until=None,
        due_at=None,
        looked_after_until=None,
    )


def forgotten(record: Record, _: datetime) -> Record:
    """Look no more at what another stack has now."""
    return msgspec.structs.replace(record, due_at=None)


def taken_up(record: Record, half: str) -> Record:
    """Strike a half out that is the stack's own again."""
    return msgspec.structs.replace(
        record, halves={name: scope for name, scope in record.halves.items() if name != half}
    )


def former(record: Record, until: int) -> tuple[Former, ...]:
    """Return where the history of what ``record`` tells of is kept, beside a new name."""
    return (Former(stack=record.stack, until=until), *record.formerly)


def kept_at(record: Record) -> Applied | None:
    """Return what is applied, for a record of another name: with where history keeps it."""
    applied = record.applied
    if applied is None:
        return None
    return msgspec.structs.replace(applied, stack=record.applied_home)
