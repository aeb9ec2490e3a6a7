"""The choke point itself: what reaches it unchecked is refused before anything is sent (rule 13)."""

from typing import Any

import pytest

from shared.core.arm_model import DeploymentRequest
from shared.core.errors import Stalled
from shared.flows.gate import Gate
from tests.fakes.arm import FakeArm
from tests.fakes.system import FakeClock
from tests.flows.world import SCHEMA, SUB

OWN = f"/subscriptions/{SUB}/resourceGroups/rg-own"
TEMPLATE: dict[str, Any] = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": []}


def _request(own: str, **place: str) -> DeploymentRequest:
    nested = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2024-03-01",
        "name": "inner",
        **place,
        "properties": {"mode": "Incremental", "template": TEMPLATE},
    }
    resources = [nested] if place else []
    return DeploymentRequest(
        id=f"{own}/providers/Microsoft.Resources/deployments/plumbline.r.s",
        scope=own,
        template={**TEMPLATE, "resources": resources},
        parameters={},
        tags={},
    )


WRONG_REQUESTS = pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (_request(f"/subscriptions/{SUB}/resourceGroups/rg-other"), "ScopeNotAllowed"),
        (_request(OWN, resourceGroup="rg-other"), "ScopeNotAllowed"),
        (_request(OWN, resourceGroup="[reference('x', '2024-01-01').group]"), "ScopeUndecided"),
        (_request(OWN, scope=f"{OWN}/../rg-other"), "ScopeUndecided"),
        (_request(OWN, name="plumbline.r.other"), "DeploymentNameReserved"),
    ],
)


@WRONG_REQUESTS
def test_what_is_not_allowed_is_never_sent(request_: DeploymentRequest, reason: str) -> None:
    """Whatever compiled it, a deployment that writes elsewhere stops here."""
    arm = FakeArm(FakeClock(), groups=[OWN])

    with pytest.raises(Stalled) as e:
        Gate(arm).put(request_, [OWN])

    assert e.value.reason == reason
    assert arm.taken == []


def test_what_is_allowed_passes() -> None:
    """The gate is no wall: a deployment into its own group is started."""
    arm = FakeArm(FakeClock(), groups=[OWN])

    Gate(arm).put(_request(OWN), [OWN])

    assert len(arm.taken) == 1


@WRONG_REQUESTS
def test_a_what_if_is_checked_like_a_put(request_: DeploymentRequest, reason: str) -> None:
    """What it shows is what is there: nobody looks into a scope that is not theirs."""
    arm = FakeArm(FakeClock(), groups=[OWN])

    with pytest.raises(Stalled) as e:
        Gate(arm).predict(request_, [OWN])

    assert e.value.reason == reason
    assert arm.foretold == []


def test_a_what_if_of_an_own_group_passes() -> None:
    """The gate is no wall for it either."""
    arm = FakeArm(FakeClock(), groups=[OWN])

    Gate(arm).predict(_request(OWN), [OWN])

    assert len(arm.foretold) == 1


OTHER = f"/subscriptions/{SUB}/resourceGroups/rg-other"
VNET = "/providers/Microsoft.Network/virtualNetworks/v"


@pytest.mark.parametrize(
    ("resource_id", "reason"),
    [
        (OTHER + VNET, "ScopeNotAllowed"),
        (f"/subscriptions/{SUB}{VNET}", "ScopeNotAllowed"),
        (OWN.replace(SUB, "9" + SUB[1:]) + VNET, "ScopeNotAllowed"),
        (OWN, "NotAResource"),
        (f"{OWN}/", "NotAResource"),
        (f"/subscriptions/{SUB}", "NotAResource"),
        ("", "NotAResource"),
        (VNET, "NotAResource"),
        (f"{OWN}/providers/Microsoft.Network", "NotAResource"),
        (f"{OWN}/providers/Microsoft.Network/virtualNetworks", "NotAResource"),
        (f"{OWN}{VNET}/subnets", "NotAResource"),
        (f"{OWN}{VNET}/", "NotAResource"),
        (f"{OWN}{VNET}/../../../../../rg-other", "NotAResource"),
        (f"{OWN}/providers/Microsoft.Network/virtualNetworks/..", "NotAResource"),
        (f"{OWN}/../rg-other{VNET}", "NotAResource"),
        (f"{OWN}/providers/Microsoft.Network/virtualNetworks/%2e%2e", "NotAResource"),
        (f"{OWN}{VNET}?api-version=2024-05-01", "NotAResource"),
        (f"{OWN}{VNET}#x", "NotAResource"),
        (f"{OWN}/providers/Microsoft.Resources/deployments/plumbline.r.s", "NotAResource"),
        (f"{OWN}/providers/microsoft.resources/deploymentStacks/s", "NotAResource"),
        (f"{OWN}/providers/Microsoft.Resources/resourceGroups/rg-own", "NotAResource"),
        (
            f"{OWN}/providers/Microsoft.Resources/deployments/d/providers/x.y/z/t",
            "NotAResource",
        ),
    ],
)
def test_what_is_never_deleted(resource_id: str, reason: str) -> None:
    """No group, no deployment, nothing elsewhere, and nothing that could be read in two ways."""
    arm = FakeArm(FakeClock(), groups=[OWN, OTHER])

    with pytest.raises(Stalled) as e:
        Gate(arm).delete_resource(resource_id, "2024-05-01", [OWN])

    assert e.value.reason == reason
    assert [call for call, _ in arm.faults.calls] == []


@pytest.mark.parametrize(
    "resource_id",
    [
        OWN + VNET,
        OWN.upper() + VNET.lower(),
        f"{OWN}{VNET}/subnets/a b",
        f"{OWN}{VNET}/providers/Microsoft.Authorization/locks/l",
    ],
)
def test_a_resource_of_an_own_group_may_be_deleted(resource_id: str) -> None:
    """In any casing, children and extensions too."""
    arm = FakeArm(FakeClock(), groups=[OWN])

    Gate(arm).delete_resource(resource_id, "2024-05-01", [OWN])

    assert arm.deletions == [resource_id]
