"""What differs between two bodies of one resource. Pure.

Both were read by GET with one api-version, so what a provider computes or spells its own way is the
same on both sides: only what really changed differs, or moves by itself. No order of an array is a
difference (what-if's N7), nor is what is empty on one side and absent on the other (N18), nor the
case of an id (N6).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from shared.core.document import canonical
from shared.core.drift.paths import Element, Place
from shared.core.scopes import fold

_NAMING: Final = ("name", "id", "key", "ruleId", "objectId", "principalId")
_NO_PROPERTIES: Final = frozenset({"etag", "systemdata", "provisioningstate"})
"""Members that tell of ARM's work and not of the resource: they move with every write."""


class Missing:
    """One side has no such member."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


class Difference(NamedTuple):
    """One place, and what is there on both sides; MISSING where there is nothing."""

    place: Place
    before: Any
    after: Any


def differences(before: Any, after: Any) -> tuple[Difference, ...]:
    """Return what differs, leaf by leaf, in the order of names; a whole missing subtree is one."""
    return tuple(_walk(before, after, ()))


def at(body: Any, place: Place) -> Any:
    """Return what is at a place in a body, MISSING where there is nothing; names without case."""
    for step in place:
        body = _member(body, step)
        if body is MISSING:
            return MISSING
    return body


def _member(body: Any, step: str | Element) -> Any:
    if isinstance(step, Element):
        if not isinstance(body, list | tuple):
            return MISSING
        found = [one for one in body if _named(one, step.key) == _fold_id(step.value)]
        return found[0] if found else MISSING
    if not isinstance(body, Mapping):
        return MISSING
    if step in body:
        return body[step]
    wanted = step.lower()
    return next((value for name, value in body.items() if name.lower() == wanted), MISSING)


def _walk(before: Any, after: Any, place: Place) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _mappings(before, after, place)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield from _arrays(before, after, place)
    elif not _is_same(before, after):
        yield Difference(place, before, after)


def _mappings(
    before: Mapping[str, Any], after: Mapping[str, Any], place: Place
) -> Iterator[Difference]:
    spelled = {name.lower(): name for name in after} | {name.lower(): name for name in before}
    old = {name.lower(): value for name, value in before.items()}
    new = {name.lower(): value for name, value in after.items()}
    for folded in sorted(spelled):
        if folded in _NO_PROPERTIES:
            continue
        name = spelled[folded]
        yield from _walk(old.get(folded, MISSING), new.get(folded, MISSING), (*place, name))


def _arrays(before: Sequence[Any], after: Sequence[Any], place: Place) -> Iterator[Difference]:
    for key in _NAMING:
        old, new = _by_name(before, key), _by_name(after, key)
        if old is None or new is None:
            continue
        for name in sorted({*old, *new}):
            shown = old[name] if name in old else new[name]
            yield from _walk(
                old.get(name, MISSING), new.get(name, MISSING), (*place, Element(key, shown[key]))
            )
        return
    if _bag(before) != _bag(after):
        yield Difference(place, before, after)


def _by_name(items: Sequence[Any], key: str) -> dict[str, Any] | None:
    """Return the elements by the member that names them, None unless it names each of them."""
    found: dict[str, Any] = {}
    for item in items:
        name = _named(item, key)
        if name is None or name in found:
            return None
        found[name] = item
    return found


def _named(item: Any, key: str) -> str | None:
    name = item.get(key) if isinstance(item, Mapping) else None
    return _fold_id(name) if isinstance(name, str) else None


def _bag(items: Sequence[Any]) -> Counter[bytes]:
    return Counter(canonical(_plain(item)) for item in items)


def _plain(value: Any) -> Any:
    """Return a value as it is compared: without what is empty, ids without case."""
    if isinstance(value, Mapping):
        kept = {name.lower(): _plain(each) for name, each in value.items() if not _is_empty(each)}
        return {name: each for name, each in kept.items() if name not in _NO_PROPERTIES}
    if isinstance(value, list | tuple):
        return sorted((_plain(each) for each in value), key=canonical)
    return _fold_id(value) if isinstance(value, str) else value


def _is_same(before: Any, after: Any) -> bool:
    if _is_empty(before) and _is_empty(after):
        return True
    if isinstance(before, bool) != isinstance(after, bool):
        return False
    if isinstance(before, str) and isinstance(after, str):
        return _fold_id(before) == _fold_id(after)
    if isinstance(before, Missing) or isinstance(after, Missing):
        return False
    return bool(before == after)


def _is_empty(value: Any) -> bool:
    return value is None or value is MISSING or value == {} or value in ([], ())


def _fold_id(text: str) -> str:
    return fold(text) if text[:15].lower() == "/subscriptions/" else text
