"""Delete what left a stack, and stacks that the manifest lists as removed (rule 15).

Called by ``functions/prune.py``. It is the last wave of a revision: nothing is deleted before every
stack of the repository is at what the tip wants. What is decided is pure (``shared/core/prune``);
a deletion is written down before ARM is asked for it, under the rules of a PUT (rules 4 and 6).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared import events
from shared.core import ceilings
from shared.core.configuration import Repository
from shared.core.errors import Stalled
from shared.core.message import StackMessage
from shared.core.plan import Plan, counts
from shared.core.problem import problem_of
from shared.core.prune import choice, claims, leaving, rest, steps
from shared.core.prune.choice import Choice
from shared.core.prune.model import Deletion, Left
from shared.core.prune.relations import relations
from shared.core.record import Record, pruning
from shared.core.record.pruning import Stand
from shared.core.release import Release
from shared.core.scopes import fold
from shared.flows.claimants import Claimants
from shared.flows.deletions import Deletions
from shared.flows.messenger import Messenger
from shared.flows.turn import CONFIGURATION_RETRY, CONFIGURATION_WRONG, Turn
from shared.ports import Log
from shared.state.archive import Archive
from shared.state.configurations import Configurations
from shared.state.records import Change, FencedError, Records
from shared.state.tips import Tips

_SLACK: Final = timedelta(seconds=10)
"""How much later than a stack's own message the sweep looks, should that be lost."""

_CUT: Final = timedelta(seconds=2)
"""HTTP dates are cut to the second."""

_NEAR_A_RELEASE: Final = timedelta(seconds=30)
"""How soon deletions are looked at again that a release nearby holds back."""

_NEEDED: Final = timedelta(seconds=20)
"""How soon a removed stack is looked at again that another one depends on."""

_BY_SWEEP: Final = timedelta(minutes=5)
"""What is looked at later than that needs no message of its own."""

Listed = Sequence[tuple[str, Mapping[str, str]]]


@dataclass(frozen=True)
class Holdings:
    """What a stack has now, and what is to go: all of it when the stack is removed."""

    lefts: tuple[Left, ...]
    owned: tuple[str, ...]


@dataclass(frozen=True)
class Prune:
    """The flow."""

    configurations: Configurations
    tips: Tips
    records: Records
    archive: Archive
    claimants: Claimants
    deletions: Deletions
    messenger: Messenger
    log: Log

    def __call__(self, message: StackMessage) -> None:
        """Take a stack's deletions one step further; raises Transient and Waiting for another try."""
        hold = self.records.look(message.repository, message.stack)
        if hold is None:
            return
        turn = Turn(self.records, hold)
        try:
            self._step(turn)
        except FencedError:
            self.log(events.FENCED, repository=message.repository, stack=message.stack)
        except Stalled as e:
            if e.reason in CONFIGURATION_WRONG or e.reason == "RepositoryNotFollowed":
                raise  # nothing is wrong with the stack, and nobody asked for more
            problem = problem_of(e)
            self._leave(turn, lambda r, at: pruning.let_go(r, at + steps.REST, problem))
            self.log(events.STALLED, stack=message.stack, reason=e.reason, hint=e.hint)

    def _leave(self, turn: Turn, change: Change) -> None:
        try:
            turn.update(change)
        except FencedError:
            self.log(events.FENCED, repository=turn.record.repository, stack=turn.record.stack)

    def _step(self, turn: Turn) -> None:
        record, at = turn.record, turn.hold.held.at
        if not record.owes_prune:
            if record.deleting:
                turn.update(lambda r, _: pruning.not_deleting(r))
            return
        if _has_a_message_of_its_own(record, at):
            return
        configured = self.configurations.repository(record.repository)
        listed = [(found.name, found.facts) for found in self.records.listed()]
        first = self._first(record, listed, at)
        if first is not None:
            self.log(
                events.PRUNE_POSTPONED,
                repository=record.repository,
                stack=record.stack,
                reason=first,
            )
            return
        here = rest.by_repository(listed)[record.repository]
        needing = self._needing(record, here) if record.orphaned else None
        if needing is not None:
            turn.update(lambda r, now: pruning.put_off(r, now + _NEEDED, choice.needed(needing)))
            return
        ceilings.check_prune(configured.ceilings)
        held_until = self._held_until(record, at)
        if held_until is not None:
            problem = record.prune_problem
            turn.update(lambda r, _: pruning.put_off(r, held_until, problem))
            return
        self._go_on(turn, self._holdings(record), listed, configured)

    def _first(self, record: Record, listed: Listed, at: datetime) -> str | None:
        """Return what comes before this stack's deletions; the sweep looks again in each round."""
        held = self.tips.read(record.repository)
        tip = held.document if held is not None else None
        here = rest.by_repository(listed).get(record.repository, {})
        first = rest.unrest(tip, here)
        if first is not None or tip is None:
            return first or "no revision is known"
        before = rest.goes_before(tip, record.stack, here, at)
        return None if before is None else f"{before} depends on it, and deletes first"

    def _needing(self, record: Record, here: Mapping[str, Mapping[str, str]]) -> str | None:
        """Return a stack that left the manifest, still has something, and depends on a removed one."""
        for name, facts in sorted(here.items()):
            if name == record.stack or "orphaned" not in facts:
                continue
            held = self.records.read(record.repository, name)
            other = held.document if held is not None else None
            has_any = other is not None and (other.present is not None or other.left)
            if other is not None and has_any and record.stack in other.waits_for:
                return name
        return None

    def _held_until(self, record: Record, at: datetime) -> datetime | None:
        """Return until when a freeze holds back, at most a minute: it may be lifted before."""
        own = record.frozen(at)
        if own is not None:
            return min(own.until, at + CONFIGURATION_RETRY)
        found = self.configurations.current().freeze(record.repository, record.stack, at)
        return None if found is None else min(found.until, at + CONFIGURATION_RETRY)

    def _holdings(self, record: Record) -> Holdings:
        """Return what the stack has and what is to go; raises Stalled when its release is not kept."""
        applied = record.applied
        if applied is None:
            return Holdings(
                leaving.of_whole(record, (), {}) if record.orphaned else record.left, ()
            )
        release = self.archive.release(record.repository, record.applied_home, applied.release)
        if release is None:
            raise Stalled(
                "ReleaseMissing",
                f"The release {applied.release} is not in the history container.",
                hint="Push any change of the stack: its next release is kept anew.",
            )
        if not record.orphaned:
            return Holdings(record.left, tuple(one.id for one in release.inventory))
        return Holdings(leaving.of_whole(record, release.inventory, self._needs(release)), ())

    def _needs(self, release: Release) -> Mapping[str, tuple[str, ...]]:
        ids = [one.id for one in release.inventory]
        return relations(self.archive.content(release.digest), ids)

    def _go_on(
        self, turn: Turn, holdings: Holdings, listed: Listed, configured: Repository
    ) -> None:
        """Decide what is deleted, and take it one step further."""
        record, at = turn.record, turn.hold.held.at
        policy = ceilings.budgeted(record.policy, configured.ceilings)
        record = msgspec.structs.replace(record, policy=policy)
        ids = [one.id for one in holdings.lefts]
        found = self.claimants((record.repository, record.stack), ids, listed)
        taken, around = claims.sort_out(ids, found.theirs, holdings.owned)
        chosen = choice.choose(record, holdings.lefts, taken, around, owned=len(holdings.owned))
        plan = self._plan(record, chosen, at)
        waits = plan is not None and not record.has_approved(plan)
        approved = record.approved if plan is not None and not waits else None
        fresh = () if waits else chosen.fresh
        items = choice.decided(chosen.going, fresh, approved)
        safe = tuple(one for one in items if claims.is_safe(one.id, found.unsafe))
        decided_for, intent = record.generation, _Intent(holdings.lefts, whole=not waits)

        def intend(now: Sequence[Deletion]) -> bool:
            written = False

            def change(newest: Record, moment: datetime) -> Record:
                nonlocal written
                written = newest.generation == decided_for and newest.owes_prune
                written = written and newest.frozen(moment) is None
                if not written:
                    return pruning.let_go(newest, moment, newest.prune_problem)
                return pruning.deleting(intent(newest), steps.merged(items, now), moment)

            turn.update(change)
            return written

        def kept(wanted: Sequence[str]) -> Collection[str]:
            return self._kept(record, wanted, holdings.owned, at)

        stood = self.deletions(turn, safe, configured.scopes, intend, kept)
        if stood is None:
            return
        items = steps.merged(items, stood)
        wait = steps.wait_for(items, at)
        wait = wait if len(safe) == len(items) else max(wait, _NEAR_A_RELEASE)
        self._finish(turn, _Outcome(items, chosen, plan if waits else None, wait), intent)

    def _kept(
        self, record: Record, ids: Sequence[str], owned: Sequence[str], at: datetime
    ) -> Collection[str]:
        """Return those of the ids that must not go now: a release may have begun since the look."""
        listed = [(found.name, found.facts) for found in self.records.listed()]
        if self._first(record, listed, at) is not None:
            return ids
        found = self.claimants((record.repository, record.stack), ids, listed)
        taken, around = claims.sort_out(ids, found.theirs, owned)
        return [one for one in ids if fold(one) in taken | around | found.unsafe]

    def _plan(self, record: Record, chosen: Choice, at: datetime) -> Plan | None:
        """Return the plan that needs approval, its details kept; None when none is needed."""
        if chosen.approval is None:
            return None
        details = choice.details(record, chosen.fresh)
        digest = self.archive.put_json(msgspec.to_builtins(details))
        known = record.plan
        same = known is not None and (known.digest, known.generation) == (digest, record.generation)
        if known is not None and same:
            return known
        return Plan(
            kind="prune",
            digest=digest,
            generation=record.generation,
            counts=counts(details),
            at=at,
        )

    def _finish(self, turn: Turn, outcome: "_Outcome", intent: "_Intent") -> None:
        """Write down how the deletions stand, and look again when it is time."""
        before, at = turn.record, turn.hold.held.at
        items, chosen, plan, wait = outcome.items, outcome.chosen, outcome.plan, outcome.wait
        waits = None
        if plan is not None and chosen.approval is not None:
            waits = choice.waits_problem(len(chosen.fresh), chosen.approval)
            if before.plan is None or before.plan.digest != plan.digest:
                self.log(
                    events.PLAN_WAITS,
                    repository=before.repository,
                    stack=before.stack,
                    kind=plan.kind,
                    plan=plan.digest,
                    counts=dict(plan.counts),
                )
        quick = wait < _BY_SWEEP and any(not one.gone for one in items)
        stand = Stand(
            items=tuple(items),
            dropped=chosen.dropped,
            plan=plan,
            problem=steps.problem(items, chosen.kept, waits, at),
            wait=wait + _SLACK if quick else wait,
        )
        turn.update(lambda r, now: pruning.deleted(intent(r), stand, now))
        after = turn.record
        if quick:
            delay_s = wait.total_seconds()
            self.messenger.stack("prune", after.repository, after.stack, delay_s=delay_s)
        if after.removed_at is not None and before.removed_at is None:
            self.log(events.STACK_REMOVED, repository=after.repository, stack=after.stack)


@dataclass(frozen=True)
class _Outcome:
    """How a turn's deletions stand, what waits for approval, and when they are looked at next."""

    items: Sequence[Deletion]
    chosen: Choice
    plan: Plan | None
    wait: timedelta


@dataclass(frozen=True)
class _Intent:
    """Gives up all that a removed stack has, unless somebody has to approve that first."""

    lefts: tuple[Left, ...]
    whole: bool

    def __call__(self, record: Record) -> Record:
        if not (self.whole and record.orphaned and record.removed):
            return record
        return pruning.removing(record, self.lefts)


def _has_a_message_of_its_own(record: Record, at: datetime) -> bool:
    """Tell whether it is too early: the stack's own message, or the sweep's, comes later. Pure."""
    early = record.prune_at is not None and record.prune_at - at > _SLACK + _CUT
    return early and not record.may_prune_now
