"""The template that makes a resource group's content again: what exportTemplate answers.

Resources are read as GET shows them, without what their providers decide alone. Names become
parameters and ids of exported resources become expressions, unless the options say otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from local.arm import errors, ids
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import ResourceId
from local.arm.knowledge import ResourceType, paths
from local.arm.knowledge.words import copied
from local.arm.providers import model, reads
from local.arm.state.records import Group, Resource

_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_OPTIONS = frozenset(
    {"includeparameterdefaultvalue", "includecomments"}
    | {"skipresourcenameparameterization", "skipallparameterization"}
)
_TOP = ("kind", "sku", "location", "tags", "plan", "zones", "managedBy")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9]+")


@dataclass(slots=True)
class _Export:
    """One export under way: the options, the parameters so far, and which ids are part of it."""

    options: frozenset[str]
    parameters: dict[str, Any]
    exported: dict[str, Resource]

    @property
    def names_as_parameters(self) -> bool:
        return not self.options & {"skipresourcenameparameterization", "skipallparameterization"}

    def name_parts(self, rid: ResourceId) -> list[str]:
        """Return the arguments that make up a resource's name in an expression."""
        if not self.names_as_parameters:
            return [_quoted(name) for name in rid.names]
        head = f"{rid.types[0]}_{_NOT_A_NAME.sub('_', rid.names[0])}_name"
        if head not in self.parameters:
            self.parameters[head] = {"type": "String"}
            if "includeparameterdefaultvalue" in self.options:
                self.parameters[head]["defaultValue"] = rid.names[0]
        return [f"parameters('{head}')", *(_quoted(name) for name in rid.names[1:])]

    def name(self, rid: ResourceId) -> str:
        """Return a resource's name as a template has it."""
        if not self.names_as_parameters:
            return _literal("/".join(rid.names))
        head, *rest = self.name_parts(rid)
        tail = "".join(f", {_quoted('/' + name)}" for name in rid.names[1:])
        return f"[concat({head}{tail})]" if rest else f"[{head}]"

    def id(self, rid: ResourceId) -> str:
        """Return the expression for the id of an exported resource."""
        return f"[resourceId({', '.join([_quoted(rid.type), *self.name_parts(rid)])})]"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _literal(text: str) -> str:
    """Return a text that no engine takes for an expression. Pure."""
    return f"[{text}" if text.startswith("[") else text


def template(cloud: Cloud, group: Group, body: dict[str, Any]) -> dict[str, Any]:
    """Return the template of (some of) a group's resources. Raises `ArmError`."""
    options = frozenset(
        one.strip().lower() for one in str(body.get("options") or "").split(",") if one.strip()
    )
    if not options <= _OPTIONS:
        raise errors.invalid_content(
            f"options '{body.get('options')}' has a word that is no option"
        )
    records = _chosen(cloud, group, body.get("resources"))
    export = _Export(options, {}, {ids.key_of(one.id): one for one in records})
    resources = [_resource(cloud, export, one) for one in records]
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": export.parameters,
        "variables": {},
        "resources": resources,
    }


def _chosen(cloud: Cloud, group: Group, asked: Any) -> list[Resource]:
    """Return the resources to export, in the order in which they were made."""
    prefix = ids.group_id(group.subscription, group.name)
    if not isinstance(asked, list) or not asked or not all(isinstance(x, str) for x in asked):
        raise errors.invalid_content("'resources' must be an array of resource ids, or [\"*\"]")
    wanted = {ids.key_of(one) for one in asked} - {"*"}
    inside = [one for one in cloud.store.resources.below(prefix) if _is_exported(cloud, one)]
    known = {ids.key_of(one.id) for one in inside}
    missing = sorted(wanted - known)
    if missing:
        raise ArmError(
            400,
            "ExportTemplateResourceNotFound",
            f"The resources {', '.join(missing)} cannot be exported: they are not in the resource"
            f" group '{group.name}'.",
        )
    if "*" in asked:
        chosen = inside
    else:
        chosen = [one for one in inside if _belongs(ids.key_of(one.id), wanted)]
    return sorted(chosen, key=lambda one: one.serial)


def _belongs(key: str, wanted: set[str]) -> bool:
    return key in wanted or any(key.startswith(f"{one}/") for one in wanted)


def _is_exported(cloud: Cloud, record: Resource) -> bool:
    """Return whether a resource stands in a template of its own: not inside its parent's.

    What GET refuses to show is not exported either: application settings may hold secrets.
    """
    rid = model.rid_of(record)
    if rid.is_extension or reads.is_unreadable(cloud, rid):
        return False
    parent = cloud.resource(rid.parent.id) if rid.parent else None
    if parent is None:
        return rid.parent is None
    embedded = cloud.knowledge.type(parent.type).embeds.values()
    return rid.types[-1].lower() not in {kind.lower() for kind in embedded}


def _resource(cloud: Cloud, export: _Export, record: Resource) -> dict[str, Any]:
    rid = model.rid_of(record)
    known = cloud.knowledge.type(record.type)
    needs: set[str] = set()
    if rid.parent is not None and ids.key_of(rid.parent.id) in export.exported:
        needs.add(export.id(rid.parent))
    shown = _writable(known, record)
    for name, kind in known.embeds.items():
        child_known = cloud.knowledge.type(f"{record.type}/{kind}")
        listed = [
            _embedded(known, child_known, name, child)
            for child in reads.children(cloud, record, kind)
        ]
        if listed:
            shown.setdefault("properties", {})[name] = listed
    entry: dict[str, Any] = {
        "type": record.type,
        "apiVersion": record.api_version,
        "name": export.name(rid),
    }
    for key, value in shown.items():
        entry[key] = _rewritten(export, record, value, needs)
    if needs:
        entry["dependsOn"] = sorted(needs)
    if "includecomments" in export.options:
        entry["comments"] = f"Generalized from resource: '{record.id}'."
    return entry


def _embedded(
    parent: ResourceType, known: ResourceType, name: str, child: Resource
) -> dict[str, Any]:
    inner = _writable(known, child).get("properties", {})
    own = model.rid_of(child).names[-1]
    return {"name": own, **inner} if name in parent.flat else {"name": own, "properties": inner}


def _writable(known: ResourceType, record: Resource) -> dict[str, Any]:
    """Return what of a GET body may be put again. Pure."""
    body = copied(record.got)
    for path in [*model.read_only(known), *known.secrets]:
        paths.remove(body, paths.steps(path))
    shown = {key: body[key] for key in _TOP if key in body and body[key] not in ({}, None)}
    identity = body.get("identity")
    if isinstance(identity, dict):
        users = identity.get("userAssignedIdentities")
        shown["identity"] = {"type": identity.get("type", "None")}
        if isinstance(users, dict):
            shown["identity"]["userAssignedIdentities"] = {user: {} for user in users}
    shown["properties"] = _full(body.get("properties") or {})
    return shown


def _full(value: Any) -> Any:
    """Return a value without nulls, and without what only they had been in. Pure."""
    if isinstance(value, dict):
        return {
            key: _full(item)
            for key, item in value.items()
            if item is not None and not (item and _full(item) == {})
        }
    if isinstance(value, list):
        return [_full(item) for item in value]
    return value


def _rewritten(export: _Export, record: Resource, value: Any, needs: set[str]) -> Any:
    """Return a value as a template holds it; notes in `needs` what it refers to."""
    if isinstance(value, dict):
        return {
            _literal(key): _rewritten(export, record, item, needs) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_rewritten(export, record, item, needs) for item in value]
    if not isinstance(value, str):
        return value
    other = export.exported.get(ids.key_of(value)) if value.startswith("/") else None
    if other is None or "skipallparameterization" in export.options:
        return _literal(value)
    expression = export.id(model.rid_of(other))
    # What was made later cannot be needed first: a pair that points at each other would never end.
    if other.serial < record.serial:
        needs.add(expression)
    return expression if other.id != record.id else _literal(value)
