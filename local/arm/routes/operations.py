"""Where clients poll: operation results, provider operations; and a deployment's steps.

Deployment operations come under two spellings: the SDK leaves the `providers/Microsoft.Resources`
segment out at resource-group scope.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from local.arm import lro
from local.arm.cloud import Cloud
from local.arm.deploy import history, report
from local.arm.errors import ArmError
from local.arm.filters import page
from local.arm.messages import Answer, Request
from local.arm.providers import reads
from local.arm.routes.deployments import SCOPE, deployment_id
from local.arm.routes.table import Words, route


async def operation_result(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Answer a poll by Location."""
    word = words["ticket"]
    try:
        named = msgspec.json.decode(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
        job = lro.find_job(cloud, str(named["jobId"]))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise ArmError(404, "NotFound", "The operation result could not be found.") from error
    record = cloud.resource(job.resource) if job.resource else None
    return lro.location_answer(cloud, request, job, reads.shown(cloud, record) if record else None)


async def provider_operation(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Answer a poll by Azure-AsyncOperation."""
    return lro.status_answer(cloud, lro.find_job(cloud, words["job"]))


async def list_operations(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the steps of a deployment, newest first; $top is the size of a page."""
    deployment = history.find(cloud, deployment_id(cloud, words))
    steps = history.operations(cloud, deployment)
    return Answer(200, page(request, [report.operation(step) for step in steps]))


async def get_operation(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Show one step of a deployment."""
    deployment = history.find(cloud, deployment_id(cloud, words))
    step = cloud.store.operations.get(f"{deployment.id}/operations/{words['operation']}")
    if step is None:
        raise ArmError(
            404,
            "DeploymentOperationNotFound",
            f"Deployment operation '{words['operation']}' could not be found.",
        )
    return Answer(200, report.operation(step))


_SUB = "/subscriptions/{sub}"
_STEPS = "(?:/providers/Microsoft.Resources)?/deployments/{name}/operations"
_JOBS = "(?:/subscriptions/[^/]+|/providers/Microsoft.Management/managementGroups/[^/]+)?"
ROUTES = (
    route("operation-result", _JOBS + "/operationresults/{ticket}", {"GET": operation_result}),
    route(
        "provider-operation",
        _SUB + "/providers/{namespace}/locations/{location}/operations/{job}",
        {"GET": provider_operation},
    ),
    route("deployment-operations", SCOPE + _STEPS, {"GET": list_operations}),
    route("deployment-operation", SCOPE + _STEPS + "/{operation}", {"GET": get_operation}),
)
