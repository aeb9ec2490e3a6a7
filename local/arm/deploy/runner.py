"""Carries deployments out: one asyncio task each, one per resource, in the order of dependencies."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import asdict
from functools import partial
from typing import Any

import msgspec

from local.arm import activity, ids
from local.arm.clock import read_stamp, stamp
from local.arm.cloud import Cloud
from local.arm.deploy import history, masking, report, rollback, submit
from local.arm.deploy.ask import Ask, submission_of
from local.arm.deploy.cleanup import clean_up
from local.arm.deploy.closing import finish_outputs
from local.arm.deploy.runtime import CloudRuntime
from local.arm.deploy.steps import Refusal, Step
from local.arm.engine import Plan
from local.arm.errors import ArmError
from local.arm.faults import operations
from local.arm.state.records import Deployment

FAILED_MESSAGE = (
    "At least one resource deployment operation failed. Please list deployment operations for"
    " details. Please see https://aka.ms/arm-deployment-operations for usage details."
)
_AT_ONCE = 8
_LOOK_S = 0.1
_LOG = logging.getLogger(__name__)


class Runner:
    """All running deployments of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._tasks: set[asyncio.Task[Any]] = set()
        self.few = asyncio.Semaphore(_AT_ONCE)
        """Held while a step computes, so that hundreds of them leave room for other clients."""

    async def accept(self, ask: Ask) -> tuple[Deployment, bool]:
        """Accept a deployment and start it; return its record as accepted, and whether it is new.

        Raises `ArmError` for what ARM refuses before anything runs.
        """
        record, plan, new = await submit.accept(self._cloud, ask)
        accepted = msgspec.structs.replace(record)
        self._keep(record, self.run(record, ask, plan))
        return accepted, new

    def _keep(self, record: Deployment, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(self._done, record))

    def _done(self, record: Deployment, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is None:
            return
        # The simulator's own bug: the client must not poll for ever.
        _LOG.error("deployment %s broke the simulator", record.id, exc_info=fault)
        if history.is_active(record):
            message = "Encountered internal server error. See the simulator's log."
            self._end(record, "Failed", {"code": "InternalServerError", "message": message})

    def resume(self) -> None:
        """Take up again what was running when the simulator ended."""
        for record in self._cloud.store.deployments.values():
            if history.is_active(record) and record.parent is None:
                self._keep(record, self._take_up(record))
            elif rollback.is_due(record):
                self._keep(record, self._roll_back(record))

    async def _take_up(self, record: Deployment) -> None:
        cloud = self._cloud
        submission = cloud.store.submissions.get(record.id)
        if submission is None:
            # Killed between the two writes of the acceptance: nobody was told that it runs.
            cloud.forget_deployment(record.id)
            return
        try:
            ask = submit.again(cloud, record, submission)
            plan = await submit.aside(ask, submit.plan, cloud, ask, submission)
        except ArmError as error:
            self._end(record, "Failed", error.body())
            return
        await self.run(record, ask, plan)

    def stop(self) -> None:
        """Stop all tasks at once, for a reset that forgets the deployments too."""
        for task in list(self._tasks):
            task.cancel()

    async def close(self) -> None:
        """Stop all tasks; the deployments go on when a simulator opens the folder again."""
        tasks = list(self._tasks)
        self.stop()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run(self, record: Deployment, ask: Ask, plan: Plan) -> None:
        """Run a deployment to its end."""
        end = time.monotonic() + self._cloud.knobs.deployment_seconds
        record.state, record.caller = "Running", asdict(ask.caller)
        ask.hidden |= masking.secrets_of(plan.parameters)
        self._touch(record)
        runtime = CloudRuntime(self._cloud)
        steps = [
            Step(self._cloud, self, (ask, record), resource, runtime) for resource in plan.resources
        ]
        await self._in_order(record, steps)
        refusals = [step.refusal for step in steps if step.refusal is not None]
        if not refusals and not record.cancel and ask.mode == "Complete":
            made = [made for step in steps for made in step.made]
            refusals = await clean_up(self._cloud, (ask, record), plan, made)
        if not refusals and not record.cancel:
            outcome = await finish_outputs(self._cloud, (ask, record), plan, runtime)
            refusals = [outcome] if outcome else []
        # A cancel does not wait for the knob: nothing of the deployment is at work any more.
        while not record.cancel and (left := end - time.monotonic()) > 0:  # noqa: ASYNC110 - the flag is in a stored record
            await asyncio.sleep(min(left, _LOOK_S))
        hold = await operations.held(self._cloud, record)
        if hold is not None:
            refusals = [Refusal(hold.error or {}, whole=True)]
            record.cancel = hold.end == "Canceled"
        self._conclude(record, steps, refusals)

    async def _in_order(self, record: Deployment, steps: list[Step]) -> None:
        waiting: dict[str, list[asyncio.Task[bool]]] = {}

        async def one(step: Step) -> bool:
            # By the time the first of these runs, all of them are in `waiting`.
            names = [ids.key_of(name) for name in step.resource.depends_on]
            before = [task for name in names for task in waiting.get(name, [])]
            if not all(await asyncio.gather(*before)) or record.cancel:
                return False
            return await step.take()

        tasks = []
        for step in steps:
            task = asyncio.create_task(one(step))
            waiting.setdefault(ids.key_of(step.resource.id), []).append(task)
            tasks.append(task)
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    def _conclude(self, record: Deployment, steps: list[Step], refusals: list[Refusal]) -> None:
        made = [made for step in steps for made in step.made]
        record.resources = list(dict.fromkeys(made))
        where = {step.resource.id: step.location for step in steps if step.location}
        if where:
            written = [step.resource for step in steps if not step.resource.existing]
            record.providers = report.providers(written, where)
        if record.cancel:
            self._end(record, "Canceled", None)
        elif refusals:
            whole = next((one for one in refusals if one.whole), None)
            error = whole.error if whole else failure(record, refusals)
            self._end(record, "Failed", error)
        else:
            self._end(record, "Succeeded", None)

    def _end(self, record: Deployment, state: str, error: dict[str, Any] | None) -> None:
        record.state, record.error = state, error
        if not history.is_kept(self._cloud, record):
            return
        self._touch(record)
        activity.deployment_ended(self._cloud, record)
        if record.rolls_back is not None:
            rollback.note(self._cloud, record.rolls_back, state)
        if rollback.is_due(record):
            rollback.note(self._cloud, record.id, "Accepted")
            self._keep(record, self._roll_back(record))

    async def _roll_back(self, failed: Deployment) -> None:
        """Run the good deployment again that a failed one names, in mode Complete."""
        cloud = self._cloud
        good = rollback.target(cloud, failed)
        submission = cloud.store.submissions.get(good.id) if good else None
        if good is None or submission is None or history.is_active(good):
            # After a restart the rollback may be on its way already.
            is_ours = good is not None and good.rolls_back == failed.id
            rollback.note(cloud, failed.id, "Running" if is_ours else "Failed")
            return
        try:
            ask = rollback.ask_again(submit.again(cloud, good, submission), failed)
            once_more = submission_of(cloud, ask)
            plan = await submit.aside(ask, submit.plan, cloud, ask, once_more)
            history.check_free(cloud, ask.id)
        except ArmError:
            rollback.note(cloud, failed.id, "Failed")
            return
        record = submit.begin(cloud, ask, plan)
        cloud.store.submissions.put(record.id, once_more)
        activity.deployment_began(cloud, record, ask.caller)
        rollback.note(cloud, failed.id, "Running")
        self._keep(record, self.run(record, ask, plan))

    def _touch(self, record: Deployment) -> None:
        if not history.is_kept(self._cloud, record):
            return
        now = self._cloud.clock.now()
        record.changed = stamp(now)
        record.seconds = max((now - read_stamp(record.started)).total_seconds(), 0.0)
        self._cloud.store.deployments.put(record.id, record)


def failure(record: Deployment, refusals: list[Refusal]) -> dict[str, Any]:
    """Return the error of a deployment whose steps failed. Pure."""
    return {
        "code": "DeploymentFailed",
        "target": record.id,
        "message": FAILED_MESSAGE,
        "details": [refusal.error for refusal in refusals],
    }
