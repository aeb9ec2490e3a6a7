"""ARM in memory, with the teeth of the real one.

Names are a mutex, groups may be missing, and a request whose reply is lost may have been taken, or
may arrive later.

A template is taken literally: its resources appear under their ``type`` and ``name``, a nested
deployment's too, and its outputs are what they say. Time is the clock's: a deployment runs for
``Outcome.seconds``, or until it was looked at ``Outcome.looks`` times. Ids match in any casing.

Errors are scripted with ``Faults`` (calls ``arm.put``, ``arm.deployment``, ...): ``moment="before"``
means that ARM did nothing, ``"after"`` that only the reply is lost.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from shared.core import names
from shared.core.arm_answers import flatten
from shared.core.arm_errors import Active, Refused, Unknown, Unregistered
from shared.core.arm_model import Deployment, DeploymentRequest, Operation
from shared.core.budget import Kind as BudgetKind
from shared.core.errors import Stalled
from shared.ports import CallsLeft, Clock
from tests.fakes.arm.estate import HAND
from tests.fakes.arm.foresight import FakeForesight
from tests.fakes.arm.runs import Outcome, Run, Taken, operations, shown
from tests.fakes.arm.template import NESTED, planned_resources
from tests.fakes.system import Faults


class FakeArm(FakeForesight):
    """The port Arm. ``groups`` are ids of resource groups that are there from the start."""

    def __init__(
        self,
        clock: Clock,
        faults: Faults | None = None,
        *,
        groups: Sequence[str] = (),
        outcome: Outcome | None = None,
    ) -> None:
        super().__init__(clock, faults, groups)
        self.taken: list[Taken] = []
        self.cancel_error: Mapping[str, Any] | None = None
        self.limits: dict[tuple[str, BudgetKind], CallsLeft] = {}
        self.default = outcome or Outcome()
        self._planned: dict[str, list[Outcome]] = {}
        self._runs: dict[str, Run] = {}
        self._late: list[DeploymentRequest] = []
        self._groomed: set[str] = set()
        self._postponed = 0
        self._correlations = 0

    # ---- the port --------------------------------------------------------------------------

    def deployment(self, deployment_id: str) -> Deployment | None:
        """Return the deployment; each call is one look at it."""
        with self.faults.around("arm.deployment", deployment_id), self._lock:
            run = self._runs.get(deployment_id.lower())
            if run is None or not self._group_is_there(deployment_id):
                return None
            run.looks += 1
            self._settle()
            return shown(run, self._clock.now())

    def running(self, scope: str) -> Sequence[Deployment]:
        """Return what runs in exactly this scope; each call is one look at each of them."""
        with self.faults.around("arm.running", scope), self._lock:
            here = [
                run
                for run in self._runs.values()
                if names.scope_of(run.request.id).lower() == scope.lower()
                and self._group_is_there(run.request.id)
            ]
            for run in here:
                run.looks += 1
            self._settle()
            return [shown(run, self._clock.now()) for run in here if run.state == "running"]

    def put(self, request: DeploymentRequest) -> Deployment:
        """Start a deployment, or refuse it as ARM does."""
        with self.faults.around("arm.put", request.id), self._lock:
            if self._postponed:
                self._postponed -= 1
                self._late.append(copy.deepcopy(request))
                raise Unknown("AnswerLost", "the PUT of the deployment got no readable answer")
            return self._take(copy.deepcopy(request))

    def cancel(self, deployment_id: str) -> None:
        """Cancel a deployment that runs; what it would have made is not there."""
        with self.faults.around("arm.cancel", deployment_id), self._lock:
            self._settle()
            run = self._runs.get(deployment_id.lower())
            if run is not None and run.state == "running":
                elapsed = (self._clock.now() - run.at).total_seconds()
                run.outcome = Outcome(seconds=elapsed, canceled=True)
                self._finish(run)
                run.error = self.cancel_error

    def forget(self, deployment_id: str) -> None:
        """Remove a deployment that has ended from the history."""
        with self.faults.around("arm.forget", deployment_id), self._lock:
            self._settle()
            run = self._runs.get(deployment_id.lower())
            if run is not None and run.state == "running":
                raise Stalled("Conflict", f"{deployment_id} is still active")
            self._runs.pop(deployment_id.lower(), None)

    def operations(self, deployment_id: str) -> Sequence[Operation]:
        """Return the operations of the deployment and of its nested ones."""
        with self.faults.around("arm.operations", deployment_id), self._lock:
            self._settle()
            run = self._runs.get(deployment_id.lower())
            return [] if run is None else list(operations(run, self._groomed))

    def left(self, subscription: str, kind: BudgetKind) -> CallsLeft | None:
        """Return what ``limits`` says."""
        return self.limits.get((subscription, kind))

    def subscriptions(self) -> Sequence[str]:
        """Return the subscriptions in ``limits``."""
        return sorted({subscription for subscription, _ in self.limits})

    # ---- the script ------------------------------------------------------------------------

    def plan(self, deployment_id: str, *outcomes: Outcome) -> None:
        """Say how the next deployments of this id go, one after the other."""
        self._planned.setdefault(deployment_id.lower(), []).extend(outcomes)

    def let_end(self, deployment_id: str) -> None:
        """Let a deployment that runs end well now."""
        with self._lock:
            run = self._runs[deployment_id.lower()]
            elapsed = (self._clock.now() - run.at).total_seconds()
            run.outcome = replace(run.outcome, seconds=elapsed)

    def postpone_put(self, times: int = 1) -> None:
        """Let the next PUTs get lost on the way: Unknown now, and there when ``deliver`` is called."""
        self._postponed += times

    def deliver(self) -> list[Deployment | Exception]:
        """Let the postponed PUTs arrive; returns what ARM made of each, which nobody hears."""
        arrived: list[Deployment | Exception] = []
        with self._lock:
            for request in self._late:
                try:
                    arrived.append(self._take(request))
                except (Active, Refused, Stalled, Unregistered) as error:
                    arrived.append(error)
            self._late.clear()
        return arrived

    def remove(self, resource_id: str, *, caller: str = HAND) -> None:
        """Delete a resource or a group by hand, with everything below it, its deployments too."""
        with self._lock:
            super().remove(resource_id, caller=caller)
            below = resource_id.lower() + "/"
            for key in [key for key in self._runs if (key + "/").startswith(below)]:
                del self._runs[key]

    def retag(self, deployment_id: str, tags: Mapping[str, str]) -> None:
        """Let a deployment be somebody else's."""
        with self._lock:
            run = self._runs[deployment_id.lower()]
            run.request = replace(run.request, tags=tags)

    def forget_deployment(self, deployment_id: str) -> None:
        """Delete a deployment's history entry; its resources stay."""
        with self._lock:
            self._runs.pop(deployment_id.lower(), None)

    def groom(self, nested: str) -> None:
        """Let the history of nested deployments of this name be gone as soon as they have ended."""
        with self._lock:
            self._groomed.add(nested)

    # ---- looking at it ---------------------------------------------------------------------

    def puts(self, deployment_id: str) -> list[Taken]:
        """Return the PUTs that ARM took for this id, in order."""
        with self._lock:
            self._settle()
            return [one for one in self.taken if one.request.id.lower() == deployment_id.lower()]

    def check(self) -> None:
        """Assert what must always hold: no two deployments of one id were active at a time."""
        with self._lock:
            self._settle()
            for deployment_id in {one.request.id.lower() for one in self.taken}:
                puts = self.puts(deployment_id)
                for earlier, later in pairwise(puts):
                    assert earlier.until is not None, f"{deployment_id} is active twice"
                    assert earlier.until <= later.at, f"{deployment_id} was active twice"

    # ---- inside ----------------------------------------------------------------------------

    def _take(self, request: DeploymentRequest) -> Deployment:
        self._settle()
        self._refuse(request)
        now = self._clock.now()
        self._correlations += 1
        planned = self._planned.get(request.id.lower())
        resources, nested = planned_resources(request.template, request.scope, request.id)
        run = Run(
            request=request,
            outcome=planned.pop(0) if planned else self.default,
            at=now,
            correlation_id=f"c0a1{self._correlations:04x}-0000-4000-8000-000000000000",
            resources=resources,
            nested=nested,
        )
        self._runs[request.id.lower()] = run
        self.taken.append(Taken(request, now))
        return shown(run, self._clock.now())

    def _refuse(self, request: DeploymentRequest) -> None:
        self._refuse_scope(request)
        current = self._runs.get(request.id.lower())
        if current is not None and current.state == "running":
            raise Active("DeploymentActive", f"{request.id} is still active")
        if current is not None and current.request.location != request.location:
            message = f"Invalid deployment location '{request.location}'."
            raise Refused(flatten({"code": "InvalidDeploymentLocation", "message": message}))
        self._refuse_template(request)

    def _settle(self) -> None:
        """Finish what has run its time; effects appear at that moment."""
        super()._settle()
        for run in self._runs.values():
            if run.state == "running" and self._is_over(run):
                self._finish(run)

    def _is_over(self, run: Run) -> bool:
        if run.outcome.looks is not None:
            return run.looks >= run.outcome.looks
        return self._clock.now() >= run.at + timedelta(seconds=run.outcome.seconds)

    def _finish(self, run: Run) -> None:
        seconds = run.outcome.seconds if run.outcome.looks is None else 0
        ended = run.at + timedelta(seconds=seconds) if seconds else self._clock.now()
        run.until = ended
        run.state = "canceled" if run.outcome.canceled else "succeeded"
        failed = [one for one in run.resources if one.name in run.outcome.failures]
        if failed:
            run.state = "failed"
            run.error = {
                "code": "DeploymentFailed",
                "target": run.request.id,
                "message": "At least one resource deployment operation failed.",
                "details": [{**run.outcome.failures[one.name], "target": one.id} for one in failed],
            }
        for one in run.resources:
            if one not in failed and run.state != "canceled" and one.type.lower() != NESTED:
                self._write(
                    one.id,
                    one.body,
                    one.api_version,
                    "plumbline",
                    at=ended,
                    correlation_id=run.correlation_id,
                )
        self.taken = [
            Taken(one.request, one.at, ended) if one.request is run.request else one
            for one in self.taken
        ]
