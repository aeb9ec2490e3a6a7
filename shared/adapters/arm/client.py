"""The Arm port over azure-mgmt-resource and azure-mgmt-resource-deployments.

One method is one attempt: the SDK's retries, its automatic provider registration (which sleeps),
redirects and logging are not in the pipeline at all. A PUT starts a deployment and returns what ARM
answered; watching it is another message's business.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineResponse

from shared.adapters.arm import reading
from shared.adapters.arm.exchange import Exchange, attempt
from shared.adapters.arm.failures import is_conflict, is_missing, translated
from shared.adapters.arm.pipeline import Account, ArmEndpoint, Clients
from shared.core.arm_model import Deployment, DeploymentRequest, Operation
from shared.core.budget import Kind as BudgetKind
from shared.core.errors import Stalled, Transient
from shared.ports import CallsLeft, Clock, Ids

_RUNNING = "provisioningState eq 'Running'"
"""Of 800 deployments in a scope's history the few that are asked about."""

MAX_DEPLOYMENTS = 500
"""Nested deployments whose operations are read; ARM expands no more either."""


class AzureArm:
    """ARM as the flows need it (ports.Arm). Thread-safe; clients are made on first use and kept.

    ``on_call`` is told the kind of each HTTP request (``deployment.put``). ``close`` when done.
    Raises Stalled at once for an endpoint that is not https or a ``ca_file`` that is not there.
    """

    def __init__(
        self,
        endpoint: ArmEndpoint,
        credential: TokenCredential,
        clock: Clock,
        ids: Ids,
        *,
        user_agent: str = "plumbline",
        on_call: Callable[[str], None] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._count = on_call or _uncounted
        self._remaining: dict[str, dict[str, int]] = {}
        self._said: dict[tuple[str, BudgetKind], CallsLeft] = {}
        self._lock = threading.Lock()
        self._clients = Clients(endpoint, credential, user_agent, self._account(ids))

    # ---- the port --------------------------------------------------------------------------

    def deployment(self, deployment_id: str) -> Deployment | None:
        """Return the deployment, or None when there is none."""
        at = reading.deployment_name(deployment_id)
        operations = self._clients.of(at.subscription).deployments.deployments
        scope = _scope(at)
        with self._attempt("deployment.get") as exchange:
            try:
                if at.group:
                    body = operations.get(at.group, at.name, cls=_body)
                else:
                    body = operations.get_at_scope(scope, at.name, cls=_body)
            except AzureError as error:
                if is_missing(error, exchange):
                    return None
                raise
            return reading.read_deployment(_object(body), deployment_id)

    def running(self, scope: str) -> Sequence[Deployment]:
        """Return the deployments that run in ``scope``, page by page; see ports.Arm."""
        at = reading.deployment_name(f"{scope}/providers/Microsoft.Resources/deployments/any")
        operations = self._clients.of(at.subscription).deployments.deployments
        with self._attempt("deployments.list", timeout_s=self._endpoint.timeout_s) as exchange:
            try:
                if at.group:
                    pages = operations.list_by_resource_group(at.group, filter=_RUNNING)
                else:
                    pages = operations.list_at_scope(_scope(at), filter=_RUNNING)
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
        scope, body = _scope(at), _put_body(request)
        with self._attempt("deployment.put", put=True):
            if at.group:
                poller = operations.begin_create_or_update(
                    at.group, at.name, body, polling=False, cls=_body
                )
            else:
                poller = operations.begin_create_or_update_at_scope(
                    scope, at.name, body, polling=False, cls=_body
                )
            accepted = _object(poller.result())
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
                    operations.cancel_at_scope(_scope(at), at.name)
            except AzureError as error:
                if not (is_missing(error, exchange) or is_conflict(error, exchange)):
                    raise

    def forget(self, deployment_id: str) -> None:
        """Remove an ended deployment from ARM's history; see ports.Arm."""
        at = reading.deployment_name(deployment_id)
        operations = self._clients.of(at.subscription).deployments.deployments
        with self._attempt("deployment.delete") as exchange:
            try:
                if at.group:
                    operations.begin_delete(at.group, at.name, polling=False)
                else:
                    operations.begin_delete_at_scope(_scope(at), at.name, polling=False)
            except AzureError as error:
                if not is_missing(error, exchange):
                    raise

    def operations(self, deployment_id: str) -> Sequence[Operation]:
        """Return the operations of the deployment and of those nested in it, page by page.

        A nested deployment that is not there (not begun, or its history gone) has none. Raises
        Stalled past MAX_DEPLOYMENTS: part of an inventory would be worse than none.
        """
        found: list[Operation] = []
        waiting, seen = [deployment_id], {deployment_id.lower()}
        with self._attempt(
            "operations.list", timeout_s=self._endpoint.listing_timeout_s
        ) as exchange:
            while waiting:
                operations = self._operations(waiting.pop(0), exchange)
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

    def has_group(self, scope: str) -> bool:
        """Tell whether the resource group exists."""
        subscription, name = reading.group_name(scope)
        groups = self._clients.of(subscription).resources.resource_groups
        with self._attempt("group.head"):
            return bool(groups.check_existence(name))

    def create_group(self, scope: str, location: str, tags: Mapping[str, str]) -> None:
        """Create the resource group; a PUT on an existing one would replace its tags."""
        subscription, name = reading.group_name(scope)
        groups = self._clients.of(subscription).resources.resource_groups
        with self._attempt("group.put"):
            groups.create_or_update(name, {"location": location, "tags": dict(tags)}, cls=_body)

    def register_provider(self, subscription_id: str, namespace: str) -> str:
        """Ask for registration; returns the state that ARM answers."""
        providers = self._clients.of(subscription_id).resources.providers
        with self._attempt("provider.register"):
            body = _object(providers.register(namespace, cls=_body))
        return str(body.get("registrationState") or "Registering")

    def resource(self, resource_id: str, api_version: str) -> Mapping[str, Any] | None:
        """Return the resource's body, or None when there is none."""
        resources = self._clients.of(reading.subscription_of(resource_id)).resources.resources
        with self._attempt("resource.get") as exchange:
            try:
                body = resources.get_by_id(
                    reading.quoted_id(resource_id), api_version=api_version, cls=_body
                )
            except AzureError as error:
                if is_missing(error, exchange):
                    return None
                raise
            return _object(body)

    # ---- beside the port -------------------------------------------------------------------

    def left(self, subscription: str, kind: BudgetKind) -> CallsLeft | None:
        """Return what the newest answer said; see ports.ArmLimits."""
        with self._lock:
            return self._said.get((subscription, kind))

    def subscriptions(self) -> Sequence[str]:
        """Return the subscriptions that were spoken of."""
        with self._lock:
            return sorted({subscription for subscription, _ in self._said})

    @property
    def remaining(self) -> Mapping[str, Mapping[str, int]]:
        """What ARM last said is left before it throttles: subscription -> name -> calls."""
        with self._lock:
            return {subscription: dict(left) for subscription, left in self._remaining.items()}

    def close(self) -> None:
        """Close the connections; the object is of no use afterwards."""
        self._clients.close()

    # ---- inside ----------------------------------------------------------------------------

    def _operations(self, deployment_id: str, exchange: Exchange) -> list[Operation]:
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
                return []
            raise

    @contextmanager
    def _attempt(
        self, kind: str, *, put: bool = False, timeout_s: float | None = None
    ) -> Iterator[Exchange]:
        limit_s = timeout_s or self._endpoint.timeout_s
        with attempt(kind, self._clock, limit_s) as exchange:
            try:
                yield exchange
            except (AzureError, ValueError) as error:
                raise translated(error, exchange, self._clock.now(), put=put) from error

    def _account(self, ids: Ids) -> Account:
        return Account(ids.new, self._count, self.heard)

    def heard(self, subscription: str, left: Mapping[str, int]) -> None:
        """Keep what ARM said is left of a subscription's calls, whoever it was that it told."""
        with self._lock:
            self._remaining.setdefault(subscription, {}).update(left)
            for kind, name in _KINDS.items():
                if name in left:
                    said = CallsLeft(left[name], self._clock.monotonic())
                    self._said[subscription.lower(), kind] = said


_KINDS: Mapping[BudgetKind, str] = {
    "reads": "subscription-reads",
    "writes": "subscription-writes",
}


def _uncounted(_kind: str) -> None:
    """Nobody counts."""


def _scope(at: reading.DeploymentName) -> str:
    if not at.scope:
        raise ValueError("Plumbline does not deploy to the tenant's own scope")
    return at.scope.strip("/")


def _put_body(request: DeploymentRequest) -> Any:
    properties = {
        "mode": "Incremental",
        "template": dict(request.template),
        "parameters": dict(request.parameters),
    }
    body: dict[str, Any] = {"properties": properties, "tags": dict(request.tags)}
    if request.location is not None:
        body["location"] = request.location
    return body


def _body(response: PipelineResponse[Any, Any], _model: Any, _headers: Any) -> Any:
    """Take ARM's own JSON instead of the SDK's model, which drops what it does not know."""
    return response.http_response.json()


def _object(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise ValueError("the answer is not a JSON object")  # noqa: TRY004 - an unreadable answer
    return body
