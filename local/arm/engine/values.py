"""JSON values as ARM sees them: their types, how they compare and how they print."""

import json
from collections.abc import Mapping
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.limits import MAX_WEIGHT

_MEMBER_WEIGHT = 8
_NAMES = {
    type(None): "Null",
    bool: "Boolean",
    int: "Integer",
    float: "Float",
    str: "String",
    list: "Array",
    tuple: "Array",
    dict: "Object",
}


def type_name(value: Any) -> str:
    """Return ARM's name for the type of a value. Pure."""
    name = _NAMES.get(type(value))
    if name is not None:
        return name
    return "Object" if isinstance(value, Mapping) else type(value).__name__


def find_key(value: Mapping[str, Any], key: str) -> str | None:
    """Return the key as the object spells it, found whatever its casing; None when absent."""
    if key in value:
        return key
    folded, size = key.lower(), len(key)
    for name in value:
        if len(name) == size and name.lower() == folded:
            return name
    return None


def get(value: Mapping[str, Any], key: str, default: Any = None) -> Any:
    """Return a member whatever the casing of its key. Pure."""
    name = find_key(value, key)
    return default if name is None else value[name]


def equal(left: Any, right: Any) -> bool:
    """Tell whether two values are deeply equal: strings exactly, numbers never equal booleans."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def collation_key(text: str) -> tuple[str, str]:
    """Return what orders texts as .NET's invariant culture does: `a` before `A` before `b`. Pure."""
    return text.lower(), text.swapcase()


def identity(value: Any) -> str:
    """Return a text that two values share exactly when they are equal. Pure."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def to_text(value: Any) -> str:
    """Return what string(), concat() and join() make of a value. Pure."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def weigh(value: Any) -> int:
    """Return the characters and members of a value; raises ExpressionError beyond the limit."""
    weight, stack = 0, [value]
    while stack:
        item = stack.pop()
        weight += _MEMBER_WEIGHT
        if isinstance(item, str):
            weight += len(item)
        elif isinstance(item, dict | Mapping):
            weight += sum(map(len, item))
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        if weight > MAX_WEIGHT:
            raise ExpressionError(
                f"The evaluated value is larger than the maximum of '{MAX_WEIGHT}' characters."
            )
    return weight
