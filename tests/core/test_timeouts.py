"""When a release has run for too long, and what is said of it."""

from datetime import timedelta

import pytest

from shared.core import record as changes
from shared.core.record import Record, timeouts
from tests.core.stacks import T0, applied, attempt_of, fresh, put, replace

REST = timedelta(seconds=60)


def running(timeout_s: int | None = 300) -> Record:
    """Return a stack whose release is under way since T0."""
    return replace(put(fresh()), timeout_s=timeout_s)


@pytest.mark.parametrize(("after_s", "expected"), [(0, False), (300, False), (301, True)])
def test_a_release_is_overrun_after_its_timeout(after_s: int, *, expected: bool) -> None:
    """Not before, and not at the very moment."""
    assert changes.is_overrun(running(), T0 + timedelta(seconds=after_s)) is expected


def test_nothing_is_overrun_without_a_timeout_or_a_release() -> None:
    """A quiet stack and an unlimited one may take as long as they like."""
    late = T0 + timedelta(days=3)

    assert not changes.is_overrun(running(None), late)
    assert not changes.is_overrun(replace(applied(), timeout_s=300), late)


def test_the_time_counts_from_the_last_put() -> None:
    """A PUT that did not arrive and is sent again begins anew."""
    again = replace(running(), intended_at=T0 + timedelta(seconds=250))

    assert not changes.is_overrun(again, T0 + timedelta(seconds=500))
    assert changes.is_overrun(again, T0 + timedelta(seconds=551))


def test_what_was_decided_stays_when_the_timeout_grows() -> None:
    """ARM was asked already: a longer timeout, or none, calls nothing back."""
    at = T0 + timedelta(seconds=301)
    decided = changes.timed_out(running(), at, REST)

    assert (decided.timed_out_s, decided.due_at) == (300, at + REST)
    assert decided.problem == changes.overrun(300)
    assert changes.is_overrun(replace(decided, timeout_s=7200), at)
    assert changes.is_overrun(replace(decided, timeout_s=None), at)


@pytest.mark.parametrize("timeout_s", [None, 7200])
def test_a_release_that_was_given_more_time_is_left_alone(timeout_s: int | None) -> None:
    """The push and the decision met at the record: the newer timeout counts."""
    given = running(timeout_s)

    assert changes.timed_out(given, T0 + timedelta(seconds=301), REST) is given


def test_the_next_intent_forgets_it() -> None:
    """Another PUT has the whole time, be it of the same release."""
    decided = changes.timed_out(running(), T0 + timedelta(seconds=301), REST)
    again = changes.intend(decided, attempt_of(decided), "id", T0 + timedelta(seconds=400))

    assert again.timed_out_s is None
    assert not changes.is_overrun(again, T0 + timedelta(seconds=401))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(300, "5m"), (3600, "1h"), (5400, "90m"), (5459, "90m"), (86_400, "24h"), (0, "0m")],
)
def test_a_time_is_said_as_the_manifest_would(seconds: float, expected: str) -> None:
    """To the minute."""
    assert timeouts.said(seconds) == expected
