"""How a deployment writes one resource: through the script, counted, tried again when throttled."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from local.arm import errors, groups, ids, management_groups
from local.arm.cloud import Cloud
from local.arm.deploy import tagging
from local.arm.deploy.ask import Ask
from local.arm.engine import PlannedResource
from local.arm.errors import ArmError
from local.arm.faults.course import Course, DropError
from local.arm.messages import Answer
from local.arm.providers import locks, reads, writes
from local.arm.providers.writes import Write
from local.arm.state.records import Deployment
from local.arm.throttle import Asked

CREATED, OK = "Created", "OK"


class Writing:
    """One write. After `carry_out`: `made` (the ids that came of it) and `shown` (the new body)."""

    def __init__(
        self, cloud: Cloud, deployment: tuple[Ask, Deployment], resource: PlannedResource
    ) -> None:
        self.made: list[str] = []
        self.shown: dict[str, Any] | None = None
        self._cloud = cloud
        self._ask, self._record = deployment
        self._resource = resource

    async def carry_out(self, body: dict[str, Any]) -> str:
        """Write the resource and return the status code's word; raises `ArmError`.

        A provider's 429 is waited out, as ARM does.
        """

        async def effect() -> Answer:
            return Answer(201 if self._put(body) == CREATED else 200)

        course = Course(
            self._cloud,
            self._ask.call_for(self._resource),
            effect,
            lambda: body,
            given_up=lambda: self._record.cancel,
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
                    return status_word(answer.status)
                refused = _refused(answer)
            if refused.status != HTTPStatus.TOO_MANY_REQUESTS or self._record.cancel:
                raise refused
            await asyncio.sleep(_seconds(refused.headers.get("Retry-After", "1")))

    def _count(self) -> None:
        """Count the write where a provider counts, if it does for deployments; raises 429."""
        cloud, limits = self._cloud, self._cloud.knobs.throttle
        if limits is None or not limits.deployments_count:
            return
        scope, namespace = cloud.identity.subscription, self._resource.type.partition("/")[0]
        asked = Asked(scope, self._ask.caller.oid, "writes", namespace=namespace)
        cloud.buckets.take_from_provider(asked, limits, cloud.clock.seconds())

    def _put(self, body: dict[str, Any]) -> str:
        cloud, resource = self._cloud, self._resource
        match resource.type.lower():
            case "microsoft.resources/resourcegroups":
                return self._put_group(body)
            case "microsoft.management/managementgroups":
                group, new = management_groups.write(cloud, resource.name, body, self._ask.caller)
                self.made = [management_groups.id_of(group.name)]
                self.shown = management_groups.shown(cloud, group)
                return CREATED if new else OK
            case "microsoft.management/managementgroups/subscriptions":
                name, _, subscription = resource.name.partition("/")
                management_groups.place(cloud, name, subscription)
                self.made = [resource.id]
                return OK
            case tagging.TYPE:
                return self._put_tags(body)
        rid = ids.parse(resource.id)
        if rid is None:
            raise errors.invalid_content(f"'{resource.id}' is not a resource id")
        write = Write(rid, body, resource.api_version, self._ask.caller)
        locks.check_write(cloud, rid.id)
        record, new = writes.put(cloud, write)
        self.made = [record.id]
        self.shown = reads.body(cloud, record)
        return CREATED if new else OK

    def _put_tags(self, body: dict[str, Any]) -> str:
        cloud, rid = self._cloud, ids.parse(self._resource.id)
        if rid is None:
            raise errors.invalid_content(f"'{self._resource.id}' is not a resource id")
        scope, _ = tagging.read(cloud, rid.scope)
        tagging.write(cloud, self._ask.caller, scope, tagging.asked(body))
        self.shown = tagging.shown(*tagging.read(cloud, scope))
        self.made = [self.shown["id"]]
        return OK

    def _put_group(self, body: dict[str, Any]) -> str:
        resource = self._resource
        subscription = resource.scope.subscription_id or ""
        group, new = groups.write(self._cloud, subscription, resource.name, body)
        self.made = [ids.group_id(group.subscription, group.name)]
        self.shown = groups.shown(group)
        return CREATED if new else OK


def _refused(answer: Answer) -> ArmError:
    """Return the refusal in an answer that a rule gave as it is. Pure."""
    body = answer.body if isinstance(answer.body, dict) else {}
    error = body["error"] if isinstance(body.get("error"), dict) else {}
    return ArmError(
        answer.status,
        str(error.get("code") or status_word(answer.status)),
        str(error.get("message") or f"The provider answered {answer.status}."),
        target=error.get("target"),
        details=error.get("details") or [],
        additional_info=error.get("additionalInfo") or [],
        headers=answer.headers,
    )


def _seconds(retry_after: str) -> float:
    """Return how long a Retry-After asks to wait; one second if it is no number. Pure."""
    return float(retry_after) if retry_after.isdecimal() else 1.0


def status_word(status: int) -> str:
    """Return an HTTP status as operations spell it, as in NotFound. Pure."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        return str(status)
    return OK if status == HTTPStatus.OK else phrase.title().replace(" ", "").replace("-", "")
