"""Inspect a stack: compare what was released with what is there, explain it, and have it healed.

Called by ``functions/inspect.py``. It writes to ARM nothing but what-if questions; a heal is asked of
``release`` (docs/architecture.md, part 5; invariants I20 to I22).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from shared import events
from shared.core.drift import course, evidence, foresight, healing, history, judgement, noise
from shared.core.drift import strangers as unknown
from shared.core.drift.course import Look
from shared.core.drift.differences import MISSING
from shared.core.drift.judgement import Judged, Looked, Standard
from shared.core.drift.model import Drift, Gap, Item
from shared.core.drift.suspicion import Estate, Periods, ours, period_of, seen, shares
from shared.core.errors import Stalled, Transient
from shared.core.message import StackMessage
from shared.core.prediction import Prediction
from shared.core.record import Applied, Asked, Record
from shared.core.release import Owned, Release
from shared.core.scopes import fold
from shared.flows.estates import Estates
from shared.flows.foresee import Foresee, Pending
from shared.flows.gathering import Gathering, Released, Witnesses
from shared.flows.messenger import Messenger
from shared.ports import Log
from shared.state.archive import Archive
from shared.state.drifts import Drifts
from shared.state.held import Held
from shared.state.records import Records

BY = "plumbline"
"""Who asks for a heal."""

MOST_CHILDREN = 20
"""How many children that nobody declared are read in one look."""


@dataclass(frozen=True)
class Subject:
    """The stack that is looked at, its release, and what was known of its drift."""

    record: Record
    applied: Applied
    release: Release
    drift: Drift
    at: datetime

    @property
    def ended(self) -> evidence.Release:
        """Between when and when the release wrote."""
        return evidence.Release(
            self.release.started_at, self.release.ended_at, self.release.correlation_id
        )


@dataclass(frozen=True)
class Inspect:
    """The flow."""

    records: Records
    drifts: Drifts
    archive: Archive
    estates: Estates
    gathering: Gathering
    foresee: Foresee
    messenger: Messenger
    periods: Periods
    log: Log

    def __call__(self, message: StackMessage) -> None:
        """Look at a stack once. Raises Transient and Waiting for another try."""
        held = self.records.read(message.repository, message.stack)
        if held is None or held.document.present is None:
            return
        record, applied = held.document, held.document.present
        known = self._known(record)
        before = (
            known.document if known else Drift(repository=record.repository, stack=record.stack)
        )
        if record.in_flight is not None:
            self.drifts.write(known, course.put_off(before, held.at))
            return
        release = self.archive.release(record.repository, record.applied_home, applied.release)
        drift = course.begun(before, applied.release, heals=_is_heal(record))
        if release is None:
            self.drifts.write(known, _without_release(drift, applied, held.at))
            return
        subject = Subject(record, applied, release, drift, held.at)
        reason = "reverted" if before.release == applied.release else _reason(record)
        self._look(subject, known, reason)

    def _known(self, record: Record) -> Held[Drift] | None:
        """Return what is known; a document that cannot be read is kept aside and made anew."""
        try:
            return self.drifts.read(record.repository, record.stack)
        except Stalled as e:
            if e.reason != "DocumentUnreadable":
                raise
            self.log(events.STALLED, stack=record.stack, reason=e.reason, hint=e.hint)
            self.drifts.discard(record.repository, record.stack, self.archive.put_unreadable)
            return None

    def _look(self, subject: Subject, known: Held[Drift] | None, reason: str) -> None:
        drift, record = subject.drift, subject.record
        witnesses = self.gathering.witnesses(record.scope, subject.release.inventory)
        period = period_of(
            (record.repository, record.stack),
            self.periods,
            blind=not witnesses.has_log(record.scope or ""),
        )
        full = course.is_full(
            drift, subject.applied.at, subject.at, confirm=self.periods.confirm, period=period
        )
        foreseen: Prediction | Gap | None = None
        if full:
            asked = self.foresee(record, subject.applied, drift, subject.at)
            if isinstance(asked, Pending):
                self._wait(subject, known, asked)
                return
            foreseen = asked
        self._conclude(subject, known, witnesses, foreseen, reason)

    def _wait(self, subject: Subject, known: Held[Drift] | None, asked: Pending) -> None:
        record, wait = subject.record, timedelta(seconds=asked.wait_s)
        after = course.waiting(subject.drift, asked.looking, subject.at, wait)
        if self.drifts.write(known, after) is not None:
            self.messenger.stack("inspect", record.repository, record.stack, delay_s=asked.wait_s)

    def _conclude(
        self,
        subject: Subject,
        known: Held[Drift] | None,
        witnesses: Witnesses,
        foreseen: Prediction | Gap | None,
        reason: str,
    ) -> None:
        """Read, judge, and keep what was found, unless a release began meanwhile."""
        estate = self.estates()
        view = _View(self, subject, witnesses, estate, foreseen)
        drift = view.drift(reason)
        record = self._still(subject)
        if record is None:
            self.drifts.write(known, course.put_off(subject.drift, subject.at))
            return
        opened = history.opened(subject.drift.items, drift.items)
        heals = _may_heal(record, drift, subject.at)
        if heals:
            drift = msgspec.structs.replace(
                drift, heal=healing.begun(drift.heal, healing.healable(drift.items), subject.at)
            )
        written = self.drifts.write(known, drift)
        if written is None:
            return
        self._learn(view)
        self._tell(subject.drift, drift, opened)
        if heals:
            self._heal(record, drift)

    def _still(self, subject: Subject) -> Record | None:
        """Return the record if the release that was looked at is still what is there."""
        held = self.records.read(subject.record.repository, subject.record.stack)
        record = held.document if held is not None else None
        if record is None or record.present is None or record.in_flight is not None:
            return None
        return record if record.present.release == subject.applied.release else None

    def _learn(self, view: "_View") -> None:
        found = noise.gathered(view.judged.learned)
        repository = view.subject.record.repository
        if found and noise.is_news(tuple(view.rules.values()), found):
            try:
                self.drifts.learn(repository, found)
            except Transient as e:
                # Others are learning, too; what is noise shows itself again.
                self.log(events.STALLED, repository=repository, reason=e.reason, hint=e.hint)

    def _tell(self, before: Drift, after: Drift, opened: Sequence[Item]) -> None:
        named = {"repository": after.repository, "stack": after.stack}
        if opened:
            self.log(
                events.DRIFT_FOUND,
                **named,
                items=len(opened),
                high=sum(item.severity == "high" for item in opened),
                callers=sorted({item.who.caller for item in opened if item.who is not None}),
            )
        if before.items and not after.items:
            self.log(events.DRIFT_GONE, **named, reason=after.history[0].reason)
        if after.problem is not None and before.problem is None:
            self.log(events.DRIFT_FIGHT, **named, message=after.problem.message)
        self.log(
            events.DRIFT_INSPECTED,
            **named,
            state=after.state,
            items=len(after.items),
            gaps=len(after.gaps),
            full=after.full_at == after.checked_at,
        )

    def _heal(self, record: Record, drift: Drift) -> None:
        """Ask for one more attempt of what is deployed: a new generation goes before it."""
        applied = record.applied
        if applied is None:
            return
        what = ", ".join(sorted({item.resource.rpartition("/")[2] for item in drift.items})[:5])

        def asked(now: Record, at: datetime) -> Record:
            if now.generation != record.generation or now.in_flight is not None:
                return now
            heal = Asked(
                kind="heal",
                generation=now.generation,
                above=now.attempts,
                by=BY,
                why=f"{len(drift.items)} differences: {what}",
                at=at,
            )
            return msgspec.structs.replace(now, asked=heal, due_at=at)

        self.records.ask(record.repository, record.stack, asked)
        self.messenger.stack("release", record.repository, record.stack)
        self.log(
            events.HEAL_ASKED,
            repository=record.repository,
            stack=record.stack,
            items=len(drift.items),
            attempt=drift.heal.attempts,
        )


def _is_heal(record: Record) -> bool:
    """Tell whether the applied release answers a heal. Pure."""
    asked, applied = record.asked, record.applied
    if asked is None or applied is None or asked.kind != "heal":
        return False
    generation, _, attempt = applied.release.partition(".")
    return int(generation) == asked.generation and int(attempt) > asked.above


def _reason(record: Record) -> str:
    return "healed" if _is_heal(record) else "released"


def _may_heal(record: Record, drift: Drift, at: datetime) -> bool:
    """Tell whether a heal is to be asked for now. Pure."""
    wanted = record.policy.drift == "heal" and bool(healing.healable(drift.items))
    same = record.desired is not None and record.applied is not None
    same = same and record.desired.digest == record.applied.digest  # type: ignore[union-attr]
    calm = record.standing == "steady" and record.wanted is None and not record.orphaned
    return wanted and same and calm and healing.may_heal(drift, at)


def _without_release(drift: Drift, applied: Applied, at: datetime) -> Drift:
    gap = Gap(
        code="ReleaseMissing",
        message=f"The release {applied.release} is not in the history container.",
        hint="Release the stack: what it owns is then known again.",
    )
    return msgspec.structs.replace(
        drift,
        state=course.state(drift.items, (gap,)),
        gaps=(gap,),
        checked_at=at,
        full_at=at,
        confirmed_at=at,
        due_at=None,
    )


class _View:
    """One look: what is read, and what it comes to. ``judged`` is there after ``drift``."""

    def __init__(
        self,
        flow: Inspect,
        subject: Subject,
        witnesses: Witnesses,
        estate: Estate,
        foreseen: Prediction | Gap | None,
    ) -> None:
        self.subject = subject
        self._gathering = flow.gathering
        self._witnesses = witnesses
        self._estate = estate
        self._foreseen = foreseen
        self._confirm = flow.periods.confirm
        self.rules = noise.by_key(flow.drifts.rules(subject.record.repository))
        mine = ours(estate.facts.values())
        self._writes = tuple(
            write for write in witnesses.writes if (write.correlation_id or "").lower() not in mine
        )
        self.judged = Judged()

    def drift(self, reason: str) -> Drift:
        """Return what is known after the look."""
        subject, full = self.subject, self._foreseen is not None
        released = self._gathering.released(subject.release, subject.drift)
        owned = subject.release.inventory if full else self._suspects(released)
        children = self._children()
        by = self._standard({fold(item.resource) for item in children})
        looks = self._looks(owned, released, by)
        found = [judgement.judge(one, by) for one in looks]
        parts = [*found, Judged(items=(*children, *self._strangers()))]
        if full:
            parts.append(Judged(gaps=self._gaps(released, looks)))
        if isinstance(self._foreseen, Prediction):
            seen_before = [item for part in found for item in part.items]
            parts.append(foresight.judge(self._foreseen, looks, seen_before, by))
        self.judged = judgement.together(parts)
        looked_at = None if full else {fold(one.id) for one in owned} | self._undeclared()
        look = Look(
            at=subject.at,
            judged=self.judged,
            looked_at=looked_at,
            seen=self._seen(),
            events=self._events(),
            confirms=subject.at - subject.applied.at >= self._confirm,
            reason=reason,
        )
        return self._with_bodies(course.looked(subject.drift, look), looks, released)

    # ---- what is read ----------------------------------------------------------------------

    def _suspects(self, released: Released) -> tuple[Owned, ...]:
        """Return what a partial look covers: what was touched or is gone, and what was amiss."""
        drift = self.subject.drift
        amiss = {fold(item.resource) for item in drift.items}
        amiss |= {fold(gap.resource) for gap in drift.gaps if gap.resource is not None}
        lost = {key for key, body in released.bodies.items() if body is MISSING}
        return tuple(
            one
            for one in self.subject.release.inventory
            if fold(one.id) in amiss | lost
            or self._is_gone(one)
            or self._evidence(one).touch == "touched"
        )

    def _is_gone(self, owned: Owned) -> bool:
        """Tell whether a listing showed it before, and does not now."""
        key = fold(owned.id)
        return key in self.subject.drift.sightings and key not in self._witnesses.sightings

    def _evidence(self, owned: Owned) -> evidence.Evidence:
        sighting = self._witnesses.sightings.get(fold(owned.id))
        return evidence.weigh(
            owned.id,
            self.subject.ended,
            self._writes,
            changed_at=sighting.changed_at if sighting is not None else None,
            is_listed=sighting is not None,
            has_log=self._witnesses.has_log(owned.id),
        )

    def _looks(self, owned: Sequence[Owned], released: Released, by: Standard) -> list[Looked]:
        now = self._gathering.now(owned, released.bodies)
        looks = []
        for one in owned:
            body = now[fold(one.id)]
            gap = body if isinstance(body, Gap) else None
            looks.append(
                Looked(
                    owned=one,
                    evidence=self._evidence(one),
                    released=released.bodies.get(fold(one.id), MISSING),
                    now=MISSING if gap is not None else body,
                    gap=gap,
                )
            )
        return self._twice(looks, released, by)

    def _twice(self, looks: list[Looked], released: Released, by: Standard) -> list[Looked]:
        """Read again what seems to have drifted: what moves by itself is another value then."""
        doubtful = [one.owned for one in looks if judgement.is_worth_another_look(one, by)]
        if not doubtful:
            return looks
        again = self._gathering.now(doubtful, released.bodies)
        return [
            replace(one, again=body)
            if (body := again.get(fold(one.owned.id), MISSING)) is not MISSING
            and not isinstance(body, Gap)
            else one
            for one in looks
        ]

    def _standard(self, children: set[str]) -> Standard:
        subject, drift = self.subject, self.subject.drift
        return Standard(
            at=subject.at,
            release=subject.ended,
            owned={fold(one.id) for one in subject.release.inventory} | children,
            ignores=subject.record.policy.ignore,
            rules=self.rules,
            settled={(fold(one.resource), one.path): one for one in drift.settled},
            wanted=self._wanted,
        )

    @property
    def _wanted(self) -> dict[str, object]:
        if isinstance(self._foreseen, Prediction):
            return dict(foresight.read(self._foreseen, self._gathering.redacted).wanted)
        return {
            key: self._gathering.archive.content(digest)
            for key, digest in self.subject.drift.wanted.items()
        }

    def _gaps(self, released: Released, looks: Sequence[Looked]) -> tuple[Gap, ...]:
        gaps = list(released.gaps)
        if isinstance(self._foreseen, Gap):
            gaps.append(self._foreseen)
        if isinstance(self._foreseen, Prediction):
            gaps += foresight.read(self._foreseen, self._gathering.redacted).gaps
        return tuple(gaps)

    # ---- what nobody declared --------------------------------------------------------------

    def _children(self) -> tuple[Item, ...]:
        """Return the children that others made inside the stack's resources, and that are there."""
        subject = self.subject
        owned = {fold(one.id) for one in subject.release.inventory}
        made = [
            (resource, kind)
            for resource, kind in unknown.candidates(self._writes, subject.ended, owned)
            if not self._estate.owned_by(resource)
        ]
        return tuple(
            unknown.child_item(resource, kind, self._writes, subject.at)
            for resource, kind in made[:MOST_CHILDREN]
            if self._gathering.child(resource, kind) is not None
        )

    def _strangers(self) -> tuple[Item, ...]:
        """Return the resources that others made in the groups that the stack answers for."""
        subject = self.subject
        mine = (subject.record.repository, subject.record.stack)
        found = [
            sighting
            for sighting in self._witnesses.sightings.values()
            if self._estate.keeper(sighting.id) == mine and not self._estate.owned_by(sighting.id)
        ]
        has_log = self._witnesses.has_log(subject.record.scope or "")
        return unknown.undeclared(
            found, subject.ended, self._writes, has_log=has_log, at=subject.at
        )

    def _undeclared(self) -> set[str]:
        """Return what was undeclared before: each look answers for all of it."""
        return {fold(i.resource) for i in self.subject.drift.items if i.kind == "undeclared"}

    # ---- what is kept ----------------------------------------------------------------------

    def _seen(self) -> str:
        mine = (self.subject.record.repository, self.subject.record.stack)
        return seen(shares(self._witnesses.sightings.values(), self._estate).get(mine, ()))

    def _events(self) -> datetime | None:
        until = [log.seen_at for log in self._witnesses.logs.values() if log.seen_at is not None]
        return max([*until, *(write.seen_at for write in self._witnesses.writes)], default=None)

    def _with_bodies(self, drift: Drift, looks: Sequence[Looked], released: Released) -> Drift:
        """Keep what the template leads to, what is listed, and what stands for a lost snapshot."""
        if self._foreseen is None:
            return drift
        listed = self._witnesses.sightings
        lost = {
            fold(one.owned.id): one.now
            for one in looks
            if one.released is MISSING
            and one.evidence.touch == "untouched"
            and one.now is not None
            and one.now is not MISSING
        }
        wanted = self._wanted if isinstance(self._foreseen, Prediction) else {}
        ids = {fold(one.id) for one in self.subject.release.inventory}
        return msgspec.structs.replace(
            drift,
            sightings={key: "" for key in sorted(ids & set(listed))},
            references={**drift.references, **self._gathering.keep(lost, lost)},
            wanted=self._gathering.keep(wanted, ids & set(wanted)) or drift.wanted,
        )
