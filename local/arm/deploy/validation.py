"""`validate`: whether a deployment would be accepted, and what it would come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.arm import engine, ids
from local.arm.cloud import Cloud
from local.arm.deploy import history, report, submit
from local.arm.deploy.ask import Ask, aside, submission_of
from local.arm.deploy.expansion import Found, locations
from local.arm.deploy.preflight import preflight
from local.arm.engine import Plan
from local.arm.state.records import Submission

_STOPPED = (
    "A nested deployment got short-circuited and all its resources got skipped from validation."
    " This is due to a nested template having a parameter that was not fully evaluated (for"
    " example, contains a reference function). Please see https://aka.ms/WhatIfEvalStopped for more"
    " guidance."
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A deployment whose template has passed."""

    ask: Ask
    submission: Submission
    planned: Plan


async def draft(cloud: Cloud, ask: Ask) -> Draft:
    """Return the planned deployment; raises `ArmError` for a template that is refused."""
    submission = submission_of(cloud, ask)
    return Draft(ask, submission, await aside(ask, submit.plan, cloud, ask, submission))


async def judge(cloud: Cloud, what: Draft) -> dict[str, Any]:
    """Return the body of a good validation; raises what providers, quota and places refuse."""
    ask, planned = what.ask, what.planned
    history.check_location(cloud, ask.id, ask.location)
    history.check_quota(cloud, ask.scope.id, ask.id, ask.location)
    found = await aside(ask, lambda: preflight(cloud, ask, planned, thorough=True))
    written = [resource for resource in planned.resources if not resource.existing]
    properties: dict[str, Any] = {
        "templateHash": engine.template_hash(ask.original),
        "parameters": report.parameters(planned.parameters, ask.parameters),
        "mode": ask.mode,
        "provisioningState": "Succeeded",
        "timestamp": what.submission.utc_now,
        "duration": "PT0S",
        "correlationId": ask.correlation_id,
        "providers": report.providers(written, locations(found)),
        "dependencies": report.dependencies(planned.resources),
        **ask.extra,
        "validatedResources": [
            {"id": one.resource.id} for one in found if one.resource.nested is None
        ],
    }
    stopped = [one for one in found if not one.is_open]
    if stopped:
        properties["diagnostics"] = [_diagnostic(one) for one in stopped]
    body: dict[str, Any] = {"id": ask.id, "name": ask.name, "type": ids.DEPLOYMENT_TYPE}
    if ask.location is not None:
        body["location"] = ask.location
    return {**body, "properties": properties}


def _diagnostic(one: Found) -> dict[str, Any]:
    return {
        "level": "Warning",
        "code": "NestedDeploymentShortCircuited",
        "target": one.resource.id,
        "message": _STOPPED,
    }
