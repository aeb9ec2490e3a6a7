"""Refusals by those who watch over a scope: roles, deny assignments, policies, locks, directory."""

from __future__ import annotations

from local.arm import errors, ids
from local.arm.clock import guid_for
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.faults.case import Case


def authorization_failed(case: Case) -> ArmError:
    """Refuse a caller who may not do this."""
    return errors.authorization_failed(case.call.appid, case.call.oid, *case.call.needed)


def linked_authorization_failed(case: Case) -> ArmError:
    """Refuse a caller who may not join what the resource refers to."""
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


def deny_assignment(case: Case) -> ArmError:
    """Refuse a caller whom a deny assignment keeps from it."""
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


def policy(case: Case) -> ArmError:
    """Refuse what a policy does not allow."""
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


def scope_locked(case: Case) -> ArmError:
    """Refuse what a lock forbids."""
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


def unknown_principal(case: Case) -> ArmError:
    """Refuse a role assignment to the identity that the rule speaks of."""
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
