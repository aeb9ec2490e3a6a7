"""Drift of a stack that is not where Git wants it: what-if waits, and is not forgotten."""

import pytest

from shared.core.arm_errors import Refused
from shared.core.problem import Problem
from tests.flows.test_drift import NSG, calls, confirm, deployed, tag
from tests.flows.world import World, files

NO = Refused(Problem(code="InvalidTemplate", message="no"))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world whose stack was to be looked at in full while ARM had refused its last push."""
    world = deployed(monkeypatch)
    world.faults.fail("arm.put", lambda: NO)
    world.push(files("web", web="two"))
    world.run(60)
    confirm(world)
    return world


def test_what_could_not_be_asked_is_a_gap(world: World) -> None:
    """While what Git wants is not what is deployed nobody knows what the template leads to."""
    drift = world.drift("web")

    assert drift.state == "incomplete"
    assert [gap.code for gap in drift.gaps] == ["ReleaseOutstanding"]


def test_what_could_not_be_asked_is_asked_once_it_is_settled(world: World) -> None:
    """A push that takes the mistake back releases nothing, and the gap closes all the same."""
    release = world.drift("web").release
    world.push(files("web", web="one"))
    world.run(60)
    confirm(world)

    drift = world.drift("web")
    assert drift.release == release
    assert (drift.state, drift.gaps, drift.again_at) == ("none", (), None)


def test_asking_again_reads_no_resource_that_nobody_touched(world: World) -> None:
    """A stack that stays where it is for days costs a listing each time, and not a full look."""

    def later() -> None:
        world.clock.advance(601)
        world.scan()

    asked = calls(world, later)

    assert world.drift("web").state == "incomplete"
    assert {"arm.resource", "arm.predict"} & set(asked) == set()
    assert asked.count("arm.sightings") == 2


def test_a_hand_edit_is_found_meanwhile(world: World) -> None:
    """What was touched is compared with the snapshot, whatever Git wants."""
    world.arm.change(NSG, tag("by hand"))
    world.scan()

    drift = world.drift("web")
    assert [item.path for item in drift.items] == ["tags.note"]
    assert drift.state == "drifted"
