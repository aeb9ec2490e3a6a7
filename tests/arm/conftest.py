"""One fresh simulator in memory for every test that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.arm.knobs import Knobs
from local.arm.server import Settings, start
from tests.arm.azure import Azure, clients


@pytest.fixture
def azure() -> Iterator[Azure]:
    """Start a simulator that knows nothing yet, with clients that poll every 20 ms."""
    with start(Settings(knobs=Knobs(retry_after=0.02))) as address, clients(address) as found:
        yield found
