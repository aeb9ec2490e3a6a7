"""What one setting's text may look like: parsers that say what is wrong and how to mend it.

Pure. ``settings`` calls them; none of them repeats the value of something that may be secret.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from shared.core.secret import Secret

_KEY_CHARACTERS: Final = 32


class Wrong(Exception):
    """A value that a parser refuses: what is wrong, how to mend it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


def text(value: str) -> str:
    """Take any text."""
    return value


def secret(value: str) -> Secret:
    """Take any text but an empty one, as a secret."""
    if not value:
        raise Wrong("it is empty", "give the secret, or remove the setting")
    return Secret(value)


def choice(*allowed: str) -> Callable[[str], str]:
    """Take one of these words."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise Wrong(f"{value!r} is not known", f"use {' or '.join(allowed)}, or leave it out")
        return value

    return parse


def seconds(minimum: float) -> Callable[[str], float]:
    """Take a finite number of seconds, at least ``minimum``."""
    return _span("seconds", minimum)


def hours(minimum: float) -> Callable[[str], float]:
    """Take a finite number of hours, at least ``minimum``."""
    return _span("hours", minimum)


def _span(unit: str, minimum: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            span = float(value)
        except ValueError:
            raise Wrong(f"{value!r} is no number", f"give {unit}, like 5 or 0.2") from None
        if not (math.isfinite(span) and span >= minimum):
            raise Wrong(f"{value} {unit} is too short or not finite", f"give at least {minimum:g}")
        return span

    return parse


def https_url(value: str) -> str:
    """Take an https address of scheme, host and path; without a slash at the end."""
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname:
        # The value is not repeated: an address with a SAS in it is a common mistake.
        raise Wrong("it is no https:// address", "give an address like https://host")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise Wrong("it has a query, a fragment or a user in it", "give scheme, host and path only")
    return value.rstrip("/")


def matching(pattern: re.Pattern[str], form: str) -> Callable[[str], str]:
    """Take what the whole of ``pattern`` matches; ``form`` says it in words."""

    def parse(value: str) -> str:
        if not pattern.fullmatch(value):
            raise Wrong("it does not have the right form", f"give {form}")
        return value

    return parse


def connection_string(value: str) -> Secret:
    """Take a storage connection string with an account and a key or SAS."""
    parts = [part.partition("=") for part in value.strip().rstrip(";").split(";")]
    keys = {key.strip().lower() for key, equals, rest in parts if equals and rest}
    if len(keys) != len(parts):
        raise Wrong("it is no connection string", "copy it from the storage account's access keys")
    located = {"accountname", "blobendpoint", "usedevelopmentstorage"} & keys
    signed = {"accountkey", "sharedaccesssignature", "usedevelopmentstorage"} & keys
    if not located or not signed:
        raise Wrong(
            "it lacks AccountName, or AccountKey or SharedAccessSignature",
            "copy it from the storage account's access keys",
        )
    return Secret(value.strip())


def digest_key(value: str) -> Secret:
    """Take a key of at least 32 characters."""
    if len(value) < _KEY_CHARACTERS:
        raise Wrong(
            f"it has {len(value)} characters", f"give at least {_KEY_CHARACTERS} random characters"
        )
    return Secret(value)


def json_object(value: str) -> str:
    """Take the text of a JSON object."""
    try:
        parsed = json.loads(value)
    except ValueError as error:
        where = (
            f" (line {error.lineno}, column {error.colno})"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        raise Wrong(f"it is not JSON{where}", "give the operator's configuration as JSON") from None
    if not isinstance(parsed, dict):
        raise Wrong("it is no JSON object", "give the operator's configuration as a JSON object")
    return value


_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: Final = {
    4: {name: number for number, name in enumerate(_MONTHS, 1)},
    5: {name: number for number, name in enumerate(_DAYS)},
}
_RANGES = (
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 6),
)


def ncrontab(value: str) -> str:
    """Take a schedule of six fields, as the Functions timer reads it."""
    fields = value.split()
    if len(fields) != len(_RANGES):
        raise Wrong(
            f"{value!r} has {len(fields)} fields",
            "give six: second minute hour day month day-of-week, like '*/30 * * * * *'",
        )
    for index, text in enumerate(fields):
        name, low, high = _RANGES[index]
        if not all(_cron_part(part, index, low, high) for part in text.lower().split(",")):
            raise Wrong(
                f"{text!r} is no {name}", f"give *, numbers from {low} to {high}, ranges or steps"
            )
    return value


def _cron_part(part: str, index: int, low: int, high: int) -> bool:
    span, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        return False
    if span == "*":
        return True
    names = _NAMES.get(index, {})
    ends = [
        names.get(end, int(end) if end.isascii() and end.isdigit() else -1)
        for end in span.split("-", 1)
    ]
    return all(low <= end <= high for end in ends) and ends == sorted(ends)
