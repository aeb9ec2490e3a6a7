"""What the model found in the product, as flow tests."""

from typing import Any

import pytest

from shared.core.arm_errors import Unknown
from shared.core.message import StackMessage, encode
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.chains import FAILED
from tests.flows.world import CONFIGURATION, World, deployment_id, files
from tests.simulation.replay import STATUSES

STACK = encode(StackMessage(repository="example", stack="a"))
HOUR_S = 3700.0


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world in which one stack is steady at its first release."""
    world = World(monkeypatch)
    world.push(files("a", a="one"))
    world.run(60)
    assert world.record("a").phase == "steady"
    return world


def _look(world: World) -> None:
    """Let the stack's next turn in rotation come."""
    world.clock.advance(HOUR_S)
    world.queues.put("release", STACK)
    world.run(60)


def test_a_failed_release_whose_answer_was_lost_is_not_tried_again(world: World) -> None:
    """What failed for good is left alone (rule 10), also when nobody heard that ARM took it (I11)."""
    world.arm.plan(deployment_id("a"), FAILED)
    world.faults.fail("arm.put", lambda: Unknown("Timeout", "no answer"), moment="after")
    world.order("a", "release")
    world.run(60)
    assert (world.record("a").phase, world.puts("a")) == ("failed", 2)

    _look(world)

    assert world.puts("a") == 2


def test_a_release_that_arrived_a_second_time_and_failed_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A PUT may arrive after its own second try: what it broke is seen in rotation (rule 7, I27)."""
    world = World(monkeypatch)
    world.arm.plan(deployment_id("a"), Outcome(seconds=1.0), FAILED)
    world.push(files("a", a="one"))
    world.arm.postpone_put()
    world.run(120)
    assert (world.record("a").phase, world.puts("a")) == ("steady", 1)
    world.arm.deliver()
    world.run(60)

    _look(world)

    deployment = world.arm.deployment(deployment_id("a"))
    assert deployment is not None
    assert (world.record("a").phase, deployment.state) == ("steady", "succeeded")


def test_who_was_stalled_before_saying_pending_does_not_say_it_after_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each context has one final state, and it is the last, whoever else was about to tell (rule 12).

    ``pending`` is noted in the document before it is sent, like the end.
    """
    example: Any = {**CONFIGURATION["repositories"]["example"], **STATUSES}  # type: ignore[index]
    told = World(monkeypatch, configuration={**CONFIGURATION, "repositories": {"example": example}})
    struck = False

    def stall(moment: Moment, call: str, _: str) -> None:
        nonlocal struck
        if struck or (moment, call) != ("before", "hosts.send"):
            return
        struck = True
        for _second in range(10):
            told.clock.advance(1.0)
            told.deliver_visible()

    told.hook = stall
    revision = told.push(files("a"))
    told.run(300)

    assert struck
    for context in ("plumbline/example", "plumbline/example/a"):
        states = told.hosts.states(revision, context)
        assert states[-1] == "success"
        assert states.count("success") == 1
