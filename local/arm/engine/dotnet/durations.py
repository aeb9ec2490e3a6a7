"""ISO 8601 durations, added to dates by the calendar."""

import calendar
import re
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, timedelta

_MONTHS_PER_YEAR = 12
_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<years>\d{1,5})Y)?(?:(?P<months>\d{1,6})M)?(?:(?P<weeks>\d{1,6})W)?"
    r"(?:(?P<days>\d{1,8})D)?"
    r"(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,10})M)?(?:(?P<seconds>\d{1,12})(?:\.\d+)?S)?)?"
)


@dataclass(frozen=True)
class Duration:
    """A length of time; months depend on the calendar, seconds do not."""

    months: int = 0
    seconds: int = 0

    def after(self, moment: datetime) -> datetime:
        """Return the moment this much later. Raises OverflowError beyond the years 1 to 9999."""
        month = moment.year * _MONTHS_PER_YEAR + moment.month - 1 + self.months
        year, index = divmod(month, _MONTHS_PER_YEAR)
        if not MINYEAR <= year <= MAXYEAR:
            raise OverflowError("the date is out of range")
        last = calendar.monthrange(year, index + 1)[1]
        moved = moment.replace(year=year, month=index + 1, day=min(moment.day, last))
        return moved + timedelta(seconds=self.seconds)


def parse_duration(text: str) -> Duration:
    """Return an ISO 8601 duration such as `-P3DT2H`. Pure. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or text.strip().lstrip("-") in ("P", "PT") or text.endswith("T"):
        raise ValueError("it must be an ISO 8601 duration")
    part = {name: int(value or 0) for name, value in match.groupdict().items() if name != "sign"}
    sign = -1 if match["sign"] else 1
    days = part["weeks"] * 7 + part["days"]
    seconds = ((days * 24 + part["hours"]) * 60 + part["minutes"]) * 60 + part["seconds"]
    months = part["years"] * _MONTHS_PER_YEAR + part["months"]
    return Duration(sign * months, sign * seconds)
