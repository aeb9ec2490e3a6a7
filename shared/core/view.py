"""What people and programs are shown: the JSON of docs/local.md, by allow-list.

Every field that an API answer has is named here; nothing is passed through from a document whole
(docs/security.md: read models are allow-listed).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from shared.core.audit import Audit, Findings
from shared.core.budget import Kind as BudgetKind
from shared.core.drift.view import DriftView
from shared.core.poison import OpenPoison
from shared.core.problem import Problem
from shared.core.record import Freeze, Record
from shared.core.release import Release
from shared.core.tip import Tip
from shared.core.waves import Awaited, waiting

NEWEST_POISON: Final = 10
"""How many kept messages an answer lists."""


class DesiredView(msgspec.Struct, frozen=True, kw_only=True):
    """What Git wants of a stack."""

    revision: str
    digest: str


class AppliedView(msgspec.Struct, frozen=True, kw_only=True):
    """What the last good release brought."""

    revision: str
    digest: str
    at: datetime


class FrozenView(msgspec.Struct, frozen=True, kw_only=True):
    """Until when a stack is left alone, by whom, and why."""

    by: str
    why: str
    until: datetime


class StackView(msgspec.Struct, frozen=True, kw_only=True):
    """A stack as ``GET /api/stacks`` shows it; ``waiting`` is the chain that it waits for.

    ``halves`` are the names of what it left behind in other scopes; ``moved_to`` names the stack that
    has what this one had.
    """

    name: str
    repository: str
    scope: str | None
    phase: str
    generation: int
    desired: DesiredView | None
    applied: AppliedView | None
    drift: DriftView
    problem: Problem | None
    waiting: tuple[Awaited, ...]
    frozen: FrozenView | None
    warnings: tuple[Problem, ...]
    release: str | None
    halves: tuple[str, ...]
    moved_to: str | None
    due_at: datetime | None


class ReleaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A release that ended, as ``GET /api/stacks/{name}/releases`` shows it."""

    release: str
    revision: str
    digest: str
    outcome: str
    started_at: datetime
    ended_at: datetime
    duration_s: float | None
    correlation_id: str | None
    problem: Problem | None
    resources: tuple[str, ...]
    outputs: Mapping[str, Any]


class RepositoryView(msgspec.Struct, frozen=True, kw_only=True):
    """A repository as ``GET /api/health`` shows it."""

    repository: str
    revision: str | None
    checked_at: datetime | None
    last_delivery_at: datetime | None
    healed_pushes: int
    last_healed_at: datetime | None
    stacks: int
    problems: tuple[Problem, ...]


class PoisonQueueView(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages of a queue were tried too often: in its poison queue now, and kept."""

    waiting: int
    kept: int


class KeptMessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was tried too often, and that nobody has dealt with; never its body."""

    id: str
    queue: str
    at: datetime
    size: int
    dequeue_count: int
    subject: str | None


class PoisonView(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried too often, by queue, and the newest of what is kept."""

    queues: Mapping[str, PoisonQueueView]
    newest: tuple[KeptMessageView, ...]

    @property
    def is_clear(self) -> bool:
        """Tell whether there is nothing that anybody has to deal with."""
        return not self.newest and not any(queue.waiting for queue in self.queues.values())


class PoisonOrderView(msgspec.Struct, frozen=True, kw_only=True):
    """What ``POST /api/poison/{id}/{operation}`` answers: what was ordered of which message."""

    id: str
    queue: str
    subject: str | None
    operation: str
    by: str
    why: str


class HealthView(msgspec.Struct, frozen=True, kw_only=True):
    """What ``GET /api/health`` answers; ``status`` is ``ok`` or ``problem``.

    ``arm`` is how many calls ARM still takes, by subscription and kind, as far as this worker knows.
    ``poison`` is null when the configuration cannot be read.
    """

    status: str
    version: str
    installation: str | None
    repositories: tuple[RepositoryView, ...]
    arm: Mapping[str, Mapping[BudgetKind, int]] = msgspec.field(default_factory=dict)
    poison: PoisonView | None = None
    problem: Problem | None = None


class RebuildView(msgspec.Struct, frozen=True, kw_only=True):
    """What the order to rebuild a repository's state answers: what was found before it began.

    ``audit`` is the order's id, under which history keeps the same.
    """

    repository: str
    audit: str
    tip: str
    records: int
    unreadable: tuple[str, ...]
    missing: tuple[str, ...]
    gone: tuple[str, ...]
    without_history: tuple[str, ...]
    frozen: tuple[str, ...]
    unread: tuple[str, ...]


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer that is not 2xx says."""

    error: str
    message: str
    hint: str | None = None
    candidates: tuple[str, ...] = ()


def stack_view(
    record: Record,
    others: Mapping[str, Record],
    freeze: Freeze | None = None,
    drift: DriftView | None = None,
) -> StackView:
    """Return what is shown of a stack; ``others`` are its repository's records by stack. Pure.

    ``freeze`` is the one in force, ``drift`` what inspections know.

    A source problem goes first: it is what the author of the last push has to mend.
    """
    desired, applied, attempted = record.desired, record.applied, record.attempted
    stale = record.judged != record.generation and record.phase in {"failed", "stalled"}
    source_problem = record.source_problems[0] if record.source_problems else None
    phase = "orphaned" if record.orphaned else str(record.standing)
    if record.orphaned and record.removed_at is not None:
        phase = "removed"
    if desired is None and source_problem is not None:
        phase = "failed"
    return StackView(
        name=record.stack,
        repository=record.repository,
        scope=record.scope,
        phase=phase,
        generation=record.generation,
        desired=DesiredView(revision=desired.revision, digest=desired.digest) if desired else None,
        applied=(
            AppliedView(revision=applied.revision, digest=applied.digest, at=applied.at)
            if applied
            else None
        ),
        drift=drift or DriftView(),
        problem=source_problem or (None if phase == "pending" and stale else record.problem),
        waiting=waiting(record, others) if phase == "pending" else (),
        frozen=FrozenView(by=freeze.by, why=freeze.why, until=freeze.until) if freeze else None,
        warnings=record.warnings + record.shared + _pruning(record),
        release=attempted.release if attempted else None,
        halves=tuple(sorted(record.halves)) if record.moved_to is None else (),
        moved_to=record.moved_to,
        due_at=record.due_at,
    )


def _pruning(record: Record) -> tuple[Problem, ...]:
    """Return what a person should know of what left the stack: it keeps no release from anything."""
    shown = record.prune_problem if record.owes_prune else None
    return (shown,) if shown is not None else ()


def unreadable_view(repository: str, stack: str, problem: Problem) -> StackView:
    """Return what is shown of a stack whose record cannot be read. Pure."""
    return stack_view(
        Record(repository=repository, stack=stack, phase="stalled", problem=problem, due_at=None),
        {},
    )


def rebuild_view(audit: Audit, found: Findings) -> RebuildView:
    """Return what is shown of a rebuild that was ordered. Pure."""
    return RebuildView(
        repository=audit.repository,
        audit=audit.id,
        tip=found.tip,
        records=found.records,
        unreadable=found.unreadable,
        missing=found.missing,
        gone=found.gone,
        without_history=found.without_history,
        frozen=found.frozen,
        unread=found.unread,
    )


def release_view(release: Release) -> ReleaseView:
    """Return what is shown of a release that ended. Pure."""
    return ReleaseView(
        release=release.release,
        revision=release.revision,
        digest=release.digest,
        outcome=release.outcome,
        started_at=release.started_at,
        ended_at=release.ended_at,
        duration_s=release.duration_s,
        correlation_id=release.correlation_id,
        problem=release.problem,
        resources=tuple(owned.id for owned in release.inventory),
        outputs=release.outputs,
    )


def repository_view(key: str, tip: Tip | None) -> RepositoryView:
    """Return what is shown of a repository. Pure."""
    broken = tuple(p for problems in tip.broken.values() for p in problems) if tip else ()
    trouble = (tip.trouble,) if tip is not None and tip.trouble is not None else ()
    return RepositoryView(
        repository=key,
        revision=tip.revision if tip else None,
        checked_at=tip.checked_at if tip else None,
        last_delivery_at=tip.deliveries.last_at if tip else None,
        healed_pushes=tip.deliveries.healed if tip else 0,
        last_healed_at=tip.deliveries.healed_at if tip else None,
        stacks=len(tip.entries) if tip else 0,
        problems=(trouble + tip.problems + broken) if tip else (),
    )


def poison_view(waiting: Mapping[str, int], kept: Sequence[OpenPoison]) -> PoisonView:
    """Return what is shown of what was tried too often; ``waiting`` is by queue. Pure."""
    owned = Counter(message.queue for message in kept)
    newest = sorted(kept, key=lambda message: message.taken_at, reverse=True)[:NEWEST_POISON]
    return PoisonView(
        queues={
            queue: PoisonQueueView(waiting=count, kept=owned[queue])
            for queue, count in waiting.items()
        },
        newest=tuple(
            KeptMessageView(
                id=message.id,
                queue=message.queue,
                at=message.taken_at,
                size=message.size,
                dequeue_count=message.dequeue_count,
                subject=message.subject,
            )
            for message in newest
        ),
    )


def to_json(value: Any) -> bytes:
    """Return the JSON of an answer; dataclasses and structs alike. Pure."""
    return msgspec.json.encode(value)
