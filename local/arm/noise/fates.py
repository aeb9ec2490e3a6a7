"""What becomes of a resource in what-if as a whole, whatever its properties are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from local.arm.noise.prediction import Prediction

Fate = Literal["shown", "unsupported", "absent", "ignored", "failed"]


def resource_fate(prediction: Prediction, classes: Collection[str]) -> Fate:  # noqa: ARG001 - to come
    """Return how what-if speaks of the resource: with a delta, or in one of four other ways. Pure."""
    return "shown"
