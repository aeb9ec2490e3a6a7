"""The true prediction for one resource: its GET before and after, looked at through its lens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.arm import noise
from local.arm.cloud import Cloud
from local.arm.noise import Prediction
from local.arm.whatif import attempts, delta, masks, views
from local.arm.whatif.declared import Declared
from local.arm.whatif.views import Lens


@dataclass(frozen=True, slots=True)
class Stage:
    """The two clouds of a what-if: as it is, and as it would be; `tick` counts the what-ifs.

    `apart` are the keys of the resources that the template declares on their own.
    """

    now: Cloud
    then: Cloud
    apart: frozenset[str]
    tick: int = 0


def predict(stage: Stage, one: Declared) -> Prediction:
    """Return what would become of a declared resource."""
    got = attempts.read(stage.now, one.id, one.api_version)
    then = one.got or attempts.read(stage.then, one.id, one.api_version)
    found = _prediction(stage, one.id, one.type, one.api_version)
    seen = views.lens(stage.now.knowledge, one.type)
    before = None if got is None else views.view(got, seen, one.api_version, stage.apart)
    after = None if then is None else views.view(then, seen, one.api_version, stage.apart)
    if before is not None and after is not None:
        after.update({key: before[key] for key in ("id", "name", "type") if key in before})
    return replace(
        found,
        put=one.put,
        got=got or {},
        before=before,
        after=after,
        no_effect=frozenset(views.in_vain(one.put, seen)),
        source=one.source,
        secure=frozenset(".".join(way) for way in _ways(one.put, one.secrets)),
        nested=one.deployment,
    )


def existing(
    stage: Stage, resource_id: str, kind: str, api_version: str, *, implicit: bool
) -> Prediction:
    """Return the prediction for what is there and in no template: it stays, or goes as a whole."""
    got = attempts.read(stage.now, resource_id, api_version) or {}
    seen = views.lens(stage.now.knowledge, kind)
    return replace(
        _prediction(stage, resource_id, kind, api_version),
        got=got,
        before=views.view(got, seen, api_version),
        implicit=implicit,
    )


def unidentified(stage: Stage, one: Declared) -> Prediction:
    """Return the prediction for a resource that nobody can identify: nothing but its body."""
    found = _prediction(stage, one.id, one.type, one.api_version)
    return replace(found, put=one.put, source=one.source, nested=one.deployment)


def _prediction(stage: Stage, resource_id: str, kind: str, api_version: str) -> Prediction:
    return Prediction(
        resource_id=resource_id,
        type=kind,
        api_version=api_version,
        known=stage.now.knowledge.type(kind),
        put={},
        got={},
        before=None,
        after=None,
        seed=stage.now.knobs.noise_seed,
        tick=stage.tick,
    )


def stages(prediction: Prediction, classes: frozenset[str]) -> Iterable[tuple[str, Prediction]]:
    """Yield ("", the truth), then the prediction after each class of noise that is on."""
    if classes:
        return noise.stages(prediction, classes)
    # The same, for less: to list what has no effect is noise too (N13).
    return [("", replace(prediction, no_effect=frozenset()))]


def delta_of(prediction: Prediction, seen: Lens) -> list[delta.Change]:
    """Return the delta of a prediction; [] for what is created, deleted or left alone as a whole."""
    before, after = prediction.before, prediction.after
    if before is None or after is None:
        return []
    changes = delta.diff(before, after, seen.keys)
    vain = prediction.no_effect
    if not vain:
        return changes
    return delta.ordered([*_effective(changes, vain, ""), *_vain(prediction, vain)])


def _effective(changes: list[delta.Change], vain: frozenset[str], at: str) -> list[delta.Change]:
    """Return changes with those inside arrays that are in vain marked so; others left out."""
    kept = []
    for change in changes:
        path = ".".join(part for part in (at, change["path"]) if part)
        if path in vain:
            if at:
                kept.append(delta.no_effect(change["path"], change.get("after")))
            continue
        if "children" in change:
            children = _effective(change["children"], vain, path)
            if not children:
                continue
            change = {**change, "children": children}  # noqa: PLW2901 - the same, with less in it
        kept.append(change)
    return kept


def _vain(prediction: Prediction, vain: frozenset[str]) -> list[delta.Change]:
    found = []
    for path in sorted(vain):
        for body in (prediction.put, prediction.after):
            places = _at(body, path.split("."))
            if places and not any(part.isdigit() for part in path.split(".")):
                found.append(delta.no_effect(path, places[0]))
                break
    return found


def _at(value: Any, path: list[str]) -> list[Any]:
    """Return [the value at a path], [] if there is none; names may contain dots themselves."""
    if not path:
        return [value]
    if not isinstance(value, Mapping):
        return []
    for length in range(1, len(path) + 1):
        name = ".".join(path[:length]).lower()
        for key, item in value.items():
            if key.lower() == name and (found := _at(item, path[length:])):
                return found
    return []


def _ways(
    value: Any, secrets: Iterable[str], at: tuple[str, ...] = ()
) -> Iterable[tuple[str, ...]]:
    """Yield the ways to the texts that hold a secret, indices as segments."""
    texts = tuple(secrets)
    if not texts:
        return
    if isinstance(value, str):
        if any(text in value for text in texts):
            yield at
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _ways(item, texts, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _ways(item, texts, (*at, str(index)))


def hidden_places(prediction: Prediction, secrets: Iterable[str]) -> frozenset[masks.Place]:
    """Return where secrets stand on any side of a prediction."""
    texts = tuple(secrets)
    sides = (prediction.before, prediction.after, prediction.put)
    return frozenset(place for side in sides for place in masks.places(side, texts))
