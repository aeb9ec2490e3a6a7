"""The roles that Azure comes with: read like resources at every scope, and never written.

Their ids and actions are data (`knowledge/builtin/role_definitions.json`): those that the public
Bicep modules assign. Custom roles are ordinary resources.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import msgspec

from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import ResourceId
from local.arm.knowledge.words import copied
from local.arm.state.records import Resource

TYPE = "Microsoft.Authorization/roleDefinitions"
_CREATED = "2015-02-02T21:55:09.8806423Z"
_CHANGED = "2025-01-29T18:53:56.2371730Z"


class Permission(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one permission of a role allows, and what it takes back."""

    actions: list[str] = []
    notActions: list[str] = []  # noqa: N815 - ARM's spelling
    dataActions: list[str] = []  # noqa: N815 - ARM's spelling
    notDataActions: list[str] = []  # noqa: N815 - ARM's spelling
    condition: str | None = None
    conditionVersion: str | None = None  # noqa: N815 - ARM's spelling


class Role(msgspec.Struct, kw_only=True, frozen=True):
    """A role of Azure's own; `name` is its guid."""

    name: str
    roleName: str  # noqa: N815 - ARM's spelling
    description: str
    permissions: list[Permission]


@cache
def built_in() -> dict[str, Role]:
    """Return the built-in roles by guid."""
    folder = resources.files("local.arm.knowledge").joinpath("builtin")
    text = folder.joinpath("role_definitions.json").read_bytes()
    return {role.name: role for role in msgspec.json.decode(text, type=list[Role])}


@cache
def _properties(name: str) -> dict[str, Any]:
    role = built_in()[name]
    plain = ("actions", "notActions", "dataActions", "notDataActions")
    return {
        "roleName": role.roleName,
        "type": "BuiltInRole",
        "description": role.description,
        "assignableScopes": ["/"],
        "permissions": [
            {key: list(getattr(one, key)) for key in plain}
            | ({"conditionVersion": one.conditionVersion} if one.condition else {})
            | ({"condition": one.condition} if one.condition else {})
            for one in role.permissions
        ],
        "createdOn": _CREATED,
        "updatedOn": _CHANGED,
        "createdBy": None,
        "updatedBy": None,
    }


def is_built_in(rid: ResourceId) -> bool:
    """Return whether an id is that of a role that Azure comes with. Pure."""
    return rid.type.lower() == TYPE.lower() and rid.names[-1].lower() in built_in()


def find(cloud: Cloud, rid: ResourceId) -> Resource | None:
    """Return a role as if it were stored at the id's scope; None for anything else.

    A subscription's custom roles can be read below it.
    """
    if rid.type.lower() != TYPE.lower():
        return None
    name = rid.names[-1].lower()
    if name not in built_in():
        return cloud.resource(f"/subscriptions/{rid.subscription}/providers/{TYPE}/{name}")
    properties = copied(_properties(name))
    # Below a subscription a role has the subscription's id, wherever it is read.
    scope = f"/subscriptions/{rid.subscription}" if rid.subscription else ""
    role_id = f"{scope}/providers/{TYPE}/{name}"
    got = {"id": role_id, "name": name, "type": TYPE, "properties": properties}
    return Resource(
        id=role_id,
        type=TYPE,
        name=name,
        put={"properties": properties},
        got=got,
        api_version="2022-04-01",
        etag="",
        created=_CREATED,
        changed=_CHANGED,
        created_by="",
        changed_by="",
        serial=0,
    )


def at(subscription: str | None) -> list[dict[str, Any]]:
    """Return the bodies of all built-in roles as a scope's list shows them. Pure."""
    prefix = f"/subscriptions/{subscription}" if subscription else ""
    return [
        {
            "properties": copied(_properties(name)),
            "id": f"{prefix}/providers/{TYPE}/{name}",
            "type": TYPE,
            "name": name,
        }
        for name in built_in()
    ]


def check_write(rid: ResourceId) -> None:
    """Refuse to change what belongs to Azure. Raises RoleDefinitionIsBuiltIn... as ARM does."""
    if is_built_in(rid):
        raise ArmError(
            400,
            "RoleDefinitionCannotBeUpdated",
            f"The role definition '{rid.names[-1]}' is built in and cannot be updated or deleted.",
            gateway=False,
        )


def exists(cloud: Cloud, role_definition_id: str) -> bool:
    """Return whether a role is known: built in, or a custom one somewhere in this Azure."""
    name = role_definition_id.rstrip("/").rpartition("/")[2].lower()
    if name in built_in():
        return True
    wanted = f"/{TYPE}/{name}".lower()
    return any(one.id.lower().endswith(wanted) for one in cloud.store.resources.values())
