"""The example repository: it compiles, and the template engine makes of it what its README says."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.arm.engine import Context, Evaluated, Scope, evaluate
from shared.core.source.compile import Compiled, compile_stack
from shared.core.source.manifest import parse_manifest
from shared.core.source.resources import api_versions, namespaces
from shared.core.source.scopes import target_scopes
from tests.core.source.trees import SUBSCRIPTION, MemoryTree

SHOP = Path(__file__).resolve().parents[3] / "examples" / "shop"


def shop_tree() -> MemoryTree:
    """Return the example repository as a revision."""
    return MemoryTree(
        {
            str(each.relative_to(SHOP)): each.read_bytes()
            for each in SHOP.rglob("*")
            if each.is_file()
        }
    )


def compiled(name: str) -> Compiled:
    """Return a stack of the example repository, compiled."""
    tree = shop_tree()
    manifest = parse_manifest(tree.files["plumbline.yaml"], "plumbline.yaml")
    return compile_stack(tree, name, manifest.stacks[name], default_subscription=SUBSCRIPTION)


def engine_context(scope: str) -> Context:
    """Return surroundings for the simulator's engine that never change."""

    def resource_group(subscription: str, name: str) -> dict[str, Any]:
        identity = f"/subscriptions/{subscription}/resourceGroups/{name}"
        return {
            "id": identity,
            "name": name,
            "location": "westeurope",
            "tags": {},
            "properties": {},
        }

    return Context(
        scope=Scope("resourceGroup", SUBSCRIPTION, scope.rsplit("/", 1)[-1]),
        deployment_name="plumbline.shop.test",
        location=None,
        subscription={
            "id": f"/subscriptions/{SUBSCRIPTION}",
            "subscriptionId": SUBSCRIPTION,
            "tenantId": SUBSCRIPTION,
        },
        tenant={},
        environment={},
        deployer={},
        resource_group=resource_group,
        utc_now=datetime(2026, 5, 4, tzinfo=UTC),
        new_guid=lambda: "00000000-0000-0000-0000-000000000000",
    )


def evaluated(stack: Compiled) -> Evaluated:
    """Return what the simulator's engine makes of a stack, without a running deployment."""
    source = stack.source
    group = f"{source['scope']}/providers/Test.Taken/outputs"
    taken = {name: {"value": f"{group}/{one.output}"} for name, one in stack.takes.items()}
    parameters = {**source["parameters"], **taken}
    return evaluate(source["template"], parameters, engine_context(source["scope"]))


def test_the_shop_manifest_has_no_problems() -> None:
    """The example is a valid repository of six stacks; the worker shares a resource group with web."""
    manifest = parse_manifest((SHOP / "plumbline.yaml").read_bytes(), "plumbline.yaml")

    assert manifest.readable
    assert not manifest.problems
    assert not manifest.broken
    assert {name: each.scope for name, each in manifest.stacks.items()} == {
        "network": "rg-network",
        "logs": "rg-logs",
        "storage": "rg-storage",
        "web": "rg-web",
        "vault": "rg-vault",
        "worker": "rg-web",
    }
    assert {name: each.dependencies for name, each in manifest.stacks.items()} == {
        "network": (),
        "logs": (),
        "storage": (),
        "web": ("logs", "network"),
        "vault": ("logs", "network"),
        "worker": ("storage", "vault", "web"),
    }


@pytest.mark.parametrize(
    ("name", "types", "outputs"),
    [
        (
            "network",
            ["Microsoft.Network/networkSecurityGroups", "Microsoft.Network/virtualNetworks"],
            {"networkId", "webSubnetId", "privateEndpointSubnetId", "subnetIds"},
        ),
        ("logs", ["Microsoft.OperationalInsights/workspaces"], {"workspaceId"}),
        (
            "storage",
            [
                "Microsoft.Storage/storageAccounts",
                "Microsoft.Storage/storageAccounts/blobServices",
                "Microsoft.Storage/storageAccounts/blobServices/containers",
                "Microsoft.Storage/storageAccounts/blobServices/containers",
            ],
            {"accountId", "blobEndpoint"},
        ),
        (
            "web",
            ["Microsoft.Resources/deployments", "Microsoft.Web/serverfarms", "Microsoft.Web/sites"],
            {"planId", "componentId", "subnetId", "siteId", "url", "principalId"},
        ),
        (
            "vault",
            [
                "Microsoft.KeyVault/vaults",
                "Microsoft.Network/privateEndpoints",
                "Microsoft.Insights/diagnosticSettings",
            ],
            {"vaultUri"},
        ),
        ("worker", ["Microsoft.Web/sites"], {"principalId"}),
    ],
)
def test_a_shop_stack_compiles_and_evaluates(
    name: str, types: list[str], outputs: set[str]
) -> None:
    """Each stack is quiet, stays in its own group, and evaluates to the resources it promises."""
    stack = compiled(name)
    found = evaluated(stack)

    assert stack.warnings == ()
    assert stack.create_resource_group == "westeurope"
    assert [each.scope for each in target_scopes(stack.source)] == [stack.source["scope"]]
    assert sorted(each.type for each in found.resources) == sorted(types)
    assert set(found.outputs) == outputs


def test_the_shop_network_has_its_subnets_from_the_loop() -> None:
    """A subnet per name, each with its own range, behind the security group."""
    found = evaluated(compiled("network"))
    network = next(each for each in found.resources if each.type.endswith("virtualNetworks"))
    subnets = network.body["properties"]["subnets"]

    assert [(each["name"], each["properties"]["addressPrefix"]) for each in subnets] == [
        ("web", "10.0.0.0/24"),
        ("data", "10.0.1.0/24"),
        ("private-endpoints", "10.0.2.0/24"),
    ]
    assert all(
        each["properties"]["networkSecurityGroup"]["id"].endswith("nsg-vnet-shop")
        for each in subnets
    )


def test_the_shop_web_links_its_monitoring() -> None:
    """The linked module counts as a file of the stack and is sent as a nested template."""
    stack = compiled("web")
    found = evaluated(stack)
    nested = next(each for each in found.resources if each.nested is not None)

    assert "modules/monitoring.json" in stack.files
    assert nested.nested is not None
    assert [each.type for each in nested.nested.resources] == ["Microsoft.Insights/components"]
    assert namespaces(stack.source["template"]) == {
        "Microsoft.Resources",
        "Microsoft.Web",
        "Microsoft.Insights",
    }
    assert api_versions(stack.source["template"])["microsoft.insights/components"] == "2020-02-02"
