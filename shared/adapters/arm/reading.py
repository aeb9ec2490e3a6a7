"""From ARM's JSON to Plumbline's words. Pure, and tolerant: what ARM leaves out is None."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from shared.core.arm_answers import error_of
from shared.core.arm_model import HISTORY_GONE, Deployment, DeploymentState, Operation

DEPLOYMENT_TYPE = "microsoft.resources/deployments"

_DEPLOYMENT_ID = re.compile(
    r"(?P<scope>(?:/subscriptions/(?P<subscription>[^/]+)(?:/resourceGroups/(?P<group>[^/]+))?"
    r"|/providers/Microsoft\.Management/managementGroups/[^/]+)?)"
    r"/providers/Microsoft\.Resources/deployments/(?P<name>[^/]+)",
    re.IGNORECASE,
)
_GROUP_ID = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/?", re.IGNORECASE)
_CONTAINER_ID = re.compile(r"/subscriptions/([^/]+)(?:/resourceGroups/([^/]+))?/?", re.IGNORECASE)
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)(?:/|$)", re.IGNORECASE)
_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<w>[\d.]+)W)?(?:(?P<d>[\d.]+)D)?"
    r"(?:T(?:(?P<h>[\d.]+)H)?(?:(?P<m>[\d.]+)M)?(?:(?P<s>[\d.]+)S)?)?"
)
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_TERMINAL: Mapping[str, DeploymentState] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "canceled",
}


@dataclass(frozen=True)
class DeploymentName:
    """A deployment id, taken apart. ``subscription`` is None above subscriptions."""

    scope: str
    subscription: str | None
    group: str | None
    name: str


@dataclass(frozen=True)
class Container:
    """A subscription, or a resource group in it."""

    subscription: str
    group: str | None = None


def container(scope: str) -> Container:
    """Take the id of a subscription or of a group apart; raises ValueError for any other. Pure."""
    match = _CONTAINER_ID.fullmatch(scope)
    if match is None:
        raise ValueError(f"not the id of a subscription or resource group: {scope!r}")
    return Container(match[1], match[2])


def deployment_name(deployment_id: str) -> DeploymentName:
    """Take a deployment's id apart, in any casing; raises ValueError when it is none. Pure."""
    match = _DEPLOYMENT_ID.fullmatch(deployment_id)
    if match is None:
        raise ValueError(f"not the id of a deployment: {deployment_id!r}")
    return DeploymentName(match["scope"], match["subscription"], match["group"], match["name"])


def scope_path(at: DeploymentName) -> str:
    """Return the scope as the SDK takes it; raises ValueError for the tenant's own. Pure."""
    if not at.scope:
        raise ValueError("Plumbline does not deploy to the tenant's own scope")
    return at.scope.strip("/")


def group_name(scope: str) -> tuple[str, str]:
    """Return (subscription, resource group) of a group's id; raises ValueError. Pure."""
    match = _GROUP_ID.fullmatch(scope)
    if match is None:
        raise ValueError(f"not the id of a resource group: {scope!r}")
    return match[1], match[2]


def subscription_of(resource_id: str) -> str | None:
    """Return the subscription that a resource is in, or None above subscriptions. Pure."""
    match = _SUBSCRIPTION.match(resource_id)
    return match[1] if match else None


def quoted_id(resource_id: str) -> str:
    """Return the id as a path: names may hold blanks, hashes and per cent signs. Pure.

    Without the leading slash, which the SDK adds.
    """
    return quote(resource_id.strip("/"), safe="/-._~!$&'()*+,;=:@")


def read_deployment(body: Mapping[str, Any], requested_id: str) -> Deployment:
    """Read a deployment's body. Pure."""
    properties = mapping(body.get("properties"))
    state = str(properties.get("provisioningState", "")).lower()
    return Deployment(
        id=str(body.get("id") or requested_id),
        state=_TERMINAL.get(state, "running"),
        tags={str(key): str(value) for key, value in mapping(body.get("tags")).items()},
        correlation_id=text(properties.get("correlationId")),
        timestamp=moment(text(properties.get("timestamp"))),
        duration_s=seconds(text(properties.get("duration"))),
        outputs=mapping(properties.get("outputs")),
        error=error_of(properties.get("error")),
    )


def read_operation(body: Mapping[str, Any], deployment_id: str) -> Operation:
    """Read one operation of the deployment ``deployment_id``. Pure."""
    properties = mapping(body.get("properties"))
    target = mapping(properties.get("targetResource"))
    return Operation(
        deployment_id=deployment_id,
        kind=str(properties.get("provisioningOperation") or ""),
        state=str(properties.get("provisioningState") or ""),
        resource_id=text(target.get("id")),
        resource_type=text(target.get("resourceType")),
        api_version=text(target.get("apiVersion")),
        status_code=text(properties.get("statusCode")),
        error=_status_error(properties.get("statusMessage")),
    )


def nested_deployment(operation: Operation) -> str | None:
    """Return the id of the deployment that an operation created inside another, or None. Pure."""
    if operation.kind.lower() != "create" or operation.resource_id is None:
        return None
    if (operation.resource_type or "").lower() != DEPLOYMENT_TYPE:
        return None
    return operation.resource_id if _DEPLOYMENT_ID.fullmatch(operation.resource_id) else None


def history_gone(deployment_id: str) -> Operation:
    """Return what stands for the operations of a nested deployment that is not there. Pure."""
    return Operation(
        deployment_id=deployment_id,
        kind=HISTORY_GONE,
        state="Unknown",
        resource_id=None,
        resource_type=None,
        api_version=None,
        status_code=None,
    )


def seconds(duration: str | None) -> float | None:
    """Return the seconds of an ISO 8601 duration (``PT1M2.5S``), None when it is none. Pure."""
    match = _DURATION.fullmatch(duration or "")
    if match is None:
        return None
    try:
        parts = [float(match[unit]) * size for unit, size in _SECONDS.items() if match[unit]]
    except ValueError:
        return None
    if not parts:
        return None
    return -sum(parts) if match["sign"] else sum(parts)


def moment(stamp: str | None) -> datetime | None:
    """Return the UTC time of ARM's time stamp (seven decimals), None when it is none. Pure."""
    try:
        parsed = datetime.fromisoformat(stamp or "")
    except ValueError:
        return None
    return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)


def _status_error(message: Any) -> Mapping[str, Any] | None:
    if isinstance(message, str):
        return {"code": "", "message": message} if message else None
    found = error_of(message)
    # a success is told as {"status": "OK"} or as the resource itself
    return found if found is not None and ("code" in found or "message" in found) else None


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the value where it is an object, an empty one otherwise. Pure."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str | None:
    """Return the value where it is a text that says something, None otherwise. Pure."""
    return value if isinstance(value, str) and value else None
