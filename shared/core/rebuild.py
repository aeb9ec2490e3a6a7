"""Rebuild lost state: what was found of a repository, and what takes the place of it. Pure.

The rest is the loop's: the next sync copies what Git wants into the fresh documents, and ``release``
takes up what ARM remembers (docs/architecture.md, part 4; ``adr/0010-lost-state-is-taken-up-from-arm.md``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from shared.core import names
from shared.core import tip as tips
from shared.core.audit import Audit, Findings, Readability
from shared.core.owners import sketch
from shared.core.record import HOLD, Applied, Attempt, Former, Freeze, Record, moving
from shared.core.release import Release, unwritten
from shared.core.tip import Tip

Facts = Mapping[str, str]

_DOCUMENTED: Final = frozenset({"succeeded", "failed", "canceled"})
"""How an attempt may have ended that has a document in history."""

_CHANGED_NOTHING: Final = frozenset({"refused", "kept"})


@dataclass(frozen=True)
class Last:
    """What history tells of where a stack is: its last release that has a place, and the last good."""

    placed: Release | None = None
    good: Release | None = None

    @property
    def is_whole(self) -> bool:
        """Whether older releases can tell nothing more."""
        return self.good is not None

    def after(self, older: Release) -> "Last":
        """Return what is known after an older release was read, too.

        One that changed nothing has no say, and neither has one of another place.
        """
        if older.deployment_id is None or older.outcome in _CHANGED_NOTHING:
            return self
        placed = self.placed or older
        good = older.outcome == "succeeded" and older.deployment_id == placed.deployment_id
        return Last(placed, self.good or (older if good else None))


@dataclass(frozen=True)
class Seen:
    """What a look at a repository's documents saw.

    ``unreadable`` maps stacks to the facts of their records, ``released`` has (stack, release) of
    all that history has, ``freezes`` what the audits say of unreadable stacks, whether it holds still
    or not; ``at`` is when that was, by the worker's clock. ``last`` are the last
    releases of those unreadable stacks of which no sync says where they are. ``unread`` names documents in history that
    cannot be read.
    """

    tip: Tip | None
    tip_state: Readability
    records: Mapping[str, Record]
    unreadable: Mapping[str, Facts]
    released: frozenset[tuple[str, str]]
    at: datetime
    freezes: Mapping[str, Freeze] = field(default_factory=dict)
    last: Mapping[str, Last] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


def findings(repository: str, seen: Seen) -> Findings:
    """Return what is to be said of a repository's state."""
    with_history = {stack for stack, _ in seen.released}
    in_tip = {*seen.tip.entries, *seen.tip.broken} if seen.tip is not None else set()
    missing = (in_tip | with_history) - {*seen.records, *seen.unreadable}
    gone = {
        names.release(repository, stack, release)
        for record in seen.records.values()
        for stack, release in _told_of(record)
        if (stack, release) not in seen.released
    }
    return Findings(
        tip=seen.tip_state,
        records=len(seen.records),
        unreadable=tuple(sorted(seen.unreadable)),
        missing=tuple(sorted(missing)),
        gone=tuple(sorted(gone)),
        without_history=tuple(sorted({*missing, *seen.unreadable} - with_history)),
        frozen=tuple(sorted(s for s, freeze in seen.freezes.items() if freeze.holds(seen.at))),
        unread=tuple(sorted(seen.unread)),
    )


def _told_of(record: Record) -> Iterable[tuple[str, str]]:
    """Yield the releases that a record says have ended, with the names that history has them by."""
    if record.applied is not None:
        yield record.applied_home, record.applied.release
    last = record.attempted
    if last is not None and last.outcome in _DOCUMENTED and not record.formerly:
        yield record.stack, last.release


def freezes(
    audits: Iterable[Audit], repository: str, heirs: Mapping[str, str] | None = None
) -> dict[str, Freeze]:
    """Return the last freeze of each stack that was ordered and not lifted.

    Whether it holds still, the server's time decides, not a worker's clock. ``heirs`` are who took
    over what other names had: their freezes, too.
    """
    heirs = heirs or {}
    found: dict[str, Freeze] = {}
    for audit in sorted((a for a in audits if a.repository == repository), key=_turn):
        if audit.operation == "freeze" and audit.until is not None:
            freeze = Freeze(by=audit.by, why=audit.why, at=audit.at, until=audit.until)
            found[heirs.get(audit.stack, audit.stack)] = freeze
        elif audit.operation == "unfreeze":
            found.pop(heirs.get(audit.stack, audit.stack), None)
    return found


def _turn(audit: Audit) -> tuple[datetime, bool, datetime]:
    """Order audits: of one second nobody knows the order, so the longest freeze counts last."""
    return audit.at.replace(microsecond=0), audit.operation == "freeze", audit.until or audit.at


def heirs(records: Iterable[Record]) -> dict[str, str]:
    """Return who has what the records of other names tell of, over however many names. Pure."""
    given = {r.stack: r.moved_to for r in records if r.moved_to is not None and _is_name(r.stack)}
    found: dict[str, str] = {}
    for stack, first in given.items():
        heir, seen = first, {stack}
        while heir in given and heir not in seen:
            seen.add(heir)
            heir = given[heir]
        found[stack] = heir
    return found


def _is_name(stack: str) -> bool:
    """Tell whether a record is a stack's own: a half that was taken up again is no rename. Pure."""
    return not names.is_half_name(stack)


def renamed(record: Record, records: Iterable[Record], tip: Tip | None) -> Record:
    """Return the fresh record of a stack with the names that it had, which other records tell.

    It took over already, and does not do so again: what it released since, ARM has.
    """
    given = [r for r in records if r.moved_to == record.stack and _is_name(r.stack)]
    if not given:
        return record
    had = {f.stack: f for r in given for f in moving.former(r, r.generation)}
    had.pop(record.stack, None)
    entry = tip.entries.get(record.stack) if tip is not None else None
    asked = entry.renamed_from if entry is not None else None
    generation = max(record.generation, *(former.until for former in had.values()))
    return msgspec.structs.replace(
        record,
        generation=generation,
        raised=(generation, generation + 1),
        formerly=tuple(had.values()),
        came_from=asked or given[0].stack,
    )


def given_over(stack: str, facts: Facts, records: Iterable[Record]) -> str | None:
    """Return who has what the lost record of a stack that left told of; None: nobody else."""
    if "applied" in facts or not _is_name(stack):
        return None
    heirs = (r for r in records if r.moved_to is None and _is_name(r.stack))
    return next((r.stack for r in heirs if any(f.stack == stack for f in r.formerly)), None)


def fence(at: datetime) -> int:
    """Return the fence of a document that is made anew: above any that counting has reached (I14)."""
    return int(at.timestamp())


def fresh_record(
    repository: str,
    stack: str,
    facts: Facts,
    released: Iterable[str],
    freeze: Freeze | None,
    at: datetime,
) -> Record:
    """Return the record that takes the place of one that cannot be read, until the next sync.

    ``facts`` are what a listing showed of it; ``released`` are the ids in history. What Git wants
    becomes its next generation, and answers for revisions that brought the last one. It is left alone
    until a worker that had taken the old record can send nothing any more.
    """
    known = [int(release.partition(".")[0]) for release in released]
    generation = max([tips.number(facts, "generation"), *known])
    return Record(
        repository=repository,
        stack=stack,
        seq=tips.number(facts, "seq"),
        generation=generation,
        raised=(generation, generation + 1),
        fence=fence(at),
        busy_until=at + HOLD,
        due_at=at + HOLD,
        freeze=freeze if freeze is not None and freeze.holds(at) else None,
    )


def has_left(stack: str, facts: Facts, tip: Tip | None) -> bool:
    """Tell whether no sync will say where a stack is: Git names it no more, or it is a half.

    Whoever wrote the record's bytes may have written no metadata.
    """
    gone = tip is not None and stack in tip.gone
    return "orphaned" in facts or names.is_half_name(stack) or gone


def was_applied(facts: Facts) -> bool:
    """Tell whether a record may have had something applied: without metadata history has to say."""
    return "applied" in facts or "generation" not in facts


def newest_first(stack: str, released: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return (stack, release) of all that history has of a stack, or of the half of one."""
    half = names.HALF_FORM.fullmatch(stack)
    home = half["stack"] if half is not None else stack
    most = int(half["generation"]) if half is not None else None
    ids = [_order(release) for name, release in released if name == home]
    past = sorted((order for order in ids if most is None or order[0] <= most), reverse=True)
    return tuple((home, "{}.{}".format(*order)) for order in past)


def _order(release: str) -> tuple[int, int]:
    generation, _, attempt = release.partition(".")
    return int(generation), int(attempt)


def left_manifest(record: Record, last: Last) -> Record:
    """Return the fresh record of a stack that Git names no more, by its ``last`` releases.

    No sync says where it is, so history does; what ARM says of that place is taken up as ever.
    """
    placed, good = last.placed, last.good
    if placed is None or placed.deployment_id is None:
        return msgspec.structs.replace(record, orphaned=True)
    former = () if placed.stack == record.stack else (_former(placed),)
    own = [owned.id for owned in good.inventory] if good is not None else []
    touched = () if placed is good else tuple(owned.id for owned in placed.inventory)
    return msgspec.structs.replace(
        record,
        # History has a half's release by its stack's name: kept once more, it would be shown twice.
        attempt=_number(placed) if former else 0,
        attempted=_attempt(placed) if former else None,
        intended_at=placed.started_at if former else None,
        owns=sketch(own),
        touched=touched,
        unsure=unwritten(placed, touched),
        orphaned=True,
        scope=names.scope_of(placed.deployment_id),
        deployment_id=placed.deployment_id,
        formerly=(*former, *record.formerly),
        applied=_applied(good) if good is not None else None,
        reached=placed.release,
        phase="steady" if placed is good else "failed",
        judged=record.generation,
    )


def _attempt(last: Release) -> Attempt:
    return Attempt(
        release=last.release,
        generation=int(last.release.partition(".")[0]),
        revision=last.revision,
        digest=last.digest,
        inputs=last.inputs,
        at=last.started_at,
        outcome=last.outcome,
    )


def _number(last: Release) -> int:
    return int(last.release.partition(".")[2])


def _former(last: Release) -> Former:
    return Former(stack=last.stack, until=int(last.release.partition(".")[0]))


def _applied(last: Release) -> Applied:
    return Applied(
        release=last.release,
        generation=int(last.release.partition(".")[0]),
        revision=last.revision,
        digest=last.digest,
        inputs=last.inputs,
        at=last.ended_at,
        stack=last.stack,
    )


def fresh_tip(
    repository: str, listed: Sequence[tuple[str, Facts]], own: Facts, at: datetime
) -> Tip:
    """Return the tip that takes the place of one that cannot be read; ``own`` were its facts."""
    made = tips.anew(repository, listed)
    return msgspec.structs.replace(
        made,
        sync_seq=max(made.sync_seq, tips.number(own, "seq")),
        fence=fence(at),
        dirty=True,
        due_at=at,
    )


def forced(tip: Tip, listed: Sequence[tuple[str, Facts]], at: datetime) -> Tip:
    """Have everything compiled and kept anew by the next sync, whatever the tip knows.

    A tip that came from a backup goes on above what records were told since, and knows their stacks.
    A sync that is at work was told of nothing that was lost since it began: another follows it.
    """
    made = tips.anew(tip.repository, listed)
    return msgspec.structs.replace(
        tip,
        sync_seq=max(tip.sync_seq, made.sync_seq),
        recorded=made.recorded,
        forced=True,
        dirty_again=tip.dirty_again or tip.busy_until is not None,
        due_at=at,
    )
