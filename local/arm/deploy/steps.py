"""One step of a deployment: write a resource, look one up, or run a nested deployment."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from local.arm import actions, errors, groups, ids
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.deploy import history, report, secrets, submit
from local.arm.deploy.runtime import CloudRuntime
from local.arm.deploy.submit import Ask
from local.arm.engine import NestedDeployment, Plan, PlannedResource, TemplateError
from local.arm.errors import ArmError
from local.arm.providers import reads, writes
from local.arm.providers.writes import Write
from local.arm.script import Reply
from local.arm.state.records import Deployment, Operation

_SLOW_DOWN = HTTPStatus.TOO_MANY_REQUESTS


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
        while True:
            reply = self._cloud.script.take("PUT", self.resource.id, "resource", "deployment")
            if reply is None:
                return self._put(body)
            await asyncio.sleep(reply.hang_seconds)
            if reply.when == "after":
                self._put(body)
            refusal = self._scripted(reply)
            if refusal is None:
                return self._put(body)
            if refusal.status != _SLOW_DOWN:
                raise refusal
            await asyncio.sleep(float(refusal.headers.get("Retry-After", "1")))

    def _scripted(self, reply: Reply) -> ArmError | None:
        caller, path = self._ask.caller, self.resource.id
        if reply.kind == "authorization_failed":
            action, scope = actions.needed("PUT", path)
            return errors.authorization_failed(caller.appid, caller.oid, action, scope)
        if reply.kind == "throttled":
            subscription = self._cloud.identity.subscription
            return errors.throttled(subscription, caller.oid, "write", reply.retry_after)
        if reply.drop:
            return ArmError(504, "GatewayTimeout", "The gateway did not receive a response.")
        if reply.status is None or reply.status < HTTPStatus.BAD_REQUEST:
            return None
        error = reply.error or (reply.body or {}).get("error") or {}
        return ArmError(
            reply.status,
            error.get("code", _status_word(reply.status)),
            error.get("message", f"The provider answered {reply.status}."),
            target=error.get("target"),
            details=error.get("details", []),
            additional_info=error.get("additionalInfo", []),
            headers=dict(reply.headers),
        )

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
