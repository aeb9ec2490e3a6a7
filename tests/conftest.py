"""What tests of every room share: a real Azurite, whole laptops, git, waiting with a limit.

Wait for a condition with ``local.waiting.until(condition, limit_s=..., what=...)``.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from local import ports, processes, storage

ROOT = Path(__file__).resolve().parent.parent
COMMAND_LIMIT_S = 120.0

# How long something takes is measured in bench/: no test fails because a machine has a slow moment.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


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


@dataclass
class LaptopRun:
    """A laptop driven from outside, with the command line, like any program does it."""

    folder: Path
    line: Mapping[str, Any] = field(default_factory=dict)

    def up(self, *options: str, environment: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """Run ``up``; return the line that it printed. Raises AssertionError with its words."""
        done = self.command("up", "--json", *options, environment=environment)
        assert done.returncode == 0, done.stderr
        self.line = json.loads(done.stdout)
        return self.line

    def down(self) -> None:
        """Run ``down``."""
        done = self.command("down")
        assert done.returncode == 0, done.stderr

    def command(
        self, name: str, *options: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run any command of ``python -m local`` on this laptop's folder."""
        return subprocess.run(
            [sys.executable, "-m", "local", name, "--dir", str(self.folder), *options],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_LIMIT_S,
        )


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopRun]:
    """Start one whole laptop for the session; its repository starts empty. Do not break it."""
    run = LaptopRun(tmp_path_factory.mktemp("laptop"))
    try:
        run.up("--no-example", "--demo")
        yield run
    finally:
        run.down()


@pytest.fixture(scope="session")
def shop_laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopRun]:
    """Start one whole laptop for the session, with ``examples/shop`` pushed. Do not break it."""
    run = LaptopRun(tmp_path_factory.mktemp("shop"))
    try:
        run.up("--demo")
        yield run
    finally:
        run.down()
