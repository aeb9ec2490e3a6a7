"""What what-if says of two bodies: its own form of a difference, arrays aligned as it does."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from shared.core.prediction import PropertyChange

_NOTHING = object()


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str = ""
) -> tuple[PropertyChange, ...]:
    """Return what would become of ``before``, leaves with dotted paths."""
    return tuple(_differences(before, after, path))


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str
) -> Iterator[PropertyChange]:
    for name in sorted({*before, *after}):
        at = f"{path}.{name}" if path else name
        was, will = before.get(name, _NOTHING), after.get(name, _NOTHING)
        if was == will:
            continue
        if isinstance(was, Mapping) and isinstance(will, Mapping):
            yield from _differences(was, will, at)
        elif isinstance(was, list) and isinstance(will, list):
            yield PropertyChange(at, "array", children=tuple(_elements(was, will)))
        else:
            yield _one(at, was, will)


def _one(path: str, was: Any, will: Any) -> PropertyChange:
    if will is _NOTHING:
        return PropertyChange(path, "delete", before=was)
    if was is _NOTHING:
        return PropertyChange(path, "create", after=will)
    return PropertyChange(path, "modify", before=was, after=will)


def _elements(before: Sequence[Any], after: Sequence[Any]) -> Iterator[PropertyChange]:
    """Align equal elements, pair the rest by position."""
    was_texts, will_texts = (
        [json.dumps(one, sort_keys=True) for one in side] for side in (before, after)
    )
    matcher = SequenceMatcher(None, was_texts, will_texts, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            continue
        for i, j in zip_longest(range(a, b), range(c, d)):
            was = _NOTHING if i is None else before[i]
            will = _NOTHING if j is None else after[j]
            if isinstance(was, Mapping) and isinstance(will, Mapping):
                yield PropertyChange(str(j), "modify", children=differences(was, will))
                continue
            if i is not None:
                yield _one(str(i), was, _NOTHING)
            if j is not None:
                yield _one(str(j), _NOTHING, will)
