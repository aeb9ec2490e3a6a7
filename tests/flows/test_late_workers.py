"""Workers that are late: paused, slow, or with something that others did meanwhile (rules 4 and 12)."""

from typing import Any

import msgspec
import pytest

from shared.core import names
from shared.core.errors import Stalled
from shared.core.message import RepositoryMessage
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.chains import chain, manifest
from tests.flows.losses import lose
from tests.flows.test_settle import WHOLE, finals, told, unsettled
from tests.flows.test_timeouts import FOR_EVER, limited
from tests.flows.world import Killed, World, deployment_id, files

__all__ = ["told"]  # a fixture

STACKS = ("a", "b", "c", "d", "e", "f")
A, WEB = names.record("example", "a"), names.record("example", "web")


def _all(note: str) -> dict[str, Any]:
    return files(*STACKS, **dict.fromkeys(STACKS, note))


def _refusing(world: World) -> None:
    """Let the Git host take no statuses, so that revisions pile up."""

    def refuse(moment: Moment, call: str, _: str) -> None:
        if (moment, call) == ("before", "hosts.send"):
            raise Stalled("StatusRefused", "no", hint="x")

    world.hook = refuse


def test_pending_is_not_told_after_the_end(told: World) -> None:
    """Telling of one revision takes long, and meanwhile another worker tells the end of the next."""
    _refusing(told)
    first = told.push(_all("one"))
    told.run(60)
    told.arm.default = Outcome(seconds=10**6)
    number = 0
    while (second := told.commit(_all(f"two{number}"))) < first:  # in the order they are looked at
        number += 1
    told.announce(second)
    told.run(20)
    others: list[str] = []

    def race(moment: Moment, call: str, name: str) -> None:
        if (moment, call) == ("after", "hosts.send"):
            told.clock.advance(14)
        done = sum(sha == first for sha, _ in told.hosts.kept) == len(STACKS) + 1
        if (moment, call) == ("before", "hosts.send") and done and not others:
            others.append(name)
            told.hook = None
            for stack in STACKS:
                told.arm.let_end(deployment_id(stack))
            told.run(20)
            told.hook = race

    told.hook = race
    told.services.settle(RepositoryMessage(repository="example"))
    told.hook = None
    told.run(600)

    assert others
    assert told.hosts.states(second, WHOLE)[-1] == "success"
    assert finals(told, second) == ["success"]
    assert unsettled(told) == []


def test_a_host_that_lists_slowly_is_told_all_the_same(told: World) -> None:
    """After a worker died, the host says what it has, and takes half a minute for it."""
    died: list[str] = []

    def strike(moment: Moment, call: str, name: str) -> None:
        if (moment, call) == ("before", "hosts.send") and told.turn == "settle" and not died:
            died.append(name)
            raise Killed
        if (moment, call) == ("after", "hosts.sent"):
            told.clock.advance(26)

    told.hook = strike
    revision = told.push(files("a"))
    told.run(1800)

    assert died
    assert finals(told, revision) == ["success"]


def test_a_late_cancel_does_not_meet_the_next_release(world: World) -> None:
    """A worker decides to cancel and is paused; the release ends, and an operator starts another."""
    world.arm.default = FOR_EVER
    world.push(limited())
    paused: list[str] = []

    def pause(moment: Moment, call: str, name: str) -> None:
        if paused or (moment, call, name) != ("after", "documents.replace", A):
            return
        if world.record("a").timed_out_s is None or world.record("a").busy_until is None:
            return
        paused.append(name)
        world.run(120)
        assert world.record("a").phase == "failed"
        world.arm.default = Outcome(seconds=100)
        world.order("a", "retry", "again")
        world.run(10)
        assert world.record("a").phase == "releasing"

    world.hook = pause
    world.run(900)

    assert paused
    assert world.record("a").phase == "steady"


def test_a_cancel_that_arm_refuses_is_shown_and_the_release_watched(world: World) -> None:
    """Plumbline may not cancel: it says so, and records the end when it comes."""
    world.arm.default = Outcome(seconds=330)
    world.faults.fail(
        "arm.cancel", lambda: Stalled("AuthorizationFailed", "no", hint="x"), times=100
    )
    revision = world.push(limited())
    world.run(320)
    shown = world.api("stacks/a")
    world.run(120)

    assert shown["problem"]["code"] == "AuthorizationFailed"
    assert world.status(revision) == "deployed"


def test_who_calls_a_stack_that_is_due_already_is_heeded(world: World) -> None:
    """A worker looks, the dependency ends, its message dies with another worker: one sweep helps."""
    world.arm.plan(deployment_id("network"), Outcome(seconds=10**6))
    text = manifest(network={}, web={"dependsOn": "[network]"})
    world.push({**files("network", "web"), "plumbline.yaml": text})
    world.run(10)
    records, messenger = world.services.release.records, world.services.release.messenger
    records.ask("example", "web", lambda r, at: msgspec.structs.replace(r, due_at=at))
    messenger.stack("release", "example", "web")
    said: list[str] = []

    def kill(moment: Moment, call: str, name: str) -> None:
        if (moment, call, name) == ("after", "documents.read", WEB) and world.turn == "release":
            said.append("killed")
            raise Killed

    def race(moment: Moment, call: str, name: str) -> None:
        at_work = world.turn == "release" and not said
        if at_work and (moment, call, name) == ("before", "documents.replace", WEB):
            said.append("raced")
            world.hook = kill
            world.arm.let_end(deployment_id("network"))
            world.run(40, sweeps=False)
            world.hook = None

    world.hook = race
    world.run(200)

    assert said[:2] == ["raced", "killed"]
    assert world.record("web").phase == "steady"


def test_telling_the_dependents_puts_off_nothing_that_was_asked_for(world: World) -> None:
    """Somebody orders a release while the dependents are told, and the order's message is lost."""
    world.push(chain())
    world.run()
    asked: list[Any] = []

    def order(moment: Moment, call: str, name: str) -> None:
        if asked or (moment, call, name) != ("before", "documents.replace", WEB):
            return
        record = world.record("app")
        if record.standing == "steady" and "dependents" in record.owed:
            world.hook = None
            world.order("app", "release", "again")
            asked.append(world.record("app").due_at)
            while world.queues.take("release", 32, hidden_s=600):
                pass

    world.push(chain("v2"))
    world.hook = order
    world.run(20, sweeps=False)

    due_at = world.record("app").due_at
    assert asked
    assert due_at is not None
    assert due_at <= asked[0]


@pytest.mark.parametrize("key", ["example", "nobody"])
def test_a_poison_message_makes_no_tip(world: World, key: str) -> None:
    """A missing tip is the next sync's to make, which knows from the records where to count from."""
    for note in range(3):
        world.push(files("a", a=str(note)))
        world.run(40)
    lose(world, "repositories/")
    world.queues.put("sync-poison", b'{"v":1,"repository":"%s"}' % key.encode())
    world.services.poison()

    assert world.documents.read(names.tip(key)) is None
