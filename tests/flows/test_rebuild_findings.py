"""What a review of the rebuild of lost state found, each as the promise that was broken."""

from datetime import timedelta

import pytest

from shared.core import names
from shared.core.document import to_text
from tests.fakes.system import Moment, SkewedClock
from tests.flows.losses import spoil
from tests.flows.world import World, files

RECORD_A = names.record("example", "a")


def test_a_fresh_record_waits_for_whoever_is_about_to_put(world: World) -> None:
    """Rule 4: a worker between its intent and its PUT has its hold; one release is put, not two."""
    done: list[str] = []

    def lost(moment: Moment, call: str, _: str) -> None:
        if not done and (moment, call) == ("before", "arm.put"):
            done.append(call)
            spoil(world, RECORD_A)
            world.rebuild()
            world.run(15)

    world.hook = lost
    world.push(files("a", a="one"))
    world.run(600)

    assert done
    assert world.puts("a") == 1
    assert world.record("a").phase == "steady"


def test_a_freeze_that_replaced_one_within_a_second_is_not_lost(world: World) -> None:
    """I26: whichever of the two audits comes first in a listing, the stack stays frozen."""
    world.push(files("a", a="one"))
    world.run()
    now = world.clock.now()
    world.order("a", "freeze", "long", until=to_text(now + timedelta(days=20)))
    world.run(5)
    for audit, operation, more in (
        ("f", "unfreeze", {}),
        ("0", "freeze", {"until": to_text(now + timedelta(hours=2))}),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(world.services.operate.ids), "new", lambda _, name=audit: name)
            world.order("a", operation, "shorter", **more)
    spoil(world, RECORD_A)
    world.push(files("a", a="two"))
    answered = world.rebuild()
    world.run(600)

    assert answered.body.frozen == ("a",)
    assert world.note("a") == "one"


def test_a_worker_whose_clock_is_ahead_loses_no_freeze(world: World) -> None:
    """I26: whether a freeze holds still is told by the server's time."""
    world.push(files("a", a="one"))
    world.run()
    world.order("a", "freeze", "x", until=to_text(world.clock.now() + timedelta(minutes=9)))
    world.run(5)
    spoil(world, RECORD_A)
    world.services = world.worker(SkewedClock(world.clock, 600))
    world.push(files("a", a="two"))
    world.rebuild()
    world.services = world.worker(world.clock)
    world.run(60)

    assert world.note("a") == "one"
