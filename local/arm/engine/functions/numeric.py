"""Arithmetic on 64-bit integers, and the position in a copy loop."""

from collections.abc import Callable, Sequence
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.frame import Frame
from local.arm.engine.functions.signature import fail, framed, function, table
from local.arm.engine.values import type_name

_MIN, _MAX = -(2**63), 2**63 - 1


def bounded(name: str, compute: Callable[[int, int], int]) -> Callable[[int, int], int]:
    """Return an operation that refuses results beyond 64 bits."""

    def computed(left: int, right: int) -> int:
        value = compute(left, right)
        if not _MIN <= value <= _MAX:
            raise fail(name, "the result does not fit into 64 bits.")
        return value

    return computed


def divide(left: int, right: int) -> int:
    """Return the quotient without its fraction."""
    if right == 0:
        raise fail("div", "the divisor must not be zero.")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def modulo(left: int, right: int) -> int:
    """Return what division leaves; it has the sign of the dividend."""
    if right == 0:
        raise fail("mod", "the divisor must not be zero.")
    rest = abs(left) % abs(right)
    return rest if left >= 0 else -rest


def to_int(value: Any) -> int:
    """Return the integer of a number or of its decimal text."""
    try:
        number = int(value)
    except (ValueError, OverflowError) as error:
        raise fail("int", f"'{value}' cannot be converted to an integer.") from error
    if not _MIN <= number <= _MAX:
        raise fail("int", f"'{value}' does not fit into 64 bits.")
    return number


def to_float(value: Any) -> float:
    """Return the number of a text."""
    try:
        return float(value)
    except ValueError as error:
        raise fail("float", f"'{value}' cannot be converted to a number.") from error


def copy_index(frame: Frame, arguments: Sequence[Any]) -> int:
    """Return the index of the current loop, or of a named one, plus an offset."""
    name, offset = "", 0
    if arguments and isinstance(arguments[0], str):
        name = arguments[0]
        offset = arguments[1] if len(arguments) > 1 else 0
    elif arguments:
        offset = arguments[0]
        if len(arguments) > 1:
            raise fail("copyIndex", "the name of the loop comes before the offset.")
    if isinstance(offset, bool) or not isinstance(offset, int):
        raise fail("copyIndex", f"the offset must be an integer, not '{type_name(offset)}'.")
    index = frame.loops.get(name.lower())
    if index is not None:
        return index + offset
    if name:
        raise ExpressionError(
            "The template language function 'copyIndex' has an invalid argument. The provided "
            f"copy name '{name}' doesn't exist in the resource. Please see "
            "https://aka.ms/arm-copy for usage details."
        )
    raise ExpressionError(
        "The template function 'copyIndex' is not expected at this location. The function can "
        "only be used in a resource with copy specified. Please see https://aka.ms/arm-copy for "
        "usage details."
    )


FUNCTIONS = table(
    function("add(int, int)", bounded("add", lambda a, b: a + b)),
    function("sub(int, int)", bounded("sub", lambda a, b: a - b)),
    function("mul(int, int)", bounded("mul", lambda a, b: a * b)),
    function("div(int, int)", bounded("div", divide)),
    function("mod(int, int)", bounded("mod", modulo)),
    function("int(string|int|float)", to_int),
    function("float(string|int|float)", to_float),
    framed("copyIndex(string|int?, int?)", copy_index),
)
