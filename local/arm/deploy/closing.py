"""The end of a good run: the outputs, and the operation that evaluates them."""

from __future__ import annotations

from typing import Any

from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.deploy import submit
from local.arm.deploy.ask import Ask
from local.arm.deploy.runtime import CloudRuntime
from local.arm.deploy.steps import Refusal
from local.arm.engine import Plan, TemplateError
from local.arm.errors import ArmError
from local.arm.state.records import Deployment, Operation

_SECURE = frozenset({"SecureString", "SecureObject"})


def _outputs(plan: Plan, runtime: CloudRuntime) -> dict[str, dict[str, Any]]:
    return plan.outputs(runtime, secure=True)


async def finish_outputs(
    cloud: Cloud, deployment: tuple[Ask, Deployment], plan: Plan, runtime: CloudRuntime
) -> Refusal | None:
    """Evaluate the outputs into the record; return why that failed, or None."""
    ask, record = deployment
    error = None
    try:
        _keep(record, await submit.aside(ask, _outputs, plan, runtime))
    except TemplateError as refused:
        error = refused.body()
    except ArmError as refused:
        error = refused.body()
    if error is None and not record.outputs:
        record.outputs = None
        return None
    _note(cloud, record, error)
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


def _keep(record: Deployment, outputs: dict[str, dict[str, Any]]) -> None:
    """Put the outputs into the record, the values of the secure ones apart."""
    record.outputs = {}
    record.secure_outputs = {}
    for name, output in outputs.items():
        if output["type"] in _SECURE:
            record.secure_outputs[name] = output.get("value")
            record.outputs[name] = {"type": output["type"]}
        else:
            record.outputs[name] = output


def _note(cloud: Cloud, record: Deployment, error: dict[str, Any] | None) -> None:
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
