"""The errors that kinds of scripted answers stand for, in the words of ARM and its providers."""

from __future__ import annotations

from collections.abc import Callable

from local.arm import errors, ids
from local.arm.clock import new_guid
from local.arm.errors import ArmError
from local.arm.faults import denials, shortages
from local.arm.faults.case import Case
from local.arm.throttle import Asked, kind_of, provider_refusal, refusal

_TITLES = {
    500: ("InternalServerError", "The server encountered an internal error. Please retry."),
    501: ("NotImplemented", "The requested operation is not implemented."),
    502: ("BadGateway", "The gateway received a bad response from an upstream service."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable. Please retry later."),
    504: ("GatewayTimeout", "The gateway did not receive a response within the time limit."),
}


def _throttled(case: Case) -> ArmError:
    return refusal(_asked(case), _seconds(case), {})


def _provider_throttled(case: Case) -> ArmError:
    return provider_refusal(_asked(case), (50, 300.0), _seconds(case))


def _asked(case: Case) -> Asked:
    scope = case.cloud.identity.subscription
    return Asked(scope, case.call.oid, kind_of(case.call.method), namespace=case.namespace)


def _seconds(case: Case) -> int:
    return 1 if case.reply.retry_after is None else case.reply.retry_after


def _wait(case: Case) -> dict[str, str]:
    return {"Retry-After": str(_seconds(case))}


def _too_many(case: Case) -> ArmError:
    message = f"Too many requests were sent to '{case.namespace}'. Please retry later."
    return ArmError(429, "TooManyRequests", message, headers=_wait(case), gateway=False)


def _busy(case: Case) -> ArmError:
    return ArmError(
        429,
        "RetryableErrorDueToAnotherOperation",
        f"Operation on resource {case.call.path} was preempted or blocked because another operation"
        f" ({new_guid()}) is in progress on it or on a resource that it refers to.",
        headers=_wait(case),
        gateway=False,
    )


def _another_operation(case: Case) -> ArmError:
    return ArmError(
        409,
        "AnotherOperationInProgress",
        "Another operation on this or dependent resource is in progress. To retrieve status of the"
        f" operation use uri: https://management.azure.com/subscriptions/"
        f"{case.cloud.identity.subscription}/providers/{case.namespace}/locations/{case.location}"
        f"/operations/{new_guid()}?api-version={case.call.api_version}.",
        gateway=False,
    )


def _conflict(case: Case) -> ArmError:
    message = f"The resource '{case.name}' cannot be changed in its present state. Please retry."
    return ArmError(409, "Conflict", message, gateway=False)


def _deployment_active(case: Case) -> ArmError:
    return errors.deployment_active(case.call.path, case.cloud.clock.now(), new_guid())


def _group_being_deleted(case: Case) -> ArmError:
    pair = ids.group_of(case.call.path)
    return errors.group_being_deleted(pair[1] if pair else case.name)


def _in_use(case: Case) -> ArmError:
    kind = case.type.rpartition("/")[2].removesuffix("es" if case.type.endswith("sses") else "s")
    word = kind[:1].upper() + kind[1:]
    return ArmError(
        400,
        f"InUse{word}CannotBeDeleted",
        f"{word} {case.name} is in use by {case.reply.detail or 'another resource'} and cannot be"
        " deleted. In order to delete it, delete all the resources within it.",
        gateway=False,
    )


def _not_registered(case: Case) -> ArmError:
    return errors.not_registered(case.namespace)


def _property_change(case: Case) -> ArmError:
    name = case.reply.detail or "properties"
    message = f"Changing property '{name}' is not allowed."
    return ArmError(409, "PropertyChangeNotAllowed", message, target=name, gateway=False)


def _quota(case: Case) -> ArmError:
    return _filled(case, shortages.QUOTAS.get(case.namespace.lower(), shortages.QUOTA))


def _sku(case: Case) -> ArmError:
    return _filled(case, shortages.SKUS.get(case.type.lower().partition("/")[0], shortages.SKU))


def _filled(case: Case, found: tuple[int, str, str]) -> ArmError:
    status, code, text = found
    facts = {
        "id": case.call.path,
        "location": case.location,
        "sku": case.reply.detail or "the requested size",
        "subscription": case.cloud.identity.subscription,
        "type": case.type,
    }
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", value)
    return ArmError(status, code, text, gateway=False)


def _server_error(case: Case) -> ArmError:
    status = case.reply.status or 500
    code, message = _TITLES.get(status, _TITLES[500])
    headers = {} if case.reply.retry_after is None else _wait(case)
    return ArmError(status, code, message, headers=headers)


ERRORS: dict[str, Callable[[Case], ArmError]] = {
    "another_operation": _another_operation,
    "authorization_failed": denials.authorization_failed,
    "busy": _busy,
    "conflict": _conflict,
    "deny_assignment": denials.deny_assignment,
    "deployment_active": _deployment_active,
    "group_being_deleted": _group_being_deleted,
    "in_use": _in_use,
    "linked_authorization_failed": denials.linked_authorization_failed,
    "not_registered": _not_registered,
    "policy": denials.policy,
    "principal_not_found": denials.unknown_principal,
    "property_change": _property_change,
    "provider_throttled": _provider_throttled,
    "quota_exceeded": _quota,
    "scope_locked": denials.scope_locked,
    "server_error": _server_error,
    "sku_not_available": _sku,
    "throttled": _throttled,
    "too_many_requests": _too_many,
}
