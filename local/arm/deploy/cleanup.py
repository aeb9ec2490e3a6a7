"""Mode Complete: what the group holds and the template does not say is deleted."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from http import HTTPStatus

from local.arm import activity, ids
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.deploy.ask import Ask
from local.arm.deploy.steps import Refusal
from local.arm.deploy.writing import OK, status_word
from local.arm.engine import Plan
from local.arm.errors import ArmError
from local.arm.providers import locks, reads, writes
from local.arm.state.records import Deployment, Operation, Resource


def leftovers(cloud: Cloud, ask: Ask, plan: Plan, made: Iterable[str] = ()) -> list[Resource]:
    """Return the group's resources that mode Complete deletes: neither planned nor `made`.

    Children stay with their parent; some types know no deletion by mode.
    """
    named = {ids.key_of(resource.id) for resource in plan.resources} | set(map(ids.key_of, made))
    # A child that is named keeps its parent: without one there would be no child.
    kept = {key for name in named for key in _line(name)}
    found = []
    for record in cloud.store.resources.below(ask.scope.id):
        rid = ids.parse(record.id)
        if rid is None or rid.parent is not None or not reads.is_listed(record):
            continue
        if rid.key not in kept and cloud.knowledge.type(record.type).complete:
            found.append(record)
    return found


def _line(key: str) -> list[str]:
    rid = ids.parse(key)
    line = [key]
    while rid is not None and rid.parent is not None:
        rid = rid.parent
        line.append(rid.key)
    return line


async def clean_up(
    cloud: Cloud, deployment: tuple[Ask, Deployment], plan: Plan, made: Iterable[str]
) -> list[Refusal]:
    """Delete what mode Complete deletes, an operation each; return what refused, as one error.

    What is refused because something else needs it is tried again once that has gone.
    """
    ask, record = deployment
    waiting = leftovers(cloud, ask, plan, made)
    errors: dict[str, ArmError] = {}
    while waiting:
        left = []
        for one in waiting:
            error = _delete(cloud, ask, one)
            if error is None:
                errors.pop(one.id, None)
                _note(cloud, record, one, None)
            else:
                errors[one.id] = error
                left.append(one)
        if len(left) == len(waiting):
            break
        await asyncio.sleep(max(cloud.knobs.seconds_for(one.type) for one in waiting))
        waiting = left
    for one in waiting:
        activity.resource_deleted(cloud, (ask.caller, ask.correlation_id), one.id, errors[one.id])
        _note(cloud, record, one, errors[one.id])
    return [_failure(record, errors)] if errors else []


def _delete(cloud: Cloud, ask: Ask, record: Resource) -> ArmError | None:
    rid = ids.parse(record.id)
    if rid is None or record.id not in cloud.store.resources:
        return None
    try:
        locks.check_delete(cloud, record.id)
        writes.delete(cloud, rid, ask.caller)
    except ArmError as error:
        return error
    activity.resource_deleted(cloud, (ask.caller, ask.correlation_id), record.id, HTTPStatus.OK)
    return None


def _note(cloud: Cloud, record: Deployment, gone: Resource, error: ArmError | None) -> None:
    now = stamp(cloud.clock.now())
    operation_id = hashlib.sha256(f"cleanup|{gone.id.lower()}".encode()).hexdigest()[:16].upper()
    operation = Operation(
        id=f"{record.id}/operations/{operation_id}",
        operation_id=operation_id,
        action="DeploymentCleanup",
        state="Failed" if error else "Succeeded",
        started=now,
        changed=now,
        seconds=0.0,
        request_id=new_guid(),
        status_code=status_word(error.status) if error else OK,
        status_message={"status": "Failed", "error": error.body()} if error else None,
        target={"id": gone.id, "resourceType": gone.type, "resourceName": gone.name},
        serial=cloud.next_serial(),
    )
    cloud.store.operations.put(operation.id, operation)


def _failure(record: Deployment, errors: dict[str, ArmError]) -> Refusal:
    return Refusal(
        {
            "code": "DeploymentFailedCleanUp",
            "target": record.id,
            "message": "Unable to delete all resources that are in the resource group and not in"
            " the template. Please list deployment operations for details. Please see"
            " https://aka.ms/arm-deployment-operations for usage details.",
            "details": [{"target": gone, **error.body()} for gone, error in errors.items()],
        },
        whole=True,
    )
