"""What tests of every room share: a real Azurite, and waiting for a condition with a limit."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import ports, processes, storage


@dataclass(frozen=True)
class Azurite:
    """A running Azurite; tests share it, so each takes container and queue names of its own."""

    connection_string: str
    endpoints: storage.Endpoints
    folder: Path
    process: processes.Process


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Start one real Azurite for the whole session, on free ports, on disk."""
    folder = tmp_path_factory.mktemp("azurite")
    endpoints = storage.Endpoints(*ports.free_ports(2))
    mark = str(folder)
    process = storage.start(folder / "data", endpoints, log=folder / "azurite.log", mark=mark)
    yield Azurite(endpoints.connection_string, endpoints, folder, process)
    processes.stop(process, mark=mark)
