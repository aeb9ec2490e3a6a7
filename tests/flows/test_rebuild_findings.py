"""What a review of the rebuild of lost state found, each as the promise that was broken."""

from datetime import timedelta

import pytest

from shared.core import names
from shared.core.document import to_text
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment, SkewedClock
from tests.flows.chains import FAILED
from tests.flows.losses import lose, lose_history, spoil
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


def test_a_revision_that_failed_is_not_told_deployed(world: World) -> None:
    """Rule 12: history knows how it ended, whatever the fresh record's count went on to."""
    world.arm.default = Outcome(seconds=100, failures=FAILED.failures)
    bad = world.push(files("a", a="bad"))
    world.run(20)
    spoil(world, RECORD_A)
    world.arm.default = Outcome(seconds=1)
    good = world.push(files("a", a="good"))
    world.run(20)
    world.rebuild()
    world.run(600)

    assert world.status(good) == "deployed"
    assert world.status(bad) in {"failed", "superseded"}


def test_contents_are_written_anew_once_a_manifest_can_be_read(world: World) -> None:
    """A rebuild is ordered while the tip's manifest is damaged: there was nothing to compile yet."""
    world.push(files("a"))
    world.run()
    world.push({**files("a"), "plumbline.yaml": "version: 1\nstacks: [\n"})
    world.run()
    lose_history(world, "contents/")
    world.restart()
    world.rebuild()
    world.run(60)
    world.push(files("a"))
    world.run(60)

    assert _has_content(world)


def test_contents_are_written_anew_once_the_branch_is_back(world: World) -> None:
    """A rebuild is ordered while the followed branch is missing."""
    world.push(files("a"))
    world.run()
    lose_history(world, "contents/")
    world.restart()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(world.git), "tip", lambda *_: None)
        world.rebuild()
        world.run(60)
    world.run(600)

    assert _has_content(world)


def test_what_is_lost_while_a_rebuild_compiles_is_written_by_a_second(world: World) -> None:
    """The first sync had read and kept its contents when they were lost: another one follows."""
    world.push(files("a"))
    world.run()
    done: list[str] = []

    def lost(moment: Moment, call: str, name: str) -> None:
        kept = (moment, call) == ("after", "history.put") and name.startswith("contents/")
        if kept and not done:
            done.append(name)
            lose_history(world, "contents/")
            world.restart()
            world.rebuild()

    world.hook = lost
    world.rebuild()
    world.run(60)

    assert done
    assert _has_content(world)


def _has_content(world: World) -> bool:
    """Tell whether history has what the stack's record wants to be deployed."""
    desired = world.record("a").desired
    return desired is not None and names.contents(desired.digest) in world.kept()


def order_once_looked_at(world: World) -> list[str]:
    """Let an operator order a release when ARM was asked, and before its answer is taken up."""
    done: list[str] = []

    def order(moment: Moment, call: str, name: str) -> None:
        if (moment, call) == ("after", "arm.deployment") and not done:
            done.append(name)
            world.order("a", "release", "the quota is there now")

    world.hook = order
    return done


@pytest.mark.parametrize("spoiled", [RECORD_A, None])
def test_an_order_counts_although_a_failed_release_is_remembered_after_it(
    world: World, spoiled: str | None
) -> None:
    """What ARM remembers became this generation's failure: the order is for the next attempt."""
    world.arm.default = FAILED
    world.push(files("a"))
    world.run()
    world.arm.default = Outcome(seconds=1)
    if spoiled is not None:
        spoil(world, spoiled)
        world.rebuild()
    else:
        lose(world, "stacks/")
    done = order_once_looked_at(world)
    world.run(600)

    assert done
    assert world.record("a").phase == "steady"
    assert world.puts("a") == 2


def test_an_order_counts_although_a_good_release_is_remembered_after_it(world: World) -> None:
    """Its generation rises above ARM's, and takes the order along: one release more, not two."""
    for note in ("one", "two", "three"):
        world.push(files("a", a=note))
        world.run(60)
    lose(world, "stacks/")
    lose_history(world, "stacks/")
    before = world.puts("a")
    done = order_once_looked_at(world)
    world.run(600)

    assert done
    assert world.puts("a") == before + 1
