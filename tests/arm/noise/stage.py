"""A cloud without a server, and predictions made of it as what-if makes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from local.arm import ids, knowledge
from local.arm.clock import Clock
from local.arm.cloud import Cloud
from local.arm.messages import Caller
from local.arm.noise import Prediction, distort
from local.arm.providers import reads, writes
from local.arm.providers.writes import Write
from local.arm.state.records import Group, Resource
from local.arm.state.store import Store
from local.arm.tokens import Identity
from local.arm.whatif import delta, views

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
CALLER = Caller("someone", "someone", "tenant")
Row = tuple[str, str]


def cloud() -> Cloud:
    """Return an Azure with one resource group in it."""
    made = Cloud(Store(None), Clock(), knowledge.load(), Identity(SUBSCRIPTION, "tenant"))
    group = Group(subscription=SUBSCRIPTION, name="rg", location="westeurope", tags={})
    made.store.groups.put(GROUP, group)
    return made


def put(azure: Cloud, kind: str, name: str, body: Mapping[str, Any], version: str = "") -> Resource:
    """Write a resource by type and full name; its newest version is the default."""
    namespace, *types = kind.split("/")
    pairs = "".join(f"/{t}/{n}" for t, n in zip(types, name.split("/"), strict=True))
    rid = ids.parse(f"{GROUP}/providers/{namespace}{pairs}")
    assert rid is not None
    api = version or azure.knowledge.type(kind).versions[0]
    return writes.put(azure, Write(rid, dict(body), api, CALLER))[0]


@dataclass(frozen=True)
class Stage:
    """A resource that was deployed, and is to be deployed again with the same body."""

    azure: Cloud = field(default_factory=cloud)
    seed: int = 0
    tick: int = 0

    def prediction(self, record: Resource, body: Mapping[str, Any]) -> Prediction:
        """Return what what-if says, before any noise, of putting `body` once more."""
        rehearsal = self.azure.fork()
        rid = ids.parse(record.id)
        assert rid is not None
        again, _ = writes.put(rehearsal, Write(rid, dict(body), record.api_version, CALLER))
        seen = views.lens(self.azure.knowledge, record.type)
        got = reads.body(self.azure, record)
        return Prediction(
            resource_id=record.id,
            type=record.type,
            api_version=record.api_version,
            known=self.azure.knowledge.type(record.type),
            put=body,
            got=got,
            before=views.view(got, seen, record.api_version),
            after=views.view(reads.body(rehearsal, again), seen, record.api_version),
            seed=self.seed,
            tick=self.tick,
        )

    def deployed(
        self, kind: str, name: str, body: Mapping[str, Any], version: str = ""
    ) -> Prediction:
        """Deploy a resource and predict the same deployment."""
        return self.prediction(put(self.azure, kind, name, body, version), body)


def rows(prediction: Prediction, *classes: str) -> set[Row]:
    """Return (path, kind) of the delta that these classes make of a prediction."""
    distorted = distort(prediction, frozenset(classes))
    keys = views.lens(knowledge.load(), prediction.type).keys
    changes = delta.diff(distorted.before or {}, distorted.after or {}, keys)
    vain = set(distorted.no_effect)
    kept = {row for row in _flat(changes, "") if row[0] not in vain}
    return kept | {(path, delta.NO_EFFECT) for path in vain}


def _flat(changes: Sequence[Mapping[str, Any]], at: str) -> Iterator[Row]:
    """Yield (path, kind) of every change, the indices of elements as segments."""
    for change in changes:
        path = f"{at}.{change['path']}" if at and change["path"] else at or change["path"]
        if change.get("children"):
            yield from _flat(change["children"], path)
        else:
            yield path, change["propertyChangeType"]


def seeded(prediction: Prediction, seed: int) -> Prediction:
    """Return the prediction in a run with another seed."""
    return replace(prediction, seed=seed)


GOLDEN = Path(__file__).parents[2] / "golden" / "noise"


@cache
def _listed() -> dict[str, Any]:
    text = (GOLDEN / "resources.json").read_text()
    listed: dict[str, Any] = json.loads(
        text.replace("{group}", GROUP).replace("{subscription}", f"/subscriptions/{SUBSCRIPTION}")
    )
    return listed


def resources() -> list[str]:
    """Return the names of the resources that the golden files know."""
    return list(_listed())


def resource(name: str, stage: Stage | None = None) -> Prediction:
    """Deploy a resource of the golden files with what it needs, and predict the same again."""
    stage = stage or Stage()
    one = _listed()[name]
    parent = one.get("after")
    while parent is not None:
        above = _listed()[parent]
        put(stage.azure, above["type"], above["name"], above["body"], above.get("version", ""))
        parent = above.get("after")
    return stage.deployed(one["type"], one["name"], one["body"], one.get("version", ""))


def declared() -> list[dict[str, Any]]:
    """Return the resources of the golden files as a template declares them, parents first."""
    versions = knowledge.load()
    found = []
    for one in _listed().values():
        above = _listed().get(one.get("after"))
        needs = [] if above is None else [_id(above)]
        found.append(
            {
                "type": one["type"],
                "name": one["name"],
                "apiVersion": one.get("version") or versions.type(one["type"]).versions[0],
                "dependsOn": needs,
                **one["body"],
            }
        )
    return found


def _id(one: Mapping[str, Any]) -> str:
    namespace, *types = one["type"].split("/")
    pairs = "".join(f"/{t}/{n}" for t, n in zip(types, one["name"].split("/"), strict=True))
    return f"{GROUP}/providers/{namespace}{pairs}"
