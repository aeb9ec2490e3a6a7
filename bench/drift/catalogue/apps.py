"""What runs programs, and what they talk through."""

from __future__ import annotations

from bench.drift.catalogue.parts import (
    GONE,
    NEW_TAG,
    OTHER_TAG,
    TAGS,
    Group,
    Move,
    Piece,
    single,
)


def web(key: str) -> Group:
    """Return an App Service plan with a site."""
    plan = Piece(
        "Microsoft.Web/serverfarms",
        f"plan-{key}",
        "2024-04-01",
        {
            "location": "West Europe",
            "sku": {"name": "B1", "tier": "Basic", "capacity": 1},
            "properties": {"perSiteScaling": False},
        },
        (
            Move("sku", "sku.name", set={"sku": {"name": "S1", "tier": "Standard"}}),
            Move("sku", "sku.capacity", set={"sku": {"capacity": 3}}),
            NEW_TAG,
        ),
    )
    site = Piece(
        "Microsoft.Web/sites",
        f"site-{key}",
        "2024-04-01",
        {
            "location": "West Europe",
            "kind": "app",
            "tags": TAGS,
            "properties": {
                "serverFarmId": f"{{scope}}/providers/Microsoft.Web/serverfarms/plan-{key}",
                "httpsOnly": True,
                "clientAffinityEnabled": False,
            },
        },
        (
            Move("property", "properties.httpsOnly", set={"properties": {"httpsOnly": False}}),
            Move(
                "property",
                "properties.clientAffinityEnabled",
                set={"properties": {"clientAffinityEnabled": True}},
            ),
            OTHER_TAG,
            GONE,
        ),
        needs=(0,),
    )
    return Group((plan, site))


def settings(key: str) -> Group:
    """Return a site with its app settings, of which GET is refused, so that what-if fails (N17)."""
    found = web(key)
    one = Piece(
        "Microsoft.Web/sites/config",
        f"site-{key}/appsettings",
        "2024-04-01",
        {"properties": {"MODE": "prod"}},
        (
            Move(
                "property",
                "properties.MODE",
                set={"properties": {"MODE": "debug"}},
                hidden="N17: the provider refuses every GET of app settings",
            ),
        ),
        needs=(1,),
    )
    return Group((*found.pieces, one), noise={one.type: ("N17",)})


def bus(key: str) -> Group:
    """Return a Service Bus namespace with a queue and a topic."""
    space = Piece(
        "Microsoft.ServiceBus/namespaces",
        f"sb-{key}",
        "2024-01-01",
        {
            "location": "West Europe",
            "sku": {"name": "Standard", "tier": "Standard"},
            "tags": TAGS,
            "properties": {"minimumTlsVersion": "1.2", "disableLocalAuth": True},
        },
        (
            Move(
                "property",
                "properties.disableLocalAuth",
                set={"properties": {"disableLocalAuth": False}},
            ),
            Move(
                "child added",
                put=("Microsoft.ServiceBus/namespaces/queues", "byhand", {"properties": {}}),
            ),
            OTHER_TAG,
        ),
    )
    queue = Piece(
        "Microsoft.ServiceBus/namespaces/queues",
        f"sb-{key}/orders",
        "2024-01-01",
        {"properties": {"lockDuration": "PT1M", "maxDeliveryCount": 10}},
        (
            Move(
                "child changed",
                "properties.maxDeliveryCount",
                set={"properties": {"maxDeliveryCount": 3}},
            ),
            Move("child deleted", delete=True),
        ),
        needs=(0,),
    )
    topic = Piece(
        "Microsoft.ServiceBus/namespaces/topics",
        f"sb-{key}/news",
        "2024-01-01",
        {"properties": {"maxSizeInMegabytes": 1024}},
        (
            Move(
                "child changed",
                "properties.maxSizeInMegabytes",
                set={"properties": {"maxSizeInMegabytes": 2048}},
            ),
        ),
        needs=(0,),
    )
    return Group((space, queue, topic))


def cluster(key: str) -> Group:
    """Return a managed cluster."""
    pool = {"name": "system", "count": 2, "vmSize": "Standard_D2s_v3", "mode": "System"}
    one = Piece(
        "Microsoft.ContainerService/managedClusters",
        f"aks-{key}",
        "2024-10-01",
        {
            "location": "West Europe",
            "identity": {"type": "SystemAssigned"},
            "sku": {"name": "Base", "tier": "Free"},
            "properties": {
                "dnsPrefix": key,
                "disableLocalAccounts": True,
                "agentPoolProfiles": [{**pool, "osDiskSizeGB": 0}],
            },
        },
        (
            Move(
                "property",
                "properties.disableLocalAccounts",
                set={"properties": {"disableLocalAccounts": False}},
            ),
            Move("sku", "sku.tier", set={"sku": {"tier": "Standard"}}),
            Move(
                "child added",
                put=(
                    "Microsoft.ContainerService/managedClusters/agentPools",
                    "byhand",
                    {"properties": {"count": 1, "vmSize": "Standard_D2s_v3", "mode": "User"}},
                ),
            ),
        ),
    )
    return Group((one,))


registry = single(
    "Microsoft.ContainerRegistry/registries",
    "acr{key}",
    "2023-07-01",
    {
        "location": "West Europe",
        "sku": {"name": "Premium", "tier": "Premium"},
        "properties": {"adminUserEnabled": False},
    },
    Move("property", "properties.adminUserEnabled", set={"properties": {"adminUserEnabled": True}}),
    Move("sku", "sku.name", set={"sku": {"name": "Standard"}}),
)


identity = single(
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "id-{key}",
    "2023-01-31",
    {"location": "West Europe", "tags": TAGS},
    OTHER_TAG,
    GONE,
)
