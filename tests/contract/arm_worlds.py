"""The two ARMs of the contract tests, the fake and the simulator, and the strings to pull.

The simulator is reached as Azure is: through the real SDK, over TLS, with a token that the real
managed identity credential fetched from the identity endpoint.
"""

import json
import ssl
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Protocol

import pytest

from local.arm.knobs import Knobs
from local.arm.server import Address, Settings, start
from local.waiting import until
from shared.adapters.arm import ArmEndpoint, AzureArm, ManagedIdentity
from shared.adapters.system import SystemClock, SystemIds
from shared.core.arm_answers import flatten
from shared.core.arm_errors import Unknown
from shared.core.arm_model import Deployment, DeploymentRequest, Operation
from shared.core.errors import Stalled, Transient
from shared.core.prediction import Predicting, Prediction
from shared.ports import Arm
from tests.fakes.arm import FakeArm, Outcome, Outlook
from tests.fakes.system import FakeClock

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-Shop"
OTHER_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-other"
DEPLOYMENT = f"{GROUP}/providers/Microsoft.Resources/deployments/plumbline.shop.web"
ACTION = "Microsoft.Resources/deployments/write"


class World(Protocol):
    """An ARM and the strings that a test pulls."""

    arm: Arm

    def last(self, seconds: float) -> None:
        """Let deployments from now on run for this long."""

    def finished(self, deployment_id: str) -> Deployment:
        """Return the deployment when it has ended."""

    def fail(self, kind: str, name: str, error: Mapping[str, Any]) -> None:
        """Let the provider of one resource answer the next deployment with an error."""

    def forbid_put(self) -> None:
        """Take the permission to deploy away, for one PUT."""

    def throttle(self, method: str, seconds: int) -> None:
        """Answer the next call of a method with 429 and Retry-After."""

    def lose(self, *, taken: bool) -> None:
        """Break the connection of the next PUT, before or after its effect."""

    def only_registered(self, *namespaces: str) -> None:
        """Let no other provider be registered."""

    def writes(self) -> int:
        """Return how many PUTs of a deployment arrived."""

    def edit(self, resource_id: str, changes: Mapping[str, Any]) -> None:
        """Change a resource by hand: merge this into its body."""

    def erase(self, resource_id: str) -> None:
        """Delete a resource by hand."""

    def foresee(self, request: DeploymentRequest) -> Prediction:
        """Return how a what-if of this ends."""

    def slow_what_ifs(self, looks: int) -> None:
        """Let what-ifs from now on still run when they are looked at, about so often."""

    def slow_deletions(self, seconds: float) -> None:
        """Let deletions from now on take so long."""

    def refuse_deletion(self, kind: str, detail: str | None = None) -> None:
        """Refuse the next deletion: ``scope_locked`` (by the scope ``detail``) or ``conflict``."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


class FakeWorld:
    """The fake."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.arm: Arm
        self.arm = self.fake = FakeArm(self.clock, groups=[GROUP, OTHER_GROUP])
        self.seconds = 0.0
        self.failures: dict[str, Mapping[str, Any]] = {}
        self.last(0)

    def last(self, seconds: float) -> None:
        """Let deployments from now on run for this long."""
        self.seconds = seconds
        self._plan()

    def finished(self, deployment_id: str) -> Deployment:
        """Return the deployment when it has ended."""
        self.clock.advance(self.seconds)
        found = self.arm.deployment(deployment_id)
        assert found is not None
        assert found.state != "running"
        self.failures = {}
        self._plan()
        self.fake.check()
        return found

    def fail(self, kind: str, name: str, error: Mapping[str, Any]) -> None:
        """Let one resource's provider answer with an error."""
        del kind
        self.failures = {name: error}
        self._plan()

    def _plan(self) -> None:
        self.fake.default = Outcome(seconds=self.seconds, failures=self.failures)

    def forbid_put(self) -> None:
        """Take the permission away, for one PUT."""
        message = f"The client does not have authorization to perform action '{ACTION}'."
        problem = flatten({"code": "AuthorizationFailed", "message": message})
        error = Stalled(problem.code, problem.message, hint=problem.hint)
        self.fake.faults.fail("arm.put", lambda: error)

    def throttle(self, method: str, seconds: int) -> None:
        """Answer the next call of a method with 429."""
        call = {"PUT": "arm.put", "GET": "arm.deployment", "POST": "arm.predict"}[method]
        error = Transient("SubscriptionRequestsThrottled", "slower", retry_after_s=float(seconds))
        self.fake.faults.fail(call, lambda: error)

    def lose(self, *, taken: bool) -> None:
        """Break the connection of the next PUT."""
        moment = "after" if taken else "before"
        self.fake.faults.fail("arm.put", lambda: Unknown("AnswerLost", "lost"), moment=moment)  # type: ignore[arg-type]

    def only_registered(self, *namespaces: str) -> None:
        """Let no other provider be registered."""
        self.fake.only_registered(*namespaces)

    def writes(self) -> int:
        """Return how many PUTs of a deployment arrived."""
        return self.fake.faults.count("arm.put")

    def edit(self, resource_id: str, changes: Mapping[str, Any]) -> None:
        """Change a resource by hand."""
        self.fake.change(resource_id, lambda body: _merge(body, changes))

    def erase(self, resource_id: str) -> None:
        """Delete a resource by hand."""
        self.fake.remove(resource_id)

    def foresee(self, request: DeploymentRequest) -> Prediction:
        """Return how a what-if of this ends."""
        return ended(self.arm, self.arm.predict(request))

    def slow_what_ifs(self, looks: int) -> None:
        """Let what-ifs from now on still run when they are looked at."""
        self.fake.outlook = Outlook(looks=looks)

    def slow_deletions(self, seconds: float) -> None:
        """Let deletions from now on take so long."""
        self.fake.deletion_s = seconds

    def refuse_deletion(self, kind: str, detail: str | None = None) -> None:
        """Refuse the next deletion."""
        if kind == "scope_locked" and detail is not None:
            self.fake.lock_scope(detail)
        else:
            error = Transient("Conflict", "somebody else is at work")
            self.fake.faults.fail("arm.delete_resource", lambda: error)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)


class SimulatedWorld:
    """The simulator."""

    def __init__(self, address: Address, arm: AzureArm) -> None:
        self.arm: Arm = arm
        self._control = address.control
        self._context = ssl.create_default_context(cafile=address.ca_file)

    def last(self, seconds: float) -> None:
        """Let deployments from now on run for this long."""
        self.call("PATCH", "/knobs", {"deployment_seconds": seconds})

    def finished(self, deployment_id: str) -> Deployment:
        """Return the deployment when it has ended."""
        ended: list[Deployment] = []

        def look() -> bool:
            found = self.arm.deployment(deployment_id)
            if found is not None and found.state != "running":
                ended.append(found)
            return bool(ended)

        until(look, limit_s=20, what=f"the end of {deployment_id}")
        return ended[0]

    def fail(self, kind: str, name: str, error: Mapping[str, Any]) -> None:
        """Let one resource's provider answer with an error."""
        match = {"method": "PUT", "path": f"/{kind}/{name}$", "origin": "deployment"}
        self._answer(match, {"status": 409, "error": error})

    def forbid_put(self) -> None:
        """Take the permission away, for one PUT."""
        self._answer({"method": "PUT", "route": "deployment"}, {"kind": "authorization_failed"})

    def throttle(self, method: str, seconds: int) -> None:
        """Answer the next call of a method with 429."""
        route = "deployment-what-if" if method == "POST" else "deployment"
        match = {"method": method, "route": route}
        self._answer(match, {"kind": "throttled", "retry_after": seconds})

    def lose(self, *, taken: bool) -> None:
        """Break the connection of the next PUT."""
        match = {"method": "PUT", "route": "deployment", "origin": "client"}
        self._answer(match, {"drop": True, "when": "after" if taken else "before"})

    def only_registered(self, *namespaces: str) -> None:
        """Let no other provider be registered."""
        self.call("PATCH", "/knobs", {"registered": list(namespaces)})

    def writes(self) -> int:
        """Return how many PUTs of a deployment arrived."""
        routes: Mapping[str, int] = self.call("GET", "/requests")["routes"]
        return routes.get("PUT deployment", 0)

    def edit(self, resource_id: str, changes: Mapping[str, Any]) -> None:
        """Change a resource by hand."""
        self.call("POST", "/change", {"id": resource_id, "set": changes})

    def erase(self, resource_id: str) -> None:
        """Delete a resource by hand."""
        self.call("POST", "/delete", {"id": resource_id})

    def foresee(self, request: DeploymentRequest) -> Prediction:
        """Return how a what-if of this ends."""
        return ended(self.arm, self.arm.predict(request))

    def slow_what_ifs(self, looks: int) -> None:
        """Let what-ifs from now on still run when they are looked at."""
        self.call("PATCH", "/knobs", {"whatif_seconds": 0.5 * looks})

    def slow_deletions(self, seconds: float) -> None:
        """Let deletions from now on take so long."""
        self.call("PATCH", "/knobs", {"resource_seconds": seconds})

    def refuse_deletion(self, kind: str, detail: str | None = None) -> None:
        """Refuse the next deletion."""
        self._answer({"method": "DELETE", "route": "resource"}, {"kind": kind, "detail": detail})

    def wait(self, seconds: float) -> None:
        """Time passes by itself."""

    def requests(self) -> list[Mapping[str, Any]]:
        """Return what the simulator was asked, oldest first."""
        found: list[Mapping[str, Any]] = self.call("GET", "/requests")["requests"]
        return found

    def _answer(self, match: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        self.call("POST", "/answers", {"match": match, "answer": answer})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Speak on the control channel."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._control + path, data, headers, method=method)  # noqa: S310 - a fixed https address
        with urllib.request.urlopen(request, context=self._context, timeout=10) as answer:  # noqa: S310 - as above
            told = answer.read()
        return json.loads(told) if told else None


@contextmanager
def simulated(patch: pytest.MonkeyPatch) -> Iterator[tuple[SimulatedWorld, AzureArm, Address]]:
    """Start a simulator, and an adapter that gets its tokens from the identity endpoint."""
    settings = Settings(subscription=SUBSCRIPTION, knobs=Knobs(retry_after=None))
    with start(settings) as address:
        patch.setenv("IDENTITY_ENDPOINT", address.identity.endpoint)
        patch.setenv("IDENTITY_HEADER", address.identity.header)
        endpoint = ArmEndpoint(url=address.endpoint, ca_file=address.ca_file)
        with closing(ManagedIdentity()) as credential:
            arm = AzureArm(endpoint, credential, SystemClock(), SystemIds())
            with closing(arm):
                arm.create_group(GROUP, "westeurope", {})
                arm.create_group(OTHER_GROUP, "westeurope", {})
                yield SimulatedWorld(address, arm), arm, address


def ended(arm: Arm, told: Prediction | Predicting) -> Prediction:
    """Return how a what-if ends."""
    found = [told]

    def look() -> bool:
        last = found[-1]
        if isinstance(last, Predicting):
            found.append(arm.prediction(last.address))
        return isinstance(found[-1], Prediction)

    until(look, limit_s=20, what="the end of the what-if")
    last = found[-1]
    assert isinstance(last, Prediction)
    return last


def _merge(body: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if isinstance(value, Mapping):
            _merge(body.setdefault(name, {}), value)
        elif value is None:
            body.pop(name, None)
        else:
            body[name] = value


# ---- templates -----------------------------------------------------------------------------


def vnet(name: str, prefix: str = "10.0.0.0/16") -> dict[str, Any]:
    """Return a virtual network as a template has it."""
    return {
        "type": "Microsoft.Network/virtualNetworks",
        "apiVersion": "2024-05-01",
        "name": name,
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": [prefix]}},
    }


def vnet_id(name: str, group: str = GROUP) -> str:
    """Return a virtual network's id."""
    return f"{group}/providers/Microsoft.Network/virtualNetworks/{name}"


def template(*resources: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a template."""
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return {"$schema": schema, "contentVersion": "1.0.0.0", "resources": list(resources), **more}


def nested(name: str, *resources: Mapping[str, Any], group: str | None = None) -> dict[str, Any]:
    """Return a nested deployment."""
    properties = {
        "mode": "Incremental",
        "expressionEvaluationOptions": {"scope": "inner"},
        "template": template(*resources),
    }
    place = {"resourceGroup": group} if group else {}
    kind = {"type": "Microsoft.Resources/deployments", "apiVersion": "2025-04-01"}
    return {**kind, **place, "name": name, "properties": properties}


def request(
    *resources: Mapping[str, Any], release: str = "1.1", scope: str = GROUP, **more: Any
) -> DeploymentRequest:
    """Return a PUT of these resources."""
    return DeploymentRequest(
        id=f"{scope}/providers/Microsoft.Resources/deployments/plumbline.shop.web",
        scope=scope,
        template=template(*resources, **more),
        parameters={},
        tags={"plumbline-release": release, "plumbline-stack": "web"},
    )


def created(operations: Sequence[Operation]) -> dict[str, Operation]:
    """Return the operations that created something, by lower-case id."""
    return {
        one.resource_id.lower(): one
        for one in operations
        if one.kind == "Create" and one.resource_id
    }
