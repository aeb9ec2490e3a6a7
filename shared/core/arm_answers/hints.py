"""How to mend what ARM said: a hint for each code that users meet.

``AuthorizationFailed`` is the one place in Plumbline where the text of an answer is read: ARM has
no other field for the missing action. The text is read by its structure (quoted actions and scopes)
and not by its words; when that finds nothing the hint does without.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from shared.core.arm_answers.tree import Leaf

_ACTION = re.compile(r"'([A-Za-z][\w.]*(?:/[\w.*{}$-]+)+)'")
_SCOPE = re.compile(r"'(/[^'\s]*)'")


def hint(leaf: Leaf) -> str | None:
    """Return how to mend this error, or None when ARM's message is all there is to say. Pure."""
    found = _HINTS.get(leaf.error.code.lower())
    return found(leaf) if callable(found) else found


def missing_permission(message: str) -> tuple[str | None, str | None]:
    """Return (action, scope) of ARM's authorization message, each None when it is not there. Pure.

    A linked scope is named after the one that is allowed, so the last of each is the missing one.
    """
    actions, scopes = _ACTION.findall(message), _SCOPE.findall(message)
    return (actions[-1] if actions else None, scopes[-1] if scopes else None)


def _authorization(leaf: Leaf) -> str:
    action, scope = missing_permission(leaf.error.message)
    if action is None:
        return "Grant Plumbline's identity the role that this needs, then retry."
    where = f" on {scope}" if scope else ""
    return f"Grant Plumbline's identity a role with the action {action}{where}, then retry."


def _policy(leaf: Leaf) -> str:
    found = [info for kind, info in leaf.error.infos if kind == "PolicyViolation"]
    names = [name for name in map(_policy_name, found) if name]
    what = (
        f"Azure Policy {', '.join(names)} forbids this" if names else "An Azure Policy forbids it"
    )
    return f"{what}: change the template to comply, or have an exemption made."


def _policy_name(info: Any) -> str | None:
    if not isinstance(info, Mapping):
        return None
    name = info.get("policyDefinitionDisplayName") or info.get("policyDefinitionName")
    assignment = info.get("policyAssignmentDisplayName") or info.get("policyAssignmentName")
    if not name:
        return None
    return f"'{name}' (assigned as '{assignment}')" if assignment else f"'{name}'"


_REGISTER = "Plumbline registers resource providers where its role allows */register/action."
_NAME_TAKEN = (
    "The name is used by somebody else in Azure: choose another, for example with uniqueString()."
)

_Hint = str | Callable[[Leaf], str]
_BY_CODE: Mapping[str, _Hint] = {
    "AuthorizationFailed": _authorization,
    "LinkedAuthorizationFailed": _authorization,
    "DenyAssignmentAuthorizationFailed": (
        "A deny assignment (of a deployment stack or a managed application) protects this "
        "scope: exclude Plumbline's identity from it."
    ),
    "RequestDisallowedByPolicy": _policy,
    "MissingSubscriptionRegistration": _REGISTER,
    "SubscriptionNotRegistered": _REGISTER,
    "MissingRegistrationForLocation": "The resource type is not offered in this location.",
    "DeploymentQuotaExceeded": (
        "The scope holds 800 deployments: delete old ones, or remove the CanNotDelete lock "
        "that keeps Azure from doing so."
    ),
    "ScopeLocked": "Remove the lock named in the message, then retry.",
    "SkuNotAvailable": "Choose another size, location or zone: this one is not on offer here.",
    "QuotaExceeded": "Ask for more quota in this subscription and location, or use less.",
    "ResourceGroupNotFound": (
        "Create the resource group, or let Plumbline do it: createResourceGroup: <location>."
    ),
    "ResourceGroupBeingDeleted": "The resource group is being deleted; wait until it is gone.",
    "SubscriptionNotFound": (
        "The subscription does not exist in this tenant, or Plumbline's identity has no role in it."
    ),
    "StorageAccountAlreadyTaken": _NAME_TAKEN,
    "StorageAccountAlreadyExists": _NAME_TAKEN,
    "VaultAlreadyExists": "A vault of this name exists or is soft-deleted: recover or purge it.",
    "InvalidTemplate": "Correct the template where the message says.",
    "InvalidResourceReference": "The template refers to a resource that does not exist: check names and dependsOn.",
    "ParentResourceNotFound": "Deploy the parent first: add it to dependsOn, or correct its name.",
    "ResourceNotFound": "The template needs a resource that does not exist: check names and dependsOn.",
    "PropertyChangeNotAllowed": "This property cannot change: keep it, or delete the resource first.",
    "InvalidResourceLocation": "A resource cannot move: keep its location, or delete it first.",
    "InvalidDeploymentLocation": "A deployment of this name exists in another location.",
    "RoleAssignmentExists": "The same role is assigned under another name: use guid() of scope, principal and role.",
    "RoleAssignmentUpdateNotPermitted": "A role assignment cannot change: give the new one a new name.",
    "PrincipalNotFound": "The principal is not known yet: set principalType in the role assignment.",
    "InUseSubnetCannotBeDeleted": "Something is still attached to the subnet: remove it first.",
    "JobSizeExceeded": "The deployment is larger than 1 MB: split the stack.",
    "DeploymentSizeExceeded": "The template is larger than 4 MB: split the stack.",
    "InvalidAuthenticationTokenTenant": "The identity is of another tenant than the subscription.",
    "InvalidAuthenticationTokenAudience": "The credential scope is not the one of this endpoint.",
    "InvalidAuthenticationToken": "ARM does not accept the identity's token: check tenant and endpoint.",
    "ReadOnlyDisabledSubscription": "The subscription is disabled: have it enabled again.",
    "DisabledSubscription": "The subscription is disabled: have it enabled again.",
}
_HINTS = {code.lower(): told for code, told in _BY_CODE.items()}
