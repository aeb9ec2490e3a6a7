"""The difference between two bodies in what-if's shape: property changes, flattened by path.

Pure. Names compare without regard to case, values exactly; an int and a float of one value are
equal, a null is a value like any other. A name that contains dots is joined like any other: that
is how ARM shows tags such as ``hidden-link:/app.b``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from local.arm.whatif.arrays import KeyOf, pair

CREATE, DELETE, MODIFY, ARRAY, NO_EFFECT = "Create", "Delete", "Modify", "Array", "NoEffect"
_WEIGHT = {DELETE: 0, CREATE: 1, MODIFY: 2, ARRAY: 2, NO_EFFECT: 3}

Change = dict[str, Any]
"""One property change: path, propertyChangeType, before?, after?, children?."""
Keys = Mapping[str, str]
"""Path of an array, in lower case with ``[*]`` for the arrays around it -> the member that names
its elements."""

_encode = msgspec.json.Encoder(order="sorted").encode
_as_written = msgspec.json.Encoder().encode


def diff(
    before: Mapping[str, Any], after: Mapping[str, Any], keys: Keys | None = None
) -> list[Change]:
    """Return what turns `before` into `after`; [] if they are equal."""
    if _as_written(before) == _as_written(after):
        return []
    return ordered(_objects(before, after, "", _Place("", keys or {})))


def ordered(changes: list[Change]) -> list[Change]:
    """Return changes in the order of what-if: gone, new, changed, without effect; then by path."""
    return sorted(changes, key=lambda one: (_WEIGHT[one["propertyChangeType"]], one["path"]))


def no_effect(path: str, value: Any) -> Change:
    """Return the entry for something that the template sets in vain."""
    return {"path": path, "propertyChangeType": NO_EFFECT, "after": value}


def equal(before: Any, after: Any) -> bool:
    """Tell whether two values are the same, names without regard to case."""
    return identity(before) == identity(after)


def identity(value: Any) -> bytes:
    """Return what all equal values have in common."""
    return _encode(_folded(value))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the body a value stands, as the keys of arrays are written."""

    pattern: str
    keys: Keys

    def below(self, name: str) -> _Place:
        return _Place(f"{self.pattern}.{name.lower()}".lstrip("."), self.keys)

    def inside(self) -> _Place:
        return _Place(f"{self.pattern}[*]", self.keys)

    def key_of(self) -> KeyOf | None:
        member = self.keys.get(self.pattern)
        if member is None:
            return None
        wanted = member.lower()

        def name(element: Any) -> str | None:
            if not isinstance(element, dict):
                return None
            found = next((item for key, item in element.items() if key.lower() == wanted), None)
            if isinstance(found, bool) or not isinstance(found, str | int):
                return None
            return str(found).lower()

        return name


def _objects(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str, place: _Place
) -> list[Change]:
    found: list[Change] = []
    others = {key.lower(): key for key in after}
    for key, value in before.items():
        here = f"{path}.{key}" if path else key
        other = others.pop(key.lower(), None)
        if other is None:
            found.append({"path": here, "propertyChangeType": DELETE, "before": value})
        else:
            found += _values(value, after[other], here, place.below(key))
    found += [
        {
            "path": f"{path}.{key}" if path else key,
            "propertyChangeType": CREATE,
            "after": after[key],
        }
        for key in others.values()
    ]
    return found


def _values(before: Any, after: Any, path: str, place: _Place) -> list[Change]:
    if type(before) is type(after) and _as_written(before) == _as_written(after):
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return _objects(before, after, path, place)
    if isinstance(before, list) and isinstance(after, list):
        children = _arrays(before, after, place)
        if not children:
            return []
        return [{"path": path, "propertyChangeType": ARRAY, "children": children}]
    return [] if equal(before, after) else [_modified(path, before, after)]


def _modified(path: str, before: Any, after: Any) -> Change:
    return {"path": path, "propertyChangeType": MODIFY, "before": before, "after": after}


def _arrays(before: list[Any], after: list[Any], place: _Place) -> list[Change]:
    pairing = pair(before, after, identity, place.key_of())
    found: list[Change] = [
        {"path": str(i), "propertyChangeType": DELETE, "before": before[i]} for i in pairing.gone
    ]
    found += [
        {"path": str(j), "propertyChangeType": CREATE, "after": after[j]} for j in pairing.new
    ]
    for i, j in pairing.changed:
        inside = ordered(_values(before[i], after[j], "", place.inside()))
        if len(inside) == 1 and inside[0]["propertyChangeType"] == MODIFY and not inside[0]["path"]:
            found.append({**inside[0], "path": str(i)})
        elif inside:
            found.append({"path": str(i), "propertyChangeType": MODIFY, "children": inside})
    return sorted(found, key=lambda one: (int(one["path"]), _WEIGHT[one["propertyChangeType"]]))


def _folded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.lower(): _folded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_folded(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
