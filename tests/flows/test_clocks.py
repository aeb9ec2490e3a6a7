"""Workers whose clocks are ten minutes apart do what workers with true clocks do."""

from datetime import timedelta
from typing import Any, Final

import pytest

from shared.core.document import to_text
from tests.fakes.arm import Outcome
from tests.fakes.queues import TakenMessage
from tests.fakes.system import SkewedClock
from tests.flows.chains import chain
from tests.flows.test_settle import STATUSES
from tests.flows.world import CONFIGURATION, World, files

AHEAD: Final = 600.0


class Skewed(World):
    """A world in which workers take turns, and ``skews`` are how wrong the clock of each is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *skews: float) -> None:
        self.skews = skews
        self.turns = 0
        example: Any = {**CONFIGURATION["repositories"]["example"], **STATUSES}  # type: ignore[index]
        told = {**CONFIGURATION, "repositories": {"example": example}}
        super().__init__(monkeypatch, configuration=told)

    def restart(self) -> None:
        """Start all workers anew."""
        self.workers = [self.worker(SkewedClock(self.clock, skew)) for skew in self.skews]
        self.services = self.workers[0]

    def handle(self, message: TakenMessage) -> None:
        """Let the next worker have it."""
        self._next()
        super().handle(message)

    def sweep(self) -> None:
        """Let the next worker sweep."""
        self._next()
        super().sweep()

    def _next(self) -> None:
        self.turns += 1
        self.services = self.workers[self.turns % len(self.workers)]


SKEWS: Final = [(AHEAD,), (-AHEAD,), (AHEAD, -AHEAD), (0.0, AHEAD, -AHEAD)]


@pytest.fixture(params=SKEWS, ids=str)
def skewed(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Skewed:
    """Return a world for each way in which clocks can be wrong."""
    return Skewed(monkeypatch, *request.param)


def ends(world: World, revision: str) -> list[str]:
    """Return the final states that the Git host was told of a revision."""
    found = world.hosts.states(revision, "plumbline/example")
    return [state for state in found if state != "pending"]


def test_nothing_is_lost_or_released_twice(skewed: Skewed) -> None:
    """Three waves, and then a push that changes one stack: each is put once, each told once."""
    first = skewed.push(chain())
    skewed.run(120)
    second = skewed.push(chain(web="two"))
    skewed.run(120)

    assert [skewed.puts(stack) for stack in ("network", "app", "web")] == [1, 1, 2]
    assert (ends(skewed, first), ends(skewed, second)) == (["success"], ["success"])
    assert not list(skewed.documents.list("pending/"))
    assert skewed.errors == []
    skewed.arm.check()


def test_a_running_release_is_nobody_elses(skewed: Skewed) -> None:
    """A worker that believes it is later does not take what another one watches, nor put it again."""
    skewed.arm.default = Outcome(seconds=400)
    skewed.push(files("a", a="one"))
    skewed.run(30)
    newest = skewed.push(files("a", a="two"))
    skewed.run(1200)

    assert skewed.puts("a") == 2
    assert skewed.note("a") == "two"
    assert skewed.record("a").attempt == 1
    assert ends(skewed, newest) == ["success"]
    skewed.arm.check()


def test_a_push_whose_webhook_or_messages_are_lost_is_found(skewed: Skewed) -> None:
    """The sweep goes by the storage server's time, whatever the worker believes."""
    skewed.push(files("a", a="one"))
    skewed.run(60)
    unheard = skewed.commit(files("a", a="two"))
    skewed.run(skewed.settings.sync_poll_s + 60)
    lost = skewed.push(files("a", a="three"))
    for message in skewed.queues.waiting("sync"):
        skewed.queues.drop("sync", message.id)
    skewed.run(skewed.settings.sync_poll_s + 60)

    assert skewed.note("a") == "three"
    assert (ends(skewed, unheard), ends(skewed, lost)) == (["success"], ["success"])


def test_a_timeout_lasts_as_long_as_it_says(skewed: Skewed) -> None:
    """It is measured by the storage server's clock."""
    skewed.arm.default = Outcome(seconds=10**6)
    limited = files("a")
    limited["plumbline.yaml"] = limited["plumbline.yaml"].replace("}", ", timeout: 5m}")
    skewed.push(limited)
    skewed.run(290)
    before = skewed.record("a").phase
    skewed.run(60)
    after = skewed.record("a").phase

    assert (before, after) == ("releasing", "failed")
    assert skewed.record("a").attempt == 1


def test_a_freeze_lasts_as_long_as_it_says(skewed: Skewed) -> None:
    """Neither a worker that is ahead lifts it early, nor does one that is behind keep it."""
    skewed.push(files("a", a="one"))
    skewed.run(60)
    skewed.order("a", "freeze", until=to_text(skewed.clock.now() + timedelta(minutes=20)))
    skewed.push(files("a", a="two"))
    skewed.run(1100)
    frozen = skewed.note("a")
    skewed.run(200)

    assert (frozen, skewed.note("a")) == ("one", "two")
