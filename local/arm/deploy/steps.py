"""One step of a deployment: write a resource, look one up, or run a nested deployment."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from local.arm import activity, ids, management_groups
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.deploy import history, masking, nesting, report, submit
from local.arm.deploy.ask import Ask
from local.arm.deploy.runtime import CloudRuntime
from local.arm.deploy.writing import CREATED, OK, Writing, status_word
from local.arm.engine import Plan, PlannedResource, TemplateError
from local.arm.errors import ArmError
from local.arm.providers import reads
from local.arm.state.records import Deployment, Operation


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a step failed, as it appears in the deployment's error.

    `whole` means that the error is the deployment's own and not one of its details.
    """

    error: dict[str, Any]
    whole: bool = False


class Runs(Protocol):
    """What a step needs of the runner that takes it."""

    few: asyncio.Semaphore
    """Held while the step computes."""

    async def run(self, record: Deployment, ask: Ask, plan: Plan) -> None:
        """Run a nested deployment to its end."""


class Step:
    """One planned resource on its way. After `take`: `refusal`, `made` (ids), `location`."""

    def __init__(
        self,
        cloud: Cloud,
        runner: Runs,
        deployment: tuple[Ask, Deployment],
        resource: PlannedResource,
        runtime: CloudRuntime,
    ) -> None:
        self.resource = resource
        self.refusal: Refusal | None = None
        self.made: list[str] = []
        self.location: str | None = None
        self._cloud = cloud
        self._runner = runner
        self._ask, self._record = deployment
        self._runtime = runtime
        self._request: dict[str, Any] | None = None
        self._response: dict[str, Any] | None = None

    async def take(self) -> bool:
        """Carry the step out and record it; False if it failed. Nothing is done twice."""
        operation_id = hashlib.sha256(self.resource.id.lower().encode()).hexdigest()[:16].upper()
        record_id = f"{self._ask.id}/operations/{operation_id}"
        old = self._cloud.store.operations.get(record_id)
        if old is not None and old.state == "Succeeded":
            self._remember_made()
            return True
        operation = self._begin(record_id, operation_id)
        began = time.monotonic()
        try:
            code = await self._do()
        except ArmError as error:
            self._fail(operation, error)
        except TemplateError as error:
            self._fail(operation, submit.refused(error))
        else:
            operation.state, operation.status_code = "Succeeded", code
        operation.seconds = time.monotonic() - began
        operation.changed = stamp(self._cloud.clock.now())
        operation.request = self._kept("requestcontent", self._request)
        operation.response = self._kept("responsecontent", self._response)
        if history.is_kept(self._cloud, self._record):
            self._cloud.store.operations.put(record_id, operation)
        return self.refusal is None

    def _begin(self, record_id: str, operation_id: str) -> Operation:
        now = stamp(self._cloud.clock.now())
        operation = Operation(
            id=record_id,
            operation_id=operation_id,
            action="Read" if self.resource.existing else "Create",
            state="Running",
            started=now,
            changed=now,
            seconds=0.0,
            request_id=new_guid(),
            status_code="Accepted",
            target=report.target(self.resource),
            serial=self._cloud.next_serial(),
        )
        self._cloud.store.operations.put(record_id, operation)
        return operation

    def _fail(self, operation: Operation, error: ArmError) -> None:
        body = error.body()
        operation.state = "Failed"
        operation.status_code = status_word(error.status)
        operation.status_message = {"status": "Failed", "error": body}
        self.refusal = Refusal({"target": self.resource.id, **body})
        if self._request is not None:
            self._response = {"error": body}

    def _kept(self, part: str, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return a body as an operation keeps it, if the deployment asked for that."""
        if body is None or part not in self._ask.detail:
            return None
        known = self._cloud.knowledge.type(self.resource.type)
        return {"content": masking.masked(body, known, self._ask.hidden)}

    def _remember_made(self) -> None:
        nested = self._cloud.store.deployments.get(self.resource.id)
        if nested is not None:
            self.made = list(nested.resources)
        elif not self.resource.existing:
            self.made = [self.resource.id]

    async def _do(self) -> str:
        """Do what the step is about and return the status code's word. Raises `ArmError`."""
        resource = self.resource
        if resource.existing:
            self._look_up()
            return OK
        if resource.nested is not None:
            self.made = await nesting.nest(
                self._cloud, self._runner, self._ask, resource, self._runtime
            )
            return OK
        async with self._runner.few:
            word = await self._write()
        await asyncio.sleep(self._cloud.knobs.seconds_for(resource.type))
        return word

    def _look_up(self) -> None:
        """Raise what a GET of the resource is refused with."""
        name = management_groups.name_in(self.resource.id)
        if name is not None:
            management_groups.find(self._cloud, name)
            return
        pair = ids.group_of(self.resource.id)
        rid = ids.parse(self.resource.id)
        if rid is None and pair is not None:
            self._cloud.group(*pair)
        elif rid is not None and self.resource.id not in self._cloud.store.deployments:
            reads.find(self._cloud, reads.canonical(self._cloud, rid))

    async def _write(self) -> str:
        body = await submit.aside(self._ask, self.resource.body, self._runtime)
        location = body.get("location")
        self.location = location.replace(" ", "").lower() if isinstance(location, str) else None
        writing = Writing(self._cloud, (self._ask, self._record), self.resource)
        self._request = body
        deed = self._cloud, self._record, self.resource.id
        try:
            word = await writing.carry_out(body)
        except ArmError as error:
            activity.step_taken(*deed, error)
            raise
        activity.step_taken(*deed, HTTPStatus.CREATED if word == CREATED else HTTPStatus.OK)
        self.made, self._response = writing.made, writing.shown
        return word
