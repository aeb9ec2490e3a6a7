"""Bodies as noise handles them: read, and changed without touching the original, by exact path.

A `Path` names one place, with the index for an element of an array. Keys match in any case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from local.arm.knowledge import paths

Path = tuple[str | int, ...]

_ENVELOPE = frozenset({"id", "name", "type", "apiversion", "etag", "systemdata", "location"})
_steps = lru_cache(8192)(paths.steps)


class _Missing:
    """The type of `MISSING`."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""What a path that leads nowhere finds."""


def show(path: Path) -> str:
    """Write a path with the indices of elements as segments: properties.rules.0.name. Pure."""
    return ".".join(str(step) for step in path)


def key(path: Path) -> str:
    """Return what two spellings of a path have in common. Pure."""
    return show(path).lower()


def named(body: Any, path: Path) -> str:
    """Write a path with the names of elements, where they have some, in place of their indices. Pure.

    So a place keeps its name when elements come and go before it.
    """
    steps = []
    for step in path:
        body = at(body, (step,)) if body is not MISSING else MISSING
        name = body.get("name") if isinstance(step, int) and isinstance(body, Mapping) else None
        steps.append(str(step if name is None else name).lower())
    return ".".join(steps)


def pattern(path: Path) -> str:
    """Write a path for any element: properties.rules[*].name, in lower case. Pure."""
    text = "".join("[*]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".").lower()


def _own_key(body: Mapping[str, Any], name: str) -> str | None:
    if name in body:
        return name
    lower = name.lower()
    return next((own for own in body if own.lower() == lower), None)


def at(body: Any, path: Path) -> Any:
    """Return the value at a path, or `MISSING`. Pure."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(body, list) or step >= len(body):
                return MISSING
            body = body[step]
        else:
            own = _own_key(body, step) if isinstance(body, Mapping) else None
            if own is None:
                return MISSING
            body = body[own]
    return body


def put(body: Any, path: Path, value: Any) -> Any:
    """Return `body` with the value at a path; objects on the way are made, elements not. Pure."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        if not isinstance(body, list) or step >= len(body):
            return body
        return [*body[:step], put(body[step], rest, value), *body[step + 1 :]]
    if not isinstance(body, Mapping):
        return body
    own = _own_key(body, step) or step
    return {**body, own: put(body.get(own, {}), rest, value)}


def drop(body: Any, path: Path, *, prune: bool = True) -> Any:
    """Return `body` without the member at a path. Pure.

    With `prune` the objects that this leaves empty go too.
    """
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        if not isinstance(body, list) or step >= len(body) or not rest:
            return body
        return [*body[:step], drop(body[step], rest, prune=prune), *body[step + 1 :]]
    own = _own_key(body, step) if isinstance(body, Mapping) else None
    if own is None:
        return body
    inner = drop(body[own], rest, prune=prune) if rest else MISSING
    if inner is MISSING or (prune and inner == {} and body[own] != {}):
        return {name: item for name, item in body.items() if name != own}
    return {**body, own: inner}


def find(body: Any, wanted: str) -> list[Path]:
    """Return where a dotted path, ``[*]`` for every element, leads in `body`. Pure."""
    found: list[tuple[Path, Any]] = [((), body)]
    for step in _steps(wanted):
        further: list[tuple[Path, Any]] = []
        for path, value in found:
            if step is None:
                items = enumerate(value) if isinstance(value, list) else ()
                further += [((*path, index), item) for index, item in items]
            elif isinstance(value, Mapping):
                own = _own_key(value, step[0])
                if own is not None:
                    further.append(((*path, own), value[own]))
        found = further
    return [path for path, _ in found]


def leaves(body: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value that is no object or array with something in it. Pure."""
    if isinstance(body, Mapping) and body:
        for name, value in body.items():
            yield from leaves(value, (*path, name))
    elif isinstance(body, list) and body:
        for index, value in enumerate(body):
            yield from leaves(value, (*path, index))
    elif path:
        yield path, body


def empty(value: Any) -> bool:
    """Tell whether a value says no more than its absence. Pure."""
    return value is MISSING or value is None or value in ({}, [])


def pruned(value: Any) -> Any:
    """Return a value without members that are empty; the elements of arrays all stay. Pure."""
    if isinstance(value, Mapping):
        kept = {name: pruned(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if not empty(item)}
    return [pruned(item) for item in value] if isinstance(value, list) else value


def arrays(body: Any, path: Path = ()) -> Iterator[tuple[Path, list[Any]]]:
    """Yield every array that is not inside another one. Pure."""
    if isinstance(body, Mapping):
        for name, value in body.items():
            yield from arrays(value, (*path, name))
    elif isinstance(body, list):
        yield path, body


def content(body: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield the leaves that say what a resource is like: no envelope, no tags. Pure."""
    for path, value in leaves(body):
        head = str(path[0]).lower()
        if head not in _ENVELOPE and head != "tags":
            yield path, value
