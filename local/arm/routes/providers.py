"""Resource providers: list, get, register, unregister."""

from __future__ import annotations

from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.knowledge import Provider
from local.arm.messages import Answer, Request
from local.arm.providers import registration
from local.arm.routes.table import Words, route


def _provider(cloud: Cloud, namespace: str) -> Provider:
    known = cloud.knowledge.providers.get(namespace.lower())
    if known is not None:
        return known
    raise ArmError(
        404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid."
    )


async def list_providers(cloud: Cloud, _: Request, words: Words) -> Answer:
    """List the providers, with their state in the subscription if one is asked."""
    found = cloud.knowledge.providers.values()
    return Answer(
        200, {"value": [registration.body(cloud, words.get("sub"), one) for one in found]}
    )


async def get_provider(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Show one provider."""
    provider = _provider(cloud, words["namespace"])
    return Answer(200, registration.body(cloud, words.get("sub"), provider))


async def change_registration(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Start registering or unregistering a provider; answer with its state."""
    provider = _provider(cloud, words["namespace"])
    register = words["verb"].lower() == "register"
    registration.change(cloud, words["sub"], provider.namespace, register=register)
    return Answer(200, registration.body(cloud, words["sub"], provider))


_ONE = "/subscriptions/{sub}/providers/{namespace}"
ROUTES = (
    route("providers", "/subscriptions/{sub}/providers", {"GET": list_providers}),
    route("provider", _ONE, {"GET": get_provider}),
    route(
        "provider-registration",
        _ONE + "/(?P<verb>register|unregister)",
        {"POST": change_registration},
    ),
    route("tenant-providers", "/providers", {"GET": list_providers}),
    route("tenant-provider", "/providers/{namespace}", {"GET": get_provider}),
)
