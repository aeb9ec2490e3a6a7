"""`onErrorDeployment`: which good deployment is run again when one fails.

It is decided when the deployment is accepted. The good one then runs under its own name with the
template and parameters that were kept, in mode Complete: what the failed one added goes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local.arm import errors
from local.arm.cloud import Cloud
from local.arm.deploy import history
from local.arm.deploy.ask import Ask
from local.arm.errors import ArmError
from local.arm.state.records import Deployment

KEY = "onErrorDeployment"
_LAST, _NAMED = "LastSuccessful", "SpecificDeployment"
_HELP = "Please see https://aka.ms/arm-rollback for usage details."


def resolve(cloud: Cloud, ask: Ask, wanted: Any) -> dict[str, Any]:
    """Return {type, deploymentName} as it is echoed; raises `ArmError` if there is none to run."""
    kinds = {kind.lower(): kind for kind in (_LAST, _NAMED)}
    kind = kinds.get(str(wanted.get("type", "")).lower()) if isinstance(wanted, dict) else None
    name = wanted.get("deploymentName") if isinstance(wanted, dict) else None
    if kind is None or not isinstance(name, str | None):
        raise errors.invalid_content(
            f"properties.{KEY} needs a type '{_LAST}' or '{_NAMED}', the latter with a"
            " deploymentName"
        )
    if ask.scope.kind != "resourceGroup":
        raise ArmError(
            400,
            "OnErrorDeploymentNotSupported",
            f"The property '{KEY}' is supported for deployments to resource groups only. {_HELP}",
        )
    if kind == _LAST:
        return {"type": kind, "deploymentName": _last(cloud, ask).name}
    if not name:
        raise errors.invalid_content(f"properties.{KEY}.deploymentName must be given")
    return {"type": kind, "deploymentName": _named(cloud, ask, name).name}


def _last(cloud: Cloud, ask: Ask) -> Deployment:
    for record in history.of_scope(cloud, ask.scope.id):
        # The run of the same name is about to be overwritten, and a nested one is its parent's.
        is_other = record.name.lower() != ask.name.lower()
        if is_other and record.state == "Succeeded" and record.parent is None:
            return record
    raise ArmError(
        400,
        "OnErrorDeploymentNotFound",
        f"The resource group '{ask.scope.resource_group}' has no successful deployment that"
        f" '{ask.name}' could go back to on an error. {_HELP}",
    )


def _named(cloud: Cloud, ask: Ask, name: str) -> Deployment:
    found = cloud.store.deployments.get(f"{ask.id.rpartition('/')[0]}/{name}")
    if found is None:
        raise ArmError(
            400,
            "OnErrorDeploymentNotFound",
            f"The deployment '{name}', to go back to on an error of '{ask.name}', could not be"
            f" found in the resource group '{ask.scope.resource_group}'. {_HELP}",
        )
    if found.state != "Succeeded" or found.name.lower() == ask.name.lower():
        raise ArmError(
            400,
            "OnErrorDeploymentInvalid",
            f"The deployment '{name}' cannot be gone back to on an error of '{ask.name}': it must"
            f" be another one that has succeeded, and its state is '{found.state}'. {_HELP}",
        )
    return found


def target(cloud: Cloud, failed: Deployment) -> Deployment | None:
    """Return the good deployment to run again, as it stands in the history now."""
    wanted = failed.extra.get(KEY)
    if not isinstance(wanted, dict):
        return None
    return cloud.store.deployments.get(f"{failed.id.rpartition('/')[0]}/{wanted['deploymentName']}")


def ask_again(ask: Ask, failed: Deployment) -> Ask:
    """Return what a good deployment asked for as its rerun after a failure asks. Pure."""
    extra = {name: value for name, value in ask.extra.items() if name != KEY}
    return replace(
        ask,
        mode="Complete",
        extra=extra,
        correlation_id=failed.correlation_id,
        rolls_back=failed.id,
    )


def is_due(record: Deployment) -> bool:
    """Return whether a failed deployment's rollback has not begun yet. Pure."""
    wanted = record.extra.get(KEY)
    return (
        record.state == "Failed"
        and isinstance(wanted, dict)
        and wanted.get("provisioningState") in (None, "Accepted")
    )


def note(cloud: Cloud, failed_id: str, state: str) -> None:
    """Show on the failed deployment how far its rollback is."""
    failed = cloud.store.deployments.get(failed_id)
    if failed is None or KEY not in failed.extra:
        return
    failed.extra = {**failed.extra, KEY: {"provisioningState": state, **_plain(failed)}}
    cloud.store.deployments.put(failed.id, failed)


def _plain(failed: Deployment) -> dict[str, Any]:
    wanted = failed.extra[KEY]
    return {name: wanted[name] for name in ("type", "deploymentName")}
