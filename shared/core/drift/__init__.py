"""Drift: differences between what Git wants, what was released, and what Azure has now."""
