"""Noise: the ways in which what a provider shows and what-if predicts are less than the truth."""

from local.arm.noise.case import Case, Subject
from local.arm.noise.classes import CLASSES, NAMES, NoiseClass, reach, seen_in
from local.arm.noise.distortion import distort, stages
from local.arm.noise.fates import Fate, resource_fate
from local.arm.noise.lookalikes import merge_patch, other_value, real_lookalikes
from local.arm.noise.prediction import Prediction
from local.arm.noise.readings import labels, reading
from local.arm.noise.stored import stored

__all__ = [
    "CLASSES",
    "NAMES",
    "Case",
    "Fate",
    "NoiseClass",
    "Prediction",
    "Subject",
    "distort",
    "labels",
    "merge_patch",
    "other_value",
    "reach",
    "reading",
    "real_lookalikes",
    "resource_fate",
    "seen_in",
    "stages",
    "stored",
]
