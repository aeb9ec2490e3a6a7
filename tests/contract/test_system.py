"""The contracts of Clock, Ids, Parallel and Log, kept by the fakes and by the machine alike."""

import random
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC

import pytest

from shared.adapters.system import SystemClock, SystemIds, ThreadParallel
from shared.ports import Clock, Ids, Parallel
from tests.fakes.system import FakeClock, FakeIds, SerialParallel


@pytest.fixture(params=["fake", "system"])
def clock(request: pytest.FixtureRequest) -> Clock:
    """Give a clock."""
    return FakeClock() if request.param == "fake" else SystemClock()


@pytest.fixture(params=["fake", "system"])
def ids(request: pytest.FixtureRequest) -> Ids:
    """Give a source of ids."""
    return FakeIds() if request.param == "fake" else SystemIds()


@pytest.fixture(params=["serial", "shuffled", "threads"])
def parallel(request: pytest.FixtureRequest) -> Iterator[Parallel]:
    """Give a way to fan out."""
    if request.param == "threads":
        threads = ThreadParallel(4)
        yield threads
        threads.close()
    else:
        yield SerialParallel(random.Random(7) if request.param == "shuffled" else None)


def test_now_is_utc_and_monotonic_never_goes_back(clock: Clock) -> None:
    """Times are aware; seconds only grow."""
    first, second = clock.monotonic(), clock.monotonic()

    assert clock.now().tzinfo is UTC
    assert second >= first


def test_ids_are_different_uuids_in_their_usual_form(ids: Ids) -> None:
    """An id is a UUID that was never given before."""
    made = [ids.new() for _ in range(100)]

    assert len(set(made)) == 100
    assert all(str(uuid.UUID(text)) == text for text in made)


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_map_gives_results_in_the_order_of_the_items(parallel: Parallel, count: int) -> None:
    """Whatever order the calls are made in, results follow the items."""
    assert list(parallel.map(lambda n: n * n, range(count))) == [n * n for n in range(count)]


def test_map_raises_the_error_of_a_call(parallel: Parallel) -> None:
    """An error is the error that the function raised."""

    def half(number: int) -> int:
        if number == 3:
            raise KeyError(number)
        return number

    with pytest.raises(KeyError, match="3"):
        parallel.map(half, range(6))


def test_nothing_runs_on_after_map_has_raised(parallel: Parallel) -> None:
    """When the error arrives, every call has ended or will never be made."""
    running = 0
    lock = threading.Lock()

    def call(number: int) -> None:
        nonlocal running
        with lock:
            running += 1
        try:
            if number == 0:
                raise ValueError(number)
            threading.Event().wait(0.02)
        finally:
            with lock:
                running -= 1

    with pytest.raises(ValueError, match="0"):
        parallel.map(call, range(20))

    assert running == 0


def test_map_inside_map_ends(parallel: Parallel) -> None:
    """Fanning out from within a call neither deadlocks nor mixes results."""
    rows = parallel.map(lambda row: list(parallel.map(lambda n: row * n, range(5))), range(12))

    assert list(rows) == [[row * n for n in range(5)] for row in range(12)]
