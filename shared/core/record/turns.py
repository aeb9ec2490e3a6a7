"""The holder's changes of a record: what was attempted and applied, and when to look again."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from shared.core.problem import Problem
from shared.core.record.model import (
    BLOCKED_RETRY,
    HOLD,
    MAX_TRANSIENT_ATTEMPTS,
    MAX_UNFINISHED,
    OWED_RETRY,
    ROTATION,
    STALLED_RETRY,
    VERIFY_AFTER,
    Applied,
    Attempt,
    Outcome,
    Record,
)


def catch_up(record: Record, generation: int) -> Record:
    """Start above ``generation``: state was lost, but ARM or history remembers releases of it."""
    if record.generation > generation:
        return record
    raised = msgspec.structs.replace(
        record, generation=generation + 1, raised=(record.generation, generation + 1)
    )
    return _still_asked(record, raised)


def _still_asked(before: Record, raised: Record) -> Record:
    """Keep what somebody asked for while nobody knew that there was an attempt before it."""
    if before.wanted is None:
        return raised
    asked = msgspec.structs.replace(
        before.wanted, generation=raised.generation, above=raised.attempts
    )
    return msgspec.structs.replace(raised, asked=asked)


def recollect(record: Record, found: Attempt, deployment_id: str, *, is_good: bool) -> Record:
    """Take up what ARM remembers of a stack whose record knows of no attempt: state was lost.

    From here on it is an attempt that ARM took and whose end is not recorded. Unless it has ended
    well, one that is what Git wants counts for this generation: should it fail, it is not tried again.
    """
    if record.attempted is not None or record.anew:
        return record
    raised = catch_up(record, found.generation)
    wanted = record.desired is not None and record.desired.digest == found.digest
    if wanted and not is_good:
        found = msgspec.structs.replace(found, generation=raised.generation)
    recollected = msgspec.structs.replace(
        raised,
        attempt=int(found.release.partition(".")[2]),
        attempted=found,
        intended_at=found.at,
        reached=found.release,
        deployment_id=deployment_id,
    )
    return _still_asked(record, recollected)


def next_attempt(
    record: Record, *, inputs: str, at: datetime, follows: Mapping[str, str] | None = None
) -> Attempt:
    """Return the attempt that would come next for what is desired now.

    Raises ValueError when nothing is desired.
    """
    if record.desired is None:
        raise ValueError("nothing is desired")
    previous = record.attempted
    same = previous is not None and previous.generation == record.generation
    number = record.attempt + 1 if same else 1
    return Attempt(
        release=f"{record.generation}.{number}",
        generation=record.generation,
        revision=record.desired.revision,
        digest=record.desired.digest,
        inputs=inputs,
        at=at,
        follows=follows or {},
    )


def intend(record: Record, attempt: Attempt, deployment_id: str, at: datetime) -> Record:
    """Write down what is about to be put, before it is put (rule 6); others keep off meanwhile."""
    return msgspec.structs.replace(
        record,
        attempt=int(attempt.release.partition(".")[2]),
        attempted=attempt,
        intended_at=at,
        timed_out_s=None,
        deployment_id=deployment_id,
        plan=None if record.plan is not None and record.plan.kind == "adopt" else record.plan,
        planning=None,
        phase="releasing",
        problem=record.problem if record.unfinished else None,
        failure=None,
        failures=record.failures if _is_same(record, attempt) else 0,
        lost_answers=record.lost_answers if record.attempted == attempt else 0,
        unfinished=record.unfinished + 1,
        looked_after_until=None,
        busy_until=at + HOLD,
        due_at=at + HOLD,
    )


def accepted(record: Record, due_at: datetime) -> Record:
    """ARM took the PUT: from now on it may change resources. The stack is free for ``watch``."""
    attempted = record.attempted
    return msgspec.structs.replace(
        record,
        reached=attempted.release if attempted else record.reached,
        phase="releasing",
        problem=None,
        busy_until=None,
        due_at=due_at,
        looked_after_until=due_at,
        lost_answers=0,
        unfinished=0,
    )


def later(record: Record, due_at: datetime, problem: Problem | None = None) -> Record:
    """Let the stack go until ``due_at``; ``problem`` says what is waited for.

    It is shown only while a release is on its way: a quiet stack has no problem because ARM was
    busy when it was looked at, and a failed one keeps the problem that it failed with.
    """
    on_its_way = record.standing in {"pending", "releasing"}
    stale = record.phase != record.standing
    return msgspec.structs.replace(
        record,
        phase=record.standing,
        judged=record.generation,
        busy_until=None,
        due_at=due_at,
        unfinished=0,
        problem=problem if on_its_way and (problem is not None or stale) else record.problem,
    )


def looked_after(record: Record, until: datetime) -> Record:
    """Note that the holder's own next message is on its way until then."""
    return msgspec.structs.replace(record, looked_after_until=until)


def kept_busy(record: Record, at: datetime) -> Record:
    """Keep the stack while ARM is asked to end its release: nobody may begin the next meanwhile."""
    return msgspec.structs.replace(record, busy_until=at + HOLD)


def answer_lost(record: Record) -> Record:
    """Note that a PUT had no known end: the next one waits longer."""
    return msgspec.structs.replace(record, lost_answers=record.lost_answers + 1)


def overtaken(record: Record, at: datetime) -> Record:
    """Let the stack go at once: what was decided was decided for an older generation."""
    return msgspec.structs.replace(record, busy_until=None, due_at=at, unfinished=0)


def _is_same(record: Record, attempt: Attempt) -> bool:
    """Tell whether the last attempt was for the same source and values. Pure."""
    last = record.attempted
    return last is not None and (last.generation, last.inputs) == (
        attempt.generation,
        attempt.inputs,
    )


def stalled(record: Record, problem: Problem, at: datetime) -> Record:
    """Record that a person must act; an attempt that never reached ARM is withdrawn."""
    attempted = record.attempted
    if attempted is not None and attempted.outcome is None and attempted.release != record.reached:
        attempted = msgspec.structs.replace(attempted, outcome="refused", transient=True)
    return msgspec.structs.replace(
        record,
        attempted=attempted,
        phase="stalled",
        judged=record.generation,
        problem=problem,
        busy_until=None,
        due_at=at + STALLED_RETRY,
        looked_after_until=None,
        # After too many turns that died only one more is tried at a time.
        unfinished=MAX_UNFINISHED - 1 if record.unfinished >= MAX_UNFINISHED else 0,
    )


def refused(record: Record, problem: Problem, at: datetime) -> Record:
    """ARM refused the attempt outright: nothing changed, and the same would be refused again."""
    return ended(record, "refused", problem=problem, transient=False, at=at)


def is_slow(record: Record, at: datetime, timeout: timedelta) -> bool:
    """Tell whether the release under way takes longer than it should. Pure."""
    under_way = record.in_flight
    return under_way is not None and at - under_way.at > timeout


def ended(
    record: Record, outcome: Outcome, *, problem: Problem, transient: bool, at: datetime
) -> Record:
    """Record the bad end of the attempt under way; a passing cause is tried again, with back-off."""
    attempted = record.attempted
    if attempted is None:
        return record
    failures = record.failures + 1
    again = transient and failures < MAX_TRANSIENT_ATTEMPTS
    # A value that it takes may have changed meanwhile: that is looked at when it has ended.
    stale = attempted.generation != record.generation or (bool(record.takes) and not again)
    delay = timedelta(seconds=10 * 4 ** (failures - 1)) if again else ROTATION
    return msgspec.structs.replace(
        record,
        attempted=msgspec.structs.replace(attempted, outcome=outcome, transient=again),
        phase="pending" if attempted.generation != record.generation else "failed",
        judged=record.generation,
        problem=problem,
        failure=problem,
        failures=failures,
        looked_after_until=None,
        unfinished=0,
        busy_until=None,
        due_at=at if stale else at + delay,
    )


def _given_up(record: Record) -> Record:
    """Close an attempt that never reached ARM and is not wanted any more."""
    if record.in_flight is None:
        return record
    lost = msgspec.structs.replace(record.in_flight, outcome="lost")
    return msgspec.structs.replace(record, attempted=lost)


def succeeded(record: Record, at: datetime, touched: tuple[str, ...]) -> Record:
    """Record a good release: it is applied, and a snapshot of it is owed."""
    attempted = record.attempted
    if attempted is None:
        return record
    current = attempted.generation == record.generation
    return msgspec.structs.replace(
        record,
        attempted=msgspec.structs.replace(attempted, outcome="succeeded"),
        applied=Applied(
            release=attempted.release,
            generation=attempted.generation,
            revision=attempted.revision,
            digest=attempted.digest,
            inputs=attempted.inputs,
            at=at,
            follows=attempted.follows,
        ),
        reached=attempted.release,
        touched=touched,
        unsure=(),
        owed=_owing(record, "snapshot"),
        phase="steady" if current else "pending",
        judged=record.generation,
        problem=None,
        failure=None,
        failures=0,
        looked_after_until=None,
        unfinished=0,
        busy_until=None,
        due_at=_due_after(record, at, VERIFY_AFTER) if current else at,
    )


def settled(record: Record, at: datetime, follows: Mapping[str, str] | None = None) -> Record:
    """Nothing is to do: what is applied is what is desired, and ARM says the same.

    A stack that depends on others and finds that they went on, while it has nothing to do itself,
    hands on that it may be followed: those who wait for it were waiting for that, too.
    """
    applied, owed = record.applied, record.owed
    went_on = applied is not None and dict(follows or {}) != dict(applied.follows)
    if record.standing != "steady" or went_on:
        owed = _owing(record)
    if applied is not None and went_on:
        applied = msgspec.structs.replace(applied, follows=dict(follows or {}))
    if applied is not None and applied.generation != record.generation:
        applied = msgspec.structs.replace(applied, generation=record.generation)
    rest = _rotation(record) if record.in_flight is None else VERIFY_AFTER
    return msgspec.structs.replace(
        _given_up(record),
        applied=applied,
        owed=owed,
        phase="steady",
        judged=record.generation,
        problem=None,
        failure=None,
        looked_after_until=None,
        busy_until=None,
        due_at=_due_after(record, at, rest) if "dependents" in owed else at + rest,
    )


def blocked(record: Record, at: datetime) -> Record:
    """Wait for other stacks: they ask for a look at this one when they are done (rule 11)."""
    phase = record.standing
    return msgspec.structs.replace(
        _given_up(record),
        phase="pending" if phase == "releasing" else phase,
        judged=record.generation,
        problem=None if phase in {"pending", "releasing"} else record.problem,
        looked_after_until=None,
        unfinished=0,
        busy_until=None,
        due_at=at + BLOCKED_RETRY,
    )


def quiet(record: Record, at: datetime) -> Record:
    """Nothing may be done now (a final failure, nothing desired): look again in rotation.

    A failed generation shows what it failed with again, whatever stalled a look meanwhile.
    """
    attempted = record.attempted
    failed = record.failure is not None and attempted is not None
    failed = failed and attempted is not None and attempted.generation == record.generation
    phase = "failed" if failed else record.standing
    return msgspec.structs.replace(
        _given_up(record),
        phase="pending" if phase == "releasing" else phase,
        judged=record.generation,
        problem=record.failure if failed else None,
        looked_after_until=None,
        busy_until=None,
        due_at=at + _rotation(record),
    )


def paid(record: Record, debt: str) -> Record:
    """Strike out what was owed, after it is done."""
    return msgspec.structs.replace(record, owed=tuple(x for x in record.owed if x != debt))


def frozen(record: Record, at: datetime, until: datetime) -> Record:
    """Leave the stack alone until then; an intent that never reached ARM is withdrawn (rule 14)."""
    left = blocked(record, at)
    return msgspec.structs.replace(left, due_at=max(at, min(until, at + ROTATION)))


def withdrawn(record: Record, problem: Problem, at: datetime) -> Record:
    """End an attempt that was canceled before it reached ARM: nothing was changed."""
    return ended(record, "canceled", problem=problem, transient=False, at=at)


def told(record: Record, at: datetime) -> Record:
    """Strike out that the dependents are owed a look, after the messages to them were sent."""
    left = paid(record, "dependents")
    quiet_until = at + VERIFY_AFTER
    if left.standing != "steady" or (left.due_at is not None and left.due_at > quiet_until):
        return left
    return msgspec.structs.replace(left, due_at=quiet_until)


def called(record: Record, at: datetime) -> Record:
    """Have the stack looked at soon: one that it depends on went on, and its message may be lost.

    A requester's change (rule 4). A release under way is watched anyhow, and looks when it ended.
    """
    due_at = at + OWED_RETRY
    if record.in_flight is not None:
        return record
    if record.due_at is not None and record.due_at <= due_at:
        # Due already: whoever is looking now must see that somebody asked meanwhile.
        due_at = record.due_at - timedelta(microseconds=1)
    return msgspec.structs.replace(record, due_at=due_at)


def hurried(record: Record, seen: datetime | None, changed: Record) -> Record:
    """Return ``changed``, due no later than others asked for since ``seen`` was when it was due."""
    asked = record.due_at
    if asked is None or asked == seen or (changed.due_at is not None and changed.due_at <= asked):
        return changed
    return msgspec.structs.replace(changed, due_at=asked)


def _owing(record: Record, *debts: str) -> tuple[str, ...]:
    """Return what is owed with these debts, and with a look to those who wait for this stack."""
    wanted = (*debts, "dependents") if record.dependents else debts
    return (*record.owed, *(debt for debt in wanted if debt not in record.owed))


def _rotation(record: Record) -> timedelta:
    """Return when to look again at a quiet stack: soon while a snapshot of it is owed (rule 8)."""
    return VERIFY_AFTER if "snapshot" in record.owed else ROTATION


def _due_after(record: Record, at: datetime, rest: timedelta) -> datetime:
    """Return when to look again: soon while dependents are owed, in case their messages were lost."""
    return at + (min(OWED_RETRY, rest) if record.dependents else rest)
