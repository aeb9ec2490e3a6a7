"""What ARM and the providers refuse before anything runs.

The whole deployment is looked at, nested ones included where they are known. Some refusals are the
deployment's own error; those of single resources are gathered into InvalidTemplateDeployment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.arm import ids, management_groups
from local.arm.clock import new_guid
from local.arm.cloud import Cloud
from local.arm.deploy import history, permissions, scopes
from local.arm.deploy.ask import Ask, check_name
from local.arm.deploy.expansion import Found, expand, missing, scopes_made
from local.arm.deploy.limits import check_job
from local.arm.deploy.reading import location_required
from local.arm.engine import Plan
from local.arm.errors import ArmError
from local.arm.messages import Caller
from local.arm.providers import refusals, registration, writes
from local.arm.providers.writes import Write

_MOST_GROUPS = 800
_NOBODY = Caller("", "", "")
_AT_RUN_TIME = frozenset({"PropertyChangeNotAllowed"})
_OWN = frozenset(
    kind.lower()
    for kind in (ids.GROUP_TYPE, management_groups.TYPE, management_groups.SUBSCRIPTIONS)
)


def preflight(cloud: Cloud, ask: Ask, planned: Plan, *, thorough: bool = False) -> list[Found]:
    """Raise `ArmError` for what is refused before anything runs; return the plan, opened.

    `thorough` is validate, which also refuses what the caller or a policy may not, and changes of
    what is fixed for life. A PUT accepts them, and they are refused when the deployment runs;
    what-if does not see them at all.
    """
    check_job(ask)
    found = list(expand(planned, ask.scope))
    for one in found:
        _check_nested(one)
    _check_targets(ask, found)
    if ask.level == "template":
        return found
    for subscription, namespace in _namespaces(found):
        registration.check(cloud, subscription, namespace)
    details = list(_details(cloud, found, thorough=thorough))
    if thorough:
        permissions.check(cloud, ask, found)
        details += permissions.disallowed(cloud, ask, found)
    if details:
        raise ArmError(
            400,
            "InvalidTemplateDeployment",
            f"The template deployment '{ask.name}' is not valid according to the validation"
            f" procedure. The tracking id is '{new_guid()}'. See inner errors for details.",
            details=details,
        )
    return found


def seen_through(found: list[Found]) -> frozenset[str]:
    """Return the ids, in lower case, of the nested deployments that were looked into. Pure."""
    return frozenset(
        ids.key_of(one.resource.id)
        for one in found
        if one.resource.nested is not None and one.is_open
    )


def _check_nested(one: Found) -> None:
    """Raise what makes a nested deployment impossible wherever it goes."""
    nested = one.resource.nested
    if nested is None:
        return
    check_name(nested.name)
    scopes.check_reach(one.within, nested.scope, nested.name)
    if nested.mode != "Incremental":
        raise ArmError(
            400,
            "InvalidTemplate",
            "Deployment template validation failed: 'The nested deployment"
            f" '{nested.name}' must be in mode 'Incremental': mode '{nested.mode}' is for the"
            " deployment itself. Please see https://aka.ms/arm-deployment-modes for usage"
            " details.'.",
        )
    if nested.scope.kind != "resourceGroup" and not one.body.get("location"):
        raise location_required(nested.name)


def _check_targets(ask: Ask, found: list[Found]) -> None:
    targets = {ask.scope.id} | {
        one.resource.nested.scope.id for one in found if one.resource.nested is not None
    }
    groups = {ids.key_of(one) for one in targets if ids.group_of(one)}
    if len(groups) > _MOST_GROUPS:
        raise ArmError(
            400,
            "TooManyTargetResourceGroups",
            f"The deployment '{ask.name}' targets '{len(groups)}' resource groups, which exceeds"
            f" the maximum of '{_MOST_GROUPS}'. Please see https://aka.ms/arm-template-limits for"
            " usage details.",
        )


def _namespaces(found: list[Found]) -> dict[tuple[str, str], None]:
    """Return (subscription, namespace) of everything, each once, in order."""
    wanted: dict[tuple[str, str], None] = {}
    for one in found:
        subscription = one.resource.scope.subscription_id
        if subscription is not None:
            wanted[subscription, one.resource.type.partition("/")[0]] = None
    return wanted


def _details(cloud: Cloud, found: list[Found], *, thorough: bool) -> Iterator[dict[str, Any]]:
    made = scopes_made(found)
    for one in found:
        nested = one.resource.nested
        if nested is None:
            refusal = _of_resource(cloud, one, thorough=thorough)
            if refusal is not None:
                yield refusal
            continue
        gone = missing(cloud, nested.scope, made)
        if gone is None:
            gone = _over_quota(cloud, one)
        if gone is not None:
            yield {**gone.body(), "target": one.resource.id}


def _over_quota(cloud: Cloud, one: Found) -> ArmError | None:
    nested = one.resource.nested
    if nested is None:
        return None
    row = f"{nested.scope.id}/providers/{ids.DEPLOYMENT_TYPE}/{nested.name}"
    location = None
    if nested.scope.kind != "resourceGroup":
        location = str(one.body.get("location") or "")
    return history.over_quota(cloud, nested.scope.id, row, location)


def _of_resource(cloud: Cloud, one: Found, *, thorough: bool) -> dict[str, Any] | None:
    """Return what the provider says against a resource, as a detail; None if nothing."""
    resource = one.resource
    rid = None if resource.type.lower() in _OWN else ids.parse(resource.id)
    if rid is None:
        return None
    body = one.body
    try:
        if _is_known(body):
            writes.check(cloud, Write(rid, body, resource.api_version, _NOBODY))
        elif resource.id not in cloud.store.resources:
            refusals.check_name(cloud, cloud.knowledge.type(rid.type), rid, body)
    except ArmError as error:
        if error.code in _AT_RUN_TIME and not thorough:
            return None
        inner = {**error.body(), "target": error.target or resource.id}
        if error.gateway:
            return inner
        return {
            "code": "ValidationForResourceFailed",
            "target": resource.id,
            "message": "Validation failed for a resource. Check 'Error.Details[0]' for more"
            " information.",
            "details": [inner],
        }
    return None


def _is_known(body: Any) -> bool:
    """Return whether a preview holds no expressions that only the running deployment can answer.

    Pure. A value that merely begins with a bracket counts as one: it is looked at when it is
    written.
    """
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if value.startswith("[") and value.endswith("]"):
                return False
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return True
