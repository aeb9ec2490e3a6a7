"""Find the stacks that may have drifted, by the cheapest questions, and have each inspected.

Called by ``functions/scan_drift.py`` by its timer. One listing for each subscription, with the time of
each resource's last change, and what is new in the Activity Log: a stack of which neither tells
anything costs nothing more (docs/architecture.md, part 5). It changes no stack, so that two scans at
once are harmless.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared import events
from shared.core.activities import Activity
from shared.core.arm_model import Sighting
from shared.core.drift import strangers, suspicion
from shared.core.drift.model import Coverages
from shared.core.drift.suspicion import Estate, Heard, Periods
from shared.core.errors import Stalled, Transient, Waiting
from shared.core.owners import Identity
from shared.core.problem import Problem, problem_of
from shared.flows.activity import Activities
from shared.flows.estates import Estates
from shared.flows.gate import ArmReads
from shared.flows.messenger import Messenger
from shared.ports import ArmBudget, Clock, Log
from shared.state.configurations import Configurations
from shared.state.drifts import Drifts

MOST_WAITING: Final = 500
"""Nothing is added to a queue that has as many messages."""


@dataclass(frozen=True)
class Listed:
    """What was found out about one subscription; ``sightings`` None: it could not be listed."""

    sightings: tuple[Sighting, ...] | None
    activity: Activity
    problem: Problem | None = None


@dataclass(frozen=True)
class ScanDrift:
    """The flow."""

    configurations: Configurations
    estates: Estates
    drifts: Drifts
    arm: ArmReads
    budget: ArmBudget
    activities: Activities
    messenger: Messenger
    periods: Periods
    clock: Clock
    log: Log

    def __call__(self) -> None:
        """Send one ``inspect`` for each suspect.

        Raises Stalled when the configuration is missing or wrong. A subscription that cannot be listed
        now is shown, and the others go on.
        """
        self.configurations.current()
        now, estate = self.clock.now(), self.estates(fresh=True)
        ours = estate.ours
        found = {one: self._look(one, now, ours) for one in _subscriptions(estate)}
        suspects = suspicion.suspects(estate, self._heard(estate, found), now, self.periods)
        sent = self._send([suspect.identity for suspect in suspects])
        self._cover(estate, found, now)
        self.log(
            events.SCAN_FINISHED,
            stacks=len(estate.facts),
            suspects=len(suspects),
            sent=sent,
            unlisted=sum(one.sightings is None for one in found.values()),
            reasons={r: sum(s.reason == r for s in suspects) for r in {s.reason for s in suspects}},
        )

    def _look(self, subscription: str, now: datetime, ours: frozenset[str]) -> Listed:
        """List a subscription, and read its Activity Log; what cannot be had now is told."""
        activity = self.activities(subscription, now, ours)
        try:
            return Listed(self._sightings(subscription), activity)
        except (Waiting, Transient, Stalled) as e:
            self.log(events.SCAN_CUT, subscription=subscription, reason=e.reason, hint=e.hint)
            return Listed(None, activity, problem_of(e))

    def _sightings(self, subscription: str) -> tuple[Sighting, ...]:
        found: list[Sighting] = []
        after: str | None = None
        while True:
            self.budget.take(subscription, "reads", "scan")
            page = self.arm.sightings(f"/subscriptions/{subscription}", after)
            found += page.sightings
            after = page.after
            if after is None:
                return tuple(found)

    def _heard(self, estate: Estate, found: Mapping[str, Listed]) -> Heard:
        listed = [one for each in found.values() for one in each.sightings or ()]
        shares = suspicion.shares(listed, estate)
        listing = {
            identity: share
            for identity, share in shares.items()
            if (one := found.get(suspicion.subscription_of(estate.facts[identity]))) is not None
            and one.sightings is not None
        }
        writes = [write for each in found.values() for write in each.activity.writes]
        return Heard(
            known=self.drifts.listed(),
            listing=listing,
            news=suspicion.written(writes, estate),
            without_log={key for key, one in found.items() if not one.activity.answers},
        )

    def _send(self, identities: Sequence[Identity]) -> int:
        room = max(0, MOST_WAITING - self.messenger.queues.length("inspect"))
        for repository, stack in identities[:room]:
            self.messenger.stack("inspect", repository, stack)
        return min(room, len(identities))

    def _cover(self, estate: Estate, found: Mapping[str, Listed], now: datetime) -> None:
        """Keep how much of each scope is in some stack; what could not be listed keeps its figures."""
        before = self.drifts.coverage()
        known = {one.scope: one for one in before.scopes if one.scope in estate.keepers}
        for subscription, one in found.items():
            scopes = [s for s in estate.keepers if s.split("/")[2:3] == [subscription]]
            if one.sightings is not None:
                listed = strangers.covered(
                    one.sightings, scopes, lambda resource: bool(estate.owned_by(resource))
                )
                known |= {each.scope: each for each in listed}
        problems = {
            key: problem
            for key, one in found.items()
            if (problem := one.problem or one.activity.problem) is not None
        }
        after = Coverages(
            at=now, scopes=tuple(known[key] for key in sorted(known)), problems=problems
        )
        self.drifts.put_coverage(after)


def _subscriptions(estate: Estate) -> tuple[str, ...]:
    found = {suspicion.subscription_of(facts) for facts in estate.facts.values()}
    return tuple(sorted(found - {""}))
