"""Evaluating as far as the known values go, and keeping the rest as an expression.

Without a runtime, reference() and list*() have no value yet. ARM's own what-if shows such values
as what is left of the expression: arguments computed, the call kept.
"""

from collections.abc import Mapping
from typing import Any

from local.arm.engine.evaluator import evaluate
from local.arm.engine.frame import Deferred, Frame, NeedsRuntime
from local.arm.engine.syntax import Access, Call, Literal, Node, write


def fold(node: Node, frame: Frame) -> Any:
    """Return the value of a node, or a Deferred. Raises ExpressionError."""
    try:
        return evaluate(node, frame)
    except NeedsRuntime:
        pass
    if isinstance(node, Access):
        return Deferred(Access(_folded(node.base, frame), _folded(node.key, frame)))
    if not isinstance(node, Call) or node.name.lower() == "lambda":
        return Deferred(node)
    if node.name.lower() == "if" and node.arguments:
        chosen = fold(node.arguments[0], frame)
        if isinstance(chosen, bool):
            return fold(node.arguments[1 if chosen else 2], frame)
    return Deferred(Call(node.name, tuple(_folded(item, frame) for item in node.arguments)))


def quote(value: Any) -> Node:
    """Return the expression of a value. Pure."""
    if isinstance(value, Deferred):
        return value.node
    if isinstance(value, bool):
        return Call("true" if value else "false", ())
    if value is None:
        return Call("null", ())
    if isinstance(value, str | int):
        return Literal(value)
    if isinstance(value, Mapping):
        pairs = (quote(item) for pair in value.items() for item in pair)
        return Call("createObject", tuple(pairs))
    if isinstance(value, list):
        return Call("createArray", tuple(quote(item) for item in value))
    return Call("json", (Literal(str(value)),))


def show(value: Any) -> Any:
    """Return a value with what is deferred written as expression text (`[...]`)."""
    if isinstance(value, Deferred):
        return f"[{write(value.node)}]"
    if isinstance(value, Mapping):
        return {key: show(item) for key, item in value.items()}
    if isinstance(value, list):
        return [show(item) for item in value]
    return value


def _folded(node: Node, frame: Frame) -> Node:
    if isinstance(node, Call) and node.name.lower() == "lambda":
        return node
    return quote(fold(node, frame))
