"""The fakes' own teeth: faults, skew, redelivery, poison, and disorder that can be repeated."""

import random

import pytest

from shared.core.errors import Transient
from shared.ports import ExistsError
from tests.fakes.blobs import MemoryDocuments, MemoryHistory
from tests.fakes.queues import MemoryQueues
from tests.fakes.system import FakeClock, FakeIds, Faults, ListLog, SerialParallel, SkewedClock


def lost() -> Transient:
    """Make the error of a lost answer."""
    return Transient("StorageUnreachable", "no answer")


def test_fault_before_the_effect_leaves_no_trace() -> None:
    """The request never arrived."""
    faults = Faults()
    documents = MemoryDocuments(faults=faults)
    faults.fail("documents.create", lost)

    with pytest.raises(Transient):
        documents.create("a", b"1", {})

    assert documents.read("a") is None
    documents.create("a", b"1", {})


def test_fault_after_the_effect_loses_only_the_reply() -> None:
    """The write is there, and its writer does not know."""
    faults = Faults()
    documents, history = MemoryDocuments(faults=faults), MemoryHistory(faults)
    faults.fail("*", lost, moment="after", times=2)

    with pytest.raises(Transient):
        documents.create("a", b"1", {})
    with pytest.raises(Transient):
        history.put("h", b"1")

    with pytest.raises(ExistsError):
        documents.create("a", b"2", {})
    assert history.put("h", b"2") is False
    assert faults.count("documents.*") == 2


def test_fault_can_wait_its_turn_and_ends() -> None:
    """Skip, times and heal say which calls fail."""
    faults = Faults()
    queues = MemoryQueues(FakeClock(), faults)
    faults.fail("queues.send", lost, skip=1, times=2)

    queues.send("sync", b"1")
    for _ in range(2):
        with pytest.raises(Transient):
            queues.send("sync", b"x")
    queues.send("sync", b"2")
    faults.fail("queues.send", lost, times=100)
    faults.heal()
    queues.send("sync", b"3")

    assert [message.body for message in queues.waiting("sync")] == [b"1", b"2", b"3"]


def test_hook_sees_each_call_at_both_moments() -> None:
    """A simulator can stop the world at any call, before and after."""
    seen: list[tuple[str, str, str]] = []
    documents = MemoryDocuments(faults=Faults(lambda *moment: seen.append(moment)))

    documents.create("a", b"1", {})

    assert seen == [("before", "documents.create", "a"), ("after", "documents.create", "a")]


def test_message_comes_again_when_its_taker_is_silent() -> None:
    """A killed worker's message is taken again, counted, and the old receipt is void."""
    clock = FakeClock()
    queues = MemoryQueues(clock)
    queues.send("sync", b"1")

    (first,) = queues.take("sync", hidden_s=600)
    assert queues.take("sync") == []
    clock.advance(600)
    (second,) = queues.take("sync")

    assert (first.dequeue_count, second.dequeue_count) == (1, 2)
    assert queues.complete(first) is False
    assert queues.complete(second) is True
    assert queues.next_visible_at() is None


def test_message_that_fails_too_often_ends_in_poison() -> None:
    """Ten tries, each after its wait; then the same body lies in the poison queue."""
    clock = FakeClock()
    queues = MemoryQueues(clock)
    queues.send("sync", b"bad")

    tries = 0
    while messages := queues.take("sync"):
        tries += 1
        queues.fail(messages[0], retry_s=30, most_tries=10)
        clock.advance(30)

    (poison,) = queues.poisoned("sync")
    assert (tries, poison.body, poison.queue) == (10, b"bad", "sync")
    assert queues.poisoned("sync") == []
    clock.advance(300)
    (again,) = queues.poisoned("sync")
    assert again.dequeue_count == 2
    queues.discard(poison)
    assert queues.length("sync-poison") == 1
    queues.discard(again)
    assert queues.names() == []


def test_random_order_depends_on_the_seed_alone() -> None:
    """A run with disorder can be repeated."""

    def bodies(seed: int | None) -> list[bytes]:
        rng = None if seed is None else random.Random(seed)
        queues = MemoryQueues(FakeClock(), rng=rng)
        for number in range(20):
            queues.send("sync", str(number).encode())
        return [message.body for message in queues.take("sync", 20)]

    in_order = [str(number).encode() for number in range(20)]
    assert bodies(None) == in_order
    assert bodies(1) == bodies(1) != in_order
    assert bodies(1) != bodies(2)


def test_lost_message_is_lost() -> None:
    """What a sweep must make good can be made to happen."""
    queues = MemoryQueues(FakeClock())
    queues.send("sync", b"1")

    queues.drop("sync", queues.waiting("sync")[0].id)

    assert queues.take("sync") == []


def test_skewed_machine_has_another_wall_clock_and_the_same_seconds() -> None:
    """Skew and jumps move the wall clock only."""
    true = FakeClock()
    skewed = SkewedClock(true, -600)
    before = true.monotonic()

    true.jump(3600)
    true.advance(5)

    assert (true.now() - skewed.now()).total_seconds() == 600
    assert true.monotonic() - before == skewed.monotonic() - before == 5


def test_edits_by_hand_change_the_version() -> None:
    """An operator's edit is another version; history can rot for tests of its readers."""
    documents, history = MemoryDocuments(), MemoryHistory()
    etag = documents.create("a", b"1", {}).etag
    history.put("h", b"1")

    documents.overwrite("a", b"2")
    history.corrupt("h", b"?")

    stored = documents.read("a")
    assert stored is not None
    assert (stored.data, stored.etag != etag) == (b"2", True)
    assert history.read("h") == b"?"


def test_shuffled_calls_are_made_in_another_order() -> None:
    """A flow that leans on the order of a fan-out is found out."""
    order: list[int] = []

    SerialParallel(random.Random(3)).map(order.append, range(10))

    assert order != sorted(order)
    assert sorted(order) == list(range(10))


def test_list_log_keeps_events_with_context() -> None:
    """A test reads what was said, with what was bound."""
    log = ListLog()

    with log.bound(stack="a"), log.bound(stack="b", n=1):
        log("it_happened", x=FakeIds().new())
    log("it_ended")

    assert log.named("it_happened") == [
        {"stack": "b", "n": 1, "x": "00000000-0000-4000-8000-000000000001"}
    ]
    assert log.named("it_ended") == [{}]
