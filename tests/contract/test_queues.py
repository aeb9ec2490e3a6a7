"""The contract of the port Queues, kept by the fake and by storage queues alike."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import pytest

from shared.ports import Queues
from tests.contract import storage_azurite
from tests.fakes.queues import MemoryQueues
from tests.fakes.system import FakeClock

LIMIT_BYTES = 48 * 1024


class Rig(Protocol):
    """A queue port and the trigger's side of it."""

    @property
    def port(self) -> Queues:
        """The port under test."""

    def take(self, queue: str) -> list[tuple[bytes, int]]:
        """Take what is visible: bodies and dequeue counts."""

    def put_raw(self, queue: str, text: str) -> None:
        """Put a text as it is into a queue."""

    def make(self, queue: str) -> None:
        """Make sure that the queue is there."""

    def pass_time(self, seconds: float) -> None:
        """Let at least this much time pass."""

    def seconds_since(self, start: float) -> float:
        """Return the seconds since ``start``; from 0.0: since some moment."""


class _MemoryRig:
    def __init__(self) -> None:
        self._clock = FakeClock()
        self.port = MemoryQueues(self._clock)

    def take(self, queue: str) -> list[tuple[bytes, int]]:
        return [(m.body, m.dequeue_count) for m in self.port.take(queue, 32, hidden_s=60)]

    def put_raw(self, queue: str, text: str) -> None:
        self.port.put(queue, text.encode())

    def make(self, queue: str) -> None:
        pass

    def pass_time(self, seconds: float) -> None:
        self._clock.advance(seconds)

    def seconds_since(self, start: float) -> float:
        return self._clock.monotonic() - start


class _AzuriteRig(storage_azurite.AzuriteQueues):
    def make(self, queue: str) -> None:
        self.port.ensure([queue.removesuffix("-poison")])

    def pass_time(self, seconds: float) -> None:
        threading.Event().wait(seconds)

    def seconds_since(self, start: float) -> float:
        return time.monotonic() - start


@pytest.fixture(params=["memory", "azurite"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Give queues that are empty: the fake, and the adapter on Azurite."""
    if request.param == "memory":
        yield _MemoryRig()
        return
    azurite = request.getfixturevalue("azurite")
    with storage_azurite.connected(azurite.connection_string) as connection:
        yield _AzuriteRig(connection)


@pytest.mark.parametrize(
    "body",
    [b'{"v":1}', b"\x00\xff<&>", "ü".encode(), b"x" * LIMIT_BYTES],
    ids=["json", "raw", "utf8", "most"],
)
def test_message_comes_out_as_it_went_in(rig: Rig, body: bytes) -> None:
    """Bodies are bytes, up to 48 KiB; the queue is created by the first message."""
    rig.port.send("sync", body)

    assert rig.take("sync") == [(body, 1)]
    assert rig.take("sync") == []


def test_message_that_is_too_large_is_refused_before_the_call(rig: Rig) -> None:
    """The limit is said with the way out, and nothing is sent."""
    rig.make("sync")

    with pytest.raises(ValueError, match="49153 bytes"):
        rig.port.send("sync", b"x" * (LIMIT_BYTES + 1))

    assert rig.take("sync") == []


def test_delayed_message_is_hidden_until_its_time_rounded_up(rig: Rig) -> None:
    """A delay of a part of a second is a whole one."""
    rig.port.send("watch", b"later", delay_s=0.2)
    sent = rig.seconds_since(0.0)

    assert rig.take("watch") == []

    taken = _until(rig, lambda: rig.take("watch"))
    assert taken == [(b"later", 1)]
    assert rig.seconds_since(sent) > 0.5


@pytest.mark.parametrize("delay_s", [-5.0, 0.0])
def test_delay_of_nothing_or_less_is_none(rig: Rig, delay_s: float) -> None:
    """A time that has passed means now."""
    rig.port.send("watch", b"now", delay_s=delay_s)

    assert rig.take("watch") == [(b"now", 1)]


def test_delay_beyond_what_storage_allows_is_cut(rig: Rig) -> None:
    """An absurd Retry-After delays a message by seven days; it does not lose it."""
    rig.port.send("watch", b"much later", delay_s=10.0**9)

    assert rig.take("watch") == []


def test_length_counts_hidden_messages_too_and_a_missing_queue_is_empty(rig: Rig) -> None:
    """A sweep sees how much is waiting before it adds to it."""
    assert rig.port.length("release") == 0

    rig.port.send("release", b"1")
    rig.port.send("release", b"2", delay_s=600)
    rig.take("release")

    assert rig.port.length("release") == 2


def test_queues_do_not_mix(rig: Rig) -> None:
    """A message is in the queue that it was sent to."""
    rig.port.send("sync", b"1")
    rig.port.send("release", b"2")

    assert rig.take("release") == [(b"2", 1)]
    assert rig.take("sync") == [(b"1", 1)]


def test_poison_queue_that_is_missing_is_empty(rig: Rig) -> None:
    """No poison yet is no error."""
    assert list(rig.port.poisoned("sync")) == []


def test_poison_length_counts_the_poison_queue_alone_and_hidden_messages_too(rig: Rig) -> None:
    """What waits there is told without being taken; a missing queue is empty."""
    assert rig.port.poison_length("sync") == 0
    rig.make("sync-poison")
    rig.port.send("sync", b"1")
    rig.port.send("sync-poison", b"2")
    rig.port.send("sync-poison", b"3")
    rig.port.poisoned("sync", limit=1)

    assert rig.port.poison_length("sync") == 2
    assert rig.port.poison_length("watch") == 0


def test_poison_message_is_taken_once_and_discarded(rig: Rig) -> None:
    """The owner sees body, count and time; others do not see it meanwhile; discarded is gone."""
    rig.make("sync-poison")
    rig.port.send("sync-poison", b'{"v":1}')

    (message,) = rig.port.poisoned("sync")

    assert (message.queue, message.body, message.dequeue_count) == ("sync", b'{"v":1}', 1)
    assert isinstance(message.inserted_at, datetime)
    assert message.inserted_at.tzinfo is UTC
    assert list(rig.port.poisoned("sync")) == []
    rig.port.discard(message)
    rig.port.discard(message)


def test_discard_with_an_old_receipt_is_no_error_and_removes_nothing(rig: Rig) -> None:
    """Who lost a message to another owner does not remove it under his hands."""
    rig.make("sync-poison")
    rig.port.send("sync-poison", b"1")
    (message,) = rig.port.poisoned("sync")

    rig.port.discard(replace(message, receipt="AAAAAA=="))
    rig.port.discard(replace(message, id="00000000-0000-4000-8000-000000000000"))

    rig.port.discard(message)


def test_poison_body_that_is_not_base64_is_given_raw(rig: Rig) -> None:
    """Also what no function could decode is shown to a person."""
    rig.make("sync-poison")
    rig.put_raw("sync-poison", '{"ab": cd}')

    (message,) = rig.port.poisoned("sync")

    assert message.body == b'{"ab": cd}'


def test_poisoned_takes_no_more_than_the_limit(rig: Rig) -> None:
    """The rest stays visible."""
    rig.make("sync-poison")
    for number in range(5):
        rig.port.send("sync-poison", str(number).encode())

    first = rig.port.poisoned("sync", limit=3)
    rest = rig.port.poisoned("sync", limit=40)

    assert len(first) == 3
    assert sorted(m.body for m in [*first, *rest]) == [b"0", b"1", b"2", b"3", b"4"]


def _until(rig: Rig, take: Callable[[], list[tuple[bytes, int]]]) -> list[tuple[bytes, int]]:
    for _ in range(100):
        if found := take():
            return found
        rig.pass_time(0.1)
    return []
