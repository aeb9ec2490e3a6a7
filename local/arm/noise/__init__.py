"""Noise: the ways in which what a provider shows and what-if predicts are less than the truth."""

from local.arm.noise.distortion import distort, stages
from local.arm.noise.fates import Fate, resource_fate
from local.arm.noise.prediction import Prediction

__all__ = ["Fate", "Prediction", "distort", "resource_fate", "stages"]
