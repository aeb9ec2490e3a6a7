"""The types of the language, and what their values look like as text and as JSON."""

from __future__ import annotations

import math
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

NUMBERS = frozenset({"int", "long", "real", "decimal"})
EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_SPAN = re.compile(r"(-)?(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?")
_ISO_SPAN = re.compile(
    r"P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_FRACTION = re.compile(r"(\.\d{6})\d+")
_LONGEST_DAYS = 1_000_000_000


def parse(kind: str, text: str) -> Any:
    """Return a value of a type from its text; None (null) if the text is none. Pure."""
    return _PARSERS[kind](text.strip()) if kind in _PARSERS else text


def _datetime(text: str) -> datetime | None:
    text = _FRACTION.sub(r"\1", text).replace("z", "Z")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _timespan(text: str) -> timedelta | None:
    match = _SPAN.fullmatch(text)
    if match is None:
        found = re.fullmatch(r"(-?\d+(?:\.\d+)?)(d|h|m|s|ms)?", text)
        if found is None or abs(float(found[1])) > _LONGEST_DAYS:
            return None
        unit = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
        return _bounded(**{unit[found[2] or "d"]: float(found[1])})
    sign, days, hours, minutes, seconds, fraction = match.groups()
    span = _bounded(
        days=int(days or 0),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds or 0),
        microseconds=int((fraction or "0").ljust(7, "0")[:6]),
    )
    return -span if sign and span is not None else span


def _bounded(**parts: float) -> timedelta | None:
    try:
        return timedelta(**parts)
    except OverflowError:
        return None


def iso_duration(text: str) -> timedelta | None:
    """Return an ISO 8601 duration such as PT3600.0S or P1D, or None. Pure."""
    match = _ISO_SPAN.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return _bounded(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _guid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def _long(text: str) -> int | None:
    try:
        return int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError:
        number = _real(text)
        return None if number is None or not math.isfinite(number) else int(number)


def _real(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _bool(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


_PARSERS: dict[str, Any] = {
    "datetime": _datetime,
    "timespan": _timespan,
    "guid": _guid,
    "int": _long,
    "long": _long,
    "real": _real,
    "decimal": _real,
    "bool": _bool,
}


def text(value: Any) -> str:
    """Return what tostring() makes of a value. Pure."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat(timespec="microseconds")[:26] + "0Z"
        case timedelta():
            return span_text(value)
        case float():
            return real_text(value)
        case int():
            return str(value)
    return msgspec.json.encode(value, enc_hook=text).decode()


def real_text(value: float) -> str:
    """Return a real as text. Pure."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(value)


def span_text(value: timedelta) -> str:
    """Return a timespan as [-][d.]hh:mm:ss[.fffffff]. Pure."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    days = f"{value.days}." if value.days else ""
    fraction = f".{value.microseconds:06d}0" if value.microseconds else ""
    return f"{sign}{days}{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"


def shown(kind: str, value: Any) -> Any:
    """Return a value as it stands in a row of the reply. Pure."""
    if value is None:
        return "" if kind == "string" else None
    if kind in ("datetime", "timespan", "dynamic"):
        return value if kind == "dynamic" and isinstance(value, str) else text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return real_text(value)
    return value


def ticks(value: timedelta) -> int:
    """Return a timespan in microseconds. Pure."""
    return (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds


def as_json(value: Any) -> Any:
    """Return a value as it stands inside a dynamic one: times become text. Pure."""
    return text(value) if isinstance(value, datetime | timedelta) else value


def frozen(value: Any) -> Any:
    """Return a value that can be a key: equal for equal values of one type. Pure."""
    if isinstance(value, bool):
        return ("b", value)
    return msgspec.json.encode(value, order="sorted") if isinstance(value, dict | list) else value
