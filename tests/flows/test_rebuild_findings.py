"""What a review of the rebuild of lost state found, each as the promise that was broken."""

from shared.core import names
from tests.fakes.system import Moment
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
