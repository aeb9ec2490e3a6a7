"""One fresh simulator in memory for every test that asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.arm.knobs import Knobs
from local.arm.server import Settings, start
from tests.arm.azure import Azure, clients


@pytest.fixture
def azure() -> Iterator[Azure]:
    """Start a simulator that knows nothing yet, with clients that poll every 20 ms."""
    with start(Settings(knobs=Knobs(retry_after=0.02))) as address, clients(address) as found:
        yield found


@pytest.fixture
def faults(azure: Azure) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Give a function that scripts faults by rules and seed; they are taken back at the end."""

    def script(*rules: dict[str, Any], seed: int = 0) -> list[dict[str, Any]]:
        added = azure.control("POST", "/answers", {"seed": seed, "rules": list(rules)})
        found: list[dict[str, Any]] = added["value"]
        return found

    yield script
    azure.control("DELETE", "/answers")
