"""The record of a stack, and every way in which it may change.

One document per stack, changed by compare-and-swap only (docs/architecture.md, rule 4). Two kinds of
writers share it. *Sync* owns what is desired and may write at any time. The *holder*, who took the
stack and so raised the fence, owns what was attempted and applied, the phase, and what is owed.
Each function here is one change: it takes the newest record and returns the next, so that it can
be applied again when a compare-and-swap was lost. All are pure.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from shared.core.document import Document, to_text
from shared.core.problem import Problem

HOLD: Final = timedelta(seconds=45)
"""How long a taken stack stays taken without a sign of life (rule 4)."""

VERIFY_AFTER: Final = timedelta(seconds=120)
"""When ARM's tags are read once more after a release, in case a stale PUT came late (rule 7)."""

ROTATION: Final = timedelta(hours=1)
"""How often ARM's tags of a quiet stack are read (rule 7)."""

STALLED_RETRY: Final = timedelta(minutes=10)
"""When a stalled stack is looked at again: a person may have acted without telling us."""

MAX_TRANSIENT_ATTEMPTS: Final = 3
"""Attempts of one generation that failed for passing reasons (rule 10)."""

SLOW: Final = Problem(
    code="ReleaseSlow",
    message="ARM has been at this release for longer than PLUMBLINE_RELEASE_TIMEOUT_S.",
    hint="Look at the deployment in Azure; it can be canceled there.",
)

Phase = Literal["pending", "releasing", "steady", "failed", "stalled"]
Outcome = Literal["refused", "succeeded", "failed", "canceled", "lost"]


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """What Git wants: ``digest`` is the source digest and names the content, too."""

    revision: str
    digest: str


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One release on its way, or how it ended.

    ``outcome`` is None while it is under way; ``transient`` tells whether a failure may pass.
    """

    release: str
    generation: int
    revision: str
    digest: str
    inputs: str
    at: datetime
    outcome: Outcome | None = None
    transient: bool = False


class Applied(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last good release. ``generation`` follows when Git comes back to what is applied."""

    release: str
    generation: int
    revision: str
    digest: str
    inputs: str
    at: datetime


class Record(Document, frozen=True, kw_only=True, omit_defaults=True):
    """A stack as Plumbline knows it."""

    repository: str
    stack: str

    # Sync's fields.
    seq: int = 0
    generation: int = 0
    desired: Desired | None = None
    scope: str | None = None
    create_group: str | None = None
    source_problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    orphaned: bool = False
    shown: str = ""

    # The holder's fields.
    fence: int = 0
    busy_until: datetime | None = None
    phase: Phase = "pending"
    judged: int = 0
    attempt: int = 0
    attempted: Attempt | None = None
    reached: str | None = None
    applied: Applied | None = None
    problem: Problem | None = None
    due_at: datetime | None = None
    owed: tuple[str, ...] = ()
    deployment_id: str | None = None
    touched: tuple[str, ...] = ()

    @property
    def standing(self) -> Phase:
        """The phase as it counts now: what was said of an older generation is not said of this one.

        ``judged`` is the generation that the holder looked at when it set the phase.
        """
        if self.phase == "releasing" or self.judged == self.generation:
            return self.phase
        return "pending"

    @property
    def in_flight(self) -> Attempt | None:
        """The attempt whose end is not recorded yet, if any."""
        attempted = self.attempted
        return attempted if attempted is not None and attempted.outcome is None else None


def facts(record: Record) -> dict[str, str]:
    """Return what the sweep and sync need to see in a listing, without reading the record."""
    shown = {
        "seq": str(record.seq),
        "generation": str(record.generation),
        "digest": record.desired.digest if record.desired else "",
        "phase": record.standing,
        "owed": ",".join(record.owed),
        "shown": record.shown,
        "orphaned": "1" if record.orphaned else "",
        "due_at": to_text(record.due_at) if record.due_at else "",
        "busy_until": to_text(record.busy_until) if record.busy_until else "",
    }
    return {key: value for key, value in shown.items() if value}


# --- sync's changes -----------------------------------------------------------------------------


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What one sync says of one stack; ``desired`` is None when it could not be compiled."""

    seq: int
    desired: Desired | None
    scope: str | None = None
    create_group: str | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def shown(wanted: Wish) -> str:
    """Return a short digest of what a wish says beside the source digest, for facts. Pure."""
    said = msgspec.structs.replace(wanted, seq=0, desired=None)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]


def wish(record: Record, wanted: Wish, at: datetime) -> Record:
    """Record what Git wants (rule 2). An older wish changes nothing.

    A new digest is a new generation and is due at once. A wish that could not be compiled keeps
    what was desired and shows why.
    """
    if wanted.seq <= record.seq:
        return record
    if wanted.desired is None:
        return msgspec.structs.replace(
            record,
            seq=wanted.seq,
            source_problems=wanted.problems,
            orphaned=False,
            shown=shown(wanted),
        )
    settings = msgspec.structs.replace(
        record,
        seq=wanted.seq,
        scope=wanted.scope,
        create_group=wanted.create_group,
        source_problems=(),
        warnings=wanted.warnings,
        orphaned=False,
        shown=shown(wanted),
    )
    if record.desired is not None and record.desired.digest == wanted.desired.digest:
        if not record.orphaned:
            return settings
        return msgspec.structs.replace(settings, due_at=at)
    return msgspec.structs.replace(
        settings, desired=wanted.desired, generation=record.generation + 1, due_at=at
    )


def orphan(record: Record, seq: int) -> Record:
    """Record that the stack left a readable manifest: it is kept and shown, never touched."""
    if seq <= record.seq:
        return record
    return msgspec.structs.replace(record, seq=seq, orphaned=True, source_problems=())


# --- the holder's changes -----------------------------------------------------------------------


def catch_up(record: Record, generation: int) -> Record:
    """Start above ``generation``: state was lost, but ARM or history remembers releases of it."""
    if record.generation > generation:
        return record
    return msgspec.structs.replace(record, generation=generation + 1)


def next_attempt(record: Record, *, inputs: str, at: datetime) -> Attempt:
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
    )


def intend(record: Record, attempt: Attempt, deployment_id: str, at: datetime) -> Record:
    """Write down what is about to be put, before it is put (rule 6); others keep off meanwhile."""
    return msgspec.structs.replace(
        record,
        attempt=int(attempt.release.partition(".")[2]),
        attempted=attempt,
        deployment_id=deployment_id,
        phase="releasing",
        problem=None,
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
        problem=problem if on_its_way and (problem is not None or stale) else record.problem,
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
    )


def refused(record: Record, problem: Problem, at: datetime) -> Record:
    """ARM refused the attempt outright: nothing changed, and the same would be refused again."""
    return ended(record, "refused", problem=problem, transient=False, at=at)


def is_slow(record: Record, at: datetime, timeout: timedelta) -> bool:
    """Tell whether the release under way takes longer than it should and nobody was told. Pure."""
    under_way = record.in_flight
    return under_way is not None and at - under_way.at > timeout and record.problem is None


def ended(
    record: Record, outcome: Outcome, *, problem: Problem, transient: bool, at: datetime
) -> Record:
    """Record the bad end of the attempt under way; a passing cause is tried again, with back-off."""
    attempted = record.attempted
    if attempted is None:
        return record
    again = transient and record.attempt < MAX_TRANSIENT_ATTEMPTS
    stale = attempted.generation != record.generation
    delay = timedelta(seconds=10 * 4 ** (record.attempt - 1)) if again else ROTATION
    return msgspec.structs.replace(
        record,
        attempted=msgspec.structs.replace(attempted, outcome=outcome, transient=again),
        phase="pending" if stale else "failed",
        judged=record.generation,
        problem=problem,
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
        ),
        reached=attempted.release,
        touched=touched,
        owed=_with(record.owed, "snapshot"),
        phase="steady" if current else "pending",
        judged=record.generation,
        problem=None,
        busy_until=None,
        due_at=at + VERIFY_AFTER if current else at,
    )


def settled(record: Record, at: datetime) -> Record:
    """Nothing is to do: what is applied is what is desired, and ARM says the same."""
    applied = record.applied
    if applied is not None and applied.generation != record.generation:
        applied = msgspec.structs.replace(applied, generation=record.generation)
    return msgspec.structs.replace(
        _given_up(record),
        applied=applied,
        phase="steady",
        judged=record.generation,
        problem=None,
        busy_until=None,
        due_at=at + (ROTATION if record.in_flight is None else VERIFY_AFTER),
    )


def quiet(record: Record, at: datetime) -> Record:
    """Nothing may be done now (a final failure, nothing desired): look again in rotation."""
    return msgspec.structs.replace(_given_up(record), busy_until=None, due_at=at + ROTATION)


def paid(record: Record, debt: str) -> Record:
    """Strike out what was owed, after it is done."""
    return msgspec.structs.replace(record, owed=tuple(x for x in record.owed if x != debt))


def _with(owed: tuple[str, ...], debt: str) -> tuple[str, ...]:
    return owed if debt in owed else (*owed, debt)
