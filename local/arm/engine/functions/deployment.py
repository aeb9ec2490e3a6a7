"""Functions that ask about the deployment and the place it goes to."""

from collections.abc import Mapping, Sequence
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.frame import Frame, Stage
from local.arm.engine.functions.signature import framed, table
from local.arm.engine.values import find_key, get


def parameters(frame: Frame, arguments: Sequence[Any]) -> Any:
    """Return a parameter."""
    return frame.names.parameter(arguments[0], frame)


def variables(frame: Frame, arguments: Sequence[Any]) -> Any:
    """Return a variable."""
    return frame.names.variable(arguments[0], frame)


def deployment(frame: Frame, _arguments: Sequence[Any]) -> dict[str, Any]:
    """Return the deployment: its name, location above resource groups, and properties."""
    found: dict[str, Any] = {"name": frame.context.deployment_name}
    if frame.context.scope.kind != "resourceGroup" and frame.context.location is not None:
        found["location"] = frame.context.location
    found["properties"] = frame.names.deployment()
    return found


def resource_group(frame: Frame, _arguments: Sequence[Any]) -> Any:
    """Return the resource group."""
    scope = frame.context.scope
    if scope.subscription_id is None or scope.resource_group is None:
        raise _misplaced("resourceGroup", "resource group")
    return frame.context.resource_group(scope.subscription_id, scope.resource_group)


def subscription(frame: Frame, _arguments: Sequence[Any]) -> Any:
    """Return the subscription."""
    scope = frame.context.scope
    if scope.subscription_id is None:
        raise _misplaced("subscription", "subscription or resource group")
    return frame.context.subscription


def management_group(frame: Frame, _arguments: Sequence[Any]) -> Any:
    """Return the management group."""
    name = frame.context.scope.management_group
    if frame.context.scope.kind != "managementGroup" or name is None:
        raise _misplaced("managementGroup", "management group")
    if frame.context.management_group is not None:
        return frame.context.management_group(name)
    return {
        "id": frame.context.scope.id,
        "name": name,
        "type": "Microsoft.Management/managementGroups",
        "properties": {
            "displayName": name,
            "tenantId": frame.context.tenant.get("tenantId"),
        },
    }


def external_input(frame: Frame, arguments: Sequence[Any]) -> Any:
    """Return what the request gives for an external input."""
    entry = get(frame.context.external_inputs, arguments[0])
    if isinstance(entry, Mapping) and find_key(entry, "value") is not None:
        return get(entry, "value")
    raise ExpressionError(
        f"The external input '{arguments[0]}' is not found: the request's 'externalInputs' must "
        "have it, an object with a 'value'. Please see https://aka.ms/arm-functions for usage "
        "details."
    )


def _misplaced(name: str, place: str) -> ExpressionError:
    return ExpressionError(
        f"The template function '{name}' is not expected at this location. It is available in "
        f"deployments to a {place}. Please see https://aka.ms/arm-functions for usage details."
    )


FUNCTIONS = table(
    framed("parameters(string)", parameters, kept=True),
    framed("variables(string)", variables, kept=True),
    framed(
        "deployment()", deployment, members={"name": lambda frame: frame.context.deployment_name}
    ),
    framed("deployer()", lambda frame, _: dict(frame.context.deployer)),
    framed("environment()", lambda frame, _: dict(frame.context.environment)),
    framed("externalInputs(string)", external_input, stages=frozenset({Stage.PARAMETER_VALUE})),
    framed("managementGroup()", management_group),
    framed("resourceGroup()", resource_group),
    framed("subscription()", subscription),
    framed("tenant()", lambda frame, _: dict(frame.context.tenant)),
)
