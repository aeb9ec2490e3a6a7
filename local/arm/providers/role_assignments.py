"""What Microsoft.Authorization refuses about a role assignment that no other provider does.

The name of an assignment says nothing about it: who may do what where is one tuple, which can be
assigned once, and which no later PUT may change.
"""

from __future__ import annotations

import re
from typing import Any

from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import ResourceId
from local.arm.providers import model, role_definitions
from local.arm.state.records import Resource

TYPE = "Microsoft.Authorization/roleAssignments"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def check(cloud: Cloud, rid: ResourceId, body: dict[str, Any], old: Resource | None) -> None:
    """Refuse a role assignment as its provider does; other types pass. Raises `ArmError`."""
    if rid.type.lower() == role_definitions.TYPE.lower():
        role_definitions.check_write(rid)
    if rid.type.lower() != TYPE.lower():
        return
    name = rid.names[-1]
    if not _GUID.fullmatch(name):
        message = f"The role assignment ID '{name}' is not valid. It must be a GUID."
        raise ArmError(400, "InvalidRoleAssignmentId", message, gateway=False)
    wanted = _tuple(body)
    if not all(wanted):
        message = "The request was incorrectly formatted: properties.roleDefinitionId and"
        raise ArmError(
            400, "BadRequestFormat", f"{message} properties.principalId are needed.", gateway=False
        )
    if old is not None:
        _check_same(wanted, old)
        return
    if cloud.knobs.strict and not role_definitions.exists(cloud, wanted[0]):
        message = f"The specified role definition with ID '{_bare(wanted[0])}' does not exist."
        raise ArmError(400, "RoleDefinitionDoesNotExist", message, gateway=False)
    _check_free(cloud, rid, wanted)


def _tuple(body: dict[str, Any]) -> tuple[str, str]:
    """Return (guid of the role, principal) in lower case; "" for what is not there."""
    role = model.find(body, "properties.roleDefinitionId")
    principal = model.find(body, "properties.principalId")
    return (
        role.rstrip("/").rpartition("/")[2].lower() if isinstance(role, str) else "",
        principal.lower() if isinstance(principal, str) else "",
    )


def _bare(guid: str) -> str:
    return guid.replace("-", "")


def _check_same(wanted: tuple[str, str], old: Resource) -> None:
    if _tuple(old.got) != wanted:
        raise ArmError(
            400,
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            gateway=False,
        )


def _check_free(cloud: Cloud, rid: ResourceId, wanted: tuple[str, str]) -> None:
    for other in cloud.store.resources.below(f"{rid.scope}/providers/{TYPE}"):
        if other.type.lower() == TYPE.lower() and _tuple(other.got) == wanted:
            raise ArmError(
                409,
                "RoleAssignmentExists",
                "The role assignment already exists. The ID of the existing role assignment is"
                f" {_bare(other.name)}.",
                gateway=False,
            )
