"""The machine's adapters beyond their ports: threads and context, and a log that keeps secrets."""

import json
import logging
import threading
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import pytest

from shared.adapters.system import JsonLog, ThreadParallel
from shared.core.errors import Stalled
from shared.core.secret import Secret

CANARY = "c4n4ry-0123456789abcdef"


@pytest.fixture
def threads() -> Iterator[ThreadParallel]:
    """Give three threads."""
    made = ThreadParallel(3)
    yield made
    made.close()


class Written:
    """A log, and what it wrote."""

    def __init__(self) -> None:
        self.records: list[logging.LogRecord] = []
        logger = logging.Logger("test")  # noqa: LOG001 — of its own, outside the tree
        logger.addFilter(self._keep)
        self.log = JsonLog(logger, {"boom": logging.ERROR, "whisper": logging.DEBUG})
        logger.setLevel(logging.INFO)

    def _keep(self, record: logging.LogRecord) -> bool:
        self.records.append(record)
        return False

    def __call__(self, **fields: object) -> dict[str, Any]:
        """Write one event and return it as it was written, but for its name."""
        self.log("it_happened", **fields)
        shown = json.loads(self.records[-1].getMessage())
        assert shown.pop("event") == "it_happened"
        assert isinstance(shown, dict)
        return shown


@pytest.fixture
def written() -> Written:
    """Give a log."""
    return Written()


def test_calls_run_at_the_same_time_but_not_more_than_the_bound(threads: ThreadParallel) -> None:
    """Three threads: three calls meet, a fourth would have to wait."""
    barrier = threading.Barrier(3)
    most, running, lock = 0, 0, threading.Lock()

    def call(number: int) -> int:
        nonlocal most, running
        with lock:
            running += 1
            most = max(most, running)
        if number < 3:
            barrier.wait(timeout=10)
        with lock:
            running -= 1
        return number

    assert list(threads.map(call, range(12))) == list(range(12))
    assert most == 3


def test_context_goes_along_and_does_not_come_back(threads: ThreadParallel) -> None:
    """A call sees the caller's context; what it sets is its own."""
    seen: ContextVar[str] = ContextVar("seen", default="nothing")
    seen.set("caller's")

    def call(number: int) -> str:
        before = seen.get()
        seen.set(f"call {number}")
        return before

    assert list(threads.map(call, range(9))) == ["caller's"] * 9
    assert seen.get() == "caller's"


def test_first_error_in_order_is_raised_and_calls_not_begun_are_not_made(
    threads: ThreadParallel,
) -> None:
    """Of several errors the one of the earliest item is told; the rest of the work is spared."""
    begun: list[int] = []
    both = threading.Barrier(2)

    def call(number: int) -> None:
        begun.append(number)
        if number < 2:
            both.wait(timeout=10)
            raise ValueError(number)
        threading.Event().wait(0.05)

    with pytest.raises(ValueError, match="0"):
        threads.map(call, range(200))

    assert len(begun) < 200


def test_event_is_one_line_of_json_with_bound_fields(written: Written) -> None:
    """Who reads the log gets name, fields and context, inner context first."""
    with (
        written.log.bound(invocation_id="i1", stack="shop.web"),
        written.log.bound(stack="shop.db", **{"try": 2}),
    ):
        shown = written(repository="shop")
    after = written()

    assert shown == {"invocation_id": "i1", "stack": "shop.db", "try": 2, "repository": "shop"}
    assert after == {}
    assert "\n" not in written.records[0].getMessage()
    assert written.records[0].__dict__["plumbline"]["stack"] == "shop.db"


def test_context_is_each_threads_own(written: Written) -> None:
    """Two invocations at once do not write into each other's lines."""
    ready = threading.Barrier(2)

    def invocation(name: str) -> None:
        with written.log.bound(invocation_id=name):
            ready.wait(timeout=10)
            written.log("it_happened", mine=name)
            ready.wait(timeout=10)

    workers = [threading.Thread(target=invocation, args=(name,)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    lines = [json.loads(record.getMessage()) for record in written.records]
    assert sorted(line["mine"] for line in lines) == ["a", "b"]
    assert all(line["invocation_id"] == line["mine"] for line in lines)


def test_context_goes_along_into_parallel_calls(written: Written, threads: ThreadParallel) -> None:
    """Lines that are written in a pool's thread belong to the invocation that asked."""
    with written.log.bound(invocation_id="i1"):
        threads.map(lambda n: written.log("it_happened", n=n), range(4))

    assert {r.__dict__["plumbline"]["invocation_id"] for r in written.records} == {"i1"}
    assert len(written.records) == 4


def test_levels_follow_the_table(written: Written) -> None:
    """An event's level is the table's, INFO without; what the logger hides is not written."""
    written.log("boom")
    written.log("it_happened")
    written.log("whisper")

    assert [record.levelno for record in written.records] == [logging.ERROR, logging.INFO]


class Colour(Enum):
    """An enum to write."""

    RED = "red"


@dataclass
class Envelope:
    """An object whose repr shows too much."""

    token: str


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (0.5, 0.5),
        (float("nan"), "nan"),
        ("text", "text"),
        ("ü\n", "ü\n"),
        (Colour.RED, "red"),
        (datetime(2026, 5, 4, tzinfo=UTC), "2026-05-04T00:00:00+00:00"),
        (timedelta(seconds=90), 90.0),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (["a", {"b": (1, Secret(CANARY))}], ["a", {"b": [1, "***"]}]),
        ({"b", "a"}, ["a", "b"]),
        (Secret(CANARY), "***"),
        (CANARY.encode(), "<23 bytes>"),
        (bytearray(b"12"), "<2 bytes>"),
        (Envelope(CANARY), "<Envelope>"),
        (f"https://h/p?sv=1&sig={CANARY}&x=1", "https://h/p?sv=1&sig=***&x=1"),
        (f"git clone https://user:{CANARY}@host/r", "git clone https://***@host/r"),
        (f"AccountName=a;AccountKey={CANARY};x", "AccountName=a;AccountKey=***;x"),
        (f"Authorization: Bearer {CANARY}", "Authorization: Bearer ***"),
    ],
)
def test_value_is_written_without_what_is_secret(
    written: Written, value: object, shown: object
) -> None:
    """Plain values as they are; secrets, bodies and unknown objects never."""
    assert written(value=value) == {"value": shown}
    assert CANARY not in written.records[-1].getMessage()


def test_long_and_deep_values_are_cut(written: Written) -> None:
    """No field fills the log, whatever is handed in."""
    deep: list[object] = []
    deep.append(deep)

    shown = written(text="x" * 5000, many=list(range(5000)), deep=deep)

    assert shown["text"].endswith("… (5000 characters)")
    assert len(shown["many"]) == 200
    assert "…" in json.dumps(shown["deep"], ensure_ascii=False)


def test_error_is_written_with_its_places_and_cause(written: Written) -> None:
    """A traceback without source lines and values: kind, text, where, and what caused it."""
    with pytest.raises(Stalled) as raised:
        fail_because_of(KeyError(f"sig={CANARY}"), hidden=False)

    shown = written(error=raised.value)["error"]

    assert (shown["type"], shown["reason"], shown["hint"]) == ("Stalled", "NoAccess", "give access")
    assert shown["message"] == "https://***@h"
    assert any(
        "test_system.py" in place and place.endswith(" fail_because_of") for place in shown["at"]
    )
    assert shown["cause"]["type"] == "KeyError"
    assert CANARY not in json.dumps(shown)


def test_hidden_context_of_an_error_stays_hidden(written: Written) -> None:
    """What an adapter cut off with ``from None`` is not written either."""
    with pytest.raises(Stalled) as raised:
        fail_because_of(ValueError(CANARY), hidden=True)

    shown = written(error=raised.value)["error"]

    assert CANARY not in json.dumps(shown)
    assert "cause" not in shown


def fail_because_of(cause: Exception, *, hidden: bool) -> None:
    """Raise Stalled while handling ``cause``."""

    def raise_it() -> None:
        raise cause

    try:
        raise_it()
    except (KeyError, ValueError) as error:
        if hidden:
            raise Stalled("NoAccess", "no", hint="give access") from None
        raise Stalled("NoAccess", f"https://u:{CANARY}@h", hint="give access") from error
