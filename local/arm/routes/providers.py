"""Resource providers: list, get, register, unregister; their types, operations and permissions."""

from __future__ import annotations

from typing import Any

from local.arm import management_groups
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.filters import page
from local.arm.knowledge import Provider
from local.arm.messages import Answer, Request
from local.arm.providers import registration
from local.arm.routes.table import Words, route

_CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_VERBS = {"read": "Read", "write": "Create or update", "delete": "Delete"}


def _provider(cloud: Cloud, namespace: str) -> Provider:
    known = cloud.knowledge.providers.get(namespace.lower())
    if known is not None:
        return known
    raise ArmError(
        404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid."
    )


def _shown(cloud: Cloud, request: Request, words: Words, provider: Provider) -> dict[str, Any]:
    """Return a provider; `$expand` adds what a client asks for."""
    body = registration.body(cloud, words.get("sub"), provider)
    _expand(request, body["resourceTypes"])
    if "metadata" in request.query.get("$expand", "").lower():
        body["providerAuthorizationConsentState"] = "NotSpecified"
    return body


def _expand(request: Request, types: list[dict[str, Any]]) -> None:
    wanted = request.query.get("$expand", "").lower()
    for kind in types:
        if "metadata" in wanted:
            kind["metadata"] = {}
            kind["apiProfiles"] = []
        if "aliases" in wanted:
            kind["aliases"] = []


async def list_providers(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the providers, with their state in the subscription if one is asked."""
    found = cloud.knowledge.providers.values()
    return Answer(200, page(request, [_shown(cloud, request, words, one) for one in found]))


async def get_provider(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Show one provider."""
    provider = _provider(cloud, words["namespace"])
    return Answer(200, _shown(cloud, request, words, provider))


async def list_types(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the types of one provider."""
    types = registration.body(cloud, words["sub"], _provider(cloud, words["namespace"]))
    _expand(request, types["resourceTypes"])
    return Answer(200, {"value": types["resourceTypes"]})


async def change_registration(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Start registering or unregistering a provider; answer with its state."""
    provider = _provider(cloud, words["namespace"])
    register = words["verb"].lower() == "register"
    registration.change(cloud, words["sub"], provider.namespace, register=register)
    return Answer(200, _shown(cloud, request, words, provider))


async def register_in_group(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Register a provider in the subscription of a management group."""
    management_groups.find(cloud, words["mg"])
    provider = _provider(cloud, words["namespace"])
    registration.change(cloud, cloud.identity.subscription, provider.namespace, register=True)
    return Answer(200)


async def permissions(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Say which application a provider acts as, and with which role."""
    provider = _provider(cloud, words["namespace"])
    definition = {
        "id": f"/providers/Microsoft.Authorization/roleDefinitions/{_CONTRIBUTOR}",
        "name": f"{provider.namespace} service role",
        "isServiceRole": True,
        "permissions": [],
        "scopes": ["/"],
    }
    known = {
        "applicationId": cloud.identity.appid,
        "roleDefinition": definition,
        "managedByRoleDefinition": definition,
        "providerAuthorizationConsentState": "NotSpecified",
    }
    return Answer(200, {"value": [known]})


async def list_operations(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List what can be done with a provider's types, as roles name it."""
    provider = _provider(cloud, words["namespace"])
    found = [
        _operation(provider.namespace, kind, verb)
        for kind, known in provider.types.items()
        for verb in (*_VERBS, *(f"{action}/action" for action in known.actions))
    ]
    return Answer(200, page(request, found))


def _operation(namespace: str, kind: str, verb: str) -> dict[str, Any]:
    words = _VERBS.get(verb, verb.removesuffix("/action"))
    return {
        "name": f"{namespace}/{kind}/{verb}",
        "isDataAction": False,
        "display": {
            "provider": namespace,
            "resource": kind,
            "operation": f"{words} {kind}",
            "description": f"{words} {kind}.",
        },
    }


_ONE = "/subscriptions/{sub}/providers/{namespace}"
ROUTES = (
    route("providers", "/subscriptions/{sub}/providers", {"GET": list_providers}),
    route("provider", _ONE, {"GET": get_provider}),
    route(
        "provider-registration",
        _ONE + "/(?P<verb>register|unregister)",
        {"POST": change_registration},
    ),
    route("provider-types", _ONE + "/resourceTypes", {"GET": list_types}),
    route("provider-permissions", _ONE + "/providerPermissions", {"GET": permissions}),
    route(
        "group-provider-registration",
        "/providers/Microsoft.Management/managementGroups/{mg}/providers/{namespace}/register",
        {"POST": register_in_group},
    ),
    route("provider-operations", "/providers/{namespace}/operations", {"GET": list_operations}),
    route("tenant-providers", "/providers", {"GET": list_providers}),
    route("tenant-provider", "/providers/{namespace}", {"GET": get_provider}),
)
