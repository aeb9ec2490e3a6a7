"""How a nested deployment is run: as a deployment of its own, with its parent's caller."""

from __future__ import annotations

from typing import Any, Protocol

from local.arm import activity, ids
from local.arm.cloud import Cloud
from local.arm.deploy import history, scopes, secrets, submit
from local.arm.deploy.ask import Ask, check_name
from local.arm.deploy.preflight import seen_through
from local.arm.deploy.reading import location_required
from local.arm.deploy.runtime import CloudRuntime
from local.arm.engine import NestedDeployment, Plan, PlannedResource
from local.arm.errors import ArmError
from local.arm.providers import locks
from local.arm.providers.model import find
from local.arm.state.records import Deployment


class Runs(Protocol):
    """What runs a nested deployment to its end."""

    async def run(self, record: Deployment, ask: Ask, plan: Plan) -> None:
        """Run a nested deployment to its end."""


async def nest(
    cloud: Cloud, runner: Runs, ask: Ask, resource: PlannedResource, runtime: CloudRuntime
) -> list[str]:
    """Run a nested deployment; return the ids that it made. Raises `ArmError` for its failure."""
    nested = resource.nested
    if nested is None:
        raise ValueError(f"'{resource.id}' is not a nested deployment")
    check_name(nested.name)
    scopes.check_reach(ask.scope, nested.scope, nested.name)
    body = await submit.aside(ask, resource.body, runtime)
    child = await _child(cloud, ask, (resource, nested, body), runtime)
    resolved = secrets.resolve(cloud, child.parameters)
    plan = await submit.aside(ask, nested.plan, runtime, resolved)
    locks.check_write(cloud, child.id)
    history.check_free(cloud, child.id, parent=ask.id)
    history.check_location(cloud, child.id, child.location)
    history.check_quota(cloud, child.scope.id, child.id, child.location)
    if ids.key_of(child.id) not in ask.checked:
        found = await submit.aside(ask, submit.preflight, cloud, child, plan)
        child.checked |= seen_through(found)
    record = cloud.store.deployments.get(child.id)
    if record is None or not history.is_active(record) or record.parent != ask.id:
        record = submit.begin(cloud, child, plan)
        activity.deployment_began(cloud, record, ask.caller)
        history.groom(cloud, child.scope.id)
    await runner.run(record, child, plan)
    if record.state != "Succeeded":
        raise _failure(record)
    return list(record.resources)


async def _child(
    cloud: Cloud,
    ask: Ask,
    what: tuple[PlannedResource, NestedDeployment, dict[str, Any]],
    runtime: CloudRuntime,
) -> Ask:
    resource, nested, body = what
    scope = scopes.canonical(cloud, nested.scope)
    location = None
    if scope.kind == "resourceGroup":
        cloud.writable_group(scope.subscription_id or "", scope.resource_group or "")
    else:
        location = body.get("location")
        if not isinstance(location, str) or not location:
            raise location_required(nested.name)
    extra = {
        name: value
        for name in ("debugSetting", "templateLink", "parametersLink")
        if isinstance(value := find(body, f"properties.{name}"), dict)
    }
    tags = body.get("tags")
    return Ask(
        scope=scope,
        name=nested.name,
        template=dict(nested.template),
        parameters=await submit.aside(ask, nested.parameters, runtime),
        mode=nested.mode,
        caller=ask.caller,
        correlation_id=ask.correlation_id,
        api_version=resource.api_version,
        location=location,
        tags=tags if isinstance(tags, dict) else {},
        extra=extra,
        parent=ask.id,
        heavy=ask.heavy,
        hidden=ask.hidden,
        checked=ask.checked,
    )


def _failure(record: Deployment) -> ArmError:
    return ArmError(
        409,
        "ResourceDeploymentFailure",
        f"The resource operation completed with terminal provisioning state '{record.state}'.",
        target=record.id,
        details=[record.error] if record.error else [],
    )
