"""Deployments at resource-group and subscription scope."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from local.arm import engine, ids, lro
from local.arm.cloud import Cloud
from local.arm.deploy import history, report, submit
from local.arm.deploy.runner import Runner
from local.arm.errors import ArmError
from local.arm.filters import page
from local.arm.messages import Answer, Request
from local.arm.routes.table import Route, Words, route
from local.arm.state.records import Deployment


def _id(cloud: Cloud, words: Words) -> str:
    scope = submit.scope_of(cloud, words["sub"], words.get("group"))
    return f"{scope.id}/providers/{ids.DEPLOYMENT_TYPE}/{words['name']}"


def _status_url(request: Request, record: Deployment) -> str:
    path = record.id.replace("/resourceGroups/", "/resourcegroups/", 1)
    return f"{request.base}{path}/operationStatuses/{record.run}?api-version={request.api_version}"


async def put_deployment(runner: Runner, cloud: Cloud, request: Request, words: Words) -> Answer:
    """Accept a deployment; its end is polled for."""
    scope = submit.scope_of(cloud, words["sub"], words.get("group"))
    ask = submit.read(cloud, request, scope, words["name"])
    record, new = await runner.accept(ask)
    headers = {"Azure-AsyncOperation": _status_url(request, record), **lro.wait_headers(cloud)}
    return Answer(201 if new else 200, report.deployment(record), headers)


async def get_deployment(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Show a deployment."""
    return Answer(200, report.deployment(history.find(cloud, _id(cloud, words))))


async def head_deployment(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Say whether the history knows a deployment."""
    history.find(cloud, _id(cloud, words))
    return Answer(204)


async def delete_deployment(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Remove a deployment from the history; what it made stays."""
    record = cloud.store.deployments.get(_id(cloud, words))
    if record is None:
        return Answer(204)
    if history.is_active(record):
        raise ArmError(
            409,
            "DeploymentBeingDeployed",
            f"The deployment '{record.name}' cannot be deleted while it is {record.state.lower()}."
            " Cancel it first.",
        )
    cloud.forget_deployment(record.id)
    job = lro.start(cloud, 0.0, 204)
    return Answer(202, None, lro.location_headers(cloud, request, job))


async def list_deployments(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List a scope's deployments, newest first; $filter knows provisioningState."""
    scope = submit.scope_of(cloud, words["sub"], words.get("group"))
    shown = [report.deployment(record) for record in history.of_scope(cloud, scope.id)]
    return Answer(200, page(request, shown))


async def cancel(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Let a running deployment start nothing more."""
    record = history.find(cloud, _id(cloud, words))
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
    record = history.find(cloud, _id(cloud, words))
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
    """Say whether a deployment would be accepted, without running it."""
    scope = submit.scope_of(cloud, words["sub"], words.get("group"))
    ask = submit.read(cloud, request, scope, words["name"])
    submission = submit.submission_of(cloud, ask)
    planned = await submit.aside(ask, submit.plan, cloud, ask, submission)
    submit.preflight(cloud, ask, planned)
    written = [resource for resource in planned.resources if not resource.existing]
    properties = {
        "templateHash": engine.template_hash(ask.template),
        "parameters": report.parameters(planned.parameters, ask.parameters),
        "mode": ask.mode,
        "provisioningState": "Succeeded",
        "timestamp": submission.utc_now,
        "duration": "PT0S",
        "correlationId": ask.correlation_id,
        "providers": report.providers(written, {}),
        "dependencies": report.dependencies(planned.resources),
        "validatedResources": [{"id": resource.id} for resource in written],
    }
    body = {"id": ask.id, "name": ask.name, "type": ids.DEPLOYMENT_TYPE, "properties": properties}
    return Answer(200, body)


async def export_template(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Return the template of a deployment."""
    record = history.find(cloud, _id(cloud, words))
    return Answer(200, {"template": cloud.store.templates.get(record.id)})


async def calculate_hash(_: Cloud, request: Request, __: Words) -> Answer:
    """Return the template hash of the body."""
    template = request.json()
    minified = msgspec.json.encode(template).decode()
    return Answer(
        200, {"minifiedTemplate": minified, "templateHash": engine.template_hash(template)}
    )


_ALL = "/subscriptions/{sub}(?:/resourcegroups/{group})?/providers/Microsoft.Resources/deployments"
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
    )
