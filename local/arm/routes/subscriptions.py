"""Subscriptions, tenants and locations, and names that may be used."""

from __future__ import annotations

import re

from local.arm import errors, subscription
from local.arm.cloud import Cloud
from local.arm.deploy import tagging
from local.arm.messages import Answer, Request
from local.arm.routes.table import Words, route

_RESERVED = re.compile(r"login|microsoft|windows|xbox", re.IGNORECASE)
_WHOLE_RESERVED = frozenset({"access", "azure", "bing", "exchange", "office", "skype", "visio"})


def _shown(cloud: Cloud) -> dict[str, object]:
    own = tagging.of_subscription(cloud, cloud.identity.subscription)
    return subscription.shown(cloud.identity, own)


async def list_subscriptions(cloud: Cloud, _: Request, __: Words) -> Answer:
    """List the one subscription that there is."""
    return Answer(200, {"value": [_shown(cloud)], "count": {"type": "Total", "value": 1}})


async def get_subscription(cloud: Cloud, _: Request, __: Words) -> Answer:
    """Show the subscription."""
    return Answer(200, _shown(cloud))


async def list_tenants(cloud: Cloud, _: Request, __: Words) -> Answer:
    """List the one tenant that there is."""
    return Answer(200, {"value": [subscription.tenant(cloud.identity)]})


async def list_locations(cloud: Cloud, _: Request, __: Words) -> Answer:
    """List the regions."""
    return Answer(200, {"value": subscription.locations(cloud.identity)})


async def check_name(_: Cloud, request: Request, __: Words) -> Answer:
    """Say whether a resource may have a name: some words are Microsoft's."""
    body = request.json()
    name, kind = body.get("name"), body.get("type")
    if not isinstance(name, str) or not name or not isinstance(kind, str) or not kind:
        raise errors.invalid_content("'name' and 'type' are needed")
    reserved = _RESERVED.search(name) or name.lower() in _WHOLE_RESERVED
    return Answer(
        200, {"name": name, "type": kind, "status": "Reserved" if reserved else "Allowed"}
    )


ROUTES = (
    route("subscriptions", "/subscriptions", {"GET": list_subscriptions}),
    route("subscription", "/subscriptions/{sub}", {"GET": get_subscription}),
    route("tenants", "/tenants", {"GET": list_tenants}),
    route("locations", "/subscriptions/{sub}/locations", {"GET": list_locations}),
    route(
        "check-resource-name",
        "/providers/Microsoft.Resources/checkResourceName",
        {"POST": check_name},
    ),
)
