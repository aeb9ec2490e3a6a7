"""One listing serves the looks of many invocations, and whatever becomes of it they all go on."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Lock

import pytest

from shared import events
from shared.adapters.looks import WorkerLooks
from shared.core import record as changes
from shared.core.arm_model import Deployment
from shared.core.errors import Stalled, Transient
from shared.core.looks import FRESH_S, MOST_SINGLE, REST_S, SEEN_S
from tests.core import stacks
from tests.fakes.system import FakeClock, ListLog

LIMIT_S = 20.0
PUSHED = stacks.fresh()
ATTEMPT = changes.next_attempt(PUSHED, inputs=stacks.INPUTS, at=stacks.T0)
ONE = stacks.deployment(PUSHED, ATTEMPT, "running")
SCOPE = "/subscriptions/s/resourceGroups/RG"
IDS = [f"{SCOPE}/providers/Microsoft.Resources/deployments/{n}" for n in range(MOST_SINGLE + 2)]


class Arm:
    """ARM in which everything runs; a listing waits for ``go`` once ``asked``."""

    def __init__(self) -> None:
        self.gets: list[str] = []
        self.lists: list[str] = []
        self.state = {name: replace(ONE, id=name) for name in IDS}
        self.listing: Callable[[], Sequence[Deployment]] = lambda: list(self.state.values())
        self.asked, self.go = Event(), Event()
        self.go.set()
        self._lock = Lock()

    def deployment(self, deployment_id: str) -> Deployment | None:
        """Return what runs."""
        with self._lock:
            self.gets.append(deployment_id)
        return self.state.get(deployment_id)

    def running(self, scope: str) -> Sequence[Deployment]:
        """Return the listing when it may go."""
        with self._lock:
            self.lists.append(scope)
        self.asked.set()
        assert self.go.wait(LIMIT_S)
        return self.listing()


class Scene:
    """A worker that has seen every release run, one by one."""

    def __init__(self) -> None:
        self.arm, self.clock, self.log = Arm(), FakeClock(), ListLog()
        self.looks = WorkerLooks(self.arm, self.clock, self.log)
        for name in IDS[: MOST_SINGLE + 1]:
            self.look(name)
        assert (len(self.arm.gets), self.arm.lists) == (MOST_SINGLE + 1, [])
        self.arm.gets.clear()

    def look(self, name: str) -> Deployment | None:
        """Look at one release."""
        return self.looks.look(name, ATTEMPT)

    @contextmanager
    def all_at_once(self) -> Iterator[list[Future[Deployment | None]]]:
        """Let a thread look at each release; the listing of the first is held until the block ends."""
        self.arm.go.clear()
        with ThreadPoolExecutor(len(IDS)) as pool:
            found = [pool.submit(self.look, IDS[0])]
            assert self.arm.asked.wait(LIMIT_S)
            found += [pool.submit(self.look, name) for name in IDS[1:]]
            yield found
            self.arm.go.set()


@pytest.fixture
def scene() -> Scene:
    """Return a worker that is ready to list."""
    return Scene()


def test_one_listing_serves_all_looks_that_come_meanwhile(scene: Scene) -> None:
    """Rule 9: twelve looks at once are one call, asked of the scope as ARM writes it."""
    with scene.all_at_once() as found:
        pass

    assert [one.result(LIMIT_S) for one in found] == [scene.arm.state[name] for name in IDS]
    assert (scene.arm.lists, scene.arm.gets) == ([SCOPE], [])


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Transient("SubscriptionRequestsThrottled", "slower"), True),
        (Stalled("AuthorizationFailed", "no"), True),
        (ZeroDivisionError("a defect"), False),
    ],
)
def test_nobody_waits_for_a_listing_that_failed(
    scene: Scene, error: Exception, *, told: bool
) -> None:
    """Each looks by itself; a defect is raised to the one who met it, and to nobody else."""

    def fail() -> Sequence[Deployment]:
        raise error

    scene.arm.listing = fail
    with scene.all_at_once() as found:
        pass
    first, *others = found

    assert [one.result(LIMIT_S) for one in others] == [scene.arm.state[name] for name in IDS[1:]]
    assert len(scene.arm.lists) == 1
    assert bool(scene.log.named(events.LISTING_FAILED)) is told
    if told:
        assert first.result(LIMIT_S) == scene.arm.state[IDS[0]]
    else:
        assert first.exception(LIMIT_S) is error


def test_a_scope_rests_after_a_listing_that_failed(scene: Scene) -> None:
    """For a minute looks are single ones; then it is tried again."""

    def fail() -> Sequence[Deployment]:
        raise Transient("Busy", "busy")

    scene.arm.listing = fail
    scene.look(IDS[0])
    for _ in range(3):
        scene.clock.advance(REST_S / 4)
        for name in IDS:
            scene.look(name)
    resting = len(scene.arm.lists)
    scene.clock.advance(REST_S / 4)
    scene.look(IDS[0])

    assert (resting, len(scene.arm.lists)) == (1, 2)


def test_a_listing_is_used_while_it_is_fresh(scene: Scene) -> None:
    """Rounds apart are a call each, and looks of one round share it."""
    for _ in range(3):
        for name in IDS:
            scene.look(name)
        scene.clock.advance(FRESH_S)
        scene.look(IDS[0])
        scene.clock.advance(0.5)

    assert (len(scene.arm.lists), scene.arm.gets) == (3, [])


def test_what_a_listing_does_not_vouch_for_is_looked_at(scene: Scene) -> None:
    """Absent, ended or of another release: the answer is that of a GET."""
    absent, ended, other, gone = IDS[:4]
    listed = dict(scene.arm.state)
    del listed[absent], scene.arm.state[gone], listed[gone]
    listed[ended] = replace(listed[ended], state="succeeded")
    listed[other] = replace(listed[other], tags={})
    scene.arm.listing = lambda: list(listed.values())
    found = [scene.look(name) for name in IDS]

    assert found == [scene.arm.state.get(name) for name in IDS]
    assert (len(scene.arm.lists), scene.arm.gets) == (1, [absent, ended, other, gone])


def test_a_look_that_shall_be_alone_asks_no_listing(scene: Scene) -> None:
    """It is what finds out about a listing that never lets go of what has ended."""
    stale = list(scene.arm.state.values())
    scene.arm.listing = lambda: stale
    scene.arm.state = {name: replace(one, state="failed") for name, one in scene.arm.state.items()}
    listed = scene.look(IDS[0])
    alone = scene.looks.look(IDS[0], ATTEMPT, alone=True)

    assert (listed and listed.state, alone and alone.state) == ("running", "failed")
    assert scene.arm.gets == [IDS[0]]


def test_a_slow_listing_keeps_no_other_look(scene: Scene) -> None:
    """The threads of a worker are for all of its functions: who waits goes by itself after a moment."""
    scene.arm.go.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(scene.look, IDS[0])
        assert scene.arm.asked.wait(LIMIT_S)
        second = pool.submit(scene.look, IDS[1])
        found = second.result(LIMIT_S)
        waits = not first.done()
        scene.arm.go.set()

    assert waits
    assert found == scene.arm.state[IDS[1]]
    assert scene.arm.gets == [IDS[1]]


def test_scopes_do_not_share_anything(scene: Scene) -> None:
    """Many releases here make no listing of another scope."""
    elsewhere = IDS[0].replace("/RG/", "/other/")
    scene.arm.state[elsewhere] = replace(ONE, id=elsewhere)
    scene.look(elsewhere)

    assert (scene.arm.lists, scene.arm.gets) == ([], [elsewhere])


def test_quiet_scopes_are_forgotten(scene: Scene) -> None:
    """A worker that lives for months keeps nothing of releases that it saw long ago."""
    scene.look(IDS[0])
    scene.clock.advance(SEEN_S + 1)
    elsewhere = IDS[0].replace("/RG/", "/other/")
    scene.look(elsewhere)

    assert SCOPE.lower() not in repr(vars(scene.looks)).lower()
