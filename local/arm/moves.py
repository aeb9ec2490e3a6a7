"""Moving resources to another group: they keep what they are and change their ids.

What ARM checks before a move is checked here; what only a provider would know is not, except that
some types cannot move at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.arm import errors, ids
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.knowledge.words import copied
from local.arm.messages import Caller
from local.arm.providers import reads, references, writes
from local.arm.state.records import Group, Resource

# From the service's published table of what can move between groups; types not named here can.
_FIXED = frozenset(
    name.lower()
    for name in (
        "Microsoft.App/jobs",
        "Microsoft.ContainerInstance/containerGroups",
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.Databricks/workspaces",
        "Microsoft.NetApp/netAppAccounts",
        "Microsoft.Network/applicationGateways",
        "Microsoft.Network/azureFirewalls",
        "Microsoft.Network/bastionHosts",
        "Microsoft.Network/expressRouteCircuits",
        "Microsoft.Network/natGateways",
        "Microsoft.Network/privateLinkServices",
        "Microsoft.Network/virtualWans",
        "Microsoft.RedHatOpenShift/openShiftClusters",
        "Microsoft.Synapse/workspaces",
    )
)


@dataclass(frozen=True, slots=True)
class Move:
    """What moves from where to where; ids in canonical spelling."""

    records: tuple[Resource, ...]
    source: Group
    target: Group


def read(cloud: Cloud, subscription: str, group: str, body: dict[str, Any]) -> Move:
    """Return the move that a request asks for. Raises `ArmError` for what cannot move."""
    source = cloud.writable_group(subscription, group)
    listed, target_id = body.get("resources"), body.get("targetResourceGroup")
    if not isinstance(listed, list) or not listed or not all(isinstance(x, str) for x in listed):
        raise errors.invalid_content("'resources' must be an array of resource ids, not empty")
    pair = ids.group_of(target_id) if isinstance(target_id, str) else None
    if pair is None:
        raise errors.invalid_content("'targetResourceGroup' must be the id of a resource group")
    target = cloud.writable_group(*pair)
    if ids.key_of(_id(target)) == ids.key_of(_id(source)):
        raise ArmError(
            400,
            "ResourceMoveTargetSameAsSource",
            f"The source and the target of a move are the same resource group '{source.name}'.",
        )
    move = Move(tuple(_record(cloud, source, one) for one in listed), source, target)
    _check(cloud, move)
    return move


def _id(group: Group) -> str:
    return ids.group_id(group.subscription, group.name)


def _record(cloud: Cloud, source: Group, resource_id: str) -> Resource:
    rid = ids.parse(resource_id)
    if rid is None or ids.key_of(rid.scope) != ids.key_of(_id(source)):
        raise ArmError(
            400,
            "InvalidResourceMoveRequest",
            f"The resource '{resource_id}' cannot be moved from the resource group"
            f" '{source.name}': it is not in it.",
        )
    if rid.parent is not None:
        raise ArmError(
            400,
            "ResourceMoveChildNotSupported",
            f"The resource '{resource_id}' is a child resource. It moves with its parent"
            f" '{rid.parent.id}', not alone.",
        )
    return reads.find(cloud, reads.canonical(cloud, rid))


def _check(cloud: Cloud, move: Move) -> None:
    busy = [one.id for one in move.records if reads.is_busy(one)]
    if busy:
        raise ArmError(
            409,
            "MoveCannotProceedWithResourcesNotInSucceededState",
            "The move resources request cannot proceed because resources are not in the state"
            f" Succeeded: {', '.join(busy)}.",
        )
    fixed = [one for one in move.records if one.type.lower() in _FIXED]
    if fixed:
        _refuse(fixed, "ResourceMoveNotSupported", "Resources of type '{type}' cannot be moved.")
    taken = [
        one
        for one in move.records
        if cloud.resource(_moved(one.id, move.source, move.target)) is not None
    ]
    if taken:
        name = move.target.name
        _refuse(
            taken,
            "ResourceAlreadyExists",
            f"The resource group '{name}' already has a resource '{{type}}/{{name}}'.",
        )


def _refuse(records: list[Resource], code: str, message: str) -> None:
    details = [
        {
            "code": code,
            "target": one.id,
            "message": message.replace("{type}", one.type).replace("{name}", one.name),
        }
        for one in records
    ]
    raise ArmError(
        409,
        "ResourceMoveProviderValidationFailed",
        "Resource move validation failed. Please see details. Diagnostic information: tracking id"
        f" '{new_guid()}'.",
        details=details,
    )


def _moved(resource_id: str, source: Group, target: Group) -> str:
    """Return an id with one group in the place of another; other ids stay. Pure."""
    prefix = _id(source)
    if ids.key_of(resource_id).startswith(prefix.lower() + "/"):
        return _id(target) + resource_id[len(prefix) :]
    return resource_id


def carry_out(cloud: Cloud, move: Move, caller: Caller) -> None:
    """Give everything that moves its new id, with all that hangs on it; references follow."""
    parts = [
        part
        for record in move.records
        for part in (record, *cloud.store.resources.below(record.id))
    ]
    new_ids = {ids.key_of(part.id): _moved(part.id, move.source, move.target) for part in parts}
    moment = stamp(cloud.clock.now())
    for part in parts:
        cloud.store.resources.delete(part.id)
    for part in parts:
        own = part.own or {}
        part.own = {**own, "born": own.get("born") or ids.key_of(part.id)}
        part.id = new_ids[ids.key_of(part.id)]
        part.put = _pointing(copied(part.put), new_ids)
        part.changed, part.changed_by = moment, caller.appid
        writes.rewrite(cloud, part)
    for part in parts:
        references.note(cloud, part)


def _pointing(value: Any, new_ids: dict[str, str]) -> Any:
    """Return a body whose references to what moved point at where it is now. Pure."""
    if isinstance(value, dict):
        return {key: _pointing(item, new_ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_pointing(item, new_ids) for item in value]
    if isinstance(value, str) and value.startswith("/"):
        return new_ids.get(ids.key_of(value), value)
    return value
