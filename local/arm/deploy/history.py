"""The history of deployments: found, listed, guarded against overwriting, cancelled."""

from __future__ import annotations

from datetime import timedelta

from local.arm import errors
from local.arm.clock import read_stamp
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import DEPLOYMENT_TYPE
from local.arm.providers.model import normal_location
from local.arm.state.records import Deployment, Operation

TERMINAL = frozenset({"Succeeded", "Failed", "Canceled"})
_EXPIRES_AFTER = timedelta(days=7)


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
    """Return a scope's deployments, newest first."""
    prefix = f"{scope}/providers/{DEPLOYMENT_TYPE}"
    found = cloud.store.deployments.below(prefix)
    return sorted(found, key=lambda one: (one.changed, one.run), reverse=True)


def operations(cloud: Cloud, deployment: Deployment) -> list[Operation]:
    """Return a deployment's steps, newest first."""
    found = cloud.store.operations.below(deployment.id)
    return sorted(found, key=lambda one: one.serial, reverse=True)


def cancel(cloud: Cloud, deployment: Deployment) -> None:
    """Have nothing more started of a deployment and of those nested in it."""
    deployment.cancel = True
    cloud.store.deployments.put(deployment.id, deployment)
    for other in cloud.store.deployments.values():
        if other.parent == deployment.id and is_active(other):
            cancel(cloud, other)


def check_free(cloud: Cloud, deployment_id: str, parent: str | None = None) -> None:
    """Raise DeploymentActive if a run of that name has not ended.

    A run started by `parent` is the parent's own, taken up again after a restart. The answer
    carries no Retry-After: with one the SDK would try again by itself.
    """
    old = cloud.store.deployments.get(deployment_id)
    if old is None or not is_active(old) or (parent is not None and old.parent == parent):
        return
    started = read_stamp(old.started)
    raise ArmError(
        409,
        "DeploymentActive",
        f"The deployment with resource id '{old.id}' cannot be saved, because this would overwrite"
        f" an existing deployment which is still active. The existing deployment was started at"
        f" '{_us(started)}' with correlationId '{old.correlation_id}', and will expire at"
        f" '{_us(started + _EXPIRES_AFTER)}'. Please see"
        " https://aka.ms/arm-deployment-operations for usage details.",
    )


def _us(moment: object) -> str:
    return f"{moment:%-m/%-d/%Y %-I:%M:%S %p}"


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


def check_quota(cloud: Cloud, scope: str, deployment_id: str) -> None:
    """Raise DeploymentQuotaExceeded if a new name would not fit into the scope's history."""
    if cloud.store.deployments.get(deployment_id) is not None:
        return
    count = len(cloud.store.deployments.below(f"{scope}/providers/{DEPLOYMENT_TYPE}"))
    limit = cloud.knobs.history_limit
    if count >= limit:
        name = deployment_id.rpartition("/")[2]
        raise ArmError(
            409,
            "DeploymentQuotaExceeded",
            f"Creating the deployment '{name}' would exceed the quota of '{limit}'. The current"
            f" deployment count is '{count}'. Please delete some deployments before creating a new"
            " one, see https://aka.ms/800LimitFix for information on managing deployment limits.",
        )
