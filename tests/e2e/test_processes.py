"""Background processes: found again, told apart from strangers, ended with what they left."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local import laptop as laptops
from local import launcher, ports, processes, waiting
from local.processes import Process

pytestmark = pytest.mark.e2e

SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
PARENT = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', "
    f"{SLEEPER!r}], stdout=subprocess.DEVNULL); print(child.pid, flush=True); child.wait()"
)

Start = Callable[[str], Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give a function that starts a Python program, waits for its first line, and ends it later."""
    started = []

    def begin(program: str) -> Process:
        process = processes.start(
            [sys.executable, "-c", program],
            log=tmp_path / "program.log",
            cwd=tmp_path,
            environment=dict(os.environ),
            mark=str(tmp_path),
        )
        started.append(process)
        waiting.until(process.log.read_text, limit_s=10, what="the first line")
        return process

    yield begin
    for process in started:
        processes.stop(process, mark=str(tmp_path), limit_s=0.1)


def test_stop_ends_a_process_that_ignores_sigterm(start: Start, tmp_path: Path) -> None:
    """After SIGTERM and the limit comes SIGKILL."""
    process = start(STUBBORN)

    processes.stop(process, mark=str(tmp_path), limit_s=0.2)

    assert not processes.is_alive(process)
    assert not processes.runs(process.pid)


def test_a_stranger_under_the_same_number_is_left_alone(start: Start, tmp_path: Path) -> None:
    """A pid that was used again by another process is not ours, and is not killed."""
    stranger = start(SLEEPER)
    remembered = replace(stranger, started="12345")

    assert not processes.is_alive(remembered)
    processes.stop(remembered, mark="another folder", limit_s=0.2)
    assert processes.runs(stranger.pid)
    processes.stop(stranger, mark=str(tmp_path))


def test_children_of_a_killed_process_are_ended(start: Start, tmp_path: Path) -> None:
    """SIGKILL leaves children that may hold ports; the next start ends them first."""
    parent = start(PARENT)
    child = int(parent.log.read_text())
    os.kill(parent.pid, signal.SIGKILL)
    waiting.until(lambda: not processes.is_alive(parent), limit_s=5, what="the parent to die")
    assert processes.runs(child)

    processes.stop_orphans(parent, mark=str(tmp_path))

    waiting.until(lambda: not processes.runs(child), limit_s=5, what="the child to die")


def test_what_a_deleted_folder_left_running_is_ended(start: Start, tmp_path: Path) -> None:
    """Without a written pid, processes are found by their mark, and only by theirs."""
    process = start(SLEEPER)

    processes.stop_marked(str(tmp_path) + "-other")
    assert processes.is_alive(process)
    processes.stop_marked(str(tmp_path))

    waiting.until(lambda: not processes.is_alive(process), limit_s=5, what="the process to die")


def test_a_process_that_dies_at_start_is_reported_with_its_log(
    start: Start,
) -> None:
    """The error names the program and ends with the last lines of its log."""
    process = start("import sys; print('noise'); sys.exit('port 1 is taken')")

    with pytest.raises(processes.DiedAtStartError, match=r"(?s)the tester ended.*port 1 is taken"):
        processes.wait_until_answering(
            process, answers=lambda: False, name="the tester", limit_s=10
        )


def test_free_ports_are_different_and_free() -> None:
    """Ports that are drawn together differ, and a listener's port counts as taken."""
    drawn = ports.free_ports(20)

    assert len(set(drawn)) == 20
    assert all(port in ports.RANGE for port in drawn)
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", ports.LOOPBACK, str(drawn[0])],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        waiting.until(lambda: ports.is_answering(drawn[0]), limit_s=10, what="the server")
        assert not ports.is_free(drawn[0])
    finally:
        server.terminate()
        server.wait()


def test_down_also_ends_what_nobody_wrote_down(tmp_path: Path) -> None:
    """Whoever started it was interrupted before its number was kept."""
    own = laptops.draw(tmp_path.resolve())
    laptops.save(own)
    lost = processes.start(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        log=tmp_path / "lost.log",
        cwd=tmp_path,
        environment=os.environ,
        mark=own.mark,
    )

    assert launcher.down(tmp_path, lambda _: None)
    waiting.until(lambda: not processes.is_alive(lost), limit_s=10, what="its end")
