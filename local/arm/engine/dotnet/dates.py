"""Dates in .NET's standard and custom formats, invariant culture, always UTC."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

_STANDARD = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "m": "MMMM dd",
    "M": "MMMM dd",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffZ",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffZ",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ssZ",
    "U": "dddd, dd MMMM yyyy HH:mm:ss",
    "y": "yyyy MMMM",
    "Y": "yyyy MMMM",
}
_TOKEN = re.compile(
    r"'(?P<quoted>[^']*)'|\"(?P<double>[^\"]*)\"|\\(?P<escaped>.)|%(?P<single>[a-zA-Z])"
    r"|(?P<word>y+|M+|d+|H+|h+|m+|s+|f+|F+|t+|z+|K|g+)|(?P<other>.)",
    re.DOTALL,
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_TICK_DIGITS = 7
_NOON = 12

_PARSERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)()(Z)"), "yyyyMMddTHHmmssZ"),
    (re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)()(Z)"), "u"),
    (re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)()(Z)"), "yyyy-MM-ddTHH:mm:ssZ"),
    (re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)()()"), "s"),
    (re.compile(r"(\d{4})-(\d\d)-(\d\d)()()()()()"), "yyyy-MM-dd"),
    (
        re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?(Z|[+-]\d\d:\d\d)?"),
        "o",
    ),
)  # fmt: skip
_AMERICAN = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d\d)(?::(\d\d))?(?: ([AP]M))?)?"
)


def parse_date(text: str) -> tuple[datetime, str]:
    """Return a date in UTC and the format it was written in. Pure. Raises ValueError."""
    stripped = text.strip()
    for pattern, own in _PARSERS:
        match = pattern.fullmatch(stripped)
        if match is not None:
            return _built(*match.groups()), own
    match = _AMERICAN.fullmatch(stripped)
    if match is None:
        raise ValueError(text)
    month, day, year, hour, minute, second, half = match.groups()
    hours = int(hour or 0)
    if half is not None:
        hours = hours % _NOON + (_NOON if half == "PM" else 0)
    own = "M/d/yyyy h:mm:ss tt" if half else "MM/dd/yyyy HH:mm:ss"
    moment = datetime(
        int(year), int(month), int(day), hours, int(minute or 0), int(second or 0), tzinfo=UTC
    )
    return moment, own


def format_date(moment: datetime, pattern: str) -> str:
    """Return a date in a .NET format. Pure. Raises ValueError for one that .NET refuses."""
    if len(pattern) == 1:
        if pattern not in _STANDARD:
            raise ValueError("the input string was not in a correct format")
        pattern = _STANDARD[pattern]
    utc = moment.astimezone(UTC)
    return "".join(_piece(utc, match) for match in _TOKEN.finditer(pattern))


def _built(*parts: str | None) -> datetime:
    year, month, day, hour, minute, second, fraction, zone = parts
    moment = datetime(
        int(year or 0), int(month or 0), int(day or 0),
        int(hour or 0), int(minute or 0), int(second or 0),
        int((fraction or "0").ljust(_TICK_DIGITS, "0")[:6]),
        tzinfo=UTC,
    )  # fmt: skip
    if zone and zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        shifted = timezone(-offset if zone[0] == "-" else offset)
        return moment.replace(tzinfo=shifted).astimezone(UTC)
    return moment


def _piece(moment: datetime, match: re.Match[str]) -> str:
    for name in ("quoted", "double", "escaped", "other"):
        literal = match[name]
        if literal is not None:
            return literal
    word = match["word"] or match["single"]
    field = _FIELDS.get(word[0])
    if field is None:
        raise ValueError("the input string was not in a correct format")
    return field(moment, len(word))


def _year(moment: datetime, width: int) -> str:
    if width > 2:  # noqa: PLR2004 - yy is the two-digit year
        return str(moment.year).rjust(width, "0")
    return str(moment.year % 100).rjust(width, "0")


def _month(moment: datetime, width: int) -> str:
    return _named(moment.month, width, _MONTHS[moment.month - 1])


def _day(moment: datetime, width: int) -> str:
    return _named(moment.day, width, _DAYS[moment.weekday()])


def _named(number: int, width: int, name: str) -> str:
    match width:
        case 1 | 2:
            return str(number).rjust(width, "0")
        case 3:
            return name[:3]
        case _:
            return name


def _number(pick: Callable[[datetime], int]) -> Callable[[datetime, int], str]:
    return lambda moment, width: str(pick(moment)).rjust(min(width, 2), "0")


def _fraction(moment: datetime, width: int) -> str:
    if width > _TICK_DIGITS:
        raise ValueError("the input string was not in a correct format")
    return f"{moment.microsecond:06d}0"[:width]


def _zone(_moment: datetime, width: int) -> str:
    return {1: "+0", 2: "+00"}.get(width, "+00:00")


_FIELDS: dict[str, Callable[[datetime, int], str]] = {
    "y": _year,
    "M": _month,
    "d": _day,
    "H": _number(lambda moment: moment.hour),
    "h": _number(lambda moment: moment.hour % _NOON or _NOON),
    "m": _number(lambda moment: moment.minute),
    "s": _number(lambda moment: moment.second),
    "f": _fraction,
    "F": lambda moment, width: _fraction(moment, width).rstrip("0"),
    "t": lambda moment, width: ("AM" if moment.hour < _NOON else "PM")[:width],
    "z": _zone,
    "K": lambda _moment, _width: "Z",
    "g": lambda _moment, _width: "A.D.",
}
