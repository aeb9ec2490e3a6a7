"""Tests of the noise that the simulator makes."""
