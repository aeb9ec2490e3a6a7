"""What is truly different in Azure: GETs without noise, before the edits and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.drift.azure import Azure, together
from bench.drift.model import Estate, Label, Stack, declared, id_of
from bench.drift.places import Place, any_covers, differences, place
from bench.drift.rehearsal import filled
from local.arm import ids, knowledge

Bodies = Mapping[str, dict[str, Any] | None]
"""Id in lower case -> what GET shows; None where it shows nothing."""


@dataclass(frozen=True)
class Truth:
    """Ids in lower case: where each differs, what is gone, and what is new."""

    modified: Mapping[str, frozenset[Place]]
    gone: frozenset[str]
    new: frozenset[str]


def edited(estate: Estate) -> list[Stack]:
    """Return the stacks that somebody edits, and those that share a group with one. Pure."""
    names = {label.stack for label in estate.labels}
    groups = {stack.group for stack in estate.stacks if stack.name in names}
    return [stack for stack in estate.stacks if stack.group in groups]


def look(azure: Azure, estate: Estate, stacks: Sequence[Stack]) -> Bodies:
    """Return what GET shows, with the noise that is on now, of all that is in these stacks' groups."""
    wanted: dict[str, tuple[str, str]] = {}
    for stack in stacks:
        scope = filled(stack.scope, azure.subscription)
        for one in declared(stack.template):
            resource_id = id_of(scope, one)
            wanted[resource_id.lower()] = (resource_id, one["apiVersion"])
    for group in {stack.group for stack in stacks}:
        for resource_id in azure.listed(group):
            wanted.setdefault(resource_id.lower(), (resource_id, _newest(resource_id)))
    versions = {edit.resource: edit.api_version for edit in estate.edits}
    for label in estate.labels:
        resource_id = filled(label.resource, azure.subscription)
        version = versions.get(label.resource) or _newest(resource_id)
        wanted.setdefault(resource_id.lower(), (resource_id, version))
    bodies = together(lambda one: azure.resource(*one), list(wanted.values()))
    return dict(zip(wanted, bodies, strict=True))


def _newest(resource_id: str) -> str:
    rid = ids.parse(resource_id)
    versions = knowledge.load().type(rid.type).versions if rid else []
    return versions[0] if versions else "2024-01-01"


def between(before: Bodies, after: Bodies) -> Truth:
    """Return what is different after from before. Pure."""
    shared = [one for one in after if before.get(one) is not None and after[one] is not None]
    moved = {one: frozenset(differences(before[one], after[one])) for one in shared}
    return Truth(
        modified={one: places for one, places in moved.items() if places},
        gone=frozenset(
            o for o, body in before.items() if body is not None and after.get(o) is None
        ),
        new=frozenset(o for o, body in after.items() if body is not None and before.get(o) is None),
    )


def shows(truth: Truth, label: Label, subscription: str) -> bool:
    """Tell whether what a label says is so. Pure."""
    resource = filled(label.resource, subscription).lower()
    if label.kind == "deleted":
        return resource in truth.gone
    if label.kind == "undeclared":
        return resource in truth.new
    return any_covers(place(label.path), truth.modified.get(resource, ()))


def unseen(truth: Truth, labels: Iterable[Label], subscription: str) -> list[Label]:
    """Return the labels that are not so, though nothing is said to hide them. Pure."""
    return [one for one in labels if not one.hidden and not shows(truth, one, subscription)]
