"""The Arm port over azure-mgmt-resource and azure-mgmt-resource-deployments.

One method is one attempt: the SDK's retries, its automatic provider registration (which sleeps),
redirects and logging are not in the pipeline at all. A PUT starts a deployment and returns what ARM
answered; watching it is another message's business.
"""

from collections.abc import Sequence
from typing import Any

from azure.core.exceptions import AzureError

from shared.adapters.arm import reading
from shared.adapters.arm.connection import accepted, body_of, object_of
from shared.adapters.arm.estate import Estate
from shared.adapters.arm.exchange import Exchange
from shared.adapters.arm.failures import is_conflict, is_missing
from shared.adapters.arm.foresight import Foresight, deployment_body
from shared.core.arm_model import Deployment, DeploymentRequest, Operation
from shared.core.errors import Stalled, Transient

_RUNNING = "provisioningState eq 'Running'"
"""Of 800 deployments in a scope's history the few that are asked about."""

MAX_DEPLOYMENTS = 500
"""Nested deployments whose operations are read; ARM expands no more either."""


class AzureArm(Foresight, Estate):
    """ARM as the flows need it (ports.Arm), deployments here; made and closed as a Connection."""

    def deployment(self, deployment_id: str) -> Deployment | None:
        """Return the deployment, or None when there is none."""
        at = reading.deployment_name(deployment_id)
        operations = self._clients.of(at.subscription).deployments.deployments
        scope = reading.scope_path(at)
        with self._attempt("deployment.get") as exchange:
            try:
                if at.group:
                    body = operations.get(at.group, at.name, cls=body_of)
                else:
                    body = operations.get_at_scope(scope, at.name, cls=body_of)
            except AzureError as error:
                if is_missing(error, exchange):
                    return None
                raise
            return reading.read_deployment(object_of(body), deployment_id)

    def running(self, scope: str) -> Sequence[Deployment]:
        """Return the deployments that run in ``scope``, page by page; see ports.Arm."""
        at = reading.deployment_name(f"{scope}/providers/Microsoft.Resources/deployments/any")
        operations = self._clients.of(at.subscription).deployments.deployments
        with self._attempt("deployments.list", timeout_s=self._endpoint.timeout_s) as exchange:
            try:
                if at.group:
                    pages = operations.list_by_resource_group(at.group, filter=_RUNNING)
                else:
                    pages = operations.list_at_scope(reading.scope_path(at), filter=_RUNNING)
                found = [reading.read_deployment(item.as_dict(), "") for item in pages]
            except AzureError as error:
                if is_missing(error, exchange):
                    return []
                raise
            except (AttributeError, TypeError) as error:
                # What the SDK's pager says of an answer of another shape.
                raise Transient(
                    "ArmAnswerUnreadable", "ARM listed deployments in a way that cannot be read."
                ) from error
        return [one for one in found if one.state == "running"]

    def put(self, request: DeploymentRequest) -> Deployment:
        """Start a deployment; see ports.Arm. The PUT is over after the endpoint's time-out."""
        at = reading.deployment_name(request.id)
        operations = self._clients.of(at.subscription).deployments.deployments
        scope, body = reading.scope_path(at), _put_body(request)
        with self._attempt("deployment.put", effect="deploys"):
            if at.group:
                poller = operations.begin_create_or_update(
                    at.group, at.name, body, polling=False, cls=body_of
                )
            else:
                poller = operations.begin_create_or_update_at_scope(
                    scope, at.name, body, polling=False, cls=body_of
                )
            accepted = object_of(poller.result())
        return reading.read_deployment(accepted, request.id)

    def cancel(self, deployment_id: str) -> None:
        """Ask for a running deployment to be canceled; one that has ended is no error."""
        at = reading.deployment_name(deployment_id)
        operations = self._clients.of(at.subscription).deployments.deployments
        with self._attempt("deployment.cancel") as exchange:
            try:
                if at.group:
                    operations.cancel(at.group, at.name)
                else:
                    operations.cancel_at_scope(reading.scope_path(at), at.name)
            except AzureError as error:
                if not (is_missing(error, exchange) or is_conflict(error, exchange)):
                    raise

    def forget(self, deployment_id: str) -> None:
        """Remove an ended deployment from ARM's history; see ports.Arm."""
        at = reading.deployment_name(deployment_id)
        operations = self._clients.of(at.subscription).deployments.deployments
        with self._attempt("deployment.delete") as exchange:
            try:
                with accepted(exchange):
                    if at.group:
                        operations.begin_delete(at.group, at.name, polling=False)
                    else:
                        scope = reading.scope_path(at)
                        operations.begin_delete_at_scope(scope, at.name, polling=False)
            except AzureError as error:
                if not is_missing(error, exchange):
                    raise

    def operations(self, deployment_id: str) -> Sequence[Operation]:
        """Return the operations of the deployment and of those nested in it, page by page.

        Of a nested deployment that is not there (not begun, or its history gone) one that says so.
        Raises Stalled past MAX_DEPLOYMENTS: part of an inventory would be worse than none.
        """
        found: list[Operation] = []
        waiting, seen = [deployment_id], {deployment_id.lower()}
        with self._attempt(
            "operations.list", timeout_s=self._endpoint.listing_timeout_s
        ) as exchange:
            while waiting:
                at = waiting.pop(0)
                operations = self._operations(at, exchange)
                if operations is None:
                    operations = [] if at == deployment_id else [reading.history_gone(at)]
                found += operations
                for nested in filter(None, map(reading.nested_deployment, operations)):
                    if nested.lower() not in seen:
                        seen.add(nested.lower())
                        waiting.append(nested)
                if len(seen) > MAX_DEPLOYMENTS:
                    raise Stalled(
                        "TooManyNestedDeployments",
                        f"{deployment_id} has more than {MAX_DEPLOYMENTS} nested deployments",
                        hint="Split the stack.",
                    )
        return found

    # ---- inside ----------------------------------------------------------------------------

    def _operations(self, deployment_id: str, exchange: Exchange) -> list[Operation] | None:
        """Return the operations of one deployment, None when it is not there."""
        at = reading.deployment_name(deployment_id)
        operations = self._clients.of(at.subscription).deployments.deployment_operations
        if at.group:
            pages = operations.list(at.group, at.name)
        elif at.scope:
            pages = operations.list_at_scope(at.scope.strip("/"), at.name)
        else:
            pages = operations.list_at_tenant_scope(at.name)
        try:
            return [reading.read_operation(item.as_dict(), deployment_id) for item in pages]
        except AzureError as error:
            if is_missing(error, exchange):
                return None
            raise


def _put_body(request: DeploymentRequest) -> Any:
    return {**deployment_body(request), "tags": dict(request.tags)}
