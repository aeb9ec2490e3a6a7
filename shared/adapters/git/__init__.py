"""The Git port over dulwich; the only package that imports it."""

from shared.adapters.git.adapter import DulwichGit
from shared.adapters.git.limits import Limits

__all__ = ["DulwichGit", "Limits"]
