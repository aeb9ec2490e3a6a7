"""Networks, addresses, and what goes with them."""

from __future__ import annotations

from bench.drift.catalogue.parts import (
    GONE,
    NEW_TAG,
    OTHER_TAG,
    TAGS,
    Body,
    Group,
    Move,
    Piece,
    elements,
    single,
)


def _rule(name: str, priority: int, port: str, access: str = "Allow") -> Body:
    return {
        "name": name,
        "properties": {
            "priority": priority,
            "direction": "Inbound",
            "access": access,
            "protocol": "Tcp",
            "sourceAddressPrefix": "10.0.0.0/8",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": port,
        },
    }


def network(key: str) -> Group:
    """Return a security group, and a virtual network whose subnet is declared on its own."""
    rules = [_rule("web", 100, "443"), _rule("ssh", 110, "22", "Deny")]
    security = Piece(
        "Microsoft.Network/networkSecurityGroups",
        f"nsg-{key}",
        "2024-05-01",
        {"location": "West Europe", "tags": TAGS, "properties": {"securityRules": rules}},
        (
            *elements(
                "securityRules",
                "rdp",
                keep=rules,
                more=_rule("rdp", 120, "3389"),
                other=[rules[0], _rule("ssh", 110, "22", "Allow")],
            ),
            OTHER_TAG,
            NEW_TAG,
            GONE,
            Move(
                "undeclared",
                put=(
                    "Microsoft.Network/networkSecurityGroups",
                    f"nsg-{key}-byhand",
                    {"location": "westeurope", "properties": {"securityRules": []}},
                ),
                beside=True,
            ),
        ),
    )
    net = Piece(
        "Microsoft.Network/virtualNetworks",
        f"vnet-{key}",
        "2025-01-01",
        {
            "location": "West Europe",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16", "10.1.0.0/16"]},
                "enableVmProtection": False,
            },
        },
        (
            *elements(
                "addressSpace.addressPrefixes",
                "10.9.0.0/16",
                keep=["10.0.0.0/16", "10.1.0.0/16"],
                more="10.9.0.0/16",
                other=["10.0.0.0/16", "10.7.0.0/16"],
            ),
            Move(
                "property",
                "properties.flowTimeoutInMinutes",
                set={"properties": {"flowTimeoutInMinutes": 20}},
            ),
            Move(
                "child added",
                put=(
                    "Microsoft.Network/virtualNetworks/subnets",
                    "byhand",
                    {"properties": {"addressPrefix": "10.0.77.0/24"}},
                ),
            ),
        ),
    )
    subnet = Piece(
        "Microsoft.Network/virtualNetworks/subnets",
        f"vnet-{key}/web",
        "2025-01-01",
        {"properties": {"addressPrefix": "10.0.0.0/24"}},
        (
            Move(
                "child changed",
                "properties.addressPrefix",
                set={"properties": {"addressPrefix": "10.0.3.0/24"}},
            ),
            Move("child deleted", delete=True),
        ),
        needs=(1,),
    )
    return Group((security, net, subnet))


address = single(
    "Microsoft.Network/publicIPAddresses",
    "pip-{key}",
    "2024-05-01",
    {
        "location": "West Europe",
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {"publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": 4},
    },
    Move(
        "property",
        "properties.idleTimeoutInMinutes",
        set={"properties": {"idleTimeoutInMinutes": 30}},
    ),
    NEW_TAG,
    GONE,
)


def routes(key: str) -> Group:
    """Return a route table in a nested deployment that what-if does not expand (N10)."""
    table = Piece(
        "Microsoft.Network/routeTables",
        f"rt-{key}",
        "2024-05-01",
        {"location": "westeurope", "properties": {"disableBgpRoutePropagation": False}},
        (
            Move(
                "property",
                "properties.disableBgpRoutePropagation",
                set={"properties": {"disableBgpRoutePropagation": True}},
            ),
        ),
    )
    return Group((table,), nested=True, noise={table.type: ("N10",)})


def gateway(key: str) -> Group:
    """Return a NAT gateway, of which what-if says nothing (N11)."""
    one = Piece(
        "Microsoft.Network/natGateways",
        f"ng-{key}",
        "2024-05-01",
        {
            "location": "westeurope",
            "sku": {"name": "Standard"},
            "properties": {"idleTimeoutInMinutes": 4},
        },
        (
            Move(
                "property",
                "properties.idleTimeoutInMinutes",
                set={"properties": {"idleTimeoutInMinutes": 60}},
            ),
        ),
    )
    return Group((one,), noise={one.type: ("N11",)})
