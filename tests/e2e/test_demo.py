"""``make demo``: it holds, and it leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import laptop as laptops
from local import processes, waiting
from local.demo.runs import Run, RunLog, run_of
from tests.conftest import ROOT, LaptopRun

pytestmark = pytest.mark.e2e

DEMO_LIMIT_S = 150.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a folder to play in, and see to it that nothing runs there afterwards."""
    yield tmp_path / "demo"
    if (tmp_path / "demo").exists():
        LaptopRun(tmp_path / "demo").down()


def start(folder: Path) -> subprocess.Popen[str]:
    """Start the demo in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "local.demo", "--dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_every_step_of_the_story_holds(folder: Path) -> None:
    """The demo ends with exit 0, a table in which every step held, and nothing that runs."""
    demo = start(folder)
    said, _ = demo.communicate(timeout=DEMO_LIMIT_S)

    assert demo.returncode == 0, said
    table = said[said.index("What happened") :]
    assert "no" not in [line.split("│")[-2].strip() for line in table.splitlines() if "│" in line]
    words = " ".join(said.split())  # lines are folded at the width of the terminal
    assert "The template parameter 'runtimeVersion' is not found" in words
    assert "maxPollingInterval = 00:00:00.2" in said
    left = laptops.load(folder)
    assert left is not None
    assert left.processes == {}


def test_an_interrupted_demo_stops_what_it_started(folder: Path) -> None:
    """Ctrl-C in the middle ends the demo and everything that it started."""
    demo = start(folder)

    def started() -> dict[str, processes.Process]:
        laptop = laptops.load(folder)
        return dict(laptop.processes) if laptop is not None else {}

    running = waiting.until(started, limit_s=60, what="the first process")
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=60)

    assert demo.returncode == 130
    assert started() == {}
    assert [one for one in running.values() if processes.is_alive(one)] == []


def test_runs_are_read_from_both_hosts_logs() -> None:
    """What local.host and the Core Tools say about an invocation is understood; the rest is not."""
    ours = {"message": "executed", "function": "sync", "outcome": "succeeded", "elapsed_ms": 12.5}
    theirs = "[2026-05-04T10:00:00.1Z] Executed 'Functions.watch' (Failed, Id=1-2, Duration=7ms)"

    assert run_of(json.dumps(ours)) == Run("sync", succeeded=True, elapsed_ms=12.5)
    assert run_of(theirs) == Run("watch", succeeded=False, elapsed_ms=7.0)
    assert run_of('{"message": "ready"}') is None
    assert run_of("{ half a line") is None
    assert run_of("") is None


def test_a_line_that_is_still_being_written_waits(tmp_path: Path) -> None:
    """Half a line is not lost: it is read when the host has finished it."""
    log = tmp_path / "functions.log"
    log.write_text('{"message": "executed", "function": "old"}\n')
    runs = RunLog([log])
    line = '{"message": "executed", "function": "sync", "outcome": "succeeded"}\n'
    with log.open("a") as file:
        file.write(line[:20])
        file.flush()
        assert list(runs.fresh()) == []
        file.write(line[20:])

    assert [run.function for run in runs.fresh()] == ["sync"]
