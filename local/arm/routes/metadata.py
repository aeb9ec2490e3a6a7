"""What a client asks before it knows anything: the cloud's endpoints."""

from __future__ import annotations

from local.arm.cloud import Cloud
from local.arm.messages import Answer, Request
from local.arm.routes.table import Words, route
from local.arm.tokens import LOGIN


async def endpoints(cloud: Cloud, request: Request, _: Words) -> Answer:
    """Describe this cloud the way `az cloud register` wants it."""
    return Answer(
        200,
        {
            "name": "PlumblineLaptop",
            "portal": "https://portal.azure.com",
            "authentication": {
                "loginEndpoint": LOGIN,
                "audiences": [request.base, "https://management.azure.com/"],
                "tenant": cloud.identity.tenant,
                "identityProvider": "AAD",
            },
            "resourceManager": request.base,
            "graphAudience": "https://graph.windows.net/",
            "graph": "https://graph.windows.net/",
            "microsoftGraphResourceId": "https://graph.microsoft.com/",
            "logAnalyticsResourceId": "https://api.loganalytics.io",
            "gallery": "https://gallery.azure.com/",
            "suffixes": {
                "storage": "core.windows.net",
                "keyVaultDns": "vault.azure.net",
                "acrLoginServer": "azurecr.io",
                "sqlServerHostname": "database.windows.net",
            },
        },
    )


ROUTES = (route("metadata", "/metadata/endpoints", {"GET": endpoints}),)
