"""State that is lost comes back from Git and from what ARM's tags remember (rules 4 and 6)."""

import pytest

from shared.core import decision, names
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows import chains
from tests.flows.losses import lose, lose_history
from tests.flows.world import Killed, World, deployment_id, files


def test_all_state_lost_brings_the_same_stacks_back_without_a_put(world: World) -> None:
    """What ARM's deployments carry is what Git wants: nothing is deployed, and all is known again."""
    revision = world.push(files("a", "b", a="one", b="one"))
    world.run()
    before = {name: world.record(name).applied for name in ("a", "b")}
    lose(world)
    world.run()

    for name in ("a", "b"):
        record, known = world.record(name), before[name]
        assert world.puts(name) == 1
        assert record.phase == "steady"
        assert record.applied is not None
        assert known is not None
        assert (record.applied.release, record.applied.digest) == (known.release, known.digest)
        assert record.applied.revision == revision
        assert record.generation > 1
        assert record.owed == ()
    assert world.status(revision) == "deployed"
    assert world.errors == []


def test_state_and_history_lost_brings_the_newest_release_back_from_arm(world: World) -> None:
    """ARM still has its operations and outputs: the release's document and snapshot are made anew."""
    world.push(files("a", a="one"))
    world.run()
    kept = world.api("stacks/a/releases")[0]
    lose(world)
    lose_history(world, "stacks/", "contents/")
    world.run()
    found = {one["release"]: one for one in world.api("stacks/a/releases")}

    assert world.puts("a") == 1
    assert world.record("a").phase == "steady"
    assert found["1.1"]["resources"] == kept["resources"]
    assert found["1.1"]["correlation_id"] == kept["correlation_id"]
    assert names.snapshot("example", "a", "1.1") in world.kept()


def test_what_others_take_is_known_again_after_all_is_lost(world: World) -> None:
    """A stack that takes an output gets the same value, so that neither is deployed again."""
    world.push(chains.pair())
    world.run()
    assert world.record("web").phase == "steady"
    lose(world)
    lose_history(world, "stacks/", "contents/")
    world.run()

    assert (world.puts("network"), world.puts("web")) == (1, 1)
    assert world.record("web").phase == world.record("network").phase == "steady"


def test_a_release_that_runs_when_state_is_lost_is_adopted(world: World) -> None:
    """It is watched to its end, which is its generation's end: nothing waits and nothing is put."""
    world.arm.default = Outcome(seconds=120)
    revision = world.push(files("a", a="one"))
    world.run(20)
    lose(world)
    world.run(60)
    running = world.record("a")
    world.run()

    assert running.phase == "releasing"
    assert running.in_flight is not None
    assert running.in_flight.release == "1.1"
    assert world.puts("a") == 1
    assert world.record("a").phase == "steady"
    assert world.status(revision) == "deployed"


@pytest.mark.parametrize("step", range(1, 9))
def test_a_worker_that_dies_while_state_comes_back_changes_nothing(world: World, step: int) -> None:
    """I11: killed after any write to the record, the others find out where it was."""
    world.push(files("a", a="one"))
    world.run()
    lose(world)
    left = [step]

    def kill(moment: Moment, call: str, name: str) -> None:
        if moment == "after" and call.startswith("documents.") and name.endswith("record.json"):
            left[0] -= 1
            if left[0] == 0:
                raise Killed

    world.hook = kill
    world.run(1500)

    assert world.puts("a") == 1
    assert world.record("a").phase == "steady"


def test_a_failed_release_is_not_tried_again_because_state_was_lost(world: World) -> None:
    """I19: what ARM says of the failure is shown again, and a person goes on from there."""
    world.arm.plan(deployment_id("a"), chains.FAILED)
    world.push(files("a"))
    world.run()
    lose(world)
    world.run(7200)

    record = world.record("a")
    assert world.puts("a") == 1
    assert record.phase == "failed"
    assert record.problem is not None
    world.order("a", "retry", "the quota was raised")
    world.run()
    assert world.record("a").phase == "steady"


def test_a_push_while_state_was_lost_is_deployed(world: World) -> None:
    """The old release is remembered as applied, and the new revision is released after it."""
    world.push(files("a", a="one"))
    world.run()
    lose(world)
    revision = world.push(files("a", a="two"))
    world.run()

    assert world.note("a") == "two"
    assert world.puts("a") == 2
    assert world.status(revision) == "deployed"
    assert [r["release"] for r in world.api("stacks/a/releases")][-1] == "1.1"


@pytest.mark.parametrize("tag", [decision.TAG_RELEASE, decision.TAG_SOURCE, decision.TAG_REVISION])
def test_tags_that_are_not_whole_are_not_believed(world: World, tag: str) -> None:
    """A tag becomes part of names and is what is applied: a broken one costs one more deployment."""
    world.push(files("a"))
    world.run()
    tags = world.arm.puts(deployment_id("a"))[0].request.tags
    world.arm.retag(deployment_id("a"), {**tags, tag: "../../x"})
    lose(world)
    world.run()

    assert world.puts("a") == 2
    assert world.record("a").phase == "steady"
    assert world.errors == []


def test_a_lost_tip_forgets_no_stack_that_left_the_manifest(world: World) -> None:
    """Rule 15: a stack that is gone from Git is orphaned although no tip knew it."""
    world.push(files("a", "b"))
    world.run()
    lose(world, "repositories/")
    world.push(files("a"))
    world.run()

    assert world.record("b").orphaned
    assert not world.record("a").orphaned
    assert world.puts("a") == 1


def test_a_lost_tip_and_an_unreadable_manifest_orphan_nothing(world: World) -> None:
    """Rule 15: only a manifest that can be read says who left; the next one that can be does."""
    world.push(files("a", "b"))
    world.run()
    lose(world, "repositories/")
    world.push({"plumbline.yaml": "{"})
    world.run()
    orphaned = world.record("b").orphaned
    world.push(files("a"))
    world.run()

    assert not orphaned
    assert world.record("b").orphaned
