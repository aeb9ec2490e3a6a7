"""The one line that a run prints last, and the report that says more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bench.drift.installation import Phase
from bench.drift.model import Estate
from bench.drift.plain import Plain
from bench.drift.rehearsal import filled
from bench.drift.scoring import Score


def of_plain(plain: Plain, score: Score) -> dict[str, Any]:
    """Return what the comparison contributes to the line. Pure."""
    return {
        "false_alarms": len(score.false),
        "misses": len(score.missed),
        "out_of_reach": len(score.hidden),
        "incomplete": plain.incomplete,
        "arm_calls": plain.counts.total,
        "seconds": round(plain.seconds, 1),
        "throttled": plain.counts.throttled,
        "by_sort": score.by_sort(),
    }


def of_product(
    phases: Sequence[Phase], found: Score, documents: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what is asked of every run, and more by phase. Pure.

    ``arm_calls`` are those of all scans after the baseline, ``seconds`` their time.
    """
    baseline, later = phases[0], phases[1:]
    return {
        "false_alarms": len(found.false),
        "misses": len(found.missed),
        "incomplete": sum(bool(one.get("gaps")) for one in documents.values()),
        "out_of_reach": len(found.hidden),
        "arm_calls": sum(one.calls for one in later),
        "baseline_calls": baseline.calls,
        "seconds": round(sum(one.seconds for one in later), 1),
        "throttled": sum(one.throttled for one in phases),
        "phases": {one.name: one.shown() for one in phases},
        "by_sort": found.by_sort(),
        "states": dict(Counter(str(one.get("state", "unknown")) for one in documents.values())),
    }


def attributed(
    estate: Estate, documents: Mapping[str, Mapping[str, Any]], subscription: str
) -> dict[str, int]:
    """Count the items of edited resources by whether the product names who did it. Pure."""
    hands = {filled(one.resource, subscription).lower(): one.by for one in estate.edits}
    told: Counter[str] = Counter()
    for item in (item for one in documents.values() for item in one.get("items", ())):
        wanted = hands.get(item["resource"].lower())
        if wanted is not None:
            caller = (item.get("who") or {}).get("caller")
            told["unknown" if caller is None else "right" if caller == wanted else "wrong"] += 1
    return {name: told[name] for name in ("right", "wrong", "unknown")}


def wrong(
    documents: Mapping[str, Mapping[str, Any]], found: Score, estate: Estate
) -> dict[str, Any]:
    """Return what is known of the stacks of which something is missed or falsely told. Pure."""
    false = {one.resource.lower() for one in found.false}
    missed = {one.stack for one in found.missed}
    return {
        name: {"document": one, "edits": _edits(estate, name)}
        for name, one in documents.items()
        if name in missed or any(item["resource"].lower() in false for item in one.get("items", ()))
    }


def _edits(estate: Estate, stack: str) -> list[Any]:
    names = {label.edit for label in estate.labels if label.stack == stack}
    return [msgspec.to_builtins(edit) for edit in estate.edits if edit.id in names]


def gaps(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Count what could not be looked at, by code. Pure."""
    return dict(Counter(gap["code"] for one in documents.values() for gap in one.get("gaps", ())))


def of_estate(estate: Estate) -> dict[str, Any]:
    """Return what the estate is. Pure."""
    return {
        "seed": estate.seed,
        "stacks": len(estate.stacks),
        "resources": estate.resources,
        "edits": len(estate.edits),
        "labels": len(estate.labels),
    }
