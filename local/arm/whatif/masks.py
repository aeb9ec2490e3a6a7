"""Keeping secrets out of what what-if shows: secure parameters, and what list*() answered.

Pure. A text that holds a secret is masked where it stands; what stands at the same place on the
other side is masked too, for there is the secret that went before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from local.arm.engine.secrets import MASK, mask

Place = tuple[str, ...]
"""The way to a value: names in lower case, `*` for any element of an array."""


def places(value: Any, secrets: Iterable[str], at: Place = ()) -> Iterator[Place]:
    """Yield the places of the texts that hold a secret."""
    found = tuple(secrets)
    if found:
        yield from _places(value, found, at)


def _places(value: Any, secrets: tuple[str, ...], at: Place) -> Iterator[Place]:
    if isinstance(value, str):
        if any(secret in value for secret in secrets):
            yield at
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _places(item, secrets, (*at, key.lower()))
    elif isinstance(value, list):
        for item in value:
            yield from _places(item, secrets, (*at, "*"))


def masked(value: Any, secrets: Iterable[str], hidden: frozenset[Place], at: Place = ()) -> Any:
    """Return a value with secrets masked: whole at the `hidden` places, elsewhere inside texts."""
    if at in hidden:
        return MASK
    if isinstance(value, str):
        return mask(value, secrets)
    if isinstance(value, Mapping):
        return {
            key: masked(item, secrets, hidden, (*at, key.lower())) for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item, secrets, hidden, (*at, "*")) for item in value]
    return value


def masked_delta(
    changes: list[dict[str, Any]],
    secrets: Iterable[str],
    hidden: frozenset[Place],
    at: Place = (),
) -> list[dict[str, Any]]:
    """Return property changes with secrets masked, as in the bodies they are taken from."""
    found = []
    for change in changes:
        shown = dict(change)
        array = change["propertyChangeType"] == "Array"
        for here in _ways(change["path"], at, hidden):
            for side in ("before", "after"):
                if side in shown:
                    shown[side] = masked(shown[side], secrets, hidden, here)
            if "children" in shown:
                shown["children"] = (
                    _masked_elements(shown["children"], secrets, hidden, here)
                    if array
                    else masked_delta(shown["children"], secrets, hidden, here)
                )
        found.append(shown)
    return found


def _masked_elements(
    children: list[dict[str, Any]], secrets: Iterable[str], hidden: frozenset[Place], at: Place
) -> list[dict[str, Any]]:
    inside = [{**child, "path": ""} for child in children]
    done = masked_delta(inside, secrets, hidden, (*at, "*"))
    return [{**shown, "path": child["path"]} for shown, child in zip(done, children, strict=True)]


def _ways(path: str, at: Place, hidden: frozenset[Place]) -> Iterator[Place]:
    """Yield the ways that a path may stand for: names may contain dots themselves."""
    parts = tuple(path.lower().split(".")) if path else ()
    yield (*at, *parts)
    joined = path.lower()
    for place in hidden:
        below = place[len(at) :]
        if place[: len(at)] != at:
            continue
        for length in range(1, len(below) + 1):
            if ".".join(below[:length]) == joined and below[:length] != parts:
                yield place[: len(at) + length]
