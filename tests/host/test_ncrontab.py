"""Schedules: parsing, refusing, and the next occurrence."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.host import ncrontab

MONDAY = datetime(2026, 5, 4, 10, 20, 30, 400, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * * *", "2026-05-04T10:20:31"),
        ("*/30 * * * * *", "2026-05-04T10:21:00"),
        ("0 */5 * * * *", "2026-05-04T10:25:00"),
        ("*/5 * * * *", "2026-05-04T10:25:00"),
        ("0 0 * * * *", "2026-05-04T11:00:00"),
        ("0 30 9 * * *", "2026-05-05T09:30:00"),
        ("0 30 9 * * 1-5", "2026-05-05T09:30:00"),
        ("0 30 9 * * Sat,sun", "2026-05-09T09:30:00"),
        ("0 0 0 * * 0", "2026-05-10T00:00:00"),
        ("0 0 0 1 jan-mar *", "2027-01-01T00:00:00"),
        ("0 0 0 1 January *", "2027-01-01T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 0 13 * 5", "2026-11-13T00:00:00"),
        ("5,10 20-22/2 10 4 5 1", "2026-05-04T10:22:05"),
        ("0 59/10 23 31 12 *", "2026-12-31T23:59:00"),
    ],
)
def test_next_occurrence(text: str, expected: str) -> None:
    """The first moment later than now at which all fields match, in UTC."""
    assert ncrontab.parse(text).after(MONDAY) == datetime.fromisoformat(f"{expected}+00:00")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has 0 fields"),
        ("* * * *", "has 4 fields"),
        ("0 0 0 0 0 0 0", "has 7 fields"),
        ("60 * * * * *", "'60' is no second (0-59)"),
        ("0 0 24 * * *", "'24' is no hour (0-23)"),
        ("0 0 0 0 * *", "'0' is no day (1-31)"),
        ("0 0 0 * 13 *", "'13' is no month (1-12)"),
        ("0 0 0 * * 7", "'7' is no day of week (0-6)"),
        ("0 0 0 * * xyz", "'xyz' is no day of week"),
        ("0 5-3 * * * *", "'5-3' is no minute"),
        ("0 */0 * * * *", "'*/0' is no minute"),
        ("0 *-5 * * * *", "'*-5' is no minute"),
        ("0 1,,2 * * * *", "'' is no minute"),
        ("0 -1 * * * *", "'-1' is no minute"),
        ("00:00:30", "has 1 fields"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    """The message names the field and what is wrong with it."""
    with pytest.raises(ValueError, match=re.escape(reason)):
        ncrontab.parse(text)


def test_a_day_that_never_comes() -> None:
    """30 February is found out, not waited for."""
    with pytest.raises(ValueError, match="never occurs"):
        ncrontab.parse("0 0 0 30 2 *").after(MONDAY)


@pytest.mark.parametrize(
    ("text", "short"),
    [("*/30 * * * * *", True), ("0 * * * * *", False), ("0,50 0 * * * *", True)],
)
def test_short_schedules(text: str, *, short: bool) -> None:
    """Schedules under a minute keep no status."""
    assert ncrontab.parse(text).is_short(MONDAY) is short


@settings(deadline=None, max_examples=50)
@given(
    second=st.sampled_from(["*", "0", "*/7", "10-20", "59"]),
    minute=st.sampled_from(["*", "0", "*/13", "5,50"]),
    hour=st.sampled_from(["*", "*/2"]),
    moment=st.integers(0, 6 * 365 * 86400).map(lambda second: MONDAY + timedelta(seconds=second)),
)
def test_nothing_is_skipped(second: str, minute: str, hour: str, moment: datetime) -> None:
    """The next occurrence matches, and no earlier second does."""
    schedule = ncrontab.parse(f"{second} {minute} {hour} * * *")
    found = schedule.after(moment)

    def matches(at: datetime) -> bool:
        return (
            at.second in schedule.seconds
            and at.minute in schedule.minutes
            and at.hour in schedule.hours
        )

    earlier = moment.replace(microsecond=0) + timedelta(seconds=1)
    assert matches(found)
    assert found > moment
    while earlier < found and (found - earlier).total_seconds() > 0:
        assert not matches(earlier)
        earlier += timedelta(seconds=1 if earlier.minute in schedule.minutes else 60)
