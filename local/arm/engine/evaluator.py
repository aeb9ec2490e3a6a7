"""Evaluating the syntax tree of an expression in a frame."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from local.arm.engine.errors import FUNCTIONS_HELP, ExpressionError
from local.arm.engine.frame import (
    Deferred,
    Frame,
    Lambda,
    NeedsRuntime,
    UserFunction,
)
from local.arm.engine.functions import FUNCTIONS, LIST_FUNCTION
from local.arm.engine.functions.signature import Function
from local.arm.engine.names import FunctionNames
from local.arm.engine.syntax import Access, Call, Literal, Node, literal_text
from local.arm.engine.values import find_key, type_name, weigh

_CHARACTERS_PER_STEP = 16
_ELEMENTS_PER_STEP = 4
_LIST = re.compile(r"list[A-Za-z]*\Z", re.IGNORECASE)
_BY_NAME: Mapping[str, Function] = {function.name: function for function in FUNCTIONS.values()}
"""As people write them; user functions have a dot in their names, so they are none of these."""
_MEMBERS: Mapping[tuple[str, str | int], Callable[[Frame], Any]] = {
    (function.name, name): member
    for function in FUNCTIONS.values()
    for name, member in function.members.items()
}


def evaluate(node: Node, frame: Frame) -> Any:
    """Return the value of a node.

    Raises ExpressionError; NeedsRuntime when the frame has no runtime and the value needs one.
    """
    frame.meter.charge()
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Call):
        return _call(node, frame)
    base, key = node.base, node.key
    if isinstance(base, Call) and not base.arguments and isinstance(key, Literal):
        member = _MEMBERS.get((base.name, key.value))
        if member is not None:
            return member(frame)
    return access(evaluate(base, frame), evaluate(key, frame))


def access(base: Any, key: Any) -> Any:
    """Return a property or element; raises ExpressionError when there is none."""
    if isinstance(base, Deferred) or isinstance(key, Deferred):
        raise NeedsRuntime
    if isinstance(key, str):
        return _property(base, key)
    if isinstance(key, int) and not isinstance(key, bool):
        return _element(base, key)
    raise ExpressionError(
        f"The language expression property key has type '{type_name(key)}': only strings and "
        "integers are keys."
    )


def find_function(name: str) -> Function | None:
    """Return the built-in function of that name, list* included. Pure."""
    found = FUNCTIONS.get(name.lower())
    if found is None and _LIST.match(name):
        return LIST_FUNCTION
    return found


def check(node: Node, user_function: Callable[[str], UserFunction | None]) -> None:
    """Raise ExpressionError for a function that does not exist or gets a wrong argument count."""
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Access):
            stack += (item.base, item.key)
        elif isinstance(item, Call):
            stack += item.arguments
            if item.name.lower() == "lambda" or user_function(item.name) is not None:
                continue
            known = find_function(item.name)
            if known is None:
                raise _unknown(item.name)
            known.check_count(len(item.arguments))


def _property(base: Any, key: str) -> Any:
    if isinstance(base, Mapping):
        name = find_key(base, key)
        if name is not None:
            return base[name]
        raise ExpressionError(
            f"The language expression property '{key}' doesn't exist, available properties are "
            f"'{', '.join(base)}'."
        )
    if isinstance(base, list):
        raise ExpressionError(
            f"The language expression property '{key}' can't be evaluated: the value is an array, "
            "and an array index must be an integer."
        )
    raise ExpressionError(
        f"The language expression property '{key}' can't be evaluated: the value is of type "
        f"'{type_name(base)}'."
    )


def _element(base: Any, index: int) -> Any:
    if not isinstance(base, list):
        raise ExpressionError(
            f"The language expression property '{index}' can't be evaluated: the value is of type "
            f"'{type_name(base)}', not an array."
        )
    if 0 <= index < len(base):
        return base[index]
    raise ExpressionError(
        f"The language expression property array index '{index}' is out of bounds."
    )


def _call(node: Call, frame: Frame) -> Any:
    function = _BY_NAME.get(node.name)
    if function is None:
        user_function = frame.names.function(node.name)
        if user_function is not None:
            arguments = [evaluate(item, frame) for item in node.arguments]
            return _call_user(user_function, arguments, frame)
        if node.name.lower() == "lambda":
            return _lambda(node, frame)
        function = find_function(node.name)
        if function is None:
            raise _unknown(node.name)
    function.check_count(len(node.arguments))
    if function.stages is not None and frame.stage not in function.stages:
        raise ExpressionError(
            f"The template function '{node.name}' is not expected at this location. "
            f"{FUNCTIONS_HELP}"
        )
    if function.lazy:
        return function.apply(frame, [partial(evaluate, item, frame) for item in node.arguments])
    arguments = [evaluate(item, frame) for item in node.arguments]
    if function is LIST_FUNCTION:
        if has_deferred(arguments):
            raise NeedsRuntime
        return function.apply(frame, [node.name, *arguments])
    return _apply(function, arguments, frame)


def _apply(function: Function, arguments: Sequence[Any], frame: Frame) -> Any:
    for value in arguments:
        if isinstance(value, Deferred):
            raise NeedsRuntime
    function.check_kinds(arguments)
    if function.deep:
        frame.meter.charge(sum(weigh(value) for value in arguments) // 16)
        if frame.partial and has_deferred(arguments):
            raise NeedsRuntime
    value = function.apply(frame, arguments)
    if function.kept:
        return value
    if isinstance(value, str) and len(value) >= _CHARACTERS_PER_STEP:
        frame.meter.charge(len(value) // _CHARACTERS_PER_STEP)
    elif isinstance(value, list):
        frame.meter.charge(len(value) // _ELEMENTS_PER_STEP)
    return value


def has_deferred(value: Any) -> bool:
    """Tell whether any part of a value is only known at run time. Iterative."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            continue
        if isinstance(item, Deferred):
            return True
        if isinstance(item, dict | Mapping):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
    return False


def _call_user(function: UserFunction, arguments: list[Any], frame: Frame) -> Any:
    if len(arguments) != len(function.parameters):
        raise ExpressionError(
            f"The template function '{function.name}' expects '{len(function.parameters)}' "
            f"argument(s) while '{len(arguments)}' were provided."
        )
    values = dict(zip((name.lower() for name in function.parameters), arguments, strict=True))
    inside = frame.deeper(names=FunctionNames(function.name, values, frame.names), locals={})
    try:
        return function.output(inside)
    except ExpressionError as error:
        error.trail.clear()  # the way inside the function is no way in the calling expression
        raise


def _lambda(node: Call, frame: Frame) -> Lambda:
    *names, body = node.arguments or (Literal(""),)
    parameters = tuple(literal_text(name) or "" for name in names)
    if not node.arguments or not all(parameters):
        raise ExpressionError(
            "The template function 'lambda' expects the names of its parameters as string "
            f"literals, and a body. {FUNCTIONS_HELP}"
        )

    def invoke(*values: Any) -> Any:
        bound = dict(zip((name.lower() for name in parameters), values, strict=False))
        return evaluate(body, frame.deeper(locals={**frame.locals, **bound}))

    return Lambda(parameters, invoke)


def _unknown(name: str) -> ExpressionError:
    return ExpressionError(f"The template function '{name}' is not valid. {FUNCTIONS_HELP}")
