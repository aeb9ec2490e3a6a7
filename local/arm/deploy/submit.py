"""From a PUT to an accepted deployment: read the request, plan the template, refuse or begin."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from local.arm import engine, errors, ids
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.deploy import history, report, secrets, surroundings
from local.arm.engine import Plan, Scope, TemplateError
from local.arm.errors import ArmError
from local.arm.messages import Caller, Request
from local.arm.providers import registration
from local.arm.state.records import Deployment, Submission

_NAME = re.compile(r"[-\w.()]{1,64}", re.ASCII)
_SMALL_BYTES = 16 * 1024
_MODES = {"incremental": "Incremental", "complete": "Complete"}
_ECHOED = ("debugSetting", "validationLevel")
_TICKS_AT_EPOCH = 621_355_968_000_000_000
_TICKS_PER_SECOND = 10_000_000


Value = TypeVar("Value")


@dataclass(slots=True)
class Ask:
    """One deployment as it was asked for."""

    scope: Scope
    name: str
    template: dict[str, Any]
    parameters: dict[str, Any]
    mode: str
    caller: Caller
    correlation_id: str
    api_version: str
    location: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    parent: str | None = None
    heavy: bool = False
    """The engine may need long for it: it is large, or small with loops in it."""

    @property
    def id(self) -> str:
        """The deployment's canonical id."""
        return f"{self.scope.id}/providers/{ids.DEPLOYMENT_TYPE}/{self.name}"


async def aside(ask: Ask, work: Callable[..., Value], *arguments: Any) -> Value:
    """Do engine work without holding up other clients: in a thread, if it is heavy."""
    if not ask.heavy:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


def check_name(name: str) -> None:
    """Raise the error for a deployment name that ARM does not take."""
    if len(name) > 64:  # noqa: PLR2004 - ARM's limit
        raise ArmError(
            400,
            "DeploymentNameLengthLimitExceeded",
            f"The provided deployment name '{name}' has a length of '{len(name)}' which exceeds the"
            " maximum length of '64'.",
        )
    if not _NAME.fullmatch(name):
        raise ArmError(
            400,
            "DeploymentNameInvalidCharacters",
            f"The provided deployment name '{name}' has characters that are not allowed: only"
            " letters, digits, '-', '_', '.', '(' and ')' are.",
        )


def scope_of(cloud: Cloud, subscription: str, group: str | None) -> Scope:
    """Return a canonical scope; raises ResourceGroupNotFound, SubscriptionNotFound."""
    subscription = cloud.check_subscription(subscription)
    if group is None:
        return Scope("subscription", subscription)
    return Scope("resourceGroup", subscription, cloud.group(subscription, group).name)


def read(cloud: Cloud, request: Request, scope: Scope, name: str) -> Ask:
    """Return what a PUT (or validate) asks for; raises `ArmError`."""
    check_name(name)
    body = request.json()
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise errors.invalid_content("The body needs an object 'properties'")
    tags = body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise errors.invalid_content("tags must be an object of strings")
    location = body.get("location")
    if scope.kind != "resourceGroup" and not location:
        raise ArmError(
            400,
            "LocationRequired",
            f"The 'location' property must be specified for '{name}'. Please see"
            " https://aka.ms/deploy-to-subscription for usage details.",
        )
    if scope.kind == "resourceGroup" and scope.subscription_id and scope.resource_group:
        cloud.writable_group(scope.subscription_id, scope.resource_group)
    return Ask(
        scope=scope,
        name=name,
        template=_template(properties),
        parameters=_parameters(properties),
        mode=_mode(properties, scope),
        caller=request.caller,
        correlation_id=request.correlation_id,
        api_version=request.api_version,
        location=location,
        tags=tags,
        extra={key: properties[key] for key in _ECHOED if key in properties},
        heavy=len(request.body) > _SMALL_BYTES or b'"copy"' in request.body,
    )


def _template(properties: Mapping[str, Any]) -> dict[str, Any]:
    template = properties.get("template")
    if isinstance(template, dict):
        return template
    if "templateLink" in properties:
        raise _not_simulated("templateLink on the deployment itself: send the template inline")
    raise ArmError(
        400,
        "InvalidRequestContent",
        "The request content was invalid: exactly one of the properties 'template' and"
        " 'templateLink' must be an object.",
    )


def _parameters(properties: Mapping[str, Any]) -> dict[str, Any]:
    if properties.get("parametersLink"):
        raise _not_simulated("parametersLink: send the parameters inline")
    if properties.get("onErrorDeployment"):
        raise _not_simulated("onErrorDeployment")
    parameters = properties.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise errors.invalid_content("properties.parameters must be an object")
    # A whole parameter file is taken too, as the service takes it.
    inner = parameters.get("parameters")
    if "$schema" in parameters and isinstance(inner, dict):
        parameters = inner
    for name, entry in parameters.items():
        if not isinstance(entry, dict):
            raise errors.invalid_content(
                f"Parameter '{name}' must be an object with 'value' or 'reference'"
            )
    return parameters


def _mode(properties: Mapping[str, Any], scope: Scope) -> str:
    mode = _MODES.get(str(properties.get("mode", "")).lower())
    if mode is None:
        raise errors.invalid_content("properties.mode must be 'Incremental' or 'Complete'")
    if mode == "Complete" and scope.kind != "resourceGroup":
        raise ArmError(
            400,
            "InvalidDeploymentMode",
            "Deployments in mode 'Complete' are supported at resource group scope only.",
        )
    return mode


def _not_simulated(what: str) -> ArmError:
    return ArmError(501, "NotSimulated", f"The simulator does not have {what}.")


def plan(cloud: Cloud, ask: Ask, submission: Submission) -> Plan:
    """Plan a submission; raises `ArmError` with ARM's InvalidTemplate and its like."""
    try:
        return engine.plan(
            ask.template,
            secrets.resolve(cloud, ask.parameters),
            surroundings.context(
                cloud, (ask.scope, ask.name, ask.location), ask.caller, submission
            ),
        )
    except TemplateError as error:
        raise refused(error) from error


def refused(error: TemplateError) -> ArmError:
    """Return a template error as ARM answers it. Pure."""
    body = error.body()
    return ArmError(
        400,
        error.code,
        error.message,
        target=body.get("target"),
        details=body.get("details", []),
        additional_info=body.get("additionalInfo", []),
    )


def submission_of(cloud: Cloud, ask: Ask) -> Submission:
    """Return what must be remembered to take the deployment up again."""
    return Submission(
        parameters=ask.parameters,
        utc_now=stamp(cloud.clock.now()),
        seed=new_guid(),
        caller=asdict(ask.caller),
    )


def preflight(cloud: Cloud, ask: Ask, planned: Plan) -> None:
    """Raise what ARM refuses before anything runs: providers that are not registered."""
    subscription = ask.scope.subscription_id
    if subscription is None:
        return
    for resource in planned.resources:
        if not resource.existing:
            registration.check(cloud, subscription, resource.type.partition("/")[0])


async def accept(cloud: Cloud, ask: Ask) -> tuple[Deployment, Plan, bool]:
    """Accept a deployment; return its record, its plan, and whether its name is new.

    Raises `ArmError` for what ARM refuses before anything runs.
    """
    history.check_free(cloud, ask.id)
    history.check_location(cloud, ask.id, ask.location)
    history.check_quota(cloud, ask.scope.id, ask.id)
    submission = submission_of(cloud, ask)
    planned = await aside(ask, plan, cloud, ask, submission)
    preflight(cloud, ask, planned)
    # Planning gave up the event loop: another PUT of this name may have come first.
    history.check_free(cloud, ask.id)
    new = cloud.store.deployments.get(ask.id) is None
    record = begin(cloud, ask, planned)
    cloud.store.templates.put(record.id, ask.template)
    cloud.store.submissions.put(record.id, submission)
    return record, planned, new


def begin(cloud: Cloud, ask: Ask, planned: Plan) -> Deployment:
    """Write the record of a new run, in place of the one that went before."""
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
        template_hash=engine.template_hash(ask.template),
        started=now,
        changed=now,
        location=ask.location,
        tags=ask.tags,
        parameters=report.parameters(planned.parameters, ask.parameters),
        providers=report.providers(written, {}),
        dependencies=report.dependencies(planned.resources),
        extra=ask.extra,
        parent=ask.parent,
        api_version=ask.api_version,
    )
    cloud.store.deployments.put(record.id, record)
    return record


def again(cloud: Cloud, record: Deployment, submission: Submission) -> Ask:
    """Return what a stored deployment asked for."""
    return Ask(
        scope=scope_of(cloud, record.subscription, record.group),
        name=record.name,
        template=cloud.store.templates.get(record.id) or {},
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
    )
