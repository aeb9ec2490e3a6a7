"""Whether a name can still be had: what portals and `az` ask before they create something."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from local.arm import errors
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import ResourceId
from local.arm.knowledge import Provider, ResourceType
from local.arm.messages import Answer, Request
from local.arm.providers import refusals
from local.arm.routes.table import Words, route

_COSMOS = "Microsoft.DocumentDB"


def _asked(provider: Provider, kind: object) -> tuple[str, ResourceType] | None:
    """Return the type that a question is about: the one it names, or the one with global names."""
    word = str(kind or "").lower().rpartition(f"{provider.namespace.lower()}/")[2]
    for name, known in provider.types.items():
        if name.lower() == word:
            return name, known
    for name, known in provider.types.items():
        if "/" not in name and known.name is not None and known.name.unique is not None:
            return name, known
    return None


def _refusal(cloud: Cloud, namespace: str, kind: str, name: str) -> ArmError | None:
    """Return why a name cannot be had; None if it can."""
    known = cloud.knowledge.type(f"{namespace}/{kind}")
    # The group does not count: what is asked is whether the name is free in all of Azure.
    scope = f"/subscriptions/{cloud.identity.subscription}/resourceGroups/any"
    try:
        refusals.check_name(cloud, known, ResourceId(scope, namespace, (kind,), (name,)), {})
    except ArmError as error:
        return error
    return None


async def check(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Say whether a name is free, and if not, why."""
    provider = cloud.knowledge.providers.get(words["namespace"].lower())
    body = request.json()
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise errors.invalid_content("'name' is needed")
    found = _asked(provider, body.get("type")) if provider else None
    if provider is None or found is None:
        raise errors.route_not_found(request.method, request.path)
    refused = _refusal(cloud, provider.namespace, found[0], name)
    free = refused is None
    answer: dict[str, Any] = {"nameAvailable": free, "available": free, "name": name}
    if refused is not None:
        taken = refused.status == HTTPStatus.CONFLICT
        invalid = "AccountNameInvalid" if found[0] == "storageAccounts" else "Invalid"
        answer |= {"reason": "AlreadyExists" if taken else invalid, "message": refused.message}
    return Answer(200, answer)


async def find_account(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Say with 200 or 404 whether a database account's name is taken."""
    refused = _refusal(cloud, _COSMOS, "databaseAccounts", words["name"])
    if refused is None or refused.status != HTTPStatus.CONFLICT:
        raise errors.route_not_found(request.method, request.path)
    return Answer(200)


_CHECK = "/providers/{namespace}(?:/locations/{location})?/check(?:Mgmt)?NameAvailability"
ROUTES = (
    route("name", f"(?:/subscriptions/{{sub}})?{_CHECK}", {"POST": check}),
    route(
        "account-name",
        f"/providers/{_COSMOS}/databaseAccountNames/{{name}}",
        {"HEAD": find_account},
    ),
)
