"""Deployments at all scopes: resource group, subscription, management group and tenant.

A scope may also stand in the path as the SDK's `*_at_scope` calls write it, which comes to the same.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from local.arm import engine, ids, lro
from local.arm.cloud import Cloud
from local.arm.deploy import history, report, scopes, submit, validation
from local.arm.deploy.runner import Runner
from local.arm.errors import ArmError, envelope
from local.arm.filters import page
from local.arm.messages import Answer, Request
from local.arm.routes.table import Route, Words, route
from local.arm.state.records import Deployment


def deployment_id(cloud: Cloud, words: Words) -> str:
    """Return the canonical id of the deployment that a path names; raises `ArmError`."""
    scope = scopes.at(cloud, words["scope"])
    return f"{scope.id}/providers/{ids.DEPLOYMENT_TYPE}/{words['name']}"


def _status_url(request: Request, record: Deployment) -> str:
    path = record.id.replace("/resourceGroups/", "/resourcegroups/", 1)
    return f"{request.base}{path}/operationStatuses/{record.run}?api-version={request.api_version}"


async def put_deployment(runner: Runner, cloud: Cloud, request: Request, words: Words) -> Answer:
    """Accept a deployment; its end is polled for."""
    scope = scopes.at(cloud, words["scope"])
    ask = await submit.asked(cloud, request, scope, words["name"])
    record, new = await runner.accept(ask)
    headers = {"Azure-AsyncOperation": _status_url(request, record), **lro.wait_headers(cloud)}
    return Answer(201 if new else 200, report.deployment(record), headers)


async def get_deployment(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Show a deployment."""
    return Answer(200, report.deployment(history.find(cloud, deployment_id(cloud, words))))


async def head_deployment(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Say whether the history knows a deployment."""
    history.find(cloud, deployment_id(cloud, words))
    return Answer(204)


async def delete_deployment(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Remove a deployment from the history; what it made stays."""
    record = cloud.store.deployments.get(deployment_id(cloud, words))
    if record is None:
        return Answer(204)
    history.check_deletable(cloud, record)
    cloud.forget_deployment(record.id)
    scope = scopes.of_deployment(record.id).id
    job = lro.start(cloud, 0.0, 204, scope=lro.scope_above(scope))
    return Answer(202, None, lro.location_headers(cloud, request, job))


async def list_deployments(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List a scope's deployments, newest first; $filter knows provisioningState."""
    scope = scopes.at(cloud, words["scope"])
    shown = [report.deployment(record) for record in history.of_scope(cloud, scope.id)]
    return Answer(200, page(request, shown))


async def cancel(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Let a running deployment start nothing more."""
    record = history.find(cloud, deployment_id(cloud, words))
    if not history.is_active(record):
        raise ArmError(
            409,
            "DeploymentCannotBeCancelled",
            f"The deployment '{record.name}' cannot be cancelled because it is in terminal state"
            f" '{record.state}'.",
        )
    history.cancel(cloud, record)
    return Answer(204)


async def status(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Answer a poll for a deployment's end."""
    record = history.find(cloud, deployment_id(cloud, words))
    if record.run != words["run"]:
        raise ArmError(
            404, "NotFound", f"The operation status '{words['run']}' could not be found."
        )
    body: dict[str, Any] = {"status": record.state}
    if record.state == "Canceled":
        body["error"] = {"code": "DeploymentCanceled", "message": "The deployment was canceled."}
    elif record.error is not None:
        body["error"] = record.error
    return Answer(200, body, lro.wait_headers(cloud) if history.is_active(record) else {})


async def validate(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Say whether a deployment would be accepted, without running it.

    With the knob `validate_seconds` the answer of providers is waited for, as by large templates.
    """
    scope = scopes.at(cloud, words["scope"])
    ask = await submit.asked(cloud, request, scope, words["name"])
    history.groom(cloud, scope.id)
    draft = await validation.draft(cloud, ask)
    seconds = cloud.knobs.validate_seconds
    outcome, body = 200, None
    try:
        body = await validation.judge(cloud, draft)
    except ArmError as error:
        if seconds <= 0:
            raise
        outcome, body = error.status, envelope(error.body())
    if seconds <= 0:
        return Answer(outcome, body)
    job = lro.start(cloud, seconds, outcome, body=body, scope=lro.scope_above(scope.id))
    return Answer(202, None, lro.location_headers(cloud, request, job))


async def export_template(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Return the template of a deployment."""
    record = history.find(cloud, deployment_id(cloud, words))
    return Answer(200, {"template": cloud.store.templates.get(record.id)})


async def list_outputs(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Return name and value of all outputs, secure ones too."""
    record = history.find(cloud, deployment_id(cloud, words))
    return Answer(200, report.all_outputs(record))


async def calculate_hash(_: Cloud, request: Request, __: Words) -> Answer:
    """Return the template hash of the body."""
    template = request.json()
    minified = msgspec.json.encode(template).decode()
    return Answer(
        200, {"minifiedTemplate": minified, "templateHash": engine.template_hash(template)}
    )


SCOPE = (
    "(?P<scope>(?:/subscriptions/[^/]+(?:/resourcegroups/[^/]+)?"
    "|/providers/Microsoft.Management/managementGroups/[^/]+)?)"
)
_ALL = SCOPE + "/providers/Microsoft.Resources/deployments"
_ONE = _ALL + "/{name}"


def routes(runner: Runner) -> tuple[Route, ...]:
    """Return the routes of deployments that this runner carries out."""
    return (
        route(
            "calculate-template-hash",
            "/providers/Microsoft.Resources/calculateTemplateHash",
            {"POST": calculate_hash},
        ),
        route("deployments", _ALL, {"GET": list_deployments}),
        route(
            "deployment",
            _ONE,
            {
                "PUT": partial(put_deployment, runner),
                "GET": get_deployment,
                "HEAD": head_deployment,
                "DELETE": delete_deployment,
            },
        ),
        route("deployment-status", _ONE + "/operationStatuses/{run}", {"GET": status}),
        route("deployment-cancel", _ONE + "/cancel", {"POST": cancel}),
        route("deployment-validate", _ONE + "/validate", {"POST": validate}),
        route("deployment-export", _ONE + "/exportTemplate", {"POST": export_template}),
        route("deployment-outputs", _ONE + f"/{report.SECURE_OUTPUTS}", {"POST": list_outputs}),
    )
