"""The choke point: every write to ARM passes here, and only into scopes the operator allows.

Rule 13. The flows hold a ``Gate`` and an ``ArmReads``; nobody else holds something that can write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.core import scopes
from shared.core.arm_model import Deployment, DeploymentRequest, Operation, SightingsPage
from shared.core.errors import Stalled
from shared.core.prediction import Predicting, Prediction
from shared.core.source.scopes import target_scopes
from shared.ports import Arm


class ArmReads(Protocol):
    """The reading half of the Arm port."""

    def deployment(self, deployment_id: str) -> Deployment | None:
        """See ports.Arm."""
        ...

    def operations(self, deployment_id: str) -> Sequence[Operation]:
        """See ports.Arm."""
        ...

    def has_group(self, scope: str) -> bool:
        """See ports.Arm."""
        ...

    def resource(self, resource_id: str, api_version: str) -> Mapping[str, Any] | None:
        """See ports.Arm."""
        ...

    def prediction(self, address: str) -> Prediction | Predicting:
        """See ports.Arm."""
        ...

    def sightings(self, scope: str, after: str | None = None) -> SightingsPage:
        """See ports.Arm."""
        ...

    def api_version(self, subscription_id: str, resource_type: str) -> str | None:
        """See ports.Arm."""
        ...


@dataclass(frozen=True)
class Gate:
    """Writes to ARM. ``allowed`` is always the operator's list for the repository at work."""

    arm: Arm

    def put(self, request: DeploymentRequest, allowed: Sequence[str]) -> Deployment:
        """Start a deployment whose every target, nested ones included, is allowed.

        Raises Stalled (``ScopeNotAllowed``) before anything is sent; else as ports.Arm.put.
        """
        _check_targets(request, allowed)
        return self.arm.put(request)

    def predict(
        self, request: DeploymentRequest, allowed: Sequence[str]
    ) -> Prediction | Predicting:
        """Start a what-if, checked like a PUT: it writes nothing, but shows what is in a scope.

        Raises Stalled (``ScopeNotAllowed``) before anything is sent; else as ports.Arm.predict.
        """
        _check_targets(request, allowed)
        return self.arm.predict(request)

    def delete_resource(self, resource_id: str, api_version: str, allowed: Sequence[str]) -> None:
        """Ask for one resource of an allowed scope to be deleted; never a scope, nor a deployment.

        Raises Stalled (``NotAResource``, ``ScopeNotAllowed``) before anything is sent; else as
        ports.Arm.delete_resource.
        """
        scope = scopes.of_resource(resource_id)
        if scope is None:
            raise Stalled(
                "NotAResource",
                f"{resource_id!r} is not the id of a resource, and nothing else is deleted.",
                hint="Delete it by hand, if that is what is wanted.",
            )
        _check(scope, allowed)
        self.arm.delete_resource(resource_id, api_version)

    def cancel(self, deployment_id: str, allowed: Sequence[str]) -> None:
        """Cancel a deployment in an allowed scope; raises Stalled otherwise."""
        _check(deployment_id.rpartition("/providers/")[0], allowed)
        self.arm.cancel(deployment_id)

    def forget(self, deployment_id: str, allowed: Sequence[str]) -> None:
        """Remove a deployment of an allowed scope from ARM's history; raises Stalled otherwise."""
        _check(deployment_id.rpartition("/providers/")[0], allowed)
        self.arm.forget(deployment_id)

    def create_group(
        self, scope: str, location: str, tags: Mapping[str, str], allowed: Sequence[str]
    ) -> None:
        """Create a missing resource group in an allowed scope; raises Stalled otherwise."""
        _check(scope, allowed)
        self.arm.create_group(scope, location, tags)

    def register_provider(self, scope: str, namespace: str, allowed: Sequence[str]) -> str:
        """Ask for a provider's registration in the subscription of an allowed scope."""
        _check(scope, allowed)
        return self.arm.register_provider(scopes.subscription_of(scope) or "", namespace)


def _check_targets(request: DeploymentRequest, allowed: Sequence[str]) -> None:
    _check(request.scope, allowed)
    source = {"scope": request.scope, "template": request.template}
    source["parameters"] = request.parameters
    for target in target_scopes(source):
        if target.scope is None:
            raise Stalled(
                target.code,
                f"Where {target.written!r} leads cannot be told before the deployment.",
                hint=f"Look at {target.path} in the template.",
            )
        _check(target.scope, allowed)


def _check(target: str, allowed: Sequence[str]) -> None:
    if not scopes.is_allowed(target, allowed):
        raise Stalled(
            "ScopeNotAllowed",
            f"{target!r} is outside of what the operator allows for this repository.",
            hint="Choose an allowed scope, or ask the operator to allow this one.",
        )
