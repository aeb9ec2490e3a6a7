"""What a record owes is paid soon, whoever gets in between (rule 8)."""

import pytest

from shared.core.message import StackMessage, encode
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.world import World, files

SOON_S = 180.0
STACK = encode(StackMessage(repository="example", stack="a"))


def test_a_snapshot_that_meets_a_look_is_paid_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker looks at the stack between the snapshot's reading and its last write."""
    world = World(monkeypatch)
    world.arm.default = Outcome(seconds=0)
    met: list[str] = []

    def look(moment: Moment, call: str, name: str) -> None:
        if moment == "after" and "/snapshots/" in name and not met:
            met.append(call)
            world.queues.put("release", STACK)
            world.deliver_visible()

    world.hook = look
    world.push(files("a"))
    world.run(SOON_S)

    assert met
    assert world.record("a").phase == "steady"
    assert world.record("a").owed == ()
