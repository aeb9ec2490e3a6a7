"""Functions that take a lambda, and the lambda's own variables."""

from collections.abc import Mapping, Sequence
from functools import cmp_to_key
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.frame import Deferred, Frame, Lambda, NeedsRuntime
from local.arm.engine.functions.signature import fail, framed, function, table
from local.arm.engine.values import to_text, type_name


def filter_items(items: list[Any], predicate: Lambda) -> list[Any]:
    """Return the elements for which the lambda says true."""
    return [item for index, item in enumerate(items) if _holds("filter", predicate, item, index)]


def map_items(items: list[Any], convert: Lambda) -> list[Any]:
    """Return what the lambda makes of every element."""
    return [_call("map", convert, item, index) for index, item in enumerate(items)]


def map_values(value: Mapping[str, Any], convert: Lambda) -> dict[str, Any]:
    """Return the object with what the lambda makes of every value."""
    return {key: _call("mapValues", convert, item) for key, item in value.items()}


def reduce_items(items: list[Any], start: Any, step: Lambda) -> Any:
    """Return what is left when the lambda has taken in one element after the other."""
    value = start
    for index, item in enumerate(items):
        value = _call("reduce", step, value, item, index)
    return value


def sort_items(items: list[Any], before: Lambda) -> list[Any]:
    """Return the elements in the order in which the lambda says that one comes before another."""

    def order(left: Any, right: Any) -> int:
        if _holds("sort", before, left, right):
            return -1
        return 1 if _holds("sort", before, right, left) else 0

    return sorted(items, key=cmp_to_key(order))


def to_object(items: list[Any], key: Lambda, value: Lambda | None = None) -> dict[str, Any]:
    """Return an object with a member for every element."""
    result: dict[str, Any] = {}
    for item in items:
        name = _key("toObject", key, item)
        result[name] = item if value is None else _call("toObject", value, item)
    return result


def group_by(items: list[Any], key: Lambda, value: Lambda | None = None) -> dict[str, Any]:
    """Return an object of arrays: the elements by what the lambda calls their group."""
    result: dict[str, list[Any]] = {}
    for item in items:
        name = _key("groupBy", key, item)
        result.setdefault(name, []).append(item if value is None else _call("groupBy", value, item))
    return result


def lambda_variable(frame: Frame, arguments: Sequence[Any]) -> Any:
    """Return a parameter of a lambda around."""
    name = arguments[0].lower()
    if name in frame.locals:
        return frame.locals[name]
    raise ExpressionError(
        f"The lambda variable '{arguments[0]}' is not found. Please see "
        "https://aka.ms/arm-functions#lambdaVariables for usage details."
    )


def _call(name: str, function_value: Lambda, *values: Any) -> Any:
    taken = len(function_value.parameters)
    if taken > len(values):
        raise fail(name, f"the lambda takes '{taken}' parameters, at most '{len(values)}' fit.")
    result = function_value.invoke(*values[:taken])
    if isinstance(result, Deferred):
        raise NeedsRuntime
    return result


def _holds(name: str, predicate: Lambda, *values: Any) -> bool:
    result = _call(name, predicate, *values)
    if isinstance(result, bool):
        return result
    raise fail(name, f"the lambda must return a boolean, not '{type_name(result)}'.")


def _key(name: str, function_value: Lambda, item: Any) -> str:
    result = _call(name, function_value, item)
    if isinstance(result, str | int):
        return to_text(result)
    raise fail(name, f"the lambda must return a string as the key, not '{type_name(result)}'.")


FUNCTIONS = table(
    function("filter(array, lambda)", filter_items),
    function("groupBy(array, lambda, lambda?)", group_by),
    framed("lambdaVariables(string)", lambda_variable, kept=True),
    function("map(array, lambda)", map_items),
    function("mapValues(object, lambda)", map_values),
    function("reduce(array, any, lambda)", reduce_items),
    function("sort(array, lambda)", sort_items),
    function("toObject(array, lambda, lambda?)", to_object),
)
