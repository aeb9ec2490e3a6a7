"""Answers reference() and list*() while a deployment runs.

It is called from worker threads and only reads, so it needs no lock.
"""

from __future__ import annotations

from typing import Any

from local.arm import errors, groups, ids
from local.arm.cloud import Cloud
from local.arm.deploy import report
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
        group = cloud.store.groups.get(resource_id)
        if group is not None:
            return groups.shown(group)
        rid = ids.parse(resource_id)
        if rid is None:
            raise errors.ArmError(
                400,
                "InvalidResourceReference",
                f"The resource id '{resource_id}' in a reference is not valid.",
            )
        return reads.body(cloud, reads.find(cloud, rid))

    def list(self, resource_id: str, function: str, api_version: str, body: Any | None) -> Any:  # noqa: ARG002 - the engine's protocol
        """Return what POST {resource_id}/{function} answers; raises `ArmError`."""
        rid = ids.parse(resource_id)
        if rid is None:
            raise errors.resource_not_found("", resource_id, None)
        return actions.act(self._cloud, reads.find(self._cloud, rid), function)
