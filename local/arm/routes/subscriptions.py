"""Subscriptions, tenants and locations."""

from __future__ import annotations

from local.arm import subscription
from local.arm.cloud import Cloud
from local.arm.messages import Answer, Request
from local.arm.routes.table import Words, route

_LOCATIONS = {
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "germanywestcentral": "Germany West Central",
    "eastus": "East US",
    "eastus2": "East US 2",
    "westus": "West US",
    "westus2": "West US 2",
}


async def list_subscriptions(cloud: Cloud, _: Request, __: Words) -> Answer:
    """List the one subscription that there is."""
    value = [subscription.shown(cloud.identity)]
    return Answer(200, {"value": value, "count": {"type": "Total", "value": 1}})


async def get_subscription(cloud: Cloud, _: Request, __: Words) -> Answer:
    """Show the subscription."""
    return Answer(200, subscription.shown(cloud.identity))


async def list_tenants(cloud: Cloud, _: Request, __: Words) -> Answer:
    """List the one tenant that there is."""
    tenant = cloud.identity.tenant
    body = {
        "id": f"/tenants/{tenant}",
        "tenantId": tenant,
        "countryCode": "NL",
        "displayName": "Plumbline laptop",
        "domains": ["plumbline.example"],
        "tenantCategory": "Home",
        "defaultDomain": "plumbline.example",
        "tenantType": "AAD",
    }
    return Answer(200, {"value": [body]})


async def list_locations(cloud: Cloud, _: Request, __: Words) -> Answer:
    """List the regions."""
    prefix = f"/subscriptions/{cloud.identity.subscription}/locations"
    value = [
        {
            "id": f"{prefix}/{name}",
            "name": name,
            "type": "Region",
            "displayName": display,
            "regionalDisplayName": display,
        }
        for name, display in _LOCATIONS.items()
    ]
    return Answer(200, {"value": value})


ROUTES = (
    route("subscriptions", "/subscriptions", {"GET": list_subscriptions}),
    route("subscription", "/subscriptions/{sub}", {"GET": get_subscription}),
    route("tenants", "/tenants", {"GET": list_tenants}),
    route("locations", "/subscriptions/{sub}/locations", {"GET": list_locations}),
)
