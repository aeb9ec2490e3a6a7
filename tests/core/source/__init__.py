"""Tests of the source compiler."""
