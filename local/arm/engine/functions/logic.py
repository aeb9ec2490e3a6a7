"""Comparison and logic; if, and, or and coalesce evaluate only what they need."""

from collections.abc import Callable, Sequence
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.frame import Deferred, Frame, NeedsRuntime
from local.arm.engine.functions.signature import fail, framed, function, table
from local.arm.engine.values import collation_key, equal, type_name

Thunks = Sequence[Callable[[], Any]]


def choose(_frame: Frame, arguments: Thunks) -> Any:
    """Return the second argument when the first is true, else the third."""
    return arguments[1 if _truth("if", arguments[0]) else 2]()


def conjunction(_frame: Frame, arguments: Thunks) -> bool:
    """Tell whether all are true; stops at the first that is not."""
    return all(_truth("and", argument) for argument in arguments)


def disjunction(_frame: Frame, arguments: Thunks) -> bool:
    """Tell whether one is true; stops there."""
    return any(_truth("or", argument) for argument in arguments)


def coalesce(_frame: Frame, arguments: Thunks) -> Any:
    """Return the first value that is not null; stops there."""
    for argument in arguments:
        value = argument()
        if isinstance(value, Deferred):
            raise NeedsRuntime
        if value is not None:
            return value
    return None


def to_bool(value: Any) -> bool:
    """Return the boolean of a string, integer or boolean."""
    if isinstance(value, bool | int):
        return bool(value)
    folded = value.strip().lower()
    if folded in ("true", "1"):
        return True
    if folded in ("false", "0"):
        return False
    raise fail("bool", f"'{value}' cannot be converted to a boolean.")


def compare(name: str, holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Return a comparison of two integers or two strings."""

    def compared(left: Any, right: Any) -> bool:
        if isinstance(left, str) != isinstance(right, str):
            raise fail(
                name,
                f"the arguments must be of one type, not '{type_name(left)}' and "
                f"'{type_name(right)}'.",
            )
        if isinstance(left, str):
            return holds(collation_key(left), collation_key(right))
        return holds(left, right)

    return compared


def _truth(name: str, argument: Callable[[], Any]) -> bool:
    value = argument()
    if isinstance(value, Deferred):
        raise NeedsRuntime
    if isinstance(value, bool):
        return value
    raise ExpressionError(
        f"The template language function '{name}' expects its condition to be of type 'Boolean'. "
        f"The provided value is of type '{type_name(value)}'. Please see "
        f"https://aka.ms/arm-functions#{name} for usage details."
    )


FUNCTIONS = table(
    framed("and(any, any, any...)", conjunction, lazy=True),
    framed("or(any, any, any...)", disjunction, lazy=True),
    framed("if(any, any, any)", choose, lazy=True),
    framed("coalesce(any, any...)", coalesce, lazy=True),
    function("not(bool)", lambda value: not value),
    function("bool(string|int|bool)", to_bool),
    function("true()", lambda: True),
    function("false()", lambda: False),
    function("null()", lambda: None),
    function("equals(any, any)", equal, deep=True),
    function("less(int|string, int|string)", compare("less", lambda a, b: a < b)),
    function("lessOrEquals(int|string, int|string)", compare("lessOrEquals", lambda a, b: a <= b)),
    function("greater(int|string, int|string)", compare("greater", lambda a, b: a > b)),
    function(
        "greaterOrEquals(int|string, int|string)",
        compare("greaterOrEquals", lambda a, b: a >= b),
    ),
)
