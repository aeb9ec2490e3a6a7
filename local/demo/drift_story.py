"""The story's end: what somebody changes in Azure by hand, and what must come of it."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from local.demo.azure import Fact

SHOWN_LIMIT_S = 10.0
"""From the edit until it is shown: one period of the demo's timer, and five seconds."""


@dataclass(frozen=True)
class Quiet:
    """Nobody has touched anything: every stack is looked at; only what left the templates is found."""

    title: str
    left: AbstractSet[str] = frozenset()
    """Names of what earlier steps took out of templates: it is still there, and must be shown."""


@dataclass(frozen=True)
class ByHand:
    """Somebody sets one value in the portal; ``fact`` is what Git wants there."""

    title: str
    stack: str
    fact: Fact
    value: object
    """What they set."""
    severity: str
    heals: bool = False
    """Whether the manifest wants it healed; it is only shown if not."""


@dataclass(frozen=True)
class Inspected:
    """What came of a quiet time: the drift of each stack, by name, as the API shows it."""

    stacks: Mapping[str, Mapping[str, Any]]
    drifts: Mapping[str, Mapping[str, Any]]
    coverage: Mapping[str, Any]
    functions: Mapping[str, int]
    elapsed_s: float


@dataclass(frozen=True)
class Traced:
    """What came of a change by hand."""

    person: str
    shown_after_s: float
    """From when Azure had the change until the API showed it."""
    item: Mapping[str, Any]
    """The difference as it was first shown."""
    drift: Mapping[str, Any]
    """The stack's drift in the end."""
    found: Sequence[object]
    """What Azure has there in the end."""
    puts: int
    """How often Azure was asked to deploy."""
    functions: Mapping[str, int] = field(default_factory=dict)
    elapsed_s: float = 0.0


def is_quiet(stacks: Mapping[str, Any], drifts: Mapping[str, Mapping[str, Any] | None]) -> bool:
    """Tell whether everything of every stack was looked at since its noise could be told. Pure."""
    return all(
        (drift := drifts.get(name)) is not None
        and drift["release"] == stack["release"]
        and drift["confirmed_at"] is not None
        for name, stack in stacks.items()
    )


def item_of(drift: Mapping[str, Any] | None, path: str) -> Mapping[str, Any] | None:
    """Return the open difference at a path, if it is shown. Pure."""
    items = drift["items"] if drift is not None else ()
    return next((item for item in items if item["path"] == path), None)


def is_healed(drift: Mapping[str, Any] | None, path: str) -> bool:
    """Tell whether the difference at a path is gone from what is open, and in the history. Pure."""
    if drift is None or item_of(drift, path) is not None:
        return False
    return any(closed["path"] == path for closed in drift["history"])


def broken_quiet(step: Quiet, outcome: Inspected) -> list[str]:
    """Return what was not quiet; empty if the step held. Pure."""
    shown = [item for drift in outcome.drifts.values() for item in drift["items"]]
    told = {name_of(item["resource"]) for item in shown if item["left_with"]}
    broken = [f"{name} left a template, and is not shown" for name in sorted(step.left - told)]
    for name, drift in outcome.drifts.items():
        items = [item for item in drift["items"] if not _has_left(item["resource"], step)]
        broken += [f"{name} shows a {i['kind']} {i['resource']} {i['path']}" for i in items]
        broken += [
            f"{name} showed a {i['kind']} {i['resource']} {i['path']} for a while"
            for i in drift["history"]
        ]
        broken += [f"{name} could not look at all: {gap['message']}" for gap in drift["gaps"]]
        if not drift["items"] and drift["state"] != "none":
            broken.append(f"{name} is {drift['state']}, not none")
    for scope in outcome.coverage["scopes"]:
        strangers = [one for one in scope["others"] if not _has_left(one, step)]
        broken += [f"{one} is said to be in no stack" for one in strangers]
    return broken


def _has_left(resource: str, step: Quiet) -> bool:
    return name_of(resource) in step.left


def name_of(resource: str) -> str:
    """Return the name at the end of a resource's id. Pure."""
    return resource.rpartition("/")[2]


def broken_by_hand(step: ByHand, outcome: Traced) -> list[str]:
    """Return what did not come as the step says; empty if it held. Pure."""
    return [*_shown_promises(step, outcome), *_end_promises(step, outcome)]


def _shown_promises(step: ByHand, outcome: Traced) -> list[str]:
    item = outcome.item
    who = item["who"] or {}
    wanted: dict[str, tuple[object, object]] = {
        "kind": (item["kind"], "modified"),
        "managed": (item["managed"], True),
        "wanted": (item["wanted"], step.fact.value),
        "released": (item["released"], step.fact.value),
        "now": (item["now"], step.value),
        "severity": (item["severity"], step.severity),
        "caller": (who.get("caller"), outcome.person),
        "operation": (who.get("operation"), f"{step.fact.kind}/write"),
    }
    broken = [
        f"its {name} is shown as {shown!r}, not {right!r}"
        for name, (shown, right) in wanted.items()
        if shown != right
    ]
    if outcome.shown_after_s > SHOWN_LIMIT_S:
        broken.append(f"it was shown after {outcome.shown_after_s:.1f} s, not {SHOWN_LIMIT_S:.0f}")
    return broken


def _end_promises(step: ByHand, outcome: Traced) -> list[str]:
    drift, path = outcome.drift, step.fact.path
    right, puts = (step.fact.value, 1) if step.heals else (step.value, 0)
    broken = []
    if list(outcome.found) != [right]:
        broken.append(f"{path} is {list(outcome.found)} in Azure, not {right}")
    if outcome.puts != puts:
        broken.append(f"Azure was asked to deploy {outcome.puts} times, not {puts}")
    if not step.heals:
        return broken if item_of(drift, path) else [*broken, "the difference is shown no more"]
    if drift["state"] != "none":
        broken.append(f"the stack's drift is {drift['state']}, not none")
    closed = [(one["reason"], one["caller"]) for one in drift["history"] if one["path"] == path]
    if closed != [("healed", outcome.person)]:
        broken.append(f"the history tells of it as {closed}, not as healed once")
    return broken
