"""NCRONTAB schedules: `{second} {minute} {hour} {day} {month} {day of week}`, or five fields.

All times are UTC. 0 is Sunday, names of months and days are allowed, day and day of week must
both match.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_PART = re.compile(r"(?P<low>\*|\w+)(?:-(?P<high>\w+))?(?:/(?P<step>\d+))?")
_HORIZON_YEARS = 8  # the longest gap between two 29ths of February
SHORT_S = 60.0


@dataclass(frozen=True)
class Schedule:
    """A parsed expression: the values that each field allows."""

    text: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def after(self, moment: datetime) -> datetime:
        """Return the first occurrence later than a moment; ValueError if there is none. Pure."""
        at = moment.replace(microsecond=0) + timedelta(seconds=1)
        end = at.year + _HORIZON_YEARS
        while at.year <= end:
            later = self._skip(at)
            if later is None:
                return at
            at = later
        raise ValueError(f"{self.text!r} never occurs")

    def _skip(self, at: datetime) -> datetime | None:
        """Return the start of the next unit that may match; None if this moment matches."""
        if at.month not in self.months:
            first = at.replace(day=1, hour=0, minute=0, second=0)
            return (first + timedelta(days=32)).replace(day=1)
        if at.day not in self.days or at.isoweekday() % 7 not in self.weekdays:
            return at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        if at.hour not in self.hours:
            return at.replace(minute=0, second=0) + timedelta(hours=1)
        if at.minute not in self.minutes:
            return at.replace(second=0) + timedelta(minutes=1)
        if at.second not in self.seconds:
            return at + timedelta(seconds=1)
        return None

    def is_short(self, moment: datetime) -> bool:
        """Tell whether two of the next ten occurrences are less than a minute apart. Pure."""
        earlier = self.after(moment)
        for _ in range(9):
            later = self.after(earlier)
            if (later - earlier).total_seconds() < SHORT_S:
                return True
            earlier = later
        return False


def parse(text: str) -> Schedule:
    """Parse an expression; raises ValueError that names the field. Pure."""
    parts = text.split()
    if len(parts) == len(_FIELDS) - 1:
        parts = ["0", *parts]
    if len(parts) != len(_FIELDS):
        raise ValueError(f"{text!r} has {len(parts)} fields; NCRONTAB has six (or five)")
    allowed = [
        _field(part, name, (low, high), names)
        for part, (name, low, high, names) in zip(parts, _FIELDS, strict=True)
    ]
    return Schedule(text, *allowed)


def _field(text: str, name: str, limits: tuple[int, int], names: dict[str, int]) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match["low"] == "*" and match["high"]):
            raise ValueError(f"{part!r} is no {name}")
        values.update(_range(match, name, limits, names))
    return frozenset(values)


def _range(
    match: re.Match[str], name: str, limits: tuple[int, int], names: dict[str, int]
) -> range:
    low, high = limits
    if match["low"] != "*":
        low = _number(match["low"], name, limits, names)
        if match["high"]:
            high = _number(match["high"], name, limits, names)
        elif not match["step"]:
            high = low
    step = int(match["step"] or 1)
    if low > high or step < 1:
        raise ValueError(f"{match[0]!r} is no {name}")
    return range(low, high + 1, step)


def _number(text: str, name: str, limits: tuple[int, int], names: dict[str, int]) -> int:
    number = int(text) if text.isdigit() else names.get(text.lower()[:3], -1)
    if not limits[0] <= number <= limits[1]:
        raise ValueError(f"{text!r} is no {name} ({limits[0]}-{limits[1]})")
    return number
