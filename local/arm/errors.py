"""ARM's errors: the envelope, the codes and the words that clients match on.

Every refusal of the simulator is an `ArmError`; the gateway turns it into the answer. The message
texts are those of the service, because people search for them and SDK policies parse them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DEPLOYMENT_EXPIRES_AFTER = timedelta(days=7)
"""How long an unfinished deployment keeps its name from being used again."""


@dataclass(slots=True)
class ArmError(Exception):
    """A refusal as ARM words it: HTTP status, code, message and what hangs below.

    `gateway` says who refused: ARM itself (`x-ms-failure-cause: gateway`) or a provider.
    """

    status: int
    code: str
    message: str
    target: str | None = None
    details: list[dict[str, Any]] = field(default_factory=list)
    additional_info: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    gateway: bool = True

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"

    def body(self) -> dict[str, Any]:
        """Return the error object, without the `error` envelope. Pure."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        if self.details:
            error["details"] = self.details
        if self.additional_info:
            error["additionalInfo"] = self.additional_info
        return error


def envelope(error: Mapping[str, Any]) -> dict[str, Any]:
    """Wrap an error object as ARM sends it. Pure."""
    return {"error": dict(error)}


def missing_api_version(path: str) -> ArmError:
    """Refuse a request without `api-version`."""
    return ArmError(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests."
        f" The request to '{path}' does not carry it.",
    )


def invalid_api_version(version: str) -> ArmError:
    """Refuse an api-version that is no date."""
    return ArmError(
        400,
        "InvalidApiVersionParameter",
        f"The api-version '{version}' is invalid. The supported versions are dates such as"
        " '2025-04-01' or '2025-04-01-preview'.",
    )


def unauthenticated(code: str, message: str, login: str, tenant: str) -> ArmError:
    """Refuse a request without a usable bearer token, with the challenge clients read."""
    challenge = (
        f'Bearer authorization_uri="{login}/{tenant}", error="invalid_token",'
        f' error_description="{message}"'
    )
    return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})


def authorization_failed(appid: str, oid: str, action: str, scope: str) -> ArmError:
    """Refuse a caller who lacks a permission, naming action and scope."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{appid}' with object id '{oid}' does not have authorization to perform"
        f" action '{action}' over scope '{scope}' or the scope is invalid. If access was recently"
        " granted, please refresh your credentials.",
    )


def invalid_content(what: str) -> ArmError:
    """Refuse a body that cannot be read."""
    return ArmError(
        400,
        "InvalidRequestContent",
        f"The request content was invalid and could not be deserialized: '{what}'.",
    )


def route_not_found(method: str, path: str) -> ArmError:
    """Refuse a path that ARM does not serve."""
    return ArmError(404, "NotFound", f"No HTTP resource was found that matches '{method} {path}'.")


def uri_too_long() -> ArmError:
    """Refuse a path that the service's front door would not let in."""
    return ArmError(
        414,
        "RequestUriTooLong",
        "The path of the request is too long: up to 8192 characters in 250 segments are taken.",
    )


def method_not_allowed(method: str, path: str) -> ArmError:
    """Refuse a method that the route does not have."""
    return ArmError(
        405,
        "HttpMethodNotAllowed",
        f"The requested resource '{path}' does not support http method '{method}'.",
    )


def group_not_found(name: str) -> ArmError:
    """Refuse a request below a resource group that is not there."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def group_being_deleted(name: str) -> ArmError:
    """Refuse a write into a resource group that is on its way out."""
    return ArmError(
        409,
        "ResourceGroupBeingDeleted",
        f"The resource group '{name}' is in deprovisioning state and cannot perform this"
        " operation.",
    )


def subscription_not_found(name: str) -> ArmError:
    """Refuse a request to a subscription that the simulator does not hold."""
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{name}' could not be found.")


def resource_not_found(kind: str, name: str, group: str | None) -> ArmError:
    """Refuse a request for a resource that is not there."""
    where = f" under resource group '{group}'" if group else ""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}'{where} was not found. For more details please go to"
        " https://aka.ms/ARMResourceNotFoundFix",
    )


def parent_not_found(name: str, parent: str) -> ArmError:
    """Refuse a child whose parent is not there."""
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Failed to perform 'write' on resource(s) of type '{name}', because the parent resource"
        f" '{parent}' could not be found.",
    )


def deployment_not_found(name: str) -> ArmError:
    """Refuse a request for a deployment that is not in the history."""
    return ArmError(404, "DeploymentNotFound", f"Deployment '{name}' could not be found.")


def deployment_active(deployment_id: str, started: datetime, correlation_id: str) -> ArmError:
    """Refuse a deployment whose name another one uses that has not ended.

    It carries no Retry-After: with one the SDK would try again by itself.
    """
    expires = started + DEPLOYMENT_EXPIRES_AFTER
    return ArmError(
        409,
        "DeploymentActive",
        f"The deployment with resource id '{deployment_id}' cannot be saved, because this would"
        " overwrite an existing deployment which is still active. The existing deployment was"
        f" started at '{_clock_face(started)}' with correlationId '{correlation_id}', and will"
        f" expire at '{_clock_face(expires)}'. Please see"
        " https://aka.ms/arm-deployment-operations for usage details.",
    )


def _clock_face(moment: datetime) -> str:
    """Return a time as in 7/3/2025 12:21:32 PM. Pure."""
    hour = moment.hour % 12 or 12
    return (
        f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S}"
        f" {'AM' if moment.hour < 12 else 'PM'}"  # noqa: PLR2004 - noon
    )


def not_registered(namespace: str) -> ArmError:
    """Refuse the use of a provider that the subscription has not registered.

    The SDK's registration policy takes the namespace from between the message's quotes.
    """
    message = (
        f"The subscription is not registered to use namespace '{namespace}'. See"
        " https://aka.ms/rps-not-found for how to register subscriptions."
    )
    return ArmError(
        409,
        "MissingSubscriptionRegistration",
        message,
        details=[
            {
                "code": "MissingSubscriptionRegistration",
                "target": namespace,
                "message": message,
            }
        ],
    )
