"""``make demo``: it holds, and it leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local import laptop as laptops
from local import processes, waiting
from local.demo import screen
from local.demo.azure import Deployment, Fact
from local.demo.clone import Pushed
from local.demo.githost import all_final, since
from local.demo.runs import Run, RunLog, run_of
from local.demo.story import STACKS, Outcome, Overtaken, Step, broken_promises
from tests.conftest import ROOT, LaptopRun

pytestmark = pytest.mark.e2e

DEMO_LIMIT_S = 300.0


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
    # Who watches has calls of his own: Plumbline never waits for a token of ARM.
    assert "ArmBudget" not in (folder / "logs" / "functions.log").read_text()
    left = laptops.load(folder)
    assert left is not None
    assert left.processes == {}


def outcome(step: Step, *deployments: Deployment, **more: Any) -> Outcome:
    """Return an outcome in which all is as the step wants it, but for what is given."""
    stacks = {name: {"phase": "steady", "applied": {"revision": "a"}} for name in STACKS}
    return Outcome(
        pushed=Pushed("a", (), ()),
        revision={"status": step.status, "stacks": {}},
        stacks=stacks,
        deployments=deployments,
        puts=len(deployments),
        functions={},
        elapsed_s=1.0,
        told={f"plumbline/{laptops.REPOSITORY}": ["pending", "success"]},
        **more,
    )


def deployment(stack: str, ended_s: float) -> Deployment:
    """Return a deployment of one second that ended that many seconds after the step began."""
    ended = datetime(2026, 5, 4, tzinfo=UTC) + timedelta(seconds=ended_s)
    return Deployment(stack, "rg", "Succeeded", stack, ended, 1.0, "")


def a_step(**more: Any) -> Step:
    """Return a step that deploys what it is told."""
    return Step(title="t", edit=lambda _: None, message="m", status="deployed", **more)


def test_a_stack_that_is_deployed_before_what_it_takes_from_breaks_a_step() -> None:
    """A later wave begins when the one before it is there, or the step did not hold."""
    step = a_step(deployed=frozenset({"network", "web"}))

    good = outcome(step, deployment("network", 1.0), deployment("web", 2.5))
    early = outcome(step, deployment("network", 1.0), deployment("web", 1.5))

    assert broken_promises(step, good) == []
    assert broken_promises(step, early) == ["Azure began with web before network was there"]


def test_a_force_push_that_supersedes_nothing_breaks_its_step() -> None:
    """What a force-push takes out must end as superseded, and what it began be brought back."""
    lost = Overtaken(lambda _: None, "m", "logs")
    step = a_step(deployed=frozenset({"logs"}), overtaken=lost)
    twice = (deployment("logs", 1.0), deployment("logs", 2.0))

    assert broken_promises(step, outcome(step, *twice, overtaken={"status": "superseded"})) == []
    assert broken_promises(step, outcome(step, *twice, overtaken={"status": "deployed"}))
    assert broken_promises(step, outcome(step, twice[0], overtaken={"status": "superseded"}))


def test_a_failing_step_allows_no_more_than_was_asked_for() -> None:
    """Neither may a failed stack be put again and again, nor one that waits be put at all."""
    step = Step(
        title="t",
        edit=lambda _: None,
        message="m",
        status="failed",
        failed=frozenset({"network"}),
        waiting={"web": ["network"]},
    )
    whole = {f"plumbline/{laptops.REPOSITORY}": ["pending", "failure"]}
    good = outcome(step)
    stacks = {
        **good.stacks,
        "network": {"phase": "failed", "problem": "no"},
        "web": {"phase": "pending", "waiting": [{"stack": "network"}]},
    }
    good = replace(good, stacks=stacks, puts=1, told=whole)
    put = replace(deployment("web", 1.0), state="Failed")

    assert broken_promises(step, good) == []
    assert broken_promises(step, replace(good, puts=2))
    assert broken_promises(step, replace(good, deployments=[put]))


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


def test_what_azure_has_is_part_of_what_a_step_promises() -> None:
    """A fact that is not so in Azure breaks the step, and so does a resource that is not there."""
    fact = Fact("rg-logs", "Contoso.Shop/shelves", "a", "2024-01-01", "properties.days", 90)
    step = a_step(facts=(fact,))

    assert broken_promises(step, outcome(step, found={fact: [90]})) == []
    assert broken_promises(step, outcome(step, found={fact: [730]}))
    assert broken_promises(step, outcome(step, found={fact: []}))


def test_a_commit_that_returns_is_told_of_anew() -> None:
    """What the Git host was told at the first visit is not taken for the end of the second."""
    before = {"plumbline/example": ["pending", "error"], "plumbline/example/logs": ["success"]}
    now = {**before, "plumbline/example": ["pending", "error", "pending"]}

    assert since(before, before) == {}
    assert since(before, now) == {"plumbline/example": ["pending"]}
    assert not all_final(since(before, now))


def test_a_chain_names_each_stack_with_what_is_wrong_with_it() -> None:
    """Whoever reads a chain sees where the matter begins, and as what."""
    web = {"stack": "web", "phase": "pending", "code": None}
    network = {"stack": "network", "phase": "failed", "code": "InvalidTemplate"}

    said = screen.chain([web, network])

    assert said == "web (pending), which waits for network (failed, InvalidTemplate)"


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
