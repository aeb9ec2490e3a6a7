"""The one line that a run prints last, and the report that says more."""

from __future__ import annotations

from typing import Any

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


def of_estate(estate: Estate) -> dict[str, Any]:
    """Return what the estate is. Pure."""
    return {
        "seed": estate.seed,
        "stacks": len(estate.stacks),
        "resources": estate.resources,
        "edits": len(estate.edits),
        "labels": len(estate.labels),
    }
