"""Where deployments go: the four scopes, read from paths, and which of them reach which."""

from __future__ import annotations

import re

from local.arm import ids, management_groups
from local.arm.cloud import Cloud
from local.arm.engine import Scope
from local.arm.errors import ArmError

_MARK = f"/providers/{ids.DEPLOYMENT_TYPE}/"
_GROUP = re.compile(r"/subscriptions/([^/]+)/resourcegroups/([^/]+)", re.IGNORECASE)
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_WORDS = {
    "resourceGroup": "resource group",
    "subscription": "subscription",
    "managementGroup": "management group",
    "tenant": "tenant",
}


def parse(path: str) -> Scope | None:
    """Return the scope that a path names, as written there; None if it is none. Pure."""
    path = path.rstrip("/")
    if not path:
        return Scope("tenant")
    if group := _GROUP.fullmatch(path):
        return Scope("resourceGroup", group[1], group[2])
    if subscription := _SUBSCRIPTION.fullmatch(path):
        return Scope("subscription", subscription[1])
    name = management_groups.name_in(path)
    return None if name is None else Scope("managementGroup", management_group=name)


def canonical(cloud: Cloud, scope: Scope) -> Scope:
    """Return a scope in ARM's spelling.

    Raises ResourceGroupNotFound, SubscriptionNotFound, ManagementGroupNotFound.
    """
    match scope.kind:
        case "tenant":
            return scope
        case "managementGroup":
            name = management_groups.find(cloud, scope.management_group or "").name
            return Scope("managementGroup", management_group=name)
        case "subscription":
            return Scope("subscription", cloud.check_subscription(scope.subscription_id or ""))
        case "resourceGroup":
            group = cloud.group(scope.subscription_id or "", scope.resource_group or "")
            return Scope("resourceGroup", group.subscription, group.name)


def at(cloud: Cloud, path: str) -> Scope:
    """Return the canonical scope that a path names; raises `ArmError`."""
    scope = parse(path)
    if scope is None:
        raise ArmError(
            400,
            "InvalidDeploymentScope",
            f"There are no deployments at the scope '{path}': a scope is a resource group, a"
            " subscription, a management group or the tenant.",
        )
    return canonical(cloud, scope)


def of_deployment(deployment_id: str) -> Scope:
    """Return the scope in a deployment's canonical id. Pure."""
    scope = parse(deployment_id[: deployment_id.rindex(_MARK)])
    if scope is None:
        raise ValueError(f"'{deployment_id}' is not the id of a deployment")
    return scope


def check_reach(outer: Scope, inner: Scope, name: str) -> None:
    """Raise the refusal of a nested deployment that its parent's scope does not reach. Pure.

    Groups of resources and subscriptions reach each other and the tenant; only the tenant and
    management groups reach management groups.
    """
    if inner.kind == "managementGroup" and outer.kind in ("resourceGroup", "subscription"):
        raise ArmError(
            400,
            "InvalidDeploymentScope",
            f"The nested deployment '{name}' cannot target the {_WORDS[inner.kind]}"
            f" '{inner.management_group}': a deployment to a {_WORDS[outer.kind]} does not reach"
            " management groups. Please see https://aka.ms/arm-deployment-scopes for usage"
            " details.",
        )
