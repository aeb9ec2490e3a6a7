"""The one line that a run prints last, and the report that says more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bench.drift.installation import Phase
from bench.drift.model import Estate
from bench.drift.plain import Plain
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
