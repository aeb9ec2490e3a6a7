"""Time spans as host.json writes them: `[d.]hh:mm:ss[.fff]`."""

import re

_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):([0-5]?\d):([0-5]?\d(?:\.\d{1,7})?)")
DAY_S, HOUR_S, MINUTE_S = 86400, 3600, 60
HOURS_PER_DAY = 24


def seconds(text: object) -> float:
    """Return the seconds of a time span; raises ValueError that shows the form. Pure."""
    match = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match[2]) >= HOURS_PER_DAY:
        raise ValueError(f'{text!r} is not a time span; write "hh:mm:ss", for example "00:00:30"')
    days, hours, minutes, rest = match.groups()
    return int(days or 0) * DAY_S + int(hours) * HOUR_S + int(minutes) * MINUTE_S + float(rest)
