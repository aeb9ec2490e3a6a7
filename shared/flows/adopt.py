"""Ask before the first release of a stack meets resources that are there already.

Called by ``release`` when a PUT was decided. Nothing waits here (rule 9): a what-if is started, its
address is kept in the record, and a delayed message comes back for what it found. What would change
anything that exists waits for ``approve``; each look reads the state again (rule 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from shared import events
from shared.core import adoption, decision, names, scopes
from shared.core import record as changes
from shared.core.arm_answers import is_transient_failure, unregistered_namespace
from shared.core.arm_errors import Refused, Unregistered
from shared.core.configuration import Repository
from shared.core.errors import Stalled, Transient
from shared.core.plan import Details, Plan, Planning
from shared.core.prediction import Predicting, Prediction
from shared.core.record import Record
from shared.core.request import deployment_request
from shared.core.source.scopes import target_scopes
from shared.flows.gate import ArmReads, Gate
from shared.flows.turn import Chain, Turn
from shared.ports import ArmBudget, Log
from shared.state.archive import Archive

LOOK_S: Final = 5.0
"""How soon a what-if that was started is asked for, where ARM does not say."""

_NO_GROUP: Final = (
    "The stack writes to groups that are not empty, and what-if cannot look at it as long as its own "
    "resource group is missing."
)

_LOST: Final = frozenset({"PredictionGone", "PredictionRefused"})


@dataclass(frozen=True)
class _First:
    """A first release that is to be put: by whom it is decided, what, where, and what is allowed."""

    turn: Turn
    step: decision.Put
    deployment_id: str
    allowed: Sequence[str]

    @property
    def record(self) -> Record:
        """The record as last seen."""
        return self.turn.record


@dataclass(frozen=True)
class Adopts:
    """The step of ``release`` before its first PUT of a stack."""

    archive: Archive
    arm: ArmReads
    gate: Gate
    budget: ArmBudget
    chain: Chain
    log: Log

    def __call__(
        self,
        turn: Turn,
        step: decision.Put,
        deployment_id: str,
        configured: Repository,
        installation: str,
    ) -> bool:
        """Tell whether the release may be put now; if not, the stack is let go until it may.

        Raises Transient, Waiting, Stalled and Unregistered as ports.Arm, and FencedError.
        """
        record = turn.record
        if step.again is not None or not adoption.is_first(record):
            return True
        first = _First(turn, step, deployment_id, configured.scopes)
        plan = adoption.kept_plan(record, step.inputs)
        if plan is not None:
            return record.has_approved(plan) or self._wait(first, plan)
        planning = adoption.kept_planning(record, step.inputs)
        if planning is not None:
            return self._fetch(first, planning)
        return not self._meets_something(first, installation) or self._start(first)

    def _meets_something(self, first: _First, installation: str) -> bool:
        """Tell whether anything is where the stack writes, and nothing of the stack ever was."""
        if all(map(self._is_empty, self._targets(first))):
            return False
        if first.record.anew:
            return (
                True  # what ARM remembers is of what the stack gave up, and nobody's word for this
            )
        deployment = self.arm.deployment(first.deployment_id)
        if deployment is None:
            return True
        return not decision.is_ours(installation, first.record, deployment.tags)

    def _targets(self, first: _First) -> Sequence[str]:
        """Return every scope that the stack writes to, its own first, nested deployments included."""
        own = names.scope_of(first.deployment_id)
        targets = {scopes.fold(own): own}
        for target in target_scopes(self._source(first)):
            if target.scope is not None and scopes.parse(target.scope) is not None:
                targets.setdefault(scopes.fold(target.scope), target.scope)
        return tuple(targets.values())

    def _is_empty(self, scope: str) -> bool:
        page = self.arm.sightings(scope)
        return not page.sightings and page.after is None

    def _source(self, first: _First) -> Any:
        desired = first.record.desired
        return self.archive.content(desired.digest if desired is not None else "")

    def _start(self, first: _First, lost: Planning | None = None) -> bool:
        """Start a what-if of exactly what would be put; ``lost`` is one that ARM does not know."""
        record, inputs = first.record, first.step.inputs
        request = deployment_request(self._source(first), inputs, first.deployment_id, tags={})
        subscription = scopes.subscription_of(first.deployment_id) or ""
        self.budget.take(subscription, "writes", "release")
        try:
            found = self.gate.predict(request, first.allowed)
        except Refused as e:
            why = f"ARM refused the what-if: {e.problem.code}: {e.problem.message}"
            return self._keep(first, adoption.blind_details(record, inputs, why))
        except Stalled as e:
            if e.reason != "ResourceGroupNotFound" or record.create_group is None:
                raise
            # Nothing is written before somebody agrees, the stack's own group included.
            return self._keep(first, adoption.blind_details(record, inputs, _NO_GROUP))
        if isinstance(found, Prediction):
            return self._conclude(first, found)
        since = lost.since if lost is not None else first.turn.hold.held.at
        planning = adoption.planning_for(record, inputs, found.address, since)
        first.turn.update(lambda r, _: msgspec.structs.replace(r, planning=planning))
        self.chain.again(first.turn, found.retry_after_s or LOOK_S)
        self.log(events.PLAN_STARTED, repository=record.repository, stack=record.stack)
        return False

    def _fetch(self, first: _First, planning: Planning) -> bool:
        """Look whether a what-if has ended; one that ARM lost is started again, for a while."""
        late = first.turn.hold.held.at - planning.since > adoption.PATIENCE
        try:
            found = self.arm.prediction(planning.address)
        except Stalled as e:
            if e.reason not in _LOST:
                raise
            if not late:
                return self._start(first, lost=planning)
            found = Predicting(planning.address)
        if isinstance(found, Prediction):
            return self._conclude(first, found)
        if late:
            return self._keep(first, adoption.late_details(first.record, first.step.inputs))
        self.chain.again(first.turn, found.retry_after_s or LOOK_S)
        return False

    def _conclude(self, first: _First, found: Prediction) -> bool:
        """Make a plan of what a what-if found; one that failed for passing reasons is no answer."""
        namespace = unregistered_namespace(found.error)
        passes = is_transient_failure(found.error)
        if namespace is not None or passes:
            first.turn.update(lambda r, _: msgspec.structs.replace(r, planning=None))
        if namespace is not None:
            message = f"The subscription is not registered for {namespace}."
            raise Unregistered(message, namespace=namespace)
        if passes:
            raise Transient("WhatIfFailed", "The what-if failed for a passing reason.")
        details = adoption.details_of(first.record, first.step.inputs, found)
        return details is None or self._keep(first, details)

    def _keep(self, first: _First, details: Details) -> bool:
        """Keep a plan; tell whether exactly this one was approved before."""
        record = first.record
        digest = self.archive.put_json(msgspec.to_builtins(details))
        plan = adoption.plan_of(record, details, digest, first.turn.hold.held.at)
        if record.has_approved(plan):
            return True
        self._let_go(first, plan, details)
        self.log(
            events.PLAN_WAITS,
            repository=record.repository,
            stack=record.stack,
            kind=plan.kind,
            plan=digest,
            counts=dict(plan.counts),
        )
        return False

    def _wait(self, first: _First, plan: Plan) -> bool:
        details = msgspec.convert(self.archive.content(plan.digest), Details)
        self._let_go(first, plan, details)
        return False

    def _let_go(self, first: _First, plan: Plan, details: Details) -> None:
        problem = adoption.problem_of_plan(details, plan.digest)
        first.turn.decide(lambda r, at: adoption.awaiting(r, plan, problem, at + changes.ROTATION))
