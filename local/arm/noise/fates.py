"""What becomes of a resource in what-if as a whole, whatever its properties are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from local.arm.noise.prediction import Prediction

Fate = Literal["shown", "unsupported", "absent", "ignored", "failed"]


def resource_fate(prediction: Prediction, classes: Collection[str]) -> Fate:
    """Return how what-if speaks of the resource: with a delta, or in one of four other ways. Pure.

    "failed" is the whole what-if's (N17: the provider refuses the GET), "absent" a resource of a
    nested deployment that was not expanded (N10) or that nobody predicts (N21), "ignored" one that
    is there unasked (N12), "unsupported" one whose name cannot be known (N11). These classes take
    every resource of the types for which they are on.
    """
    if prediction.implicit:
        return "ignored" if "N12" in classes and "N21" not in classes else "absent"
    if "N10" in classes and prediction.nested is not None:
        return "absent"
    if "N17" in classes and _refuses(prediction):
        return "failed"
    return "unsupported" if "N11" in classes else "shown"


def _refuses(prediction: Prediction) -> bool:
    """Tell whether GET fails: for the names that are known to, or else for the whole type."""
    name = prediction.resource_id.rpartition("/")[2].lower()
    names = {one.lower() for one in prediction.known.unreadable}
    return not names or name in names
