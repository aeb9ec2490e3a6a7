"""Inspect a stack: compare what was released with what is there, explain it, and have it healed.

Called by ``functions/inspect.py``. It writes to ARM nothing but what-if questions; a heal is asked of
``release`` (docs/architecture.md, part 5; invariants I20 to I22).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from shared import events
from shared.core.backoff import delay_s
from shared.core.drift import course, healing, history, noise
from shared.core.drift.model import Drift, Finding, Gap, Item
from shared.core.drift.suspicion import Estate, Periods, period_of
from shared.core.errors import Stalled, Transient, Waiting
from shared.core.message import StackMessage
from shared.core.prediction import Prediction
from shared.core.record import Applied, Asked, Record
from shared.core.release import Release
from shared.flows.estates import Estates
from shared.flows.foresee import Foresee, Pending
from shared.flows.gathering import Gathering, Witnesses
from shared.flows.messenger import Messenger
from shared.flows.sight import Sight
from shared.flows.undeclared import Subject, nobodys
from shared.ports import Log
from shared.state.archive import Archive
from shared.state.drifts import Drifts
from shared.state.held import Held
from shared.state.records import Records

BY = "plumbline"
"""Who asks for a heal."""


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
        before = known.document if known else self._before(record)
        if record.in_flight is not None:
            self.drifts.write(known, course.put_off(before, held.at))
            return
        release = self._release(record, applied)
        drift = course.begun(before, applied.release, heals=_is_heal(record))
        if release is None:
            self.drifts.write(known, _without_release(drift, applied, held.at))
            return
        subject = Subject(record, applied, release, drift, held.at)
        try:
            self._look(subject, known)
        except (Transient, Waiting) as e:
            # The delay is written first, so that no scan adds another message (rule 9).
            wait_s = e.wait_s if isinstance(e, Waiting) else delay_s(message.tries, e.retry_after_s)
            self.drifts.write(known, course.later(before, held.at, wait_s))
            raise

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

    def _before(self, record: Record) -> Drift:
        """Return what is known of a stack without a document: what was known under its former name."""
        fresh = Drift(repository=record.repository, stack=record.stack)
        if record.came_from is None:
            return fresh
        try:
            former = self.drifts.read(record.repository, record.came_from)
        except Stalled as e:
            if e.reason != "DocumentUnreadable":
                raise
            return fresh
        if former is None:
            return fresh
        return msgspec.structs.replace(former.document, stack=record.stack, looking=None)

    def _release(self, record: Record, applied: Applied) -> Release | None:
        """Return the applied release; one that cannot be read tells as little as one that is gone."""
        try:
            return self.archive.release(record.repository, record.applied_home, applied.release)
        except Stalled as e:
            if e.reason != "DocumentUnreadable":
                raise
            self.log(events.STALLED, stack=record.stack, reason=e.reason, hint=e.hint)
            return None

    def _rules(self, repository: str) -> tuple[Finding, ...]:
        """Return the rules; those that cannot be read are kept aside, and learned again."""
        try:
            return self.drifts.rules(repository)
        except Stalled as e:
            if e.reason != "DocumentUnreadable":
                raise
            self.log(events.STALLED, repository=repository, reason=e.reason, hint=e.hint)
            self.drifts.discard_rules(repository, self.archive.put_unreadable)
            return ()

    def _look(self, subject: Subject, known: Held[Drift] | None) -> None:
        drift, record = subject.drift, subject.record
        period = period_of(
            (record.repository, record.stack),
            self.periods,
            blind=not self.gathering.has_log(record.scope),
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
            if not course.adds_nothing(drift, asked, subject.at, period):
                foreseen = asked
        try:
            witnesses = self.gathering.witnesses(record.scope, subject.release.inventory)
        except Stalled as e:
            gap = Gap(code=e.reason, message=e.message, hint=e.hint)
            self.drifts.write(known, course.unseen(drift, gap, subject.at))
            raise
        self._conclude(subject, known, witnesses, foreseen)

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
    ) -> None:
        """Read, judge, and keep what was found, unless a release began meanwhile."""
        estate = self._estate(subject.record, witnesses)
        sight = Sight(
            subject,
            self.gathering,
            witnesses,
            estate,
            noise.by_key(self._rules(subject.record.repository)),
            foreseen,
            self.periods,
        )
        drift = sight.drift()
        record = self._still(subject)
        if record is None:
            self.drifts.write(known, course.put_off(subject.drift, subject.at))
            return
        opened = history.opened(course.still_open(subject.drift), drift.items)
        heals = _is_to_heal(record, drift) and healing.may_heal(drift, subject.at)
        if heals:
            drift = msgspec.structs.replace(
                drift, heal=healing.begun(drift.heal, healing.healable(drift.items), subject.at)
            )
        written = self.drifts.write(known, drift)
        if written is None:
            return
        self._learn(sight)
        self._tell(subject.drift, drift, opened)
        if heals:
            self._heal(record, drift)

    def _estate(self, record: Record, witnesses: Witnesses) -> Estate:
        """Return who owns what; listed now if something is nobody's: a release may have made it just now."""
        estate = self.estates()
        return self.estates(fresh=True) if nobodys(record, witnesses, estate) else estate

    def _still(self, subject: Subject) -> Record | None:
        """Return the record if the release that was looked at is still what is there."""
        held = self.records.read(subject.record.repository, subject.record.stack)
        record = held.document if held is not None else None
        if record is None or record.present is None or record.in_flight is not None:
            return None
        return record if record.present.release == subject.applied.release else None

    def _learn(self, sight: Sight) -> None:
        found = noise.gathered(sight.judged.learned)
        repository = sight.subject.record.repository
        if found and noise.is_news(tuple(sight.rules.values()), found):
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


def _is_to_heal(record: Record, drift: Drift) -> bool:
    """Tell whether a heal is to be asked for, now or when it has waited enough. Pure."""
    wanted = record.policy.drift == "heal" and bool(healing.healable(drift.items))
    same = record.desired is not None and record.applied is not None
    same = same and record.desired.digest == record.applied.digest  # type: ignore[union-attr]
    calm = record.standing == "steady" and record.wanted is None and not record.orphaned
    return wanted and same and calm


def _without_release(drift: Drift, applied: Applied, at: datetime) -> Drift:
    gap = Gap(
        code="ReleaseMissing",
        message=f"The release {applied.release} is not in the history container, or damaged there.",
        hint="Release the stack: what it owns is then known again.",
    )
    return msgspec.structs.replace(
        drift,
        state=course.state(drift.items, (gap,)),
        gaps=(gap,),
        checked_at=at,
        full_at=at,
        confirmed_at=at,
        due_at=at + course.UNSEEN,
    )
