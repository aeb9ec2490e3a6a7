"""Sync a followed repository: read its tip, compile what differs, commit, copy into records.

Only this flow sets what is desired (rule 2). Called by ``functions/sync.py`` for each message of
the ``sync`` queue, whatever came before it: a doubled, late or lost message changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared import events
from shared.core import names
from shared.core import record as records_change
from shared.core import revision as revisions_core
from shared.core import tip as tips_change
from shared.core.backoff import delay_s
from shared.core.configuration import Repository
from shared.core.errors import PlumblineError, Stalled, Transient
from shared.core.message import RepositoryMessage
from shared.core.problem import Problem
from shared.core.record import Record, Wish
from shared.core.survey import Survey, settings_digest, survey
from shared.core.tip import Tip
from shared.core.waves import levels
from shared.flows.bell import Bell
from shared.flows.messenger import Messenger
from shared.ports import Clock, Git, Log, Parallel
from shared.state.archive import Archive
from shared.state.configurations import Configurations
from shared.state.deliveries import Deliveries, Marker
from shared.state.held import Held
from shared.state.records import Records
from shared.state.revisions import Revisions
from shared.state.tips import Tips

REPLICA_PATIENCE: Final = timedelta(seconds=30)
"""How long a Git host may show an older tip than its webhook announced, before that counts."""


SLOW_S: Final = 15.0
"""A sync that took so long to read and compile asks for more time before it goes on."""


@dataclass(frozen=True)
class Sync:
    """The flow. ``poll`` is how often a repository is asked for its tip without a push."""

    configurations: Configurations
    tips: Tips
    records: Records
    revisions: Revisions
    archive: Archive
    deliveries: Deliveries
    git: Git
    messenger: Messenger
    bell: Bell
    parallel: Parallel
    clock: Clock
    log: Log
    poll: timedelta

    def __call__(self, message: RepositoryMessage) -> None:
        """Bring the tip and the records up to date; raises Transient for another try."""
        key = message.repository
        configured = self.configurations.repository(key)
        held = self.tips.read(key)
        pending = tuple(self.deliveries.pending(key))
        answered = message.pushed and not pending
        if answered and held is not None and tips_change.is_quiet(held.document, held.at):
            self.log(events.SYNC_SKIPPED, repository=key, reason="nothing is new")
            return
        taken = self.tips.take(key, held, lambda: self._fresh(key))
        if taken is None:
            self.log(events.SYNC_SKIPPED, repository=key, reason="another worker was told")
            return
        if taken.document.unfinished > records_change.MAX_UNFINISHED:
            self._give_up(taken)
            return
        self.log(events.SYNC_STARTED, repository=key, seq=taken.document.sync_seq)
        try:
            self._sync(taken, configured, pending)
        except Transient as e:
            wait = timedelta(seconds=delay_s(message.tries, e.retry_after_s) + 10)
            self._give_back(taken, taken.at + wait, e)
            raise
        except Stalled as e:
            self._give_back(taken, taken.at + self.poll, e)
            self.log(events.STALLED, repository=key, reason=e.reason, hint=e.hint)

    def _give_up(self, taken: Held[Tip]) -> None:
        """Show that sync after sync has died over this repository, and try again in an hour."""
        problem = Problem(
            code="SyncUnfinished",
            message=f"{taken.document.unfinished} syncs in a row began and did not end.",
            hint="Look for invocation_failed in the log; it is tried again in an hour.",
        )
        due = taken.at + timedelta(hours=1)
        self.tips.finish(
            taken, lambda tip, _: tips_change.give_up(tip, due_at=due, problem=problem)
        )

    def _sync(self, taken: Held[Tip], configured: Repository, pending: Sequence[Marker]) -> None:
        """Look at Git and say what is desired; ``pending`` was listed before the tip is read."""
        key = taken.document.repository
        started = self.clock.monotonic()
        where = self.configurations.git(key)
        revision = self.git.tip(where)
        self._await_replica(taken, revision, pending)
        if revision is None:
            found = Survey(_without_branch(taken.document, configured.branch))
        elif _is_known(taken.document, revision, configured):
            found = Survey(taken.document)
        else:
            found = survey(taken.document, self.git.tree(where, revision), configured)
        if self.clock.monotonic() - started > SLOW_S:
            extended = self.tips.finish(taken, lambda tip, _: tips_change.extend(tip))
            if extended is None:
                self.log(events.FENCED, repository=key)
                return
            taken = extended
        self.parallel.map(self.archive.put_content, tuple(found.contents.values()))
        deliveries = tips_change.heard(
            taken.document.deliveries,
            {marker.after: marker.received_at for marker in pending},
            new=_unknown_so_far(taken.document, found.tip),
        )
        committed = self.tips.finish(
            taken,
            lambda tip, at: tips_change.commit(
                tip, seen=found.tip, deliveries=deliveries, at=at, poll=self.poll
            ),
        )
        if committed is None:
            self.log(events.FENCED, repository=key)
            return
        self._tell(committed.document)
        generations = self._copy(committed)
        tells = configured.statuses is not None
        self._answer(committed, pending, generations, previous=taken.document, tells=tells)
        if committed.document.dirty:
            self.messenger.sync(key)

    def _await_replica(
        self, taken: Held[Tip], revision: str | None, pending: Sequence[Marker]
    ) -> None:
        """Wait when the host still shows the old tip although a young push announced another."""
        young = [
            m.after
            for m in pending
            if m.after and taken.at - m.received_at < REPLICA_PATIENCE and m.after != revision
        ]
        if young and revision == taken.document.revision and revision is not None:
            answered = [self.revisions.read(taken.document.repository, a) for a in young]
            if None in answered:
                raise Transient(
                    "GitNotYet",
                    "The Git host does not show the pushed revision yet.",
                    retry_after_s=2.0,
                )

    def _copy(self, committed: Held[Tip]) -> Mapping[str, int]:
        """Copy entries into records that say otherwise; return the generation of each stack."""
        tip = committed.document
        listed = {
            identity[1]: found.facts
            for found in self.records.listed(names.records_of(tip.repository))
            if (identity := names.identity_of_record(found.name)) is not None
        }
        generations = {name: int(f.get("generation", "0")) for name, f in listed.items()}
        wishes = tips_change.wishes(tip, tip.sync_seq)
        stale = {
            name: wanted
            for name, wanted in wishes.items()
            if not tips_change.is_copied(listed.get(name, {}), wanted)
        }
        # Who left comes before who takes over its place.
        gone = tips_change.leavers(tip, listed)
        self.parallel.map(lambda name: self._orphan(tip, name, committed.at), gone)
        # Dependencies first: nobody must find what a stack waits for as it was before this tip.
        waits_for = {name: entry.waits_for for name, entry in tip.entries.items()}
        for wave in levels(stale, waits_for):
            written = self.parallel.map(
                lambda name: self._wish(tip, name, stale[name], listed.get(name), committed.at),
                wave,
            )
            for name, record in zip(wave, written, strict=True):
                # What could not be written is desired all the same: it is not what was there before.
                unread = generations.get(name, 0) + 1
                generations[name] = record.generation if record is not None else unread
        return generations

    def _wish(
        self, tip: Tip, stack: str, wanted: Wish, listed: Mapping[str, str] | None, at: datetime
    ) -> Record | None:
        """Copy one entry into its record; None when that record cannot be read: others go on."""
        try:
            return self._written(tip, stack, wanted, listed, at)
        except Stalled as e:
            if e.reason != "DocumentUnreadable":
                raise
            self.log(events.STALLED, stack=stack, reason=e.reason, hint=e.hint)
            return None

    def _written(
        self, tip: Tip, stack: str, wanted: Wish, listed: Mapping[str, str] | None, at: datetime
    ) -> Record:
        floor = 0 if listed is not None else self._generation_floor(tip.repository, stack)
        held = self.records.amend(
            tip.repository,
            stack,
            lambda record, now: records_change.wish(record, wanted, now),
            at=at,
            generation=floor,
        )
        record = held.document
        before = int((listed or {}).get("generation", str(floor)))
        if record.generation != before or (listed or {}).get("orphaned"):
            self.log(
                events.STACK_DESIRED,
                repository=tip.repository,
                stack=stack,
                generation=record.generation,
                digest=record.desired.digest if record.desired else None,
            )
            self.messenger.stack("release", tip.repository, stack)
        elif record.due_at is not None and record.due_at <= held.at:
            self.messenger.stack("release", tip.repository, stack)
        return record

    def _orphan(self, tip: Tip, stack: str, at: datetime) -> None:
        try:
            self.records.amend(
                tip.repository,
                stack,
                lambda record, now: records_change.orphan(
                    record,
                    tip.sync_seq,
                    named=stack in tip.removed,
                    prunes=tip.prunes,
                    at=now,
                ),
                at=at,
            )
        except Stalled as e:
            if e.reason != "DocumentUnreadable":
                raise
            self.log(events.STALLED, stack=stack, reason=e.reason, hint=e.hint)
            return
        self.log(events.STACK_ORPHANED, repository=tip.repository, stack=stack)

    def _answer(
        self,
        committed: Held[Tip],
        pending: Sequence[Marker],
        generations: Mapping[str, int],
        *,
        previous: Tip,
        tells: bool,
    ) -> None:
        """Write what became of the revisions, then finish the deliveries that announced them."""
        tip = committed.document
        visit = tip.visit
        new = pending or previous.unanswered or tip.revision != previous.revision
        if visit is not None and tip.revision is not None and new:
            self.revisions.visit(
                tip.repository,
                visit.revision,
                revisions_core.Visit(
                    seq=visit.seq,
                    at=committed.at,
                    changed={n: generations[n] for n in visit.changed if n in generations},
                    broken=visit.broken,
                    unreadable=visit.unreadable,
                ),
            )
        for marker in pending:
            if marker.after and marker.after != tip.revision:
                passed = revisions_core.Visit(
                    seq=tip.sync_seq, at=committed.at, superseded_by=tip.revision or ""
                )
                self.revisions.supersede(tip.repository, marker.after, passed)
        self.deliveries.finish(pending)
        # Without a host to tell that it is at work, a revision matters again when a release ends.
        decided = (
            visit is None or not visit.changed or any(m.after != tip.revision for m in pending)
        )
        if (new or pending) and (decided or tells):
            self.bell.ring(tip.repository)

    def _tell(self, tip: Tip) -> None:
        visit = tip.visit
        self.log(
            events.SYNC_COMMITTED,
            repository=tip.repository,
            revision=tip.revision,
            seq=tip.sync_seq,
            changed=list(visit.changed) if visit else [],
            broken=list(tip.broken),
        )
        for name, problems in tip.broken.items():
            self.log(
                events.STACK_BROKEN,
                repository=tip.repository,
                stack=name,
                codes=[p.code for p in problems],
            )

    def _give_back(self, taken: Held[Tip], due_at: datetime, error: PlumblineError) -> None:
        problem = Problem(code=error.reason, message=error.message, hint=error.hint)
        self.tips.finish(
            taken, lambda tip, _: tips_change.give_back(tip, due_at=due_at, problem=problem)
        )

    def _fresh(self, repository: str) -> Tip:
        listed = self.records.listed(names.records_of(repository))
        return tips_change.anew(repository, [(found.name, found.facts) for found in listed])

    def _generation_floor(self, repository: str, stack: str) -> int:
        ids = self.archive.release_ids(repository, stack)
        return max((_generation(release_id) for release_id in ids), default=0)


def _generation(release_id: str) -> int:
    text = release_id.partition(".")[0]
    return int(text) if text.isascii() and text.isdigit() else 0


def _unknown_so_far(before: Tip, found: Tip) -> str | None:
    """Return the revision that this look found, unless it is the first look or nothing new. Pure."""
    first = before.revision is None
    return None if first or found.revision == before.revision else found.revision


def _is_known(tip: Tip, revision: str, configured: Repository) -> bool:
    """Tell whether this revision was compiled already, under the same configuration. Pure."""
    known = tip.revision == revision and tip.settings == settings_digest(configured)
    return known and not tip.forced


def _without_branch(tip: Tip, branch: str) -> Tip:
    problem = Problem(
        code="BranchMissing",
        message=f"The followed branch {branch!r} does not exist; nothing is touched.",
        hint="Push it again, or change the branch in the operator's configuration.",
    )
    return msgspec.structs.replace(tip, problems=(problem,), revision=None, visit=None)
