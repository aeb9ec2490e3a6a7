"""Tests of the Git server and of what only real Git objects show."""
