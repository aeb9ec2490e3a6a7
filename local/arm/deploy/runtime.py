"""Answers reference() and list*() while a deployment runs.

It is called from worker threads and only reads, so it needs no lock.
"""

from __future__ import annotations

from typing import Any

from local.arm import errors, groups, ids, management_groups, subscription
from local.arm.cloud import Cloud
from local.arm.deploy import report, scopes
from local.arm.engine import Scope
from local.arm.providers import actions, reads


class CloudRuntime:
    """The engine's `Runtime` over one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def reference(self, resource_id: str, api_version: str | None, full: bool) -> Any:  # noqa: ARG002, FBT001 - the engine's protocol
        """Return a resource's properties, or all of it; raises `ArmError` ResourceNotFound."""
        body = self._body(resource_id)
        return body if full else body.get("properties", {})

    def _body(self, resource_id: str) -> dict[str, Any]:
        cloud = self._cloud
        deployment = cloud.store.deployments.get(resource_id)
        if deployment is not None:
            return report.deployment(deployment)
        scope = scopes.parse(resource_id)
        if scope is not None and scope.kind != "tenant":
            return self._scope_body(scopes.canonical(cloud, scope))
        rid = ids.parse(resource_id)
        if rid is None:
            raise errors.ArmError(
                400,
                "InvalidResourceReference",
                f"The resource id '{resource_id}' in a reference is not valid.",
            )
        return reads.body(cloud, reads.find(cloud, rid))

    def _scope_body(self, scope: Scope) -> dict[str, Any]:
        cloud = self._cloud
        if scope.management_group is not None:
            group = management_groups.find(cloud, scope.management_group)
            return management_groups.shown(cloud, group)
        if scope.resource_group is not None:
            return groups.shown(cloud.group(scope.subscription_id or "", scope.resource_group))
        return subscription.shown(cloud.identity)

    def list(self, resource_id: str, function: str, api_version: str, body: Any | None) -> Any:  # noqa: ARG002 - the engine's protocol
        """Return what POST {resource_id}/{function} answers; raises `ArmError`."""
        deployment = self._cloud.store.deployments.get(resource_id)
        if deployment is not None and function.lower() == report.SECURE_OUTPUTS.lower():
            return report.all_outputs(deployment)
        rid = ids.parse(resource_id)
        if rid is None:
            raise errors.resource_not_found("", resource_id, None)
        return actions.act(self._cloud, reads.find(self._cloud, rid), function)
