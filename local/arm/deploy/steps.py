"""One step of a deployment: write a resource, look one up, or run a nested deployment."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from local.arm import errors, groups, ids
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.deploy import history, report, secrets, submit
from local.arm.deploy.runtime import CloudRuntime
from local.arm.deploy.submit import Ask
from local.arm.engine import NestedDeployment, Plan, PlannedResource, TemplateError
from local.arm.errors import ArmError
from local.arm.faults.course import Course, DropError
from local.arm.messages import Answer
from local.arm.providers import reads, writes
from local.arm.providers.writes import Write
from local.arm.script import Call
from local.arm.state.records import Deployment, Operation
from local.arm.throttle import Asked


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
        operation.status_code = _status_word(error.status)
        operation.status_message = {"status": "Failed", "error": body}
        self.refusal = Refusal({"target": self.resource.id, **body})

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
            rid = ids.parse(resource.id)
            if rid is not None:
                reads.find(self._cloud, reads.canonical(self._cloud, rid))
            return "OK"
        if resource.nested is not None:
            await self._nest(resource.nested)
            self._remember_made()
            return "OK"
        async with self._runner.few:
            word = await self._make(resource)
        await asyncio.sleep(self._cloud.knobs.seconds_for(resource.type))
        return word

    async def _make(self, resource: PlannedResource) -> str:
        body = await submit.aside(self._ask, resource.body, self._runtime)
        location = body.get("location")
        self.location = location.replace(" ", "").lower() if isinstance(location, str) else None
        return await self._write(body)

    async def _write(self, body: dict[str, Any]) -> str:
        """Write the resource, through the script; a provider's 429 is waited out, as ARM does."""

        async def effect() -> Answer:
            return Answer(201 if self._put(body) == "Created" else 200)

        caller = self._ask.caller
        call = Call(
            "PUT",
            self.resource.id,
            "resource",
            "deployment",
            self.resource.api_version,
            caller.oid,
            caller.appid,
        )
        course = Course(
            self._cloud, call, effect, lambda: body, given_up=lambda: self._record.cancel
        )
        while True:
            try:
                self._count()
                answer = await course.run()
            except DropError as error:
                message = "The gateway did not receive a response."
                raise ArmError(504, "GatewayTimeout", message) from error
            except ArmError as error:
                refused = error
            else:
                if answer.status < HTTPStatus.BAD_REQUEST:
                    return _status_word(answer.status)
                refused = _refused(answer)
            if refused.status != HTTPStatus.TOO_MANY_REQUESTS:
                raise refused
            await asyncio.sleep(_seconds(refused.headers.get("Retry-After", "1")))

    def _count(self) -> None:
        """Count the write where a provider counts, if it does for deployments; raises 429."""
        cloud, limits = self._cloud, self._cloud.knobs.throttle
        if limits is None or not limits.deployments_count:
            return
        scope, namespace = cloud.identity.subscription, self.resource.type.partition("/")[0]
        asked = Asked(scope, self._ask.caller.oid, "writes", namespace=namespace)
        cloud.buckets.take_from_provider(asked, limits, cloud.clock.seconds())

    def _put(self, body: dict[str, Any]) -> str:
        cloud, resource = self._cloud, self.resource
        if resource.type.lower() == ids.GROUP_TYPE.lower():
            group, new = groups.write(
                cloud, resource.scope.subscription_id or "", resource.name, body
            )
            self.made = [ids.group_id(group.subscription, group.name)]
            return "Created" if new else "OK"
        rid = ids.parse(resource.id)
        if rid is None:
            raise errors.invalid_content(f"'{resource.id}' is not a resource id")
        write = Write(rid, body, resource.api_version, self._ask.caller)
        record, new = writes.put(cloud, write)
        self.made = [record.id]
        return "Created" if new else "OK"

    async def _nest(self, nested: NestedDeployment) -> None:
        """Run a nested deployment as a deployment of its own; raises its failure."""
        cloud, ask = self._cloud, self._ask
        submit.check_name(nested.name)
        scope = nested.scope
        if scope.resource_group is not None:
            group = cloud.writable_group(scope.subscription_id or "", scope.resource_group)
            scope = submit.scope_of(cloud, group.subscription, group.name)
        parameters = await submit.aside(ask, nested.parameters, self._runtime)
        resolved = secrets.resolve(cloud, parameters)
        plan = await submit.aside(ask, nested.plan, self._runtime, resolved)
        child = Ask(
            scope=scope,
            name=nested.name,
            template=dict(nested.template),
            parameters=parameters,
            mode=nested.mode,
            caller=ask.caller,
            correlation_id=ask.correlation_id,
            api_version=self.resource.api_version,
            location=ask.location if scope.kind != "resourceGroup" else None,
            parent=ask.id,
            heavy=ask.heavy,
        )
        history.check_free(cloud, child.id, parent=ask.id)
        history.check_quota(cloud, scope.id, child.id)
        submit.preflight(cloud, child, plan)
        record = cloud.store.deployments.get(child.id)
        if record is None or not history.is_active(record):
            record = submit.begin(cloud, child, plan)
            cloud.store.templates.put(record.id, child.template)
        await self._runner.run(record, child, plan)
        if record.state != "Succeeded":
            raise _nested_failure(record)


def _nested_failure(record: Deployment) -> ArmError:
    return ArmError(
        409,
        "ResourceDeploymentFailure",
        f"The resource operation completed with terminal provisioning state '{record.state}'.",
        target=record.id,
        details=[record.error] if record.error else [],
    )


def _refused(answer: Answer) -> ArmError:
    """Return the refusal in an answer that a rule gave as it is. Pure."""
    body = answer.body if isinstance(answer.body, dict) else {}
    error = body["error"] if isinstance(body.get("error"), dict) else {}
    return ArmError(
        answer.status,
        str(error.get("code") or _status_word(answer.status)),
        str(error.get("message") or f"The provider answered {answer.status}."),
        target=error.get("target"),
        details=error.get("details") or [],
        additional_info=error.get("additionalInfo") or [],
        headers=answer.headers,
    )


def _seconds(retry_after: str) -> float:
    """Return how long a Retry-After asks to wait; one second if it is no number. Pure."""
    return float(retry_after) if retry_after.isdecimal() else 1.0


def _status_word(status: int) -> str:
    """Return an HTTP status as operations spell it, as in NotFound. Pure."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        return str(status)
    return "OK" if status == HTTPStatus.OK else phrase.title().replace(" ", "").replace("-", "")


async def finish_outputs(
    cloud: Cloud, deployment: tuple[Ask, Deployment], plan: Plan, runtime: CloudRuntime
) -> Refusal | None:
    """Evaluate the outputs into the record; return why that failed, or None."""
    ask, record = deployment
    try:
        record.outputs = await submit.aside(ask, plan.outputs, runtime)
        error = None
    except TemplateError as refused:
        error = refused.body()
    except ArmError as refused:
        error = refused.body()
    if error is None and not record.outputs:
        record.outputs = None
        return None
    now = stamp(cloud.clock.now())
    operation = Operation(
        id=f"{record.id}/operations/{record.run}",
        operation_id=record.run,
        action="EvaluateDeploymentOutput",
        state="Failed" if error else "Succeeded",
        started=now,
        changed=now,
        seconds=0.0,
        request_id=new_guid(),
        status_code="BadRequest" if error else "OK",
        status_message={"status": "Failed", "error": error} if error else None,
        serial=cloud.next_serial(),
    )
    cloud.store.operations.put(operation.id, operation)
    if error is None:
        return None
    return Refusal(
        {
            "code": "DeploymentOutputEvaluationFailed",
            "message": "Unable to evaluate template outputs. Please see error details and"
            " deployment operations. Please see https://aka.ms/arm-common-errors for usage details.",
            "details": [error],
        },
        whole=True,
    )
