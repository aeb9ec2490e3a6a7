"""Writing values as expressions."""

from collections.abc import Mapping
from typing import Any

from local.arm.engine.frame import Deferred
from local.arm.engine.syntax import Call, Literal, Node


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
