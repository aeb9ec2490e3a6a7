"""The history of deployments: found, listed, guarded against overwriting, cancelled."""

from __future__ import annotations

from collections import defaultdict

from local.arm import errors, features
from local.arm.clock import read_stamp
from local.arm.cloud import Cloud
from local.arm.deploy import scopes
from local.arm.errors import ArmError
from local.arm.ids import DEPLOYMENT_TYPE
from local.arm.providers import locks
from local.arm.providers.model import normal_location
from local.arm.state.records import Deployment, Operation

TERMINAL = frozenset({"Succeeded", "Failed", "Canceled"})
_NO_GROOMING = ("Microsoft.Resources", "DisableDeploymentGrooming")


def is_active(deployment: Deployment) -> bool:
    """Return whether the deployment has not ended. Pure."""
    return deployment.state not in TERMINAL


def find(cloud: Cloud, deployment_id: str) -> Deployment:
    """Return a deployment; raises DeploymentNotFound."""
    found = cloud.store.deployments.get(deployment_id)
    if found is None:
        raise errors.deployment_not_found(deployment_id.rpartition("/")[2])
    return found


def is_kept(cloud: Cloud, deployment: Deployment) -> bool:
    """Return whether this very run is still in the history: a reset may have come over it."""
    return cloud.store.deployments.get(deployment.id) is deployment


def of_scope(cloud: Cloud, scope: str) -> list[Deployment]:
    """Return a scope's deployments, newest first; `scope` is "" at the tenant."""
    prefix = f"{scope}/providers/{DEPLOYMENT_TYPE}"
    found = cloud.store.deployments.below(prefix)
    return sorted(found, key=lambda one: (one.changed, one.run), reverse=True)


def operations(cloud: Cloud, deployment: Deployment) -> list[Operation]:
    """Return a deployment's steps, newest first."""
    found = cloud.store.operations.below(deployment.id)
    return sorted(found, key=lambda one: one.serial, reverse=True)


def check_deletable(cloud: Cloud, record: Deployment) -> None:
    """Raise why a row of the history cannot be deleted: it is active, or a lock keeps it."""
    locks.check_delete(cloud, record.id)
    if is_active(record):
        raise ArmError(
            409,
            "DeploymentBeingDeployed",
            f"The deployment '{record.name}' cannot be deleted while it is {record.state.lower()}."
            " Cancel it first.",
        )


def cancel(cloud: Cloud, deployment: Deployment) -> None:
    """Have nothing more started of a deployment and of those nested in it."""
    deployment.cancel = True
    cloud.store.deployments.put(deployment.id, deployment)
    for other in cloud.store.deployments.values():
        if other.parent == deployment.id and is_active(other):
            cancel(cloud, other)


def check_free(cloud: Cloud, deployment_id: str, parent: str | None = None) -> None:
    """Raise DeploymentActive if a run of that name has not ended, within its seven days.

    A run started by `parent` is the parent's own, taken up again after a restart.
    """
    old = cloud.store.deployments.get(deployment_id)
    if old is None or not is_active(old) or (parent is not None and old.parent == parent):
        return
    started = read_stamp(old.started)
    if cloud.clock.now() >= started + errors.DEPLOYMENT_EXPIRES_AFTER:
        return
    raise errors.deployment_active(old.id, started, old.correlation_id)


def check_location(cloud: Cloud, deployment_id: str, location: str | None) -> None:
    """Raise InvalidDeploymentLocation if the name is known with another location."""
    old = cloud.store.deployments.get(deployment_id)
    if old is None or old.location is None or location is None:
        return
    if normal_location(old.location) != normal_location(location):
        raise ArmError(
            409,
            "InvalidDeploymentLocation",
            f"Invalid deployment location '{location}'. The deployment '{old.name}' already exists"
            f" in location '{old.location}'.",
        )


def _count(cloud: Cloud, scope: str) -> int:
    return len(cloud.store.deployments.keys_below(f"{scope}/providers/{DEPLOYMENT_TYPE}"))


def _counted(cloud: Cloud, scope: str) -> dict[str, list[Deployment]]:
    """Return a scope's deployments by what the quota counts: above groups, by location."""
    in_group = "/resourcegroups/" in scope.lower()
    found: dict[str, list[Deployment]] = defaultdict(list)
    for record in of_scope(cloud, scope):
        place = "" if in_group or record.location is None else normal_location(record.location)
        found[place].append(record)
    return found


def over_quota(
    cloud: Cloud, scope: str, deployment_id: str, location: str | None
) -> ArmError | None:
    """Return DeploymentQuotaExceeded if a new name does not fit into the scope's history."""
    limit = cloud.knobs.history_limit
    if deployment_id in cloud.store.deployments or _count(cloud, scope) < limit:
        return None
    place = normal_location(location) if location else ""
    count = len(_counted(cloud, scope).get(place, ()))
    if count < limit:
        return None
    name = deployment_id.rpartition("/")[2]
    return ArmError(
        409,
        "DeploymentQuotaExceeded",
        f"Creating the deployment '{name}' would exceed the quota of '{limit}'. The current"
        f" deployment count is '{count}'. Please delete some deployments before creating a new"
        " one, see https://aka.ms/800LimitFix for information on managing deployment limits.",
    )


def check_quota(cloud: Cloud, scope: str, deployment_id: str, location: str | None = None) -> None:
    """Raise DeploymentQuotaExceeded if a new name does not fit into the scope's history.

    The refusal starts the grooming, so that a later attempt may fit.
    """
    refusal = over_quota(cloud, scope, deployment_id, location)
    if refusal is not None:
        groom(cloud, scope)
        raise refusal


def groom(cloud: Cloud, scope: str) -> int:
    """Delete the oldest ended deployments of a scope that holds too many; return how many.

    A deployment, validate and what-if do this. Nothing goes while the subscription has opted out
    or a lock is on the scope; a row with a lock of its own stays.
    """
    above, keep = cloud.knobs.groom_above, cloud.knobs.groom_to
    if above is None or _count(cloud, scope) <= above:
        return 0
    gone = 0
    for rows in _counted(cloud, scope).values():
        if len(rows) <= above or not _may_groom(cloud, scope):
            continue
        left = len(rows)
        for record in sorted(rows, key=lambda one: (one.started, one.changed)):
            if left <= keep:
                break
            if is_active(record) or locks.holds(cloud, record.id):
                continue
            cloud.forget_deployment(record.id)
            gone, left = gone + 1, left - 1
    return gone


def _may_groom(cloud: Cloud, scope: str) -> bool:
    place = scopes.parse(scope)
    subscription = place.subscription_id if place else None
    if subscription is not None and features.is_registered(cloud, subscription, *_NO_GROOMING):
        return False
    return not scope or not locks.holds(cloud, scope)
