"""The one subscription that there is, as ARM shows it."""

from __future__ import annotations

from typing import Any

from local.arm.tokens import Identity


def shown(identity: Identity) -> dict[str, Any]:
    """Return the subscription's body. Pure."""
    subscription = identity.subscription
    return {
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
