"""Functions that build resource ids, and those that ask resources while a deployment runs."""

from collections.abc import Sequence
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.frame import RUNTIME_STAGES, Frame, NeedsRuntime, Target, Targets
from local.arm.engine.functions.regions import REGION_FUNCTIONS
from local.arm.engine.functions.signature import fail, framed, function, table
from local.arm.engine.ids import typed_id
from local.arm.engine.quoting import quote
from local.arm.engine.syntax import Call, Literal

_MAX_LEADING = 2


def resource_id(frame: Frame, arguments: Sequence[str]) -> str:
    """Return an id at the deployment's scope, or in a named group or subscription."""
    leading, resource_type, names = _split("resourceId", arguments, _MAX_LEADING)
    scope = frame.context.scope
    subscription, group = scope.subscription_id, scope.resource_group
    if leading:
        group = leading[-1]
    if len(leading) == _MAX_LEADING:
        subscription = leading[0]
    if subscription is None:
        prefix = ""
    elif group is None:
        prefix = f"/subscriptions/{subscription}"
    else:
        prefix = f"/subscriptions/{subscription}/resourceGroups/{group}"
    return typed_id("resourceId", prefix, resource_type, names)


def subscription_resource_id(frame: Frame, arguments: Sequence[str]) -> str:
    """Return an id at subscription scope."""
    leading, resource_type, names = _split("subscriptionResourceId", arguments, 1)
    subscription = leading[0] if leading else frame.context.scope.subscription_id
    if subscription is None:
        raise fail("subscriptionResourceId", "the deployment has no subscription.")
    prefix = f"/subscriptions/{subscription}"
    return typed_id("subscriptionResourceId", prefix, resource_type, names)


def management_group_resource_id(frame: Frame, arguments: Sequence[str]) -> str:
    """Return an id at management group scope."""
    leading, resource_type, names = _split("managementGroupResourceId", arguments, 1)
    group = leading[0] if leading else frame.context.scope.management_group
    if group is None:
        raise fail("managementGroupResourceId", "the deployment has no management group.")
    prefix = f"/providers/Microsoft.Management/managementGroups/{group}"
    return typed_id("managementGroupResourceId", prefix, resource_type, names)


def tenant_resource_id(resource_type: str, *names: str) -> str:
    """Return an id at tenant scope."""
    return typed_id("tenantResourceId", "", resource_type, names)


def extension_resource_id(base: str, resource_type: str, *names: str) -> str:
    """Return the id of a resource that extends another one."""
    return typed_id("extensionResourceId", base.rstrip("/"), resource_type, names)


def reference(frame: Frame, arguments: Sequence[Any]) -> Any:
    """Return the state of a resource: its properties, or with 'Full' all of it."""
    full = len(arguments) > _MAX_LEADING and arguments[2] is not None
    if full and str(arguments[2]).lower() != "full":
        raise fail("reference", f"the third argument must be 'Full', not '{arguments[2]}'.")
    target = _target(frame, arguments[0])
    api_version = (arguments[1] if len(arguments) > 1 else None) or target.api_version
    return _ask_reference(frame, target, api_version, full=full)


def references(frame: Frame, arguments: Sequence[Any]) -> list[Any]:
    """Return the state of every member of a symbolic copy loop."""
    full = len(arguments) > 1 and str(arguments[-1]).lower() == "full"
    given = arguments[1] if len(arguments) > 1 and not (full and len(arguments) == 2) else None  # noqa: PLR2004
    members = _targets(frame).members(arguments[0])
    for member in members:
        _note(frame, member)
    return [_ask_reference(frame, item, given or item.api_version, full=full) for item in members]


def resource_info(frame: Frame, arguments: Sequence[Any]) -> dict[str, Any]:
    """Return id, name, type and apiVersion of a resource by its symbolic name."""
    target = _target(frame, arguments[0])
    if not target.symbolic:
        raise fail("resourceInfo", f"'{arguments[0]}' is not the symbolic name of a resource.")
    return {
        "id": target.id,
        "name": target.name,
        "type": target.type,
        "apiVersion": target.api_version,
    }


def list_action(frame: Frame, arguments: Sequence[Any]) -> Any:
    """Return what a POST action such as listKeys answers."""
    name, resource, *rest = arguments
    if not isinstance(resource, str):
        raise fail(name, "the first argument must be a resource's name or id.")
    target = _target(frame, resource)
    api_version = (rest[0] if rest else None) or target.api_version
    if not isinstance(api_version, str):
        raise fail(name, "the api version must be a string.")
    body = rest[1] if len(rest) > 1 else None
    if frame.runtime is None:
        given = () if body is None else (quote(body),)
        raise NeedsRuntime(Call(name, (Literal(target.id), Literal(api_version), *given)))
    return frame.runtime.list(target.id, name, api_version, body)


def _ask_reference(frame: Frame, target: Target, api_version: str | None, *, full: bool) -> Any:
    if api_version is None:
        raise fail(
            "reference",
            f"the resource '{target.id}' is not defined in the template, so an API version is "
            "required.",
        )
    if frame.runtime is None:
        whole = (Literal("Full"),) if full else ()
        raise NeedsRuntime(Call("reference", (Literal(target.id), Literal(api_version), *whole)))
    return frame.runtime.reference(target.id, api_version, full)


def _target(frame: Frame, text: str) -> Target:
    target = _targets(frame).target(text, frame.context)
    _note(frame, target)
    return target


def _targets(frame: Frame) -> Targets:
    if frame.targets is None:
        raise ExpressionError(
            "The template function 'reference' is not expected at this location. Please see "
            "https://aka.ms/arm-functions for usage details."
        )
    return frame.targets


def _note(frame: Frame, target: Target) -> None:
    if frame.used is not None and target.in_template:
        frame.used.add(target.id.lower())


def _split(
    name: str, arguments: Sequence[str], most: int
) -> tuple[Sequence[str], str, Sequence[str]]:
    at = next((index for index, item in enumerate(arguments) if "/" in item), None)
    if at is None or at > most:
        raise fail(name, "the arguments must hold a fully qualified resource type.")
    return arguments[:at], arguments[at], arguments[at + 1 :]


LIST_FUNCTION = framed("list(any, any?, any?)", list_action, stages=RUNTIME_STAGES)

FUNCTIONS = table(
    framed("resourceId(string, string, string...)", resource_id),
    framed("subscriptionResourceId(string, string, string...)", subscription_resource_id),
    framed("managementGroupResourceId(string, string, string...)", management_group_resource_id),
    function("tenantResourceId(string, string, string...)", tenant_resource_id),
    function("extensionResourceId(string, string, string, string...)", extension_resource_id),
    framed("reference(string, string|null?, string|null?)", reference, stages=RUNTIME_STAGES),
    framed("references(string, string?, string?)", references, stages=RUNTIME_STAGES),
    framed("resourceInfo(string)", resource_info),
    *REGION_FUNCTIONS,
)
