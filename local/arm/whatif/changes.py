"""From what the rehearsal found to the reply: changes, potential changes, diagnostics, and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from local.arm import ids, noise
from local.arm.engine.secrets import longest_first
from local.arm.knowledge.words import fill
from local.arm.noise import Prediction
from local.arm.providers import children, model, reads
from local.arm.state.records import Resource
from local.arm.whatif import delta, masks, predictions, views
from local.arm.whatif.declared import Declared, Survey, short_circuited
from local.arm.whatif.labels import Entry, Labels, entries
from local.arm.whatif.predictions import Stage

_RESOURCE_TYPES_SINCE = "2026-06-01"
_HANGING = frozenset({"microsoft.authorization", "microsoft.resources", "microsoft.policyinsights"})
_NO_ID = (
    "Changes to the resource '{id}' cannot be analyzed because its resource ID or API version"
    " cannot be calculated until the deployment is under way. Please see"
    " https://aka.ms/WhatIfUnidentifiableResource for more guidance."
)


@dataclass(frozen=True, slots=True)
class Format:
    """How the reply is to look: ids only or whole bodies, in which version of the interface."""

    ids_only: bool = False
    api_version: str = ""


@dataclass(slots=True)
class Reply:
    """What-if's answer in the making; `failures` are the GETs that providers refused."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    potential: list[dict[str, Any]] = field(default_factory=list)
    diagnostics: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    labels: Labels = field(default_factory=Labels)


class Assembly:
    """Puts one reply together."""

    def __init__(self, stage: Stage, shape: Format, secrets: frozenset[str]) -> None:
        self.reply = Reply()
        self._stage = stage
        self._shape = shape
        # The longest first: one secret may be a part of another.
        self._secrets = longest_first(secrets)
        self._shown: set[str] = set()
        self._cut: set[str] = set()

    def assemble(self, survey: Survey, doomed: Iterable[str]) -> Reply:
        """Return the reply; `doomed` are the ids (as keys) that mode Complete deletes."""
        self.reply.diagnostics = self._without_secrets(survey.diagnostics)
        for one in _once(survey.declared):
            self._speak(self._as_it_is_called(one))
        for group in survey.groups:
            self._rest(group, survey, frozenset(doomed))
        return self.reply

    # What the template declares

    def _as_it_is_called(self, one: Declared) -> Declared:
        """Return a resource with the id under which it exists, whose casing may be another."""
        record = None if one.fate == "unsupported" else self._stage.now.resource(one.id)
        return one if record is None else replace(one, id=record.id)

    def _speak(self, one: Declared) -> None:
        stage = self._stage
        if one.fate == "unsupported":
            one = replace(one, id=self._without_secrets(one.id))
            prediction = predictions.unidentified(stage, one)
            fate = noise.resource_fate(prediction, self._classes(one.type))
            fate = "absent" if fate == "absent" else "unsupported"
        else:
            prediction = predictions.predict(stage, one)
            fate = noise.resource_fate(prediction, self._classes(one.type))
        if one.fate != "unsupported" and prediction.before is None and prediction.after is None:
            return
        if fate == "absent":
            self._cut_off(one, prediction)
        elif fate == "unsupported":
            self._unsupported(one, prediction)
        elif fate == "failed" and prediction.before is not None:
            self.reply.failures.append(f"{one.id}?api-version={one.api_version}")
        else:
            self._compare(one, prediction)

    def _compare(self, one: Declared, prediction: Prediction) -> None:
        self._shown.add(ids.key_of(one.id))
        seen = views.lens(self._stage.now.knowledge, one.type)
        stages: list[tuple[str, Mapping[Entry, bytes]]] = []
        changes: list[delta.Change] = []
        for name, distorted in predictions.stages(prediction, self._classes(one.type)):
            prediction = distorted
            changes = predictions.delta_of(prediction, seen)
            stages.append((name, _entries(prediction, changes)))
        self.reply.labels.add(one.id, stages)
        shown = self._masked(prediction, changes)
        target = self.reply.potential if one.fate == "potential" else self.reply.changes
        target.append(self._named(one, shown))

    def _masked(self, prediction: Prediction, changes: list[delta.Change]) -> dict[str, Any]:
        if not self._secrets:
            return _change(prediction, changes)
        hidden = predictions.hidden_places(prediction, self._secrets)
        shown = _change(prediction, masks.masked_delta(changes, self._secrets, hidden))
        for side in ("before", "after"):
            if side in shown:
                shown[side] = masks.masked(shown[side], self._secrets, hidden)
        return shown

    def _named(self, one: Declared, shown: dict[str, Any]) -> dict[str, Any]:
        head: dict[str, Any] = {"resourceId": one.id}
        if one.deployment is not None:
            head["deploymentId"] = one.deployment
        if one.symbolic_name is not None:
            head["symbolicName"] = one.symbolic_name
        if self._shape.api_version >= _RESOURCE_TYPES_SINCE:
            head["resourceType"] = one.type
        return {**head, **self._cropped(shown)}

    def _cropped(self, shown: dict[str, Any]) -> dict[str, Any]:
        if not self._shape.ids_only:
            return shown
        kind = shown["changeType"]
        kept = {"changeType": "Deploy" if kind in ("NoChange", "Modify") else kind}
        if "unsupportedReason" in shown:
            kept["unsupportedReason"] = shown["unsupportedReason"]
        return kept

    def _unsupported(self, one: Declared, prediction: Prediction) -> None:
        """Speak of a resource that cannot be identified, in truth or because of noise."""
        reason = one.reason or _NO_ID.format(id=one.id)
        if one.fate != "unsupported":
            self._shown.add(ids.key_of(one.id))
            self._lost(one, prediction, ("", "Unsupported"), "N11")
        else:
            self.reply.labels.add(one.id, [("", {("", "Unsupported"): b""})])
        shown = {"changeType": "Unsupported", "unsupportedReason": reason}
        self.reply.changes.append(self._named(one, shown))

    def _cut_off(self, one: Declared, prediction: Prediction) -> None:
        """Leave a resource out whose nested deployment was not expanded; it may be ignored."""
        if one.fate != "unsupported":
            self._lost(one, prediction, None, "N10")
        if one.deployment is not None and one.deployment not in self._cut:
            self._cut.add(one.deployment)
            self.reply.diagnostics.append(short_circuited(one.deployment, outer=False))

    def _lost(self, one: Declared, prediction: Prediction, entry: Entry | None, name: str) -> None:
        seen = views.lens(self._stage.now.knowledge, one.type)
        truth = _entries(prediction, predictions.delta_of(prediction, seen))
        self.reply.labels.add(one.id, [("", truth), (name, {entry: b""} if entry else {})])

    # What is there besides

    def _rest(self, group: str, survey: Survey, doomed: frozenset[str]) -> None:
        now = self._stage.now
        records = {ids.key_of(record.id): record for record in now.store.resources.below(group)}
        unasked = {key for record in records.values() for key in self._made_by_itself(record)}
        for key in sorted(records):
            if key in self._shown:
                continue
            record = records[key]
            classes = self._classes(record.type)
            if reads.is_listed(record) and _stands_alone(record):
                gone = key in doomed and key not in survey.hidden
                self._leave(record, gone=gone, unasked=key in unasked)
            elif key in unasked and key not in survey.hidden and "N12" in classes:
                self._leave(record, gone=False, unasked=True)

    def _made_by_itself(self, record: Resource) -> list[str]:
        known = self._stage.now.knowledge.type(record.type)
        if not known.implicit and not known.companions:
            return []
        rid = ids.parse(record.id)
        if rid is None:
            return []
        made = [ids.key_of(child.id) for child in children.implicit(known, rid)]
        if self._classes(record.type) & {"N12", "N21"}:
            made += self._companions(record, rid)
        return made

    def _companions(self, record: Resource, rid: ids.ResourceId) -> list[str]:
        now = self._stage.now
        case = model.case_of(record, now.identity.tenant)
        facts = model.facts(case, record.got)
        return [
            ids.key_of(f"{rid.scope}/providers/{one.type}/{fill(one.name, facts)}")
            for one in now.knowledge.type(record.type).companions
        ]

    def _leave(self, record: Resource, *, gone: bool, unasked: bool) -> None:
        found = predictions.existing(
            self._stage, record.id, record.type, record.api_version, implicit=unasked
        )
        if unasked and noise.resource_fate(found, self._classes(record.type)) == "absent":
            return
        kind = "Delete" if gone else "Ignore"
        entry: dict[Entry, bytes] = {("", kind): b""}
        stages: Sequence[tuple[str, Mapping[Entry, bytes]]] = [("", entry)]
        if unasked:
            stages = [("", {}), ("N12", entry)]
        self.reply.labels.add(record.id, stages)
        shown: dict[str, Any] = {"resourceId": record.id}
        if self._shape.api_version >= _RESOURCE_TYPES_SINCE:
            shown["resourceType"] = record.type
        shown["changeType"] = kind
        if not self._shape.ids_only:
            shown["before"] = self._without_secrets(found.before)
        self.reply.changes.append(shown)

    def _without_secrets(self, value: Any) -> Any:
        return masks.masked(value, self._secrets, frozenset()) if self._secrets else value

    def _classes(self, kind: str) -> frozenset[str]:
        return self._stage.now.knobs.noise_for(kind)


def _change(prediction: Prediction, changes: list[delta.Change]) -> dict[str, Any]:
    before, after = prediction.before, prediction.after
    if before is None:
        return {"changeType": "Create", "after": after}
    if after is None:
        return {"changeType": "Delete", "before": before}
    real = any(one["propertyChangeType"] != delta.NO_EFFECT for one in changes)
    kind = "Modify" if real else "NoChange"
    return {"changeType": kind, "before": before, "after": after, "delta": changes}


def _entries(prediction: Prediction, changes: list[delta.Change]) -> dict[Entry, bytes]:
    if prediction.before is None:
        return {("", "Create"): b""} if prediction.after is not None else {}
    if prediction.after is None:
        return {("", "Delete"): b""}
    return entries(changes)


def _once(declared: Iterable[Declared]) -> list[Declared]:
    """Return each resource once, where it comes first, with what was said of it last."""
    found: dict[str, Declared] = {}
    for at, one in enumerate(declared):
        key = f"{at}" if one.fate == "unsupported" else ids.key_of(one.id)
        old = found.get(key)
        if old is not None and "shown" in (old.fate, one.fate):
            one = replace(one, fate="shown")  # noqa: PLW2901 - the same, for certain
        found[key] = one
    return list(found.values())


def _stands_alone(record: Resource) -> bool:
    """Tell whether a resource is one of its group's: no child, and nothing that hangs on the group."""
    rid = ids.parse(record.id)
    return rid is not None and rid.parent is None and rid.namespace.lower() not in _HANGING
