"""Every revision gets exactly one final status, and the Git host is told (rule 12)."""

from typing import Any, Final

import pytest

from shared import events
from shared.core.errors import PlumblineError, Stalled, Transient
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.chains import FAILED, chain
from tests.flows.world import CONFIGURATION, URL, Killed, World, deployment_id, files

WHOLE: Final = "plumbline/example"
STATUSES: Final = {
    "statuses": {
        "github": "https://api.git.example/repos/acme/shop",
        "token": "PLUMBLINE_SECRET_HOOK",
    }
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world whose Git host wants commit statuses."""
    example: Any = {**CONFIGURATION["repositories"]["example"], **STATUSES}  # type: ignore[index]
    return World(monkeypatch, configuration={**CONFIGURATION, "repositories": {"example": example}})


def finals(world: World, revision: str, context: str = WHOLE) -> list[str]:
    """Return the final states that a context was sent."""
    return [state for state in world.hosts.states(revision, context) if state != "pending"]


def unsettled(world: World) -> list[str]:
    """Return the markers of revisions whose end is not told."""
    return [found.name for found in world.documents.list("pending/revisions/")]


def test_the_author_reads_the_status_at_the_commit(told: World) -> None:
    """Pending while it is at work, then one final state for the repository and for each stack."""
    revision = told.push(files("a", "b"))
    told.run(60)

    assert told.hosts.states(revision, WHOLE) == ["pending", "success"]
    assert told.hosts.states(revision, f"{WHOLE}/a") == ["pending", "success"]
    assert told.hosts.states(revision, f"{WHOLE}/b") == ["pending", "success"]
    assert unsettled(told) == []


def test_a_failure_and_those_that_wait_for_it_are_told(told: World) -> None:
    """The stacks that are held back say so, and the whole has failed."""
    told.arm.plan(deployment_id("network"), FAILED)
    revision = told.push(chain())
    told.run(60)

    assert finals(told, revision) == ["failure"]
    assert finals(told, revision, f"{WHOLE}/network") == ["failure"]
    assert finals(told, revision, f"{WHOLE}/web") == ["failure"]
    (said,) = [
        one.description
        for sha, one in told.hosts.kept
        if sha == revision and one.context == f"{WHOLE}/web" and one.state == "failure"
    ]
    assert "waits" in said


def test_a_final_status_stays_whatever_comes_later(told: World) -> None:
    """A retry that works, and a release of the next push, change no status that was told."""
    told.arm.plan(deployment_id("a"), FAILED)
    first = told.push(files("a", a="one"))
    told.run(60)
    told.order("a", "retry", "mended")
    told.run(60)
    second = told.push(files("a", a="two"))
    told.run(7200)

    assert (told.status(first), told.status(second)) == ("failed", "deployed")
    assert finals(told, first) == ["failure"]
    assert finals(told, second) == ["success"]


def test_a_burst_gives_each_revision_one_final_status(told: World) -> None:
    """Deployed, superseded or pushed over before anybody looked: each is told once."""
    told.arm.default = Outcome(seconds=30)
    revisions = [told.push(files("a", a=f"v{n}")) for n in range(3)]
    told.run(5)
    revisions += [told.push(files("a", a=f"w{n}")) for n in range(3)]
    told.run(200)

    assert [len(finals(told, revision)) for revision in revisions] == [1] * 6
    assert finals(told, revisions[-1]) == ["success"]
    assert unsettled(told) == []


def test_a_force_push_supersedes_the_lost_tip(told: World) -> None:
    """What nobody can reach any more is told its end; the tip that came back has its own."""
    told.arm.default = Outcome(seconds=60)
    first = told.push(files("a", a="one"))
    told.run(200)
    second = told.push(files("a", a="two"))
    told.run(5)
    told.git.move(URL, first)
    told.announce(first, key="again")
    told.run(400)

    assert told.note("a") == "one"
    assert len(finals(told, second)) == 1
    assert told.status(first) == "deployed"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", ["hosts.send", "documents.replace", "documents.delete"])
def test_a_crash_while_it_is_told_sends_no_final_status_twice(
    told: World, call: str, moment: Moment
) -> None:
    """Killed at any of the first calls of each kind: every context ends with exactly one."""
    shots: list[list[str]] = []
    for shot in range(8):
        seen: list[str] = []

        def kill(when: Moment, what: str, _: str, seen: list[str] = seen, n: int = shot) -> None:
            if (when, what) == (moment, call) and told.turn == "settle":
                seen.append(what)
                if len(seen) == n + 1:
                    raise Killed(what)

        told.hook = kill
        shots.append(seen)
        revision = told.push(files("a", "b", a=f"{call}{moment}{shot}"))
        told.run(60)
        told.hook = None
        told.run(300)

        assert finals(told, revision) == ["success"], shot
        assert finals(told, revision, f"{WHOLE}/a") == ["success"], shot
        assert unsettled(told) == []
    assert shots[0]


def test_a_worker_that_was_paused_for_long_tells_no_older_state(told: World) -> None:
    """It said that it was about to tell ``pending``, and came back after the end was told."""
    paused: list[str] = []

    def pause(moment: Moment, call: str, name: str) -> None:
        noted = (moment, call) == ("after", "documents.replace") and "/revisions/" in name
        if noted and not paused:
            paused.append(name)
            told.run(120)

    told.hook = pause
    revision = told.push(files("a"))
    told.run(120)

    assert paused
    assert told.hosts.states(revision, WHOLE)[-1] == "success"
    assert finals(told, revision) == ["success"]
    assert unsettled(told) == []


def test_a_host_that_hiccups_is_told_later(told: World) -> None:
    """Statuses that were not taken are sent again, and those that were are not."""
    told.faults.fail("hosts.send", lambda: Transient("X", "x", retry_after_s=30), skip=1, times=3)
    revision = told.push(files("a"))
    told.run(400)

    assert finals(told, revision) == ["success"]
    assert finals(told, revision, f"{WHOLE}/a") == ["success"]


@pytest.mark.parametrize("error", [Stalled("StatusRefused", "401"), Transient("X", "x")])
def test_a_host_that_takes_nothing_is_given_up(told: World, error: PlumblineError) -> None:
    """The revision is settled all the same, and after a day nobody asks the host any more."""
    told.faults.fail("hosts.send", lambda: error, times=10**6)
    revision = told.push(files("a"))
    told.run(120)
    settled = told.status(revision)
    waiting = unsettled(told)
    told.clock.advance(90_000)
    told.run(900)

    assert settled == "deployed"
    assert waiting
    assert unsettled(told) == []
    assert told.log.named(events.STATUS_NOT_SENT)[-1]["given_up"] is True


def test_without_statuses_in_the_configuration_nobody_is_told(world: World) -> None:
    """The revision is settled and its marker goes."""
    revision = world.push(files("a"))
    world.run(60)

    assert world.status(revision) == "deployed"
    assert world.hosts.kept == []
    assert unsettled(world) == []
