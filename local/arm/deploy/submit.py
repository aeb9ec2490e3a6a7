"""From what is asked for to an accepted deployment: plan the template, refuse or begin."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from local.arm import engine
from local.arm.clock import stamp
from local.arm.cloud import Cloud
from local.arm.deploy import history, linked, report, scopes, secrets, surroundings
from local.arm.deploy.ask import Ask, aside, check_name, submission_of
from local.arm.deploy.expansion import locations
from local.arm.deploy.preflight import preflight, seen_through
from local.arm.deploy.reading import read
from local.arm.deploy.refusals import refused
from local.arm.engine import Plan, Scope, TemplateError
from local.arm.messages import Caller, Request
from local.arm.providers import locks
from local.arm.state.records import Deployment, Submission

__all__ = [
    "Ask",
    "accept",
    "again",
    "aside",
    "asked",
    "begin",
    "check_name",
    "plan",
    "preflight",
    "read",
    "refused",
    "submission_of",
]

_TICKS_AT_EPOCH = 621_355_968_000_000_000
_TICKS_PER_SECOND = 10_000_000


async def asked(cloud: Cloud, request: Request, scope: Scope, name: str) -> Ask:
    """Return what a request asks for, with the documents that it links to; raises `ArmError`."""
    ask = read(cloud, request, scope, name)
    await linked.fetch(cloud, ask)
    return ask


def plan(cloud: Cloud, ask: Ask, submission: Submission) -> Plan:
    """Plan a submission; raises `ArmError` with ARM's InvalidTemplate and its like."""
    try:
        return engine.plan(
            ask.template, secrets.resolve(cloud, ask.parameters), _context(cloud, ask, submission)
        )
    except TemplateError as error:
        raise refused(error) from error


def _context(cloud: Cloud, ask: Ask, submission: Submission) -> engine.Context:
    place = (ask.scope, ask.name, ask.location)
    return surroundings.context(cloud, place, ask.caller, submission, ask.extra.get("templateLink"))


async def accept(cloud: Cloud, ask: Ask) -> tuple[Deployment, Plan, bool]:
    """Accept a deployment; return its record, its plan, and whether its name is new.

    Raises `ArmError` for what ARM refuses before anything runs.
    """
    locks.check_write(cloud, ask.id)
    history.check_free(cloud, ask.id)
    history.check_location(cloud, ask.id, ask.location)
    history.check_quota(cloud, ask.scope.id, ask.id, ask.location)
    submission = submission_of(cloud, ask)
    planned = await aside(ask, plan, cloud, ask, submission)
    found = await aside(ask, preflight, cloud, ask, planned)
    ask.checked = seen_through(found)
    # Planning gave up the event loop: another PUT of this name may have come first.
    history.check_free(cloud, ask.id)
    new = cloud.store.deployments.get(ask.id) is None
    record = begin(cloud, ask, planned, locations(found))
    cloud.store.submissions.put(record.id, submission)
    history.groom(cloud, ask.scope.id)
    return record, planned, new


def begin(
    cloud: Cloud, ask: Ask, planned: Plan, where: Mapping[str, str | None] | None = None
) -> Deployment:
    """Write the record of a new run and its template, in place of the one that went before.

    `where` is the location of each resource, as far as it is known.
    """
    cloud.forget_deployment(ask.id)
    now = stamp(cloud.clock.now())
    ticks = _TICKS_AT_EPOCH + int(time.time() * _TICKS_PER_SECOND)
    written = [resource for resource in planned.resources if not resource.existing]
    record = Deployment(
        id=ask.id,
        name=ask.name,
        run=f"{2**63 - 1 - ticks:020d}",
        subscription=ask.scope.subscription_id or "",
        group=ask.scope.resource_group,
        state="Accepted",
        mode=ask.mode,
        correlation_id=ask.correlation_id,
        template_hash=engine.template_hash(ask.original),
        started=now,
        changed=now,
        location=ask.location,
        tags=ask.tags,
        parameters=report.parameters(planned.parameters, ask.parameters),
        providers=report.providers(written, where or {}),
        dependencies=report.dependencies(planned.resources),
        extra=ask.extra,
        parent=ask.parent,
        api_version=ask.api_version,
        rolls_back=ask.rolls_back,
    )
    cloud.store.deployments.put(record.id, record)
    cloud.store.templates.put(record.id, ask.original)
    return record


def again(cloud: Cloud, record: Deployment, submission: Submission) -> Ask:
    """Return what a stored deployment asked for; raises `ArmError` if its scope is gone."""
    written: dict[str, Any] = cloud.store.templates.get(record.id) or {}
    return Ask(
        scope=scopes.canonical(cloud, scopes.of_deployment(record.id)),
        name=record.name,
        template=written if submission.linked is None else submission.linked,
        parameters=submission.parameters,
        mode=record.mode,
        caller=Caller(**submission.caller),
        correlation_id=record.correlation_id,
        api_version=record.api_version,
        location=record.location,
        tags=record.tags,
        extra=record.extra,
        parent=record.parent,
        heavy=True,
        written=None if submission.linked is None else written,
        rolls_back=record.rolls_back,
        inputs=submission.inputs,
    )
