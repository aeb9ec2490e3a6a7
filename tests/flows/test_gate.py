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


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (_request(f"/subscriptions/{SUB}/resourceGroups/rg-other"), "ScopeNotAllowed"),
        (_request(OWN, resourceGroup="rg-other"), "ScopeNotAllowed"),
        (_request(OWN, resourceGroup="[reference('x', '2024-01-01').group]"), "ScopeUndecided"),
        (_request(OWN, scope=f"{OWN}/../rg-other"), "ScopeUndecided"),
        (_request(OWN, name="plumbline.r.other"), "DeploymentNameReserved"),
    ],
)
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
