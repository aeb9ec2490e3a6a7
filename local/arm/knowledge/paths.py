"""Dotted paths into JSON bodies: keys match in any case, ``[*]`` is every element of an array."""

from __future__ import annotations

from typing import Any

Step = tuple[str, str] | None
"""A key as written and in lower case; None for every element."""
Path = tuple[Step, ...]
Place = tuple[Any, Any]
"""A dict and a key in it, or a list and an index."""


def steps(path: str) -> Path:
    """Take a path apart. Pure. Raises ValueError if it is no path."""
    found: list[Step] = []
    for part in path.split("."):
        name = part
        depth = 0
        while name.endswith("[*]"):
            name, depth = name[:-3], depth + 1
        if not name or "[" in name or "]" in name:
            raise ValueError(f"'{path}' is not a path such as properties.rules[*].name")
        found.append((name, name.lower()))
        found.extend([None] * depth)
    return tuple(found)


def key_in(body: dict[str, Any], name: str, lower: str) -> str | None:
    """Return the key of `body` that spells `name` in any case; None if it has none. Pure."""
    if name in body:
        return name
    for key in body:
        if len(key) == len(lower) and key.lower() == lower:
            return key
    return None


def places(body: Any, path: Path, at: int = 0) -> list[Place]:
    """Return where the values at a path stand; nothing where the path leads nowhere. Pure."""
    step = path[at]
    last = at + 1 == len(path)
    if step is None:
        if not isinstance(body, list):
            return []
        if last:
            return [(body, index) for index in range(len(body))]
        return [place for item in body for place in places(item, path, at + 1)]
    if not isinstance(body, dict):
        return []
    key = key_in(body, *step)
    if key is None:
        return []
    return [(body, key)] if last else places(body[key], path, at + 1)


def values(body: Any, path: Path) -> list[Any]:
    """Return the values at a path. Pure."""
    return [holder[key] for holder, key in places(body, path)]


def first(body: Any, path: Path) -> Any:
    """Return the first value at a path, or None. Pure."""
    found = places(body, path)
    return found[0][0][found[0][1]] if found else None


def remove(body: Any, path: Path) -> None:
    """Take the members at a path out of `body`; elements of arrays stay."""
    for holder, key in places(body, path):
        if isinstance(holder, dict):
            del holder[key]


def leaves(tree: Any, prefix: str = "") -> list[str]:
    """Return the paths of all values in a tree of objects; arrays are values. Pure."""
    found: list[str] = []
    for name, value in tree.items():
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict) and value:
            found += leaves(value, path)
        else:
            found.append(path)
    return found
