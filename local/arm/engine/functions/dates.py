"""Functions of dates; the only clock is the one in the context."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from local.arm.engine.dotnet.dates import format_date, parse_date
from local.arm.engine.dotnet.durations import Duration, parse_duration
from local.arm.engine.frame import Frame, Stage
from local.arm.engine.functions.signature import fail, framed, function, table

COMPACT = "yyyyMMddTHHmmssZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_now(frame: Frame, arguments: Sequence[Any]) -> str:
    """Return the time of the deployment."""
    return _formatted("utcNow", frame.context.utc_now, arguments[0] if arguments else COMPACT)


def date_time_add(base: str, duration: str, pattern: str | None = None) -> str:
    """Return a date moved by an ISO 8601 duration, in the format of the base unless given."""
    moment, own = _parsed("dateTimeAdd", base)
    try:
        moved = parse_duration(duration).after(moment)
    except (ValueError, OverflowError) as error:
        raise fail("dateTimeAdd", f"the duration '{duration}' is not valid: {error}.") from error
    return _formatted("dateTimeAdd", moved, pattern or own)


def to_epoch(text: str) -> int:
    """Return the seconds since 1970 of a date."""
    moment, _ = _parsed("dateTimeToEpoch", text)
    return (moment - _EPOCH) // timedelta(seconds=1)


def from_epoch(seconds: int) -> str:
    """Return the ISO 8601 date of seconds since 1970."""
    try:
        moment = Duration(seconds=seconds).after(_EPOCH)
    except (ValueError, OverflowError) as error:
        raise fail("dateTimeFromEpoch", f"'{seconds}' is out of range.") from error
    return _formatted("dateTimeFromEpoch", moment, "yyyy-MM-ddTHH:mm:ssZ")


def _parsed(name: str, text: str) -> tuple[datetime, str]:
    try:
        return parse_date(text)
    except (ValueError, OverflowError) as error:
        raise fail(name, f"'{text}' is not a date.") from error


def _formatted(name: str, moment: datetime, pattern: str) -> str:
    try:
        return format_date(moment, pattern)
    except ValueError as error:
        raise fail(name, f"the format '{pattern}' is not valid: {error}.") from error


FUNCTIONS = table(
    framed("utcNow(string?)", utc_now, stages=frozenset({Stage.PARAMETER_DEFAULT})),
    function("dateTimeAdd(string, string, string?)", date_time_add),
    function("dateTimeToEpoch(string)", to_epoch),
    function("dateTimeFromEpoch(int)", from_epoch),
)
