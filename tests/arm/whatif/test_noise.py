"""With noise on, a what-if shows the truth and what is labelled, and nothing that is neither."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm.knobs import Knobs
from tests.arm.azure import network, storage
from tests.arm.whatif.world import GROUP, World, leaves

CLASSES = [f"N{number}" for number in range(1, 24) if number not in (10, 11, 17, 21, 22)]
PLAN = {
    "type": "Microsoft.Web/serverfarms",
    "apiVersion": "2024-04-01",
    "name": "plan",
    "location": "westeurope",
    "sku": {"name": "S1"},
    "properties": {},
}
VAULT = {
    "type": "Microsoft.KeyVault/vaults",
    "apiVersion": "2023-07-01",
    "name": "shop-vault",
    "location": "westeurope",
    "properties": {
        "tenantId": "99999999-8888-4777-8666-555555555555",
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [],
    },
}
GROUPS = {
    "type": "Microsoft.Network/networkSecurityGroups",
    "apiVersion": "2023-11-01",
    "name": "nsg",
    "location": "westeurope",
    "properties": {
        "securityRules": [
            {
                "name": f"rule{index}",
                "properties": {
                    "protocol": "Tcp",
                    "sourcePortRange": "*",
                    "destinationPortRange": str(index),
                    "sourceAddressPrefix": "*",
                    "destinationAddressPrefix": "*",
                    "access": "Allow",
                    "priority": 100 + index,
                    "direction": "Inbound",
                },
            }
            for index in range(3)
        ]
    },
}
RESOURCES = [storage(), network(subnets=("web", "db")), PLAN, VAULT, GROUPS]


def _shown(changes: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    found = set()
    for one in changes:
        entries = list(leaves(one["delta"])) if "delta" in one else [("", one["changeType"])]
        found |= {(one["resourceId"], *entry) for entry in entries}
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("classes", [*([one] for one in CLASSES), CLASSES], ids="+".join)
def test_what_is_shown_is_true_or_labelled(classes: list[str], seed: int) -> None:
    """True entries that are not hidden, and labelled ones, are exactly what is shown."""
    world = World()
    world.deploy(RESOURCES)
    world.change(f"{GROUP}/providers/Microsoft.Web/serverfarms/plan", {"tags": {"Owner": "me"}})
    world.cloud.turn(Knobs(noise={"*": classes}, noise_seed=seed))

    result = world.foretell(RESOURCES)

    def row(one: dict[str, Any]) -> tuple[str, str, str]:
        return one["resourceId"], one["path"], one["kind"]

    true = {row(one) for one in result.labels.truth}
    hidden = {row(one) for one in result.labels.noise if one["hidden"]}
    noise = {row(one) for one in result.labels.noise if not one["hidden"]}
    assert _shown(result.body["properties"]["changes"]) == (true - hidden) | noise
    assert {one["class"] for one in result.labels.noise} <= set(classes)
    assert (f"{GROUP}/providers/Microsoft.Web/serverfarms/plan", "tags", "Delete") in true
