"""What a word without quotes means in YAML, where its readers agree, and why not where they differ."""

import math
import re

from shared.core.source.faults import shown

_INT64 = range(-(2**63), 2**63)
_INT64_DIGITS = 20
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOLEAN = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SURPRISES = (
    (
        re.compile(r"yes|Yes|YES|on|On|ON"),
        "Many YAML readers take {0} for true: write true, or '{0}' in quotes for the text.",
    ),
    (
        re.compile(r"no|No|NO|off|Off|OFF"),
        "Many YAML readers take {0} for false: write false, or '{0}' in quotes for the text.",
    ),
    (
        re.compile(r"[-+]?0[0-9_]+"),
        "Many YAML readers take {0} for an octal number: write '{0}' in quotes for the text, or the number without leading zeros.",
    ),
    (
        re.compile(
            r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+|[0-9]+_[0-9_]*|[0-9]+[eE][-+]?[0-9]+)"
        ),
        "Many YAML readers take {0} for a number: write it with plain digits, or '{0}' in quotes for the text.",
    ),
    (
        re.compile(r"[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?"),
        "Many YAML readers take {0} for a number to base 60: write '{0}' in quotes for the text.",
    ),
    (
        re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?"),
        "Many YAML readers take {0} for a date: write '{0}' in quotes for the text.",
    ),
    (
        re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"),
        "JSON, which ARM speaks, has no such number: write '{0}' in quotes for the text.",
    ),
)
_TOO_LARGE = "The number is larger than ARM's 64 bits: write it in quotes for the text."


def plain_value(text: str) -> tuple[str | int | float | bool | None, str | None]:
    """Return what a word without quotes is, and why readers may take it otherwise, or None. Pure.

    A word that surprises, or that JSON cannot say, is the text as written.
    """
    if _NULL.fullmatch(text):
        return None, None
    if text in _BOOLEAN:
        return _BOOLEAN[text], None
    if _INTEGER.fullmatch(text):
        return _integer(text)
    for pattern, explanation in _SURPRISES:
        if pattern.fullmatch(text):
            return text, explanation.format(shown(text)[1:-1])
    if _FLOAT.fullmatch(text):
        number = float(text)
        return (number, None) if math.isfinite(number) else (text, _TOO_LARGE)
    return text, None


def _integer(text: str) -> tuple[str | int, str | None]:
    if len(text) > _INT64_DIGITS or int(text) not in _INT64:
        return text, _TOO_LARGE
    return int(text), None
