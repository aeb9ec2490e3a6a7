"""The errors that kinds of scripted answers stand for, in the words of ARM and its providers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.arm import errors, ids
from local.arm.clock import guid_for, new_guid
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.faults import shortages
from local.arm.rules import Call, Reply
from local.arm.throttle import Asked, kind_of, provider_refusal, refusal

_TITLES = {
    500: ("InternalServerError", "The server encountered an internal error. Please retry."),
    501: ("NotImplemented", "The requested operation is not implemented."),
    502: ("BadGateway", "The gateway received a bad response from an upstream service."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable. Please retry later."),
    504: ("GatewayTimeout", "The gateway did not receive a response within the time limit."),
}


@dataclass(frozen=True, slots=True)
class Case:
    """What a text speaks of: the call, what the rule says, and the cloud it happens in."""

    cloud: Cloud
    call: Call
    reply: Reply

    @property
    def name(self) -> str:
        """The last name in the path."""
        return self.call.path.rstrip("/").rpartition("/")[2]

    @property
    def type(self) -> str:
        """The resource type, as written in the path or as permissions spell it."""
        rid = ids.parse(self.call.path)
        return rid.type if rid else self.call.needed[0].rpartition("/")[0]

    @property
    def namespace(self) -> str:
        """The provider: the rule's, else the path's."""
        return self.reply.detail or self.type.partition("/")[0]

    @property
    def location(self) -> str:
        """Where the resource is."""
        record = self.cloud.resource(self.call.path)
        return str(record.got.get("location", "westeurope")) if record else "westeurope"


def _authorization(case: Case) -> ArmError:
    return errors.authorization_failed(case.call.appid, case.call.oid, *case.call.needed)


def _linked(case: Case) -> ArmError:
    action, scope = case.call.needed
    linked = case.reply.detail or scope
    return ArmError(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{case.call.appid}' with object id '{case.call.oid}' has permission to perform"
        f" action '{action}' on scope '{scope}'; however, it does not have permission to perform"
        f" action(s) 'join/action' on the linked scope(s) '{linked}' or the linked scope(s) are"
        " invalid.",
    )


def _deny_assignment(case: Case) -> ArmError:
    action, scope = case.call.needed
    name = case.reply.detail or "Deny assignment created by Deployment Stacks"
    return ArmError(
        403,
        "DenyAssignmentAuthorizationFailed",
        f"The client '{case.call.appid}' with object id '{case.call.oid}' has permission to perform"
        f" action '{action}' on scope '{scope}'; however, the access is denied because of the deny"
        f" assignment with name '{name}' and Id"
        f" '{guid_for(case.call.path, name).replace('-', '')}' at scope '{scope}'.",
    )


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
    now = case.cloud.clock.now()
    return ArmError(
        409,
        "DeploymentActive",
        f"The deployment with resource id '{case.call.path}' cannot be saved, because this would"
        " overwrite an existing deployment which is still active. It was started at"
        f" '{_clock_face(now)}' with correlationId '{new_guid()}', and will expire at"
        f" '{_clock_face(now + timedelta(days=7))}'. Please see https://aka.ms/arm-deploy for usage"
        " details.",
    )


def _clock_face(moment: datetime) -> str:
    """Return a time as in 7/3/2025 12:21:32 PM. Pure."""
    hour = moment.hour % 12 or 12
    return (
        f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S}"
        f" {'AM' if moment.hour < 12 else 'PM'}"  # noqa: PLR2004 - noon
    )


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


def _policy(case: Case) -> ArmError:
    name = case.reply.detail or "Allowed locations"
    subscription = f"/subscriptions/{case.cloud.identity.subscription}"
    definition = f"/providers/Microsoft.Authorization/policyDefinitions/{guid_for(name)}"
    assignment = f"{subscription}/providers/Microsoft.Authorization/policyAssignments/{_slug(name)}"
    return ArmError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{case.name}' was disallowed by policy. Policy identifiers:"
        f' \'[{{"policyAssignment":{{"name":"{name}","id":"{assignment}"}},"policyDefinition":'
        f'{{"name":"{name}","id":"{definition}"}}}}]\'.',
        target=case.name,
        additional_info=[
            {
                "type": "PolicyViolation",
                "info": {
                    "policyDefinitionDisplayName": name,
                    "policyDefinitionId": definition,
                    "policyDefinitionName": guid_for(name),
                    "policyDefinitionEffect": "deny",
                    "policyAssignmentId": assignment,
                    "policyAssignmentName": _slug(name),
                    "policyAssignmentDisplayName": name,
                    "policyAssignmentScope": subscription,
                    "policyAssignmentParameters": {},
                },
            }
        ],
    )


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-").replace('"', "")


def _scope_locked(case: Case) -> ArmError:
    deletes = case.call.method == "DELETE"
    scope = case.call.needed[1]
    pair = ids.group_of(scope)
    locked = case.reply.detail or (ids.group_id(*pair) if pair else scope)
    word = "delete" if deletes else "write"
    return ArmError(
        409,
        "ScopeLocked",
        f"The scope '{scope}' cannot perform {word} operation because following scope(s) are"
        f" locked: '{locked}'. Please remove the lock and try again.",
    )


def _principal_not_found(case: Case) -> ArmError:
    return principal_not_found(case.reply.detail or guid_for(case.call.path), case.cloud)


def principal_not_found(principal: str, cloud: Cloud) -> ArmError:
    """Refuse a role assignment to an identity that the directory does not show yet."""
    return ArmError(
        400,
        "PrincipalNotFound",
        f"Principal {principal.replace('-', '')} does not exist in the directory"
        f" {cloud.identity.tenant}. Check that you have the correct principal ID. If you are"
        " creating this principal and then immediately assigning a role, this error might be"
        " related to a replication delay. In this case, set the role assignment principalType"
        " property to a value, such as ServicePrincipal, User, or Group. See"
        " https://aka.ms/docs-principaltype",
        gateway=False,
    )


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
    "authorization_failed": _authorization,
    "busy": _busy,
    "conflict": _conflict,
    "deny_assignment": _deny_assignment,
    "deployment_active": _deployment_active,
    "group_being_deleted": _group_being_deleted,
    "in_use": _in_use,
    "linked_authorization_failed": _linked,
    "not_registered": _not_registered,
    "policy": _policy,
    "principal_not_found": _principal_not_found,
    "property_change": _property_change,
    "provider_throttled": _provider_throttled,
    "quota_exceeded": _quota,
    "scope_locked": _scope_locked,
    "server_error": _server_error,
    "sku_not_available": _sku,
    "throttled": _throttled,
    "too_many_requests": _too_many,
}
