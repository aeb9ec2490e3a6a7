"""What differs between two bodies of one resource. Pure.

Both were read by GET with one api-version, so what a provider computes or spells its own way is the
same on both sides: only what really changed differs, or moves by itself. No order of an array is a
difference (what-if's N7), nor is what is empty on one side and absent on the other (N18), nor the
case of an id or a region (N6), nor a number written as text (N19).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from shared.core.document import canonical
from shared.core.drift.paths import Element, Place
from shared.core.redaction import PREFIX
from shared.core.scopes import fold

MOST_DEEP: Final = 100
"""How deep a body may be nested: what is deeper cannot be kept, and nobody's resource is."""

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
    return Body(body).at(place)


class Body:
    """A body in which many places are looked up: what names the elements of an array is read once."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._named: dict[tuple[int, str], dict[str, Any]] = {}

    def at(self, place: Place) -> Any:
        """Return what is at a place, MISSING where there is nothing; names without case."""
        found = self._body
        for step in place:
            if isinstance(step, Element):
                found = self._element(found, step)
            else:
                found = _member(found, step)
            if found is MISSING:
                return MISSING
        return found

    def _element(self, items: Any, step: Element) -> Any:
        if not isinstance(items, list | tuple):
            return MISSING
        key = (id(items), step.key)
        if key not in self._named:
            named = ((_named(one, step.key), one) for one in reversed(items))
            self._named[key] = {name: one for name, one in named if name is not None}
        return self._named[key].get(_fold_id(step.value), MISSING)


def _member(body: Any, step: str) -> Any:
    if not isinstance(body, Mapping):
        return MISSING
    if step in body:
        return body[step]
    wanted = fold(step)
    return next((value for name, value in body.items() if fold(name) == wanted), MISSING)


def _walk(before: Any, after: Any, place: Place) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _mappings(before, after, place)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield from _arrays(before, after, place)
    elif not (_is_same(before, after) or _is_same_region(before, after, place)):
        yield Difference(place, before, after)


def _is_same_region(before: Any, after: Any, place: Place) -> bool:
    """Tell whether two spellings, ``West Europe`` and ``westeurope``, name one region."""
    if not place or place[-1] != "location":
        return False
    both = isinstance(before, str) and isinstance(after, str)
    return both and fold(before).replace(" ", "") == fold(after).replace(" ", "")


def _mappings(
    before: Mapping[str, Any], after: Mapping[str, Any], place: Place
) -> Iterator[Difference]:
    old, new = _by_member(before, after), _by_member(after, before)
    for key in sorted({*old, *new}):
        if fold(key) in _NO_PROPERTIES:
            continue
        name = old[key] if key in old else new[key]
        mine = before[old[key]] if key in old else MISSING
        theirs = after[new[key]] if key in new else MISSING
        yield from _walk(mine, theirs, (*place, name))


def _by_member(body: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of members by what they are compared by: without case, where that tells them apart.

    Of ``Path`` and ``path`` in one body neither may stand for the other.
    """
    if len({*map(fold, body)}) == len(body) and len({*map(fold, other)}) == len(other):
        return {fold(name): name for name in body}
    return {name: name for name in body}


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
    """Return the elements by the member that names them, None unless it names each of them.

    The digest of a secret is no name: it is another one when the digest key is.
    """
    found: dict[str, Any] = {}
    for item in items:
        name = _named(item, key)
        if name is None or name in found:
            return None
        found[name] = item
    return found


def _named(item: Any, key: str) -> str | None:
    name = item.get(key) if isinstance(item, Mapping) else None
    if not isinstance(name, str) or name.startswith(PREFIX):
        return None
    return _fold_id(name)


def _bag(items: Sequence[Any]) -> Counter[bytes]:
    return Counter(canonical(_plain(item)) for item in items)


def _plain(value: Any) -> Any:
    """Return a value as it is compared: without what is empty, ids without case."""
    if isinstance(value, Mapping):
        members = _by_member(value, {})
        kept = {key: _plain(value[name]) for key, name in members.items()}
        return {
            key: each
            for key, each in kept.items()
            if fold(key) not in _NO_PROPERTIES and not _is_void(each)
        }
    if isinstance(value, list | tuple):
        return sorted((_plain(each) for each in value), key=canonical)
    return _fold_id(value) if isinstance(value, str) else value


def _is_void(value: Any) -> bool:
    return value is None or value is MISSING or value in ({}, [], ())


def _is_same(before: Any, after: Any) -> bool:
    if _is_empty(before) and _is_empty(after):
        return True
    if isinstance(before, str) and isinstance(after, str):
        return _fold_id(before) == _fold_id(after)
    if isinstance(before, str) or isinstance(after, str):
        return bool(_written(before) == _written(after))
    if isinstance(before, bool) != isinstance(after, bool):
        return False
    if isinstance(before, Missing) or isinstance(after, Missing):
        return False
    return bool(before == after)


def _written(value: Any) -> Any:
    """Return a plain value as text: some providers write a number as text, and one is the other (N19)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _is_empty(value: Any) -> bool:
    """Tell whether a value says nothing: nothing, or mappings of nothing."""
    if isinstance(value, Mapping):
        return all(_is_empty(each) for each in value.values())
    return _is_void(value)


def is_comparable(body: Any) -> bool:
    """Tell whether a body can be compared, kept and shown: bodies are other people's.

    One that is nested deeper than MOST_DEEP, or holds what is no JSON in UTF-8 (half of a surrogate
    pair, an integer of more than 64 bits), cannot.
    """
    level = [body]
    for _ in range(MOST_DEEP):
        level = [each for node in level for each in _inside(node)]
        if not level:
            break
    if level:
        return False
    try:
        canonical(body)
    except TypeError:
        return False
    return True


def _inside(node: Any) -> Iterable[Any]:
    if isinstance(node, Mapping):
        return node.values()
    return node if isinstance(node, list | tuple) else ()


def _fold_id(text: str) -> str:
    return fold(text) if text[:15].lower() == "/subscriptions/" else text
