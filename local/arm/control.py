"""The verbs of the side channel, under `/_control`; open to the loopback address only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import msgspec

from local.arm import activity, errors, ids, noise
from local.arm.cloud import Cloud
from local.arm.deploy.runner import Runner
from local.arm.faults.kinds import KINDS as ANSWERS
from local.arm.knobs import Knobs, described
from local.arm.messages import Answer, Caller, Request
from local.arm.noise import CLASSES, NAMES
from local.arm.providers import model, reads, writes
from local.arm.providers.writes import Write
from local.arm.request_log import KINDS
from local.arm.routes.table import Route
from local.arm.rules import Faults, Rule
from local.arm.state.records import Resource

PREFIX = "/_control"
_ACTOR = "laptop-operator@plumbline.example"

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Channel:
    """The side channel of one cloud, with what carries its deployments out and its routes."""

    cloud: Cloud
    runner: Runner
    routes: tuple[Route, ...]

    def handle(self, request: Request) -> Answer:
        """Answer a call on the side channel; raises `ArmError`."""
        self.cloud.settle()
        rest = request.path[len(PREFIX) :].rstrip("/") or "/"
        verb = VERBS.get(f"{request.method} {rest}")
        if verb is None:
            raise errors.route_not_found(request.method, request.path)
        return verb(self, request)


class Change(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A change by hand: `set` is merged into the resource (null removes), by `actor`."""

    id: str
    set: dict[str, Any]
    actor: str = _ACTOR


class Lookalike(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A true change that looks like noise, by `actor`; the simulator picks what is left out."""

    id: str
    path: str | None = None
    value: Any = None
    actor: str = _ACTOR


class Removal(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The deletion of a resource or group by hand."""

    id: str
    actor: str = _ACTOR


def _read(request: Request, kind: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(request.body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise errors.invalid_content(str(error)) from error


def describe(side: Channel, request: Request) -> Answer:
    """List what the channel can do, all knobs, the routes, and what answers can be scripted."""
    verbs = {name: (verb.__doc__ or "").split("\n")[0] for name, verb in VERBS.items()}
    return Answer(
        200,
        {
            "control": f"{request.base}{PREFIX}",
            "verbs": verbs,
            "knobs": described(),
            "noise": {one.name: one.about for one in CLASSES},
            "routes": [route.name for route in side.routes],
            "methods": {route.name: sorted(route.methods) for route in side.routes},
            "kinds": sorted({*KINDS.values(), "writes"}),
            "answers": ANSWERS,
            "rule": msgspec.json.schema(Rule),
        },
    )


def get_requests(side: Channel, request: Request) -> Answer:
    """Show the counts by kind, route and status, and the newest requests (?limit=100)."""
    text = request.query.get("limit", "100")
    if not text.isdecimal():
        raise errors.invalid_content("limit must be a whole number")
    entries = side.cloud.requests.entries(int(text))
    return Answer(200, {**side.cloud.requests.counts(), "requests": msgspec.to_builtins(entries)})


def delete_requests(side: Channel, _: Request) -> Answer:
    """Set the counts to zero and empty the log."""
    side.cloud.requests.reset()
    side.cloud.whatifs.clear()
    return Answer(204)


def get_knobs(side: Channel, _: Request) -> Answer:
    """Show the knobs."""
    return Answer(200, msgspec.to_builtins(side.cloud.knobs))


def patch_knobs(side: Channel, request: Request) -> Answer:
    """Turn some knobs; the others stay."""
    knobs = turned(side.cloud.knobs, _read(request, dict[str, Any]))
    side.cloud.turn(knobs)
    return Answer(200, msgspec.to_builtins(knobs))


def turned(knobs: Knobs, asked: Mapping[str, Any]) -> Knobs:
    """Return knobs with some of them changed. Pure. Raises `ArmError` for what they cannot be."""
    unknown = [name for name in asked if name not in Knobs.__struct_fields__]
    if unknown:
        raise errors.invalid_content(
            f"there is no knob '{unknown[0]}'; there are {', '.join(Knobs.__struct_fields__)}"
        )
    try:
        found = msgspec.convert({**msgspec.to_builtins(knobs), **asked}, Knobs)
    except (msgspec.ValidationError, RecursionError) as error:
        raise errors.invalid_content(str(error)) from error
    for name in (name for names in found.noise.values() for name in names):
        if name not in NAMES:
            raise errors.invalid_content(
                f"there is no noise class '{name}'; there are N1 to N{len(NAMES)}"
            )
    return found


def get_answers(side: Channel, _: Request) -> Answer:
    """Show the scripted answers in force and how often each was used."""
    return Answer(200, {"value": msgspec.to_builtins(side.cloud.script.rules)})


def post_answers(side: Channel, request: Request) -> Answer:
    """Script an answer: {match, answer, count}; or many: {seed, rules: [...]} or [...]."""
    script = side.cloud.script
    asked = _read(request, Any)
    if isinstance(asked, list) or (isinstance(asked, dict) and "rules" in asked):
        faults = read_faults(request.body, script.seed)
        script.load(faults)
        return Answer(201, {"seed": script.seed, "value": msgspec.to_builtins(faults.rules)})
    return Answer(201, msgspec.to_builtins(script.add(_read(request, Rule))))


def read_faults(text: bytes, seed: int = 0) -> Faults:
    """Return the rules of a faults file, a list or {seed, rules}. Pure. Raises `ArmError`."""
    try:
        found = msgspec.json.decode(text, type=Faults | list[Rule])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise errors.invalid_content(str(error)) from error
    return Faults(rules=found, seed=seed) if isinstance(found, list) else found


def delete_answers(side: Channel, request: Request) -> Answer:
    """Take back one scripted answer (?id=) or all."""
    return Answer(200, {"removed": side.cloud.script.remove(request.query.get("id"))})


def post_change(side: Channel, request: Request) -> Answer:
    """Change a resource by hand: {id, set, actor}."""
    change = _read(request, Change)
    record = _by_hand(side.cloud, change.id)
    _patch(side.cloud, record, change.set, change.actor)
    return Answer(200, reads.body(side.cloud, reads.find(side.cloud, model.rid_of(record))))


def _by_hand(cloud: Cloud, resource_id: str) -> Resource:
    rid = ids.parse(resource_id)
    if rid is None:
        raise errors.invalid_content(f"'{resource_id}' is not the id of a resource")
    return reads.find(cloud, reads.canonical(cloud, rid))


def _patch(cloud: Cloud, record: Resource, changes: dict[str, Any], actor: str) -> None:
    caller = Caller(actor, actor, cloud.identity.tenant)
    writes.patch(cloud, Write(model.rid_of(record), changes, record.api_version, caller))
    activity.done_by_hand(cloud, "PUT", record.id, actor)


def post_delete(side: Channel, request: Request) -> Answer:
    """Delete a resource or a resource group by hand, at once: {id, actor}."""
    cloud = side.cloud
    removal = _read(request, Removal)
    caller = Caller(removal.actor, removal.actor, cloud.identity.tenant)
    rid = ids.parse(removal.id)
    if rid is not None:
        record = reads.find(cloud, reads.canonical(cloud, rid))
        writes.delete(cloud, rid, caller)
        activity.done_by_hand(cloud, "DELETE", record.id, removal.actor)
        return Answer(204)
    pair = ids.group_of(removal.id)
    if pair is None:
        raise errors.invalid_content(f"'{removal.id}' is not the id of a resource or group")
    group = cloud.group(*pair)
    group_id = ids.group_id(group.subscription, group.name)
    cloud.purge(group_id)
    activity.done_by_hand(cloud, "DELETE", group_id, removal.actor)
    return Answer(204)


def post_reset(side: Channel, _: Request) -> Answer:
    """Forget everything: groups, resources, deployments, knobs, scripted answers, the log."""
    side.runner.stop()
    side.cloud.store.reset()
    side.cloud.turn(Knobs())
    side.cloud.script.remove(None)
    side.cloud.script.seed = 0
    side.cloud.buckets.clear()
    side.cloud.shadows.clear()
    side.cloud.requests.reset()
    return Answer(204)


def get_noise(side: Channel, request: Request) -> Answer:
    """Show all noise classes, what of a GET is noise (?resource=ID), or of a what-if (?correlationId=)."""
    if "resource" in request.query:
        return Answer(200, _noise_of(side.cloud, request.query["resource"]))
    wanted = request.query.get("correlationid")
    if wanted is None:
        return Answer(200, _all_noise(side.cloud))
    labels = side.cloud.whatifs.labels.get(wanted)
    if labels is None:
        raise errors.ArmError(
            404,
            "NotFound",
            f"No what-if with the correlation id '{wanted}' is known. The newest 200 are kept.",
        )
    return Answer(200, labels)


def _all_noise(cloud: Cloud) -> dict[str, Any]:
    """Return the catalogue: `types` is where a class can show itself, `known` where it was seen."""
    listed = [
        {
            **asdict(one),
            "types": noise.reach(cloud.knowledge, one.name),
            "known": noise.seen_in(cloud.knowledge, one.name),
        }
        for one in CLASSES
    ]
    return {"value": listed, "on": cloud.knobs.noise, "seed": cloud.knobs.noise_seed}


def _noise_of(cloud: Cloud, resource_id: str) -> dict[str, Any]:
    """Return the labels of what a GET of a resource shows now."""
    record = _by_hand(cloud, resource_id)
    found = noise.labels(reads.case_of(cloud, record), cloud.knobs.noise_for(record.type))
    listed = [{"path": path, "class": name} for path, name in found]
    return {"resourceId": record.id, "value": listed}


def post_lookalike(side: Channel, request: Request) -> Answer:
    """Make a true change that looks like noise (N23): {id, path?, value?, actor}."""
    cloud = side.cloud
    wish = _read(request, Lookalike)
    record = _by_hand(cloud, wish.id)
    body = reads.body(cloud, record)
    paths = noise.real_lookalikes(cloud.knowledge.type(record.type), body)
    if wish.path is None and not paths:
        raise errors.invalid_content(f"nothing of '{record.type}' can be changed so: name a path")
    path = wish.path or paths[0]
    value = noise.other_value(body, path) if wish.value is None else wish.value
    _patch(cloud, record, noise.merge_patch(path, value), wish.actor)
    return Answer(200, {"id": record.id, "path": path, "value": value, "others": paths})


VERBS: dict[str, Callable[[Channel, Request], Answer]] = {
    "GET /": describe,
    "GET /requests": get_requests,
    "DELETE /requests": delete_requests,
    "GET /knobs": get_knobs,
    "PATCH /knobs": patch_knobs,
    "GET /answers": get_answers,
    "POST /answers": post_answers,
    "DELETE /answers": delete_answers,
    "GET /noise": get_noise,
    "POST /change": post_change,
    "POST /lookalike": post_lookalike,
    "POST /delete": post_delete,
    "POST /reset": post_reset,
}
