"""What became of a revision: its document, and the fold that gives its status (rule 12)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from shared.core.document import Document
from shared.core.record import Record

StackStatus = Literal["deployed", "failed", "blocked", "superseded", "pending"]
Status = Literal["failed", "blocked", "pending", "superseded", "deployed", "nothing"]

_ORDER: Final[tuple[Status, ...]] = ("failed", "blocked", "superseded", "deployed")


class Visit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One time that the revision was the tip.

    ``changed`` maps each stack that it changed to the generation that it brought; ``broken`` are
    the stacks that could not be compiled at it; ``unreadable`` tells that its manifest could not
    be read. ``superseded_by`` is the tip that was there when it was looked at.
    """

    seq: int
    at: datetime
    changed: Mapping[str, int] = msgspec.field(default_factory=dict)
    broken: tuple[str, ...] = ()
    unreadable: bool = False
    superseded_by: str | None = None


class Revision(Document, frozen=True, kw_only=True, omit_defaults=True):
    """A revision that was the tip of a followed branch, or was pushed over before it was seen."""

    repository: str
    revision: str
    visits: tuple[Visit, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a revision as the API shows it (docs/local.md)."""

    revision: str
    final: bool
    status: Status
    stacks: Mapping[str, StackStatus]
    by: str | None = None


Ended = Mapping[tuple[str, int], StackStatus]
"""How generations that the record has left behind ended, by (stack, generation)."""


def visited(revision: Revision, visit: Visit) -> Revision:
    """Add a visit, or replace the one of the same seq: a sync that is done again says the same."""
    others = tuple(v for v in revision.visits if v.seq != visit.seq)
    return msgspec.structs.replace(revision, visits=(*others, visit))


def stack_status(record: Record | None, generation: int, ended: StackStatus | None) -> StackStatus:
    """Return how one stack's generation stands. Pure.

    ``ended`` is what history says of a generation that the record has left behind.
    """
    if record is None:
        return "pending"
    if record.raised is not None and generation == record.raised[0]:
        generation = record.raised[1]
    if record.applied is not None and record.applied.generation == generation:
        return "deployed"
    if record.orphaned:
        return ended or "superseded"
    if record.generation > generation:
        return ended or "superseded"
    if record.standing in {"stalled", "failed"} and is_stuck(record):
        return "failed"
    return "pending"


def blocked_by(name: str, records: Mapping[str, Record]) -> str | None:
    """Return the failed stack that ``name`` waits for, over however many others; None: nobody. Pure.

    A stack that failed for a passing reason is still on its way, and blocks nobody.
    """
    seen: set[str] = {name}
    waiting = list(records[name].waits_for) if name in records else []
    while waiting:
        other = waiting.pop(0)
        if other in seen or other not in records:
            continue
        seen.add(other)
        if is_stuck(records[other]):
            return other
        waiting.extend(records[other].waits_for)
    return None


def is_stuck(record: Record) -> bool:
    """Tell whether a stack stays where it is until somebody acts. Pure."""
    if record.source_problems or record.standing == "stalled":
        return True
    return record.standing == "failed" and not (record.attempted and record.attempted.transient)


def answer(revision: Revision, records: Mapping[str, Record], ended: Ended) -> Answer:
    """Fold the latest visit and the stacks' records into the revision's status. Pure."""
    if not revision.visits:
        return Answer(revision=revision.revision, final=False, status="pending", stacks={})
    visit = revision.visits[-1]
    stacks: dict[str, StackStatus] = {}
    for name, generation in visit.changed.items():
        status_now = stack_status(records.get(name), generation, ended.get((name, generation)))
        blocked = status_now == "pending" and blocked_by(name, records) is not None
        stacks[name] = "blocked" if blocked else status_now
    stacks.update(dict.fromkeys(visit.broken, "failed"))
    found = set(stacks.values())
    if visit.superseded_by is not None:
        status: Status = "superseded"
    elif "pending" in found:
        status = "pending"
    elif visit.unreadable:
        status = "failed"
    else:
        status = next((s for s in _ORDER if s in found), "nothing")
    return Answer(
        revision=revision.revision,
        final=status != "pending",
        status=status,
        stacks=dict(sorted(stacks.items())),
        by=visit.superseded_by or None,
    )


def together(answers: Mapping[str, Answer]) -> Answer:
    """Return the answer of a revision that several repositories follow, by their keys. Pure.

    Its stacks go by their whole identities; the worst status counts, and all have to be final.
    """
    if len(answers) == 1:
        return next(iter(answers.values()))
    found = {answer.status for answer in answers.values()}
    order: tuple[Status, ...] = ("pending", *_ORDER, "nothing")
    return Answer(
        revision=next(iter(answers.values())).revision,
        final=all(answer.final for answer in answers.values()),
        status=next(status for status in order if status in found),
        stacks={
            f"{key}.{name}": status
            for key, answer in answers.items()
            for name, status in answer.stacks.items()
        },
        by=next((answer.by for answer in answers.values() if answer.by), None),
    )
