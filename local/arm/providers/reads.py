"""What a client sees of a resource, now."""

from __future__ import annotations

import time
from typing import Any

from local.arm import errors, ids, management_groups, noise
from local.arm.cloud import Cloud
from local.arm.ids import ResourceId
from local.arm.knowledge import ResourceType, paths
from local.arm.knowledge.regions import normal
from local.arm.knowledge.words import copied
from local.arm.providers import references, role_definitions
from local.arm.providers.children import flattened
from local.arm.providers.compiled import Compiled, compiled
from local.arm.state.records import Resource

_ON_SCOPES = "microsoft.authorization"


def canonical(cloud: Cloud, rid: ResourceId) -> ResourceId:
    """Return an id in ARM's spelling: known type casing, names as first written."""
    scope = _canonical_scope(cloud, rid.scope)
    full = cloud.knowledge.spell(rid.type).split("/")
    parent = rid.parent
    names = rid.names
    if parent is not None:
        record = cloud.resource(parent.id)
        if record is not None:
            names = (*record.name.split("/"), rid.names[-1])
    return ResourceId(scope, full[0], tuple(full[1:]), names)


def _canonical_scope(cloud: Cloud, scope: str) -> str:
    name = management_groups.name_in(scope)
    if name is not None:
        return management_groups.id_of(management_groups.spelled(cloud, name))
    outer = ids.parse(scope)
    if outer is not None:
        record = cloud.resource(scope)
        return record.id if record else canonical(cloud, outer).id
    pair = ids.group_of(scope)
    if pair is not None:
        group = cloud.store.groups.get(scope)
        subscription = cloud.check_subscription(pair[0])
        return ids.group_id(subscription, group.name if group else pair[1])
    parts = scope.split("/")
    if len(parts) == 3 and parts[1].lower() == "subscriptions":  # noqa: PLR2004 - "", word, value
        return f"/subscriptions/{cloud.check_subscription(parts[2])}"
    return scope


def is_unreadable(cloud: Cloud, rid: ResourceId) -> bool:
    """Return whether GET of a resource is refused: what it holds is shown on POST only."""
    return rid.names[-1].lower() in cloud.knowledge.type(rid.type).unreadable


def find(cloud: Cloud, rid: ResourceId) -> Resource:
    """Return a resource's record; raises ResourceNotFound, ResourceGroupNotFound."""
    if rid.subscription is not None and rid.group is not None:
        cloud.group(rid.subscription, rid.group)
    record = cloud.resource(rid.id) or role_definitions.find(cloud, rid)
    if record is None:
        raise errors.resource_not_found(rid.type, rid.name, rid.group)
    return record


def body(cloud: Cloud, record: Resource, api_version: str = "") -> dict[str, Any]:
    """Return the body of GET, with embedded children and the state of a write under way.

    `api_version` is the one that is asked with: older ones do not show everything.
    """
    known = cloud.knowledge.type(record.type)
    ready = compiled(known)
    shown = dict(record.got)
    if known.etag:
        shown["etag"] = record.etag
    properties = shown["properties"] = dict(shown["properties"])
    if ready.etagged:
        properties = shown["properties"] = copied(properties)
        _mark_elements(shown, ready, record.etag)
    for name, child in known.embeds.items():
        properties[name] = _embedded(cloud, record, child, api_version)
        if name in known.flat:
            properties[name] = [flattened(one) for one in properties[name]]
    if known.inUse:
        references.show(cloud, record, shown)
    if known.provisioningState:
        properties["provisioningState"] = record.pending if is_busy(record) else record.ended
    if known.systemData:
        shown["systemData"] = {
            "createdBy": record.created_by,
            "createdByType": "Application",
            "createdAt": record.created,
            "lastModifiedBy": record.changed_by,
            "lastModifiedByType": "Application",
            "lastModifiedAt": record.changed,
        }
    if api_version and known.withVersion:
        _hide_from(known, api_version, shown)
    return shown


def case_of(cloud: Cloud, record: Resource, api_version: str = "") -> noise.Case:
    """Return the body with all that its noise depends on; N20 gets another look every time."""
    cloud.looks += 1
    return noise.Case(
        cloud.knowledge.type(record.type),
        noise.Subject(record.id, record.type, record.put, cloud.knobs.noise_seed),
        body(cloud, record, api_version),
        api_version or record.api_version,
        cloud.looks,
    )


def shown(cloud: Cloud, record: Resource, api_version: str = "") -> dict[str, Any]:
    """Return what a client sees of the body: with the noise that is switched on for the type."""
    classes = cloud.knobs.noise_for(record.type)
    if not classes:
        return body(cloud, record, api_version)
    case = case_of(cloud, record, api_version)
    return noise.reading(case.known, case.subject, case.body, classes, case.api_version, case.tick)


def _mark_elements(shown: dict[str, Any], ready: Compiled, etag: str) -> None:
    for path in ready.etagged:
        for element in paths.values(shown, path):
            if isinstance(element, dict):
                element["etag"] = etag


def _hide_from(known: ResourceType, api_version: str, shown: dict[str, Any]) -> None:
    """Take out what an api-version does not show."""
    shown["properties"] = copied(shown["properties"])
    for rule in known.withVersion:
        if api_version[: len(rule.before)] < rule.before:
            for path in rule.drop:
                paths.remove(shown, paths.steps(path))


def is_busy(record: Resource) -> bool:
    """Return whether a write (or deletion) of the resource is still under way."""
    return record.ready_at > time.time()


def children(cloud: Cloud, record: Resource, kind: str) -> list[Resource]:
    """Return the direct children of one type, in the order of their creation."""
    prefix = f"{record.id}/{kind}"
    depth = prefix.count("/") + 1
    found = [one for one in cloud.store.resources.below(prefix) if one.id.count("/") == depth]
    return sorted(found, key=lambda one: one.serial)


def _embedded(cloud: Cloud, record: Resource, kind: str, api_version: str) -> list[dict[str, Any]]:
    return [body(cloud, child, api_version) for child in children(cloud, record, kind)]


def is_listed(record: Resource) -> bool:
    """Return whether the generic list shows it: what is tracked, or stands at the top. Pure.

    Role assignments, locks and policies are on a group, not in it.
    """
    rid = ids.parse(record.id)
    if rid is None or rid.is_extension or rid.namespace.lower() == _ON_SCOPES:
        return False
    return len(rid.types) == 1 or "location" in record.got


def is_listed_at(cloud: Cloud, key: str) -> bool:
    """Return what `is_listed` does, for a resource's key, and look at few records for it."""
    head, _, tail = key.partition(f"/{ids.PROVIDERS}/")
    if head and f"/{ids.PROVIDERS}/" not in tail:
        namespace, *rest = tail.split("/")
        if namespace == _ON_SCOPES:
            return False
        if len(rest) == 2:  # noqa: PLR2004 - type and name
            return True
        if not cloud.store.resources.mentions(key, b'"location"'):
            return False
    record = cloud.resource(key)
    return record is not None and is_listed(record)


def summary(cloud: Cloud, record: Resource, expand: frozenset[str]) -> dict[str, Any]:
    """Return a resource as the generic lists show it: without properties."""
    keys = (
        "id",
        "name",
        "type",
        "kind",
        "sku",
        "location",
        "tags",
        "identity",
        "managedBy",
        "zones",
    )
    found = shown(cloud, record) if cloud.knobs.noise else record.got
    listed = {key: found[key] for key in keys if key in found}
    listed["name"] = record.name
    if isinstance(listed.get("location"), str) and found is record.got:
        listed["location"] = normal(listed["location"])
    extra = {
        "createdtime": ("createdTime", record.created),
        "changedtime": ("changedTime", record.changed),
        "provisioningstate": (
            "provisioningState",
            record.pending if is_busy(record) else record.ended,
        ),
    }
    listed.update(extra[name] for name in extra if name in expand)
    return listed
