"""Ask what-if what a stack's release leads to: started, and fetched by a later message (rule 9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.core import decision
from shared.core.arm_errors import Refused
from shared.core.drift.course import OUTSTANDING, PATIENCE, WHATIF_LOST
from shared.core.drift.model import Drift, Gap, Looking
from shared.core.errors import Stalled
from shared.core.prediction import Predicting, Prediction
from shared.core.problem import problem_of
from shared.core.record import Applied, Record, moving
from shared.core.request import deployment_request
from shared.core.scopes import subscription_of
from shared.core.waves import Waits
from shared.flows.dependencies import Dependencies
from shared.flows.gate import Gate
from shared.ports import ArmBudget
from shared.state.archive import Archive
from shared.state.configurations import Configurations

FIRST_S = 3.0
"""When a what-if is asked for first, where ARM does not say."""


@dataclass(frozen=True)
class Pending:
    """A what-if that runs, and when to ask again."""

    looking: Looking
    wait_s: float


@dataclass(frozen=True)
class Foresee:
    """The step. Raises Transient and Waiting; what ARM refuses is a gap, and the look goes on."""

    configurations: Configurations
    archive: Archive
    dependencies: Dependencies
    gate: Gate
    budget: ArmBudget

    def __call__(
        self, record: Record, applied: Applied, drift: Drift, at: datetime
    ) -> Prediction | Pending | Gap:
        """Start a what-if of the applied release, or fetch the one that was started."""
        try:
            if drift.looking is not None:
                return self._fetch(drift.looking, at)
            return self._start(record, applied, at)
        except (Refused, Stalled) as e:
            if e.reason == "PredictionGone":
                return _gone(e)
            problem = e.problem if isinstance(e, Refused) else problem_of(e)
            what = f"{problem.code}: {problem.message}"
            return Gap(code="WhatIfFailed", message=what, hint=problem.hint)

    def _fetch(self, looking: Looking, at: datetime) -> Prediction | Pending | Gap:
        subscription = subscription_of(looking.address) or ""
        self.budget.take(subscription, "reads", "scan")
        found = self.gate.arm.prediction(looking.address)
        if isinstance(found, Prediction):
            return found
        if at - looking.since > PATIENCE:
            return Gap(
                code="WhatIfFailed",
                message=f"What-if has not ended within {PATIENCE.total_seconds():.0f} s.",
                hint="It is tried again within the hour.",
            )
        again = Looking(
            address=found.address,
            release=looking.release,
            since=looking.since,
            looks=looking.looks + 1,
        )
        return Pending(again, found.retry_after_s or min(30.0, FIRST_S * 2**again.looks))

    def _start(self, record: Record, applied: Applied, at: datetime) -> Prediction | Pending | Gap:
        deployment_id = moving.place(record)
        if record.desired is None or record.desired.digest != applied.digest:
            return _outstanding("what Git wants is another generation than what is deployed")
        inputs = self.dependencies(record)
        if deployment_id is None or isinstance(inputs, Waits):
            return _outstanding(f"it waits for {inputs}")
        if inputs.digest != applied.inputs:
            return _outstanding("a value that it takes from another stack has changed")
        configuration = self.configurations.current()
        tags: Mapping[str, str] = {decision.TAG_INSTALLATION: configuration.installation}
        request = deployment_request(
            self.archive.content(applied.digest), inputs, deployment_id, tags
        )
        allowed = self.configurations.repository(record.repository).scopes
        self.budget.take(subscription_of(deployment_id) or "", "writes", "scan")
        started = self.gate.predict(request, allowed)
        if isinstance(started, Predicting):
            looking = Looking(address=started.address, release=applied.release, since=at)
            return Pending(looking, started.retry_after_s or FIRST_S)
        return started


def _gone(error: Stalled | Refused) -> Gap:
    return Gap(
        code=WHATIF_LOST,
        message=error.message,
        hint="It was asked for too late; what-if is asked again within minutes.",
    )


def _outstanding(why: str) -> Gap:
    return Gap(
        code=OUTSTANDING,
        message=f"What the template leads to was not asked: {why}.",
        hint="Resources were compared with the snapshot; what-if is asked once that is settled.",
    )
