"""Ask before the first release of a stack meets resources that are there already.

Called by ``release`` when a PUT was decided. Nothing waits here (rule 9): a what-if is started, its
address is kept in the record, and a delayed message comes back for what it found. What would change
anything that exists waits for ``approve``; each look reads the state again (rule 1).
"""

from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from shared import events
from shared.core import adoption, decision, scopes
from shared.core import record as changes
from shared.core.arm_answers import is_transient_failure, unregistered_namespace
from shared.core.arm_errors import Refused, Unregistered
from shared.core.arm_model import Deployment, DeploymentRequest, SightingsPage
from shared.core.errors import Stalled, Transient
from shared.core.plan import Details, Plan, Planning
from shared.core.prediction import Predicting, Prediction
from shared.core.record import Record
from shared.core.request import deployment_request
from shared.flows.turn import Chain, Turn
from shared.ports import ArmBudget, Log
from shared.state.archive import Archive

LOOK_S: Final = 5.0
"""How soon a what-if that was started is asked for, where ARM does not say."""

_LOST: Final = frozenset({"PredictionGone", "PredictionRefused"})


class ArmForesight(Protocol):
    """What of the Arm port tells what is there, and what would be."""

    def deployment(self, deployment_id: str) -> Deployment | None:
        """See ports.Arm."""
        ...

    def sightings(self, scope: str, after: str | None = None) -> SightingsPage:
        """See ports.Arm."""
        ...

    def predict(self, request: DeploymentRequest) -> Prediction | Predicting:
        """See ports.Arm."""
        ...

    def prediction(self, address: str) -> Prediction | Predicting:
        """See ports.Arm."""
        ...


@dataclass(frozen=True)
class Adopts:
    """The step of ``release`` before its first PUT of a stack."""

    archive: Archive
    arm: ArmForesight
    budget: ArmBudget
    chain: Chain
    log: Log

    def __call__(
        self, turn: Turn, step: decision.Put, deployment_id: str, installation: str
    ) -> bool:
        """Tell whether the release may be put now; if not, the stack is let go until it may.

        Raises Transient, Waiting, Stalled and Unregistered as ports.Arm, and FencedError.
        """
        record = turn.record
        if step.again is not None or not adoption.is_first(record):
            return True
        plan = adoption.kept_plan(record, step.inputs)
        if plan is not None:
            return record.has_approved(plan) or self._wait(turn, plan)
        planning = adoption.kept_planning(record, step.inputs)
        if planning is not None:
            return self._fetch(turn, step, deployment_id, planning)
        if not self._meets_something(record, deployment_id, installation):
            return True
        return self._start(turn, step, deployment_id)

    def _meets_something(self, record: Record, deployment_id: str, installation: str) -> bool:
        """Tell whether anything is where the stack goes that was not put there by itself."""
        scope = deployment_id.rpartition("/providers/")[0]
        if not self.arm.sightings(scope).sightings:
            return False
        deployment = self.arm.deployment(deployment_id)
        return deployment is None or not decision.is_ours(installation, record, deployment.tags)

    def _start(
        self, turn: Turn, step: decision.Put, deployment_id: str, since: Planning | None = None
    ) -> bool:
        """Start a what-if of exactly what would be put; ``since`` is one that was lost."""
        record = turn.record
        if record.desired is None:
            return True
        source = self.archive.content(record.desired.digest)
        request = deployment_request(source, step.inputs, deployment_id, tags={})
        self.budget.take(scopes.subscription_of(deployment_id) or "", "writes", "release")
        try:
            found = self.arm.predict(request)
        except Refused as e:
            why = f"ARM refused the what-if: {e.problem.code}: {e.problem.message}"
            return self._keep(turn, step, adoption.blind_details(record, step.inputs, why))
        if isinstance(found, Prediction):
            return self._conclude(turn, step, found)
        started = since.since if since is not None else turn.hold.held.at
        planning = adoption.planning_for(record, step.inputs, found.address, started)
        turn.update(lambda r, _: msgspec.structs.replace(r, planning=planning))
        self.chain.again(turn, found.retry_after_s or LOOK_S)
        self.log(events.PLAN_STARTED, repository=record.repository, stack=record.stack)
        return False

    def _fetch(
        self, turn: Turn, step: decision.Put, deployment_id: str, planning: Planning
    ) -> bool:
        """Look whether a what-if has ended; one that ARM lost is started again, for a while."""
        late = turn.hold.held.at - planning.since > adoption.PATIENCE
        try:
            found = self.arm.prediction(planning.address)
        except Stalled as e:
            if e.reason not in _LOST:
                raise
            if not late:
                return self._start(turn, step, deployment_id, since=planning)
            found = Predicting(planning.address)
        if isinstance(found, Prediction):
            return self._conclude(turn, step, found)
        if late:
            minutes = int(adoption.PATIENCE.total_seconds()) // 60
            why = f"The what-if did not end within {minutes} minutes."
            return self._keep(turn, step, adoption.blind_details(turn.record, step.inputs, why))
        self.chain.again(turn, found.retry_after_s or LOOK_S)
        return False

    def _conclude(self, turn: Turn, step: decision.Put, found: Prediction) -> bool:
        """Make a plan of what a what-if found; one that failed for passing reasons is no answer."""
        namespace = unregistered_namespace(found.error)
        if namespace is not None or is_transient_failure(found.error):
            turn.update(lambda r, _: msgspec.structs.replace(r, planning=None))
        if namespace is not None:
            raise Unregistered(
                "The subscription is not registered for a provider.", namespace=namespace
            )
        if is_transient_failure(found.error):
            raise Transient("WhatIfFailed", "The what-if failed for a passing reason.")
        details = adoption.details_of(turn.record, step.inputs, found)
        return details is None or self._keep(turn, step, details)

    def _keep(self, turn: Turn, step: decision.Put, details: Details) -> bool:
        """Keep a plan; tell whether exactly this one was approved before."""
        record = turn.record
        digest = self.archive.put_json(msgspec.to_builtins(details))
        plan = adoption.plan_of(record, details, digest, turn.hold.held.at)
        if record.has_approved(plan):
            return True
        self._let_go(turn, plan, details)
        self.log(
            events.PLAN_WAITS,
            repository=record.repository,
            stack=record.stack,
            kind=plan.kind,
            plan=digest,
            counts=dict(plan.counts),
        )
        return False

    def _wait(self, turn: Turn, plan: Plan) -> bool:
        details = msgspec.convert(self.archive.content(plan.digest), Details)
        self._let_go(turn, plan, details)
        return False

    def _let_go(self, turn: Turn, plan: Plan, details: Details) -> None:
        problem = adoption.problem_of_plan(details, plan.digest)
        turn.decide(lambda r, at: adoption.awaiting(r, plan, problem, at + changes.ROTATION))
