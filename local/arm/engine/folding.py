"""Evaluating as far as the known values go, and keeping the rest as an expression.

Without a runtime, reference() and list*() have no value yet. ARM's own what-if shows such values
as what is left of the expression: arguments computed, the call kept.
"""

from collections.abc import Mapping
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.evaluator import evaluate, has_deferred
from local.arm.engine.frame import Deferred, Frame, NeedsRuntime
from local.arm.engine.quoting import quote
from local.arm.engine.syntax import Access, Call, Node, write

_CHOOSING = frozenset({"if", "and", "or", "coalesce"})


def fold(node: Node, frame: Frame) -> Any:
    """Return the value of a node, or a Deferred. Raises ExpressionError."""
    try:
        return evaluate(node, frame)
    except NeedsRuntime as needs:
        asked = needs.call
    if isinstance(node, Access):
        return Deferred(Access(_folded(node.base, frame), _folded(node.key, frame)))
    if not isinstance(node, Call) or _is_lambda(node):
        return Deferred(node)
    if node.name.lower() == "if" and node.arguments:
        chosen = fold(node.arguments[0], frame)
        if isinstance(chosen, bool):
            return fold(node.arguments[1 if chosen else 2], frame)
    arguments = [_argument(node, index, frame) for index in range(len(node.arguments))]
    own = asked is not None and asked.name.lower() == node.name.lower()
    if asked is not None and own and not has_deferred(arguments):
        return Deferred(asked)
    return Deferred(Call(node.name, tuple(map(_node, arguments))))


def show(value: Any) -> Any:
    """Return a copy of a value with what is deferred written as expression text (`[...]`)."""
    if isinstance(value, str):
        return value
    if isinstance(value, Deferred):
        return f"[{write(value.node)}]"
    if isinstance(value, dict | Mapping):
        return {key: show(item) for key, item in value.items()}
    if isinstance(value, list):
        return [show(item) for item in value]
    return value


def _is_lambda(node: Node) -> bool:
    return isinstance(node, Call) and node.name.lower() == "lambda"


def _folded(node: Node, frame: Frame) -> Node:
    return quote(fold(node, frame))


def _argument(node: Call, index: int, frame: Frame) -> Any:
    """Return a folded argument; lambdas, and choices that may never be taken, as they are."""
    argument = node.arguments[index]
    if _is_lambda(argument):
        return argument
    try:
        return fold(argument, frame)
    except ExpressionError:
        if index == 0 or node.name.lower() not in _CHOOSING:
            raise
        return Deferred(argument)


def _node(argument: Any) -> Node:
    return argument if isinstance(argument, Call) else quote(argument)
