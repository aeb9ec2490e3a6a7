"""A world for each test."""

import pytest

from tests.flows.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world with an empty repository and an empty Azure."""
    return World(monkeypatch)
