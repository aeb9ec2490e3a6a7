"""Numeric format strings as .NET prints them in the invariant culture."""

import re
from decimal import ROUND_HALF_UP, Decimal

_STANDARD = re.compile(r"(?P<letter>[A-Za-z])(?P<precision>\d{0,3})")
_CUSTOM_DIGITS = re.compile(r"[0#][0#,.]*")
_DEFAULT_DECIMALS = 2


def format_number(value: float, spec: str) -> str:
    """Return a number in a standard (`N0`, `D3`, `X`) or custom (`000`) format.

    Pure. Raises ValueError for a format that .NET refuses.
    """
    if not spec:
        return str(value) if isinstance(value, int) else repr(value)
    match = _STANDARD.fullmatch(spec)
    if match is None:
        return _custom(value, spec)
    precision = int(match["precision"]) if match["precision"] else None
    return _standard(value, match["letter"], precision)


def _standard(value: float, letter: str, precision: int | None) -> str:
    kind = letter.upper()
    if kind in "DX" and not isinstance(value, int):
        raise ValueError("the format specifier was invalid")
    decimals = _DEFAULT_DECIMALS if precision is None else precision
    match kind:
        case "D":
            return f"{'-' if value < 0 else ''}{str(abs(int(value))).rjust(precision or 0, '0')}"
        case "X":
            digits = f"{int(value) & 0xFFFFFFFFFFFFFFFF:x}".rjust(precision or 0, "0")
            return digits.upper() if letter == "X" else digits
        case "N":
            return f"{_rounded(value, decimals):,.{decimals}f}"
        case "F":
            return f"{_rounded(value, decimals):.{decimals}f}"
        case "P":
            return f"{_rounded(Decimal(str(value)) * 100, decimals):,.{decimals}f} %"
        case "C":
            sign, amount = ("-" if value < 0 else ""), abs(_rounded(value, decimals))
            return f"{sign}\u00a4{amount:,.{decimals}f}"
        case "E":
            return _scientific(value, letter, 6 if precision is None else precision)
        case "G" | "R":
            return str(value)
        case _:
            raise ValueError("the format specifier was invalid")


def _rounded(value: float | Decimal, decimals: int) -> Decimal:
    number = Decimal(str(value))
    return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def _scientific(value: float, letter: str, precision: int) -> str:
    mantissa, exponent = f"{Decimal(str(value)):.{precision}e}".split("e")
    return f"{mantissa}{letter}{exponent[0]}{exponent[1:].rjust(3, '0')}"


def _custom(value: float, spec: str) -> str:
    """Return a number in a pattern of `0`, `#`, `,` and `.` with literal text around it."""
    match = _CUSTOM_DIGITS.search(spec)
    if match is None:
        return spec
    whole, _, fraction = match.group().partition(".")
    least = fraction.count("0")
    number = abs(_rounded(value, len(fraction)))
    digits = f"{number:.{len(fraction)}f}"
    left, _, right = digits.partition(".")
    while len(right) > least and right.endswith("0"):
        right = right[:-1]
    left = left.lstrip("0").rjust(whole.count("0"), "0")
    if "," in whole:
        left = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", left)
    shown = f"{left}.{right}" if right else left
    sign = "-" if value < 0 else ""
    return f"{sign}{spec[: match.start()]}{shown}{spec[match.end() :]}"
