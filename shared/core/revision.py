"""What became of a revision: its document, and the fold that gives its status (rule 12)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from shared.core.document import Document
from shared.core.record import Record

StackStatus = Literal["deployed", "failed", "blocked", "superseded", "pending"]
Status = Literal["failed", "blocked", "pending", "superseded", "deployed", "nothing"]

_ORDER: Final[tuple[Status, ...]] = ("failed", "blocked", "superseded", "deployed")


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """The final status of a visit."""

    status: Status
    stacks: Mapping[str, StackStatus]
    at: datetime


class Visit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One time that the revision was the tip.

    ``changed`` maps each stack that it changed to the generation that it brought; ``broken`` are
    the stacks that could not be compiled at it; ``unreadable`` tells that its manifest could not
    be read. ``superseded_by`` is the tip that was there when it was looked at. ``told`` is the state
    that the Git host has of each context, ``telling`` when somebody began to send others, and
    ``not_before`` what the host asked for.
    """

    seq: int
    at: datetime
    changed: Mapping[str, int] = msgspec.field(default_factory=dict)
    broken: tuple[str, ...] = ()
    unreadable: bool = False
    superseded_by: str | None = None
    settled: Settled | None = None
    told: Mapping[str, str] = msgspec.field(default_factory=dict)
    telling: datetime | None = None
    not_before: datetime | None = None


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
    """Add a visit; one of the same seq stays: a sync that is done again says the same."""
    if any(v.seq == visit.seq for v in revision.visits):
        return revision
    last = revision.visits[-1] if revision.visits else None
    if last is not None and last.settled is None:
        # Its end was not told: what it began, this one brings to an end.
        visit = msgspec.structs.replace(
            visit,
            changed={**last.changed, **visit.changed},
            told=last.told,
            telling=last.telling,
            not_before=last.not_before,
        )
    return msgspec.structs.replace(revision, visits=(*revision.visits, visit))


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What of a record decides the status of a revision; a listing shows it, too.

    ``running`` is the generation whose attempt has no end yet.
    """

    generation: int
    applied: int | None = None
    running: int | None = None
    failed: bool = False
    broken: bool = False
    orphaned: bool = False
    raised: tuple[int, int] | None = None


def standing_of(record: Record) -> Standing:
    """Return what decides of a record. Pure."""
    return Standing(
        generation=record.generation,
        applied=record.present.generation if record.present else None,
        running=record.in_flight.generation if record.in_flight else None,
        failed=record.is_failed,
        broken=bool(record.source_problems),
        orphaned=record.orphaned,
        raised=record.raised,
    )


def standing_in(facts: Mapping[str, str]) -> Standing:
    """Return what decides of a record from its facts in a listing. Pure."""
    before, _, after = facts.get("raised", "").partition(",")
    return Standing(
        generation=int(facts.get("generation", "0")),
        applied=int(facts["applied"]) if "applied" in facts else None,
        running=int(facts["running"]) if "running" in facts else None,
        failed="failed" in facts,
        broken="broken" in facts,
        orphaned="orphaned" in facts,
        raised=(int(before), int(after)) if after else None,
    )


def stack_status(
    standing: Standing | None, generation: int, ended: StackStatus | None
) -> StackStatus:
    """Return how one stack's generation stands. Pure.

    ``ended`` is what history says of a generation that the record has left behind.
    """
    if standing is None:
        return "pending"
    if standing.raised is not None and generation == standing.raised[0]:
        after = _stands(standing, standing.raised[1], ended)
        # What the count went on to may be something else that ended well: history knows better. Until
        # then another attempt of what failed may be on its way.
        return "failed" if ended == "failed" and after != "pending" else after
    return _stands(standing, generation, ended)


def _stands(standing: Standing, generation: int, ended: StackStatus | None) -> StackStatus:
    if standing.applied == generation:
        return "deployed"
    if standing.running == generation:
        return "pending"
    if standing.orphaned or standing.generation > generation:
        return ended or "superseded"
    return "failed" if standing.failed else "pending"


Known = Callable[[str], Record | None]
"""Returns the record of a stack, or None."""


def blocked_by(name: str, record_of: Known) -> str | None:
    """Return the failed stack that ``name`` waits for, over however many others; None: nobody.

    A stack that failed for a passing reason is still on its way, and blocks nobody. Pure but for
    what it is told of records.
    """
    seen: set[str] = {name}
    first = record_of(name)
    waiting = list(first.waits_for) if first is not None else []
    while waiting:
        other = waiting.pop(0)
        record = None if other in seen else record_of(other)
        seen.add(other)
        if record is None:
            continue
        if record.is_failed or record.source_problems:
            return other
        waiting.extend(record.waits_for)
    return None


def answer(
    revision: Revision, standings: Mapping[str, Standing], ended: Ended, record_of: Known
) -> Answer:
    """Fold the latest visit and the stacks' records into the revision's status. Pure.

    A status that was settled stays what it is, whatever becomes of the stacks later (rule 12).
    """
    if not revision.visits:
        return Answer(revision=revision.revision, final=False, status="pending", stacks={})
    visit = revision.visits[-1]
    if visit.settled is not None:
        return Answer(
            revision=revision.revision,
            final=True,
            status=visit.settled.status,
            stacks=visit.settled.stacks,
            by=visit.superseded_by or None,
        )
    stacks = _stacks(visit, standings, ended, record_of)
    status = _whole(visit, set(stacks.values()))
    return Answer(
        revision=revision.revision,
        final=status != "pending",
        status=status,
        stacks=dict(sorted(stacks.items())),
        by=visit.superseded_by or None,
    )


def _stacks(
    visit: Visit, standings: Mapping[str, Standing], ended: Ended, record_of: Known
) -> dict[str, StackStatus]:
    stacks: dict[str, StackStatus] = {}
    somebody_failed = any(one.failed or one.broken for one in standings.values())
    for name, generation in visit.changed.items():
        found = stack_status(standings.get(name), generation, ended.get((name, generation)))
        standing = standings.get(name)
        waits = found == "pending" and (standing is None or standing.running != generation)
        if waits and somebody_failed and blocked_by(name, record_of) is not None:
            found = "blocked"
        stacks[name] = found
    stacks.update(dict.fromkeys(visit.broken, "failed"))
    return stacks


def _whole(visit: Visit, found: set[StackStatus]) -> Status:
    if visit.superseded_by is not None:
        return "superseded"
    if "pending" in found:
        return "pending"
    if visit.unreadable:
        return "failed"
    return next((status for status in _ORDER if status in found), "nothing")


def telling(revision: Revision, at: datetime) -> Revision:
    """Note that somebody begins to send the latest visit's statuses."""
    *others, visit = revision.visits
    return msgspec.structs.replace(
        revision, visits=(*others, msgspec.structs.replace(visit, telling=at))
    )


def told(
    revision: Revision, seq: int, states: Mapping[str, str], *, telling: datetime | None
) -> Revision:
    """Note what the Git host was told of a visit; ``telling`` None: nobody is sending any more."""
    return _of_visit(
        revision,
        seq,
        lambda v: msgspec.structs.replace(v, told={**v.told, **states}, telling=telling),
    )


def patient(revision: Revision, seq: int, until: datetime) -> Revision:
    """Note until when the Git host wants no more calls."""
    return _of_visit(
        revision, seq, lambda v: msgspec.structs.replace(v, not_before=until, telling=None)
    )


def _of_visit(revision: Revision, seq: int, change: Callable[[Visit], Visit]) -> Revision:
    visits = tuple(change(v) if v.seq == seq else v for v in revision.visits)
    return msgspec.structs.replace(revision, visits=visits)


def settle(revision: Revision, answered: Answer, at: datetime) -> Revision:
    """Write down that the latest visit's status is final: it is so once, and for good."""
    *others, visit = revision.visits
    if visit.settled is not None or not answered.final:
        return revision
    settled = Settled(status=answered.status, stacks=answered.stacks, at=at)
    return msgspec.structs.replace(
        revision, visits=(*others, msgspec.structs.replace(visit, settled=settled))
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
