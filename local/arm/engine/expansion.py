"""Evaluating JSON: every expression in it, its keys, its property copies."""

from collections.abc import Mapping
from typing import Any

from local.arm.engine.errors import ExpressionError, TemplateError
from local.arm.engine.evaluator import evaluate
from local.arm.engine.folding import fold
from local.arm.engine.frame import Deferred, Frame, NeedsRuntime
from local.arm.engine.limits import MAX_COPIES
from local.arm.engine.parser import is_expression, parse_expression, unescape
from local.arm.engine.quoting import quote
from local.arm.engine.syntax import Call, Node
from local.arm.engine.values import find_key, get, type_name

_COPY_KEYS = {"name", "count", "input"}
_TURN_STEPS = 10
_COPY_LENGTH = len("copy")


def expand(value: Any, frame: Frame) -> Any:
    """Return JSON with every expression evaluated.

    Without a runtime, what needs one is a Deferred inside the result. Raises ExpressionError
    whose `trail` is the JSON path below `value`.
    """
    if isinstance(value, str):
        return _text(value, frame)
    if isinstance(value, dict | Mapping):
        return _object(value, frame)
    if isinstance(value, list):
        return [expand_below(index, item, frame) for index, item in enumerate(value)]
    return value


def settle(value: Any, frame: Frame) -> Any:
    """Return JSON evaluated to the end; raises NeedsRuntime when a part of it is deferred."""
    result = expand(value, frame)
    if isinstance(result, Deferred):
        raise NeedsRuntime
    return result


def _text(value: str, frame: Frame) -> Any:
    if not is_expression(value):
        return unescape(value)
    node = parse_expression(value)
    return fold(node, frame) if frame.partial else evaluate(node, frame)


def expand_below(key: str | int, item: Any, frame: Frame) -> Any:
    """Return a member evaluated; errors on their way up note its key. Raises as `expand` does."""
    try:
        return expand(item, frame)
    except TemplateError as error:
        _add_step(error, key)
        raise


def _add_step(error: TemplateError, key: str | int) -> None:
    """Note, while an error travels up, through which member it came."""
    if isinstance(error, ExpressionError):
        error.trail.insert(0, key)


def _object(value: Mapping[str, Any], frame: Frame) -> dict[str, Any] | Deferred:
    result: dict[str, Any] = {}
    unknown: list[Node] = []
    for key, item in value.items():
        if len(key) == _COPY_LENGTH and key.lower() == "copy" and is_property_copy(item):
            for index, loop in enumerate(item):
                _set(result, *_placed(loop, (key, index), frame))
            continue
        name = _key(key, frame)
        below = expand_below(key, item, frame)
        if isinstance(name, Deferred):
            unknown += (name.node, quote(below))
        else:
            _set(result, name, below)
    if not unknown:
        return result
    known = (quote(part) for pair in result.items() for part in pair)
    return Deferred(Call("createObject", (*known, *unknown)))


def _placed(loop: Mapping[str, Any], at: tuple[str, int], frame: Frame) -> tuple[str, list[Any]]:
    try:
        return expand_copy(loop, frame)
    except ExpressionError as error:
        error.trail[:0] = at
        raise


def _set(result: dict[str, Any], name: str, item: Any) -> None:
    if find_key(result, name) is not None:
        raise ExpressionError(f"The property '{name}' is defined more than once.")
    result[name] = item


def _key(key: str, frame: Frame) -> str | Deferred:
    name = _text(key, frame) if key.startswith("[") else key
    if isinstance(name, str | Deferred):
        return name
    raise ExpressionError(
        f"The property name '{key}' is not valid: it evaluates to type '{type_name(name)}', "
        "not 'String'."
    )


def is_property_copy(value: Any) -> bool:
    """Tell a property copy from a property that happens to be called copy. Pure."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(item, Mapping) and {key.lower() for key in item} >= _COPY_KEYS
            for item in value
        )
    )


def expand_copy(
    loop: Mapping[str, Any], frame: Frame, *, current: bool = False
) -> tuple[str, list[Any]]:
    """Return (name, elements) of a property or variable copy.

    `current` tells whether a bare copyIndex() means this loop, rather than the resource's.
    """
    name = settle(get(loop, "name"), frame)
    if not isinstance(name, str) or not name:
        raise ExpressionError("The copy definition must have a non-empty string as its 'name'.")
    count = copy_count(get(loop, "count"), frame, name)
    template = get(loop, "input")
    frame.meter.charge(count * _TURN_STEPS)
    return name, [
        expand_below("input", template, frame.in_loop(name, index, current=current))
        for index in range(count)
    ]


def copy_count(value: Any, frame: Frame, name: str) -> int:
    """Return the count of a copy loop; raises ExpressionError unless it is 0 to 800."""
    count = settle(value, frame)
    if isinstance(count, bool) or not isinstance(count, int):
        raise ExpressionError(
            f"The 'count' of the copy definition '{name}' must be an integer: it is of type "
            f"'{type_name(count)}'. Please see https://aka.ms/arm-copy for usage details."
        )
    if not 0 <= count <= MAX_COPIES:
        raise ExpressionError(
            f"The copy count '{count}' of '{name}' is not valid: it must be from 0 to "
            f"'{MAX_COPIES}'. Please see https://aka.ms/arm-copy for usage details."
        )
    return count
