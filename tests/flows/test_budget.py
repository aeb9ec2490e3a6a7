"""ARM's budget in the flows: nobody calls who has no token, and nobody's try is lost for it."""

from typing import Final

from shared.core.budget import RESERVES, Kind
from shared.ports import CallsLeft
from tests.flows.world import CONFIGURATION, World, deployment_id, files

SUBSCRIPTION: Final = deployment_id("a").split("/")[2].lower()


def test_a_release_waits_until_arm_takes_writes_again(world: World) -> None:
    """At 10 a second, what is left to others is there again soon; the release goes then, once."""
    _say(world, "writes", 0)
    world.push(files("a", a="one"))
    world.run(1, sweeps=False)
    before = world.puts("a")
    world.run(60)

    assert (before, world.puts("a"), world.record("a").phase) == (0, 1, "steady")
    assert world.record("a").attempt == 1


def test_a_release_that_makes_its_group_waits_for_both_writes(world: World) -> None:
    """With one write to spare it would come back for nothing, or take what others wait for."""
    _say(world, "writes", RESERVES["release"] + 1)
    world.push(files("a", a="one"))
    world.run(0.05, sweeps=False)
    before = world.puts("a")
    world.run(60)

    assert (before, world.puts("a")) == (0, 1)


def test_a_release_into_its_group_waits_for_one_write(world: World) -> None:
    """The group is made once: later releases are one write."""
    world.push(files("a", a="one"))
    world.run(60)
    _say(world, "writes", RESERVES["release"] + 1)
    world.push(files("a", a="two"))
    world.run(0.05, sweeps=False)

    assert world.puts("a") == 2


def test_a_snapshot_leaves_the_reads_to_releases(world: World) -> None:
    """A release goes on with few reads left; its snapshot waits, and is taken in the end."""
    _say(world, "reads", 50)
    world.push(files("a", a="one"))
    world.run(2.0, sweeps=False)
    early = [call for call, _ in world.faults.calls if call == "arm.resource"]
    world.run(120)

    assert early == []
    assert "snapshot" not in world.record("a").owed


def test_the_operator_says_what_is_left_to_others(world: World) -> None:
    """Heeded without a restart: with more left to others a release waits, with less it goes."""
    world.configure({**CONFIGURATION, "budgets": {"release": 150, "snapshot": 150}})
    _say(world, "writes", 60)
    world.push(files("a", a="one"))
    world.run(1, sweeps=False)
    waits = world.puts("a")
    world.configure({**CONFIGURATION, "budgets": {"release": 0, "snapshot": 0}})
    world.run(60)
    world.clock.advance(60)
    _say(world, "writes", 1)
    world.push(files("a", a="two"))
    world.run(1, sweeps=False)

    assert (waits, world.puts("a")) == (0, 2)


def test_a_wrong_configuration_leaves_to_others_what_is_usual(world: World) -> None:
    """A snapshot needs no permission: it is taken all the same."""
    _say(world, "reads", 50)
    world.push(files("a"))
    world.run(2, sweeps=False)
    world.configure(b"{")
    world.clock.advance(31)
    before = world.record("a").applied
    world.run(300)

    assert before is None
    assert world.record("a").applied is not None
    assert "snapshot" not in world.record("a").owed


def test_health_shows_what_arm_still_takes(world: World) -> None:
    """Per subscription and kind, as this worker was told it."""
    world.push(files("a", a="one"))
    world.run()
    _say(world, "writes", 150)

    assert world.api("health")["arm"][SUBSCRIPTION]["writes"] == 150


def _say(world: World, kind: Kind, calls: float) -> None:
    world.arm.limits[(SUBSCRIPTION, kind)] = CallsLeft(int(calls), world.clock.monotonic())
