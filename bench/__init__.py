"""Measurements: what a figure is, how it is taken, and where it is written down (README.md)."""
