"""Token buckets as a worker sees them: nobody is throttled, nobody starves, releases go first."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.budget import RATES, RESERVES, Bucket, Kind, ask, estimate, told


class Server:
    """ARM's own bucket of writes."""

    def __init__(self) -> None:
        self.tokens, self.at, self.refused = RATES["writes"].size, 0.0, 0

    def call(self, now: float) -> int:
        """Take one token, or refuse; return what is left."""
        rate = RATES["writes"]
        self.tokens = min(rate.size, self.tokens + rate.per_s * (now - self.at))
        self.at = now
        if self.tokens < 1:
            self.refused += 1
        else:
            self.tokens -= 1
        return int(self.tokens)


def play(workers: int, calls: int) -> tuple[Server, float]:
    """Let workers make calls, each knowing only its own answers; return the server and the time."""
    server = Server()
    known: list[Bucket | None] = [None] * workers
    due = [(0.0, n % workers) for n in range(calls)]
    now = 0.0
    while due:
        due.sort()
        now, worker = due.pop(0)
        asked, wait_s = ask(known[worker], "writes", "release", now)
        if wait_s > 0:
            known[worker] = asked
            due.append((now + wait_s, worker))
            continue
        known[worker] = told(asked, server.call(now), now)
        now += 0.001
    return server, now


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_thousand_writes_are_paced_and_none_is_refused(workers: int) -> None:
    """All finish near the rate that ARM allows: (writes - 200) / 10 seconds."""
    server, seconds = play(workers, 1000)

    assert server.refused == 0
    assert seconds <= 1.15 * (1000 - 200 + RESERVES["release"]) / 10


def test_who_asks_for_two_calls_comes_back_when_there_are_two() -> None:
    """A thousand pairs of writes at an empty bucket: each waits once, for its own pair."""
    bucket: Bucket | None = Bucket(left=0, at=0.0)
    waits = []
    for _ in range(1000):
        bucket, wait_s = ask(bucket, "writes", "release", 0.0, calls=2)
        waits.append(wait_s)
    assert bucket is not None
    bucket = told(bucket, 0, 0.0)
    again = []
    for at in waits:
        bucket, wait_s = ask(bucket, "writes", "release", at + 1e-6, calls=2)
        again.append(wait_s)

    assert all(abs(b - a - 0.2) < 1e-9 for a, b in pairwise(waits))
    assert again == [0.0] * 1000


def test_before_arm_has_said_anything_nobody_waits() -> None:
    """The first calls find out what is left."""
    assert ask(None, "writes", "release", 0.0) == (None, 0.0)


def test_what_may_wait_leaves_the_bucket_to_releases() -> None:
    """With half of the reads left a snapshot waits, and a release does not."""
    half = Bucket(left=90, at=0.0)

    assert ask(half, "reads", "snapshot", 0.0)[1] > 0
    assert ask(half, "reads", "release", 0.0)[1] == 0


def test_those_who_wait_come_back_one_after_the_other() -> None:
    """A thousand stacks at an empty bucket get a thousand different times, a tenth apart."""
    bucket: Bucket | None = Bucket(left=0, at=0.0)
    waits = []
    for _ in range(100):
        bucket, wait_s = ask(bucket, "writes", "release", 0.0)
        waits.append(wait_s)

    assert waits == sorted(waits)
    assert all(abs(b - a - 0.1) < 1e-9 for a, b in pairwise(waits))


@given(
    st.floats(0, 250), st.floats(0, 1e6), st.floats(0, 1e6), st.sampled_from(["reads", "writes"])
)
def test_an_estimate_is_never_more_than_the_bucket_holds(
    left: float, at: float, now: float, kind: Kind
) -> None:
    """Nor does time that runs back make tokens."""
    found = estimate(Bucket(left=left, at=at), kind, now)

    assert found <= RATES[kind].size
    assert found >= min(left, RATES[kind].size)
