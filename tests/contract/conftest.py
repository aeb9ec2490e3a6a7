"""The worlds that contracts are shown on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.arm_wire import Wire, served_wire
from tests.contract.arm_worlds import FakeWorld, World, simulated


@pytest.fixture(params=["fake", "simulator"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Offer both ARMs, each with two empty resource groups."""
    if request.param == "fake":
        yield FakeWorld()
    else:
        with simulated(monkeypatch) as (simulator, _, _):
            yield simulator


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    """Serve on a free port, with a certificate that only ``ca_file`` vouches for."""
    with served_wire(tmp_path) as served:
        yield served
