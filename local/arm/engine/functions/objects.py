"""Functions of objects, and the merges that work on objects and arrays alike."""

import json
import re
from collections.abc import Mapping
from typing import Any

from local.arm.engine.documents import blank_noise, pair_surrogates
from local.arm.engine.functions.signature import fail, function, table
from local.arm.engine.limits import MAX_JSON_DEPTH
from local.arm.engine.values import collation_key, equal, find_key, get, identity, type_name

_SINGLE_QUOTED = re.compile(
    r"""("(?:[^"\\]++|\\.)*+(?:"|\Z|\\\Z))|'((?:[^'\\]++|\\.)*+)(?:'|\Z|\\\Z)""", re.DOTALL
)


def create_object(*pairs: Any) -> dict[str, Any]:
    """Return an object of keys and values given in turn."""
    if len(pairs) % 2:
        raise fail("createObject", "function requires an even number of arguments.")
    keys = pairs[::2]
    for key in keys:
        if not isinstance(key, str):
            raise fail("createObject", f"a key must be a string, not '{type_name(key)}'.")
    return dict(zip(keys, pairs[1::2], strict=True))


def items(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return {key, value} of every member, sorted by key."""
    return [{"key": key, "value": value[key]} for key in object_keys(value)]


def object_keys(value: Mapping[str, Any]) -> list[str]:
    """Return the keys, sorted without regard to casing, lower case first among equals."""
    return sorted(value, key=collation_key)


def json_of(text: str) -> Any:
    """Return the JSON value of a text; single quotes, comments and trailing commas may be."""
    try:
        value = json.loads(
            pair_surrogates(blank_noise(_SINGLE_QUOTED.sub(_double_quoted, text))), strict=False
        )
    except (ValueError, RecursionError) as error:
        raise fail("json", f"the text is not valid JSON: {error}.") from error
    return bounded_depth("json", value)


def bounded_depth(name: str, value: Any) -> Any:
    """Return the value; raises ExpressionError when it nests further than the engine follows."""
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return value
    raise fail(name, f"the value nests deeper than '{MAX_JSON_DEPTH}' levels.")


def union(*values: Any) -> Any:
    """Merge objects deeply (later wins, arrays replace), or arrays as sets."""
    if all(isinstance(value, list) for value in values):
        seen: dict[str, Any] = {}
        for value in values:
            for item in value:
                seen.setdefault(identity(item), item)
        return list(seen.values())
    if not all(isinstance(value, Mapping) for value in values):
        raise fail("union", "the arguments must all be arrays, or all be objects.")
    merged: dict[str, Any] = {}
    for value in values:
        merged = _merge(merged, value)
    return merged


def intersection(*values: Any) -> Any:
    """Return what arrays or objects have in common."""
    start, *others = values
    if all(isinstance(value, list) for value in values):
        common = [{identity(item) for item in other} for other in others]
        found = {identity(item): item for item in start}
        return [item for key, item in found.items() if all(key in keys for keys in common)]
    if not all(isinstance(value, Mapping) for value in values):
        raise fail("intersection", "the arguments must all be arrays, or all be objects.")
    return {
        key: item
        for key, item in start.items()
        if all(_has_equal(other, key, item) for other in others)
    }


def shallow_merge(objects: list[Any]) -> dict[str, Any]:
    """Merge objects one level deep: the first casing of a key stays, the last value wins."""
    merged: dict[str, Any] = {}
    for value in objects:
        if not isinstance(value, Mapping):
            raise fail(
                "shallowMerge", f"every element must be an object, not '{type_name(value)}'."
            )
        for key, item in value.items():
            merged[find_key(merged, key) or key] = item
    return merged


def try_get(value: Any, *keys: Any) -> Any:
    """Follow keys and indexes into a value; null as soon as one leads nowhere."""
    for key in keys:
        if isinstance(key, str):
            name = find_key(value, key) if isinstance(value, Mapping) else None
            value = value[name] if name is not None else None
        else:
            index = _from_end(key, value) if isinstance(key, Mapping) else key
            inside = isinstance(value, list) and 0 <= index < len(value)
            value = value[index] if inside else None
    return value


def _from_end(key: Mapping[str, Any], value: Any) -> int:
    """Return the index that Bicep's `{value, fromEnd}` means; -1 for one that is not there."""
    index = get(key, "value")
    if isinstance(index, bool) or not isinstance(index, int):
        raise fail("tryGet", "the 'value' of an index from the end must be an integer.")
    if get(key, "fromEnd") is not True:
        return index
    return len(value) - index if isinstance(value, list) and index > 0 else -1


def _double_quoted(match: re.Match[str]) -> str:
    if match[1] is not None:
        return match[1]
    inner = match[2].replace("\\'", "'").replace('"', '\\"')
    return f'"{inner}"'


def _merge(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(left)
    for key, item in right.items():
        name = find_key(merged, key) or key
        below = merged.get(name)
        if isinstance(below, Mapping) and isinstance(item, Mapping):
            merged[name] = _merge(below, item)
        else:
            merged[name] = item
    return merged


def _has_equal(value: Mapping[str, Any], key: str, item: Any) -> bool:
    name = find_key(value, key)
    return name is not None and equal(value[name], item)


FUNCTIONS = table(
    function("createObject(any...)", create_object),
    function("intersection(array|object, array|object, array|object...)", intersection, deep=True),
    function("items(object)", items),
    function("json(string)", json_of),
    function("objectKeys(object)", object_keys),
    function("shallowMerge(array)", shallow_merge),
    function("tryGet(any, string|int|object, string|int|object...)", try_get),
    function("union(array|object, array|object...)", union, deep=True),
)
