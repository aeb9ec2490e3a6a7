"""The one subscription that there is, its tenant and its regions, as ARM shows them."""

from __future__ import annotations

from typing import Any

from local.arm.knowledge import regions
from local.arm.tokens import Identity

# Geography, its group, longitude, latitude, place. A region not named here has no metadata of its
# place; "Recommended" are those with availability zones.
_PLACES = {
    "australiaeast": ("Australia", "Asia Pacific", "151.2094", "-33.86", "New South Wales"),
    "australiasoutheast": ("Australia", "Asia Pacific", "144.9631", "-37.8136", "Victoria"),
    "brazilsouth": ("Brazil", "South America", "-46.633", "-23.55", "Sao Paulo State"),
    "canadacentral": ("Canada", "Canada", "-79.383", "43.653", "Toronto"),
    "canadaeast": ("Canada", "Canada", "-71.217", "46.817", "Quebec"),
    "centralindia": ("India", "Asia Pacific", "73.9197", "18.5822", "Pune"),
    "centralus": ("United States", "US", "-93.6208", "41.5908", "Iowa"),
    "eastasia": ("Asia Pacific", "Asia Pacific", "114.188", "22.267", "Hong Kong"),
    "eastus": ("United States", "US", "-79.8164", "37.3719", "Virginia"),
    "eastus2": ("United States", "US", "-78.3889", "36.6681", "Virginia"),
    "francecentral": ("France", "Europe", "2.373", "46.3772", "Paris"),
    "germanywestcentral": ("Germany", "Europe", "8.682127", "50.110924", "Frankfurt"),
    "israelcentral": ("Israel", "Middle East", "33.4506633", "31.2655698", "Israel"),
    "italynorth": ("Italy", "Europe", "9.18109", "45.46888", "Milan"),
    "japaneast": ("Japan", "Asia Pacific", "139.77", "35.68", "Tokyo, Saitama"),
    "japanwest": ("Japan", "Asia Pacific", "135.5022", "34.6939", "Osaka"),
    "koreacentral": ("Korea", "Asia Pacific", "126.978", "37.5665", "Seoul"),
    "northcentralus": ("United States", "US", "-87.6278", "41.8819", "Illinois"),
    "northeurope": ("Europe", "Europe", "-6.2597", "53.3478", "Ireland"),
    "norwayeast": ("Norway", "Europe", "10.752245", "59.913868", "Norway"),
    "polandcentral": ("Poland", "Europe", "21.01666", "52.23334", "Warsaw"),
    "southafricanorth": ("South Africa", "Africa", "28.21837", "-25.73134", "Johannesburg"),
    "southcentralus": ("United States", "US", "-98.5", "29.4167", "Texas"),
    "southeastasia": ("Asia Pacific", "Asia Pacific", "103.833", "1.283", "Singapore"),
    "spaincentral": ("Spain", "Europe", "3.4209", "40.4259", "Madrid"),
    "swedencentral": ("Sweden", "Europe", "17.14127", "60.67488", "Gävle"),
    "switzerlandnorth": ("Switzerland", "Europe", "8.564572", "47.451542", "Zurich"),
    "uaenorth": ("UAE", "Middle East", "55.316666", "25.266666", "Dubai"),
    "uksouth": ("United Kingdom", "Europe", "-0.799", "50.941", "London"),
    "ukwest": ("United Kingdom", "Europe", "-3.084", "53.427", "Cardiff"),
    "westcentralus": ("United States", "US", "-110.234", "40.89", "Wyoming"),
    "westeurope": ("Europe", "Europe", "4.9", "52.3667", "Netherlands"),
    "westus": ("United States", "US", "-122.417", "37.783", "California"),
    "westus2": ("United States", "US", "-119.852", "47.233", "Washington"),
    "westus3": ("United States", "US", "-112.074036", "33.448376", "Phoenix"),
}
_WITHOUT_ZONES = frozenset(
    {"australiasoutheast", "canadaeast", "japanwest", "northcentralus", "ukwest"}
    | {"westcentralus", "westus"}
)


def shown(identity: Identity, tags: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the subscription's body. Pure."""
    subscription = identity.subscription
    body: dict[str, Any] = {
        "id": f"/subscriptions/{subscription}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription,
        "tenantId": identity.tenant,
        "displayName": "Plumbline laptop",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }
    return body | {"tags": tags} if tags else body


def tenant(identity: Identity) -> dict[str, Any]:
    """Return the tenant's body. Pure."""
    return {
        "id": f"/tenants/{identity.tenant}",
        "tenantId": identity.tenant,
        "countryCode": "NL",
        "displayName": "Plumbline laptop",
        "domains": ["plumbline.example"],
        "tenantCategory": "Home",
        "defaultDomain": "plumbline.example",
        "tenantType": "AAD",
    }


def locations(identity: Identity) -> list[dict[str, Any]]:
    """Return the regions that the subscription can use. Pure."""
    return [_location(identity, name) for name in regions.names()]


def _location(identity: Identity, name: str) -> dict[str, Any]:
    prefix = f"/subscriptions/{identity.subscription}/locations"
    display = regions.display(name)
    body: dict[str, Any] = {
        "id": f"{prefix}/{name}",
        "name": name,
        "type": "Region",
        "displayName": display,
        "regionalDisplayName": display,
        "metadata": {"regionType": "Physical", "regionCategory": "Other"},
    }
    place = _PLACES.get(name)
    if place is None:
        return body
    geography, group, longitude, latitude, where = place
    pair = regions.paired(name)
    body["regionalDisplayName"] = f"({group}) {display}"
    body["metadata"] = {
        "regionType": "Physical",
        "regionCategory": "Other" if name in _WITHOUT_ZONES else "Recommended",
        "geography": geography,
        "geographyGroup": group,
        "longitude": longitude,
        "latitude": latitude,
        "physicalLocation": where,
        "pairedRegion": [] if pair == name else [{"name": pair, "id": f"{prefix}/{pair}"}],
    }
    if name not in _WITHOUT_ZONES:
        body["availabilityZoneMappings"] = [
            {"logicalZone": str(zone), "physicalZone": f"{name}-az{zone}"} for zone in (1, 2, 3)
        ]
    return body
