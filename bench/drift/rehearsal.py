"""Tries edits out before they are written down, so that every label is of something that shows.

It runs the simulator's providers in this process, without a server: what a provider refuses is no
edit, and what its own noise swallows (N3, N14 to N16) can be seen by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.drift.model import PLACE, Edit, Label, Stack, declared, id_of
from bench.drift.places import Place, any_covers, differences, place
from local.arm import groups, ids, knowledge, noise
from local.arm.clock import Clock
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.knobs import Knobs
from local.arm.messages import Caller
from local.arm.providers import reads, writes
from local.arm.providers.writes import Write
from local.arm.state.store import Store
from local.arm.tokens import Identity

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
_HERE = f"/subscriptions/{SUBSCRIPTION}"
_CALLER = Caller("somebody", "somebody", "tenant")

Noise = Mapping[str, list[str]]


def filled(value: Any, path: str) -> Any:
    """Return a value with the subscription's path in place of its word. Pure.

    Names are sorted, as the product sorts them before it deploys: which member noise falls upon
    depends on their order.
    """
    if isinstance(value, str):
        return value.replace(PLACE, path)
    if isinstance(value, dict):
        return {name: filled(value[name], path) for name in sorted(value)}
    return [filled(item, path) for item in value] if isinstance(value, list) else value


class Rehearsal:
    """One stack's resources, as they are right after its release."""

    def __init__(self, stack: Stack, classes: Noise, seed: int) -> None:
        """Write the stack's resources. Raises ArmError for one that a provider refuses."""
        self._cloud = Cloud(
            Store(None), Clock(), knowledge.load(), Identity(SUBSCRIPTION, "tenant")
        )
        self._cloud.turn(
            Knobs(noise={name: list(on) for name, on in classes.items()}, noise_seed=seed)
        )
        groups.write(self._cloud, SUBSCRIPTION, stack.group, {"location": stack.location})
        self._versions: dict[str, str] = {}
        for one in declared(filled(stack.template, _HERE)):
            resource_id = id_of(filled(stack.scope, _HERE), one)
            self._versions[resource_id.lower()] = one["apiVersion"]
            body = {
                name: value
                for name, value in one.items()
                if name not in {"type", "name", "apiVersion", "dependsOn"}
            }
            writes.put(self._cloud, Write(_parsed(resource_id), body, one["apiVersion"], _CALLER))

    def lookalikes(self, resource: str) -> list[tuple[str, Any]]:
        """Return (path, value) of true changes that look like noise (N23), likeliest first."""
        record = reads.find(self._cloud, _parsed(filled(resource, _HERE)))
        body = reads.body(self._cloud, record)
        paths = noise.real_lookalikes(self._cloud.knowledge.type(record.type), body)
        return [(path, noise.other_value(body, path)) for path in paths]

    def shows(self, edit: Edit, label: Label) -> bool:
        """Tell whether an edit is taken, and a GET shows what its label says."""
        cloud = self._cloud.fork()
        resource = filled(label.resource, _HERE)
        before = _look(cloud, resource, self._versions)
        restless = set(differences(before, _look(cloud, resource, self._versions)))
        try:
            _carry_out(cloud, edit)
        except ArmError:
            return False
        after = _look(cloud, resource, self._versions)
        if label.kind != "modified":
            return (before is None) != (after is None)
        return _moved(before, after, restless, place(label.path))


def _moved(before: Any, after: Any, restless: set[Place], wanted: Place) -> bool:
    return any_covers(wanted, set(differences(before, after)) - restless)


def _parsed(resource_id: str) -> ids.ResourceId:
    rid = ids.parse(resource_id)
    if rid is None:
        raise ValueError(f"'{resource_id}' is not the id of a resource")
    return rid


def _look(cloud: Cloud, resource_id: str, versions: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what GET shows; None if there is nothing, or GET is refused."""
    rid = reads.canonical(cloud, _parsed(resource_id))
    record = cloud.resource(rid.id)
    if record is None or reads.is_unreadable(cloud, rid):
        return None
    return reads.shown(cloud, record, versions.get(resource_id.lower(), record.api_version))


def _carry_out(cloud: Cloud, edit: Edit) -> None:
    rid = _parsed(filled(edit.resource, _HERE))
    if edit.delete:
        writes.delete(cloud, reads.canonical(cloud, rid), _CALLER)
        return
    if edit.put is not None:
        writes.put(cloud, Write(rid, filled(edit.put, _HERE), edit.api_version, _CALLER))
        return
    record = reads.find(cloud, reads.canonical(cloud, rid))
    writes.patch(
        cloud,
        Write(_parsed(record.id), filled(edit.set, _HERE) or {}, record.api_version, _CALLER),
    )
