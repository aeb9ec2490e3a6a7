"""Identities that the directory does not show yet: role assignments come too early for them."""

from __future__ import annotations

from typing import Any

from local.arm import ids
from local.arm.clock import read_stamp
from local.arm.cloud import Cloud
from local.arm.faults.denials import principal_not_found
from local.arm.providers.model import find
from local.arm.state.records import Resource

_TYPE = "microsoft.authorization/roleassignments"


def check(cloud: Cloud, path: str, body: Any) -> None:
    """Raise PrincipalNotFound for an assignment to an identity that is too young.

    An assignment that names the principal's type is not looked up, as in Azure.
    """
    lag = cloud.knobs.principal_lag_seconds
    rid = ids.parse(path) if lag else None
    if rid is None or rid.type.lower() != _TYPE or not isinstance(body, dict):
        return
    principal = find(body, "properties.principalId")
    if not isinstance(principal, str) or find(body, "properties.principalType"):
        return
    for record in cloud.store.resources.values():
        if principal.lower() in _principals(record):
            age = cloud.clock.now() - read_stamp(record.created)
            if age.total_seconds() < lag:
                raise principal_not_found(principal, cloud)
            return


def _principals(record: Resource) -> list[str]:
    paths = ("identity.principalId", "properties.principalId")
    if record.type.lower() == _TYPE:
        return []
    return [str(found).lower() for path in paths if (found := find(record.got, path))]
