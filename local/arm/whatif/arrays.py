"""Which elements of two arrays belong together: the pairing behind an Array change.

Equal elements in the same order belong together first, however far they shifted; then elements
of the same key; then, between two neighbours that stayed, objects by position.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

_CANDIDATES = 16
_PLENTY = 200_000

Pair = tuple[int, int]
KeyOf = Callable[[Any], str | None]
Rest = tuple[Sequence[int], Sequence[int]]
"""The indexes of both sides that have no partner yet."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Index pairs (before, after) of changed elements; `gone` and `new` have no partner."""

    changed: list[Pair] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    new: list[int] = field(default_factory=list)


def pair(
    before: Sequence[Any],
    after: Sequence[Any],
    identity: Callable[[Any], bytes],
    key_of: KeyOf | None,
) -> Pairing:
    """Pair two arrays; `identity` is the same for all equal elements. Pure.

    `key_of` names an element where the type is known to key the array. The time grows with
    n log n even where thousands of elements are equal.
    """
    old, new = [identity(item) for item in before], [identity(item) for item in after]
    kept = common(old, new)
    left = _without(range(len(old)), (i for i, _ in kept))
    right = _without(range(len(new)), (j for _, j in kept))
    named = _by_key(before, after, (left, right), key_of) if key_of is not None else []
    rest = (_without(left, (i for i, _ in named)), _without(right, (j for _, j in named)))
    moved = _moved(old, new, rest)
    still = (_without(rest[0], (i for i, _ in moved)), _without(rest[1], (j for _, j in moved)))
    placed = _by_position(before, after, still, kept, key_of)
    return Pairing(
        sorted([*(one for one in named if old[one[0]] != new[one[1]]), *placed]),
        _without(rest[0], (i for i, _ in placed)),
        _without(rest[1], (j for _, j in placed)),
    )


def common(old: Sequence[bytes], new: Sequence[bytes]) -> list[Pair]:
    """Return the index pairs of a longest common subsequence. Pure.

    Beyond `_PLENTY` candidate pairs only the nearest partners of each element are tried: the
    result is still common and in order, though perhaps not the longest.
    """
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    most = min(len(old), len(new)) - head
    while tail < most and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle = _longest(old[head : len(old) - tail], new[head : len(new) - tail])
    return [
        *((at, at) for at in range(head)),
        *((head + i, head + j) for i, j in middle),
        *((len(old) - at, len(new) - at) for at in range(tail, 0, -1)),
    ]


def _longest(old: Sequence[bytes], new: Sequence[bytes]) -> list[Pair]:
    """Hunt and Szymanski's way: the longest increasing run among the candidate pairs."""
    places: defaultdict[bytes, list[int]] = defaultdict(list)
    for j, text in enumerate(new):
        places[text].append(j)
    few = sum(len(places.get(text, ())) for text in old) <= _PLENTY
    ends: list[int] = []
    links: list[tuple[int, int, Any]] = []
    for i, text in enumerate(old):
        for j in reversed(_candidates(places.get(text, []), i, few=few)):
            at = bisect_left(ends, j)
            link = (i, j, links[at - 1] if at else None)
            if at == len(ends):
                ends.append(j)
                links.append(link)
            else:
                ends[at], links[at] = j, link
    found: list[Pair] = []
    step: Any = links[-1] if links else None
    while step is not None:
        i, j, step = step
        found.append((i, j))
    return found[::-1]


def _candidates(places: list[int], near: int, *, few: bool) -> list[int]:
    if few or len(places) <= _CANDIDATES:
        return places
    at = max(bisect_left(places, near) - _CANDIDATES // 2, 0)
    return places[at : at + _CANDIDATES]


def _without(indexes: Iterable[int], taken: Iterable[int]) -> list[int]:
    used = set(taken)
    return [index for index in indexes if index not in used]


def _by_key(before: Sequence[Any], after: Sequence[Any], rest: Rest, key_of: KeyOf) -> list[Pair]:
    waiting: defaultdict[str, deque[int]] = defaultdict(deque)
    for j in rest[1]:
        key = key_of(after[j])
        if key is not None:
            waiting[key].append(j)
    pairs: list[Pair] = []
    for i in rest[0]:
        key = key_of(before[i])
        if key is not None and waiting.get(key):
            pairs.append((i, waiting[key].popleft()))
    return pairs


def _moved(old: Sequence[bytes], new: Sequence[bytes], rest: Rest) -> list[Pair]:
    """Return equal elements that are out of order: each is shown as gone here and new there."""
    waiting: defaultdict[bytes, deque[int]] = defaultdict(deque)
    for j in rest[1]:
        waiting[new[j]].append(j)
    return [(i, waiting[old[i]].popleft()) for i in rest[0] if waiting.get(old[i])]


def _by_position(
    before: Sequence[Any],
    after: Sequence[Any],
    rest: Rest,
    kept: Sequence[Pair],
    key_of: KeyOf | None,
) -> list[Pair]:
    """Pair what is left, first with first, between the neighbours that stayed.

    Elements that have keys are two things when the keys differ, not one that changed.
    """
    lefts: defaultdict[int, list[int]] = defaultdict(list)
    rights: defaultdict[int, list[int]] = defaultdict(list)
    for side, (indexes, gaps) in enumerate(zip(rest, (lefts, rights), strict=True)):
        fences = [one[side] for one in kept]
        items = (before, after)[side]
        for index in indexes:
            if key_of is None or key_of(items[index]) is None:
                gaps[bisect_left(fences, index)].append(index)
    return [
        (i, j)
        for gap, here in lefts.items()
        for i, j in zip(here, rights.get(gap, []), strict=False)
        if _alike(before[i], after[j])
    ]


def _alike(before: Any, after: Any) -> bool:
    """Tell whether a change of one into the other has parts: both objects, or both arrays."""
    return any(isinstance(before, kind) and isinstance(after, kind) for kind in (dict, list))
