"""Noise: the ways in which what a provider shows and what-if predicts are less than the truth."""
