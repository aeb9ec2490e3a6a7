"""Another worker may do all of its work between any two calls of the first (I1, I12, I13).

Each test is one preemption at one call: a second worker gets copies of every message there is for
the stack, and handles them to the end, before the first worker makes its next call.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from shared.core.message import Queue, RepositoryMessage, StackMessage, encode
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.world import World, files

STACK = encode(StackMessage(repository="example", stack="a"))
REPOSITORY = encode(RepositoryMessage(repository="example"))
COPIES: tuple[tuple[Queue, bytes], ...] = (
    ("sync", REPOSITORY),
    ("release", STACK),
    ("watch", STACK),
    ("snapshot", STACK),
)


@dataclass
class Intruder:
    """Lets another worker run when the first one is about to make its call number ``at``."""

    world: World
    at: int
    push: dict[str, str] | None = None
    pause_s: float = 0.0
    seen: int = 0
    struck: str | None = None

    def __call__(self, moment: Moment, call: str, name: str) -> None:
        """Look at one call of the first worker."""
        if moment != "before" or self.struck is not None:
            return
        self.seen += 1
        if self.seen <= self.at:
            return
        self.struck = f"{call} {name}"
        world = self.world
        world.clock.advance(self.pause_s)
        if self.push is not None:
            world.push(files("a", **self.push))
        for queue, body in COPIES:
            world.queues.put(queue, body)
        world.deliver_visible()


def _quick(world: World) -> None:
    world.arm.default = Outcome(seconds=0)


def _slow(world: World) -> None:
    world.arm.default = Outcome(seconds=30)


def _play(
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    tempo: Callable[[World], None],
    push: dict[str, str] | None,
    pause_s: float,
) -> Intruder:
    world = World(monkeypatch)
    tempo(world)
    revision = world.push(files("a", a="one"))
    intruder = Intruder(world, at, push, pause_s)
    world.hook = intruder
    world.run(40)
    world.hook = None
    world.run(700)
    told = intruder.struck or "undisturbed"
    world.arm.check()
    wanted = push["a"] if push and intruder.struck else "one"
    assert world.note("a") == wanted, told
    record = world.record("a")
    assert (record.phase, record.owed, record.in_flight) == ("steady", (), None), told
    assert world.puts("a") <= (3 if push else 2), told
    assert world.api(f"revisions/{revision}")["final"], told
    # A worker that froze with the request for the group in its hands sends it late: ARM cannot be
    # fenced, and the request says what the group says already. The fake minds, ARM does not.
    late = pause_s > 0 and told.startswith("arm.create_group")
    assert world.errors == [] or late, told
    return intruder


@pytest.mark.parametrize("tempo", [_quick, _slow])
@pytest.mark.parametrize(
    ("push", "pause_s"),
    [
        (None, 0.0),  # the same work, twice
        ({"a": "two"}, 0.0),  # a newer revision overtakes
        (None, 120.0),  # the first worker was paused past its hold, and goes on (a frozen VM)
        ({"a": "two"}, 120.0),
    ],
)
def test_a_second_worker_between_any_two_calls_changes_nothing(
    tempo: Callable[[World], None], push: dict[str, str] | None, pause_s: float
) -> None:
    """Rule 4: whoever is overtaken stops or finds its work done; the newest revision wins."""
    at = 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            if _play(patch, at, tempo, push, pause_s).struck is None:
                break
        at += 1

    assert at > 25
