"""What a template says of the order of its resources: which depends on which, as far as it can be told.

Deletion goes the other way. What only ARM knows is left out: it refuses with 409 then, and the
resource has its next try later.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.prune.ids import name_of, type_of
from shared.core.scopes import fold
from shared.core.source.arm_json import DEPLOYMENT_TYPES, Json, member, resources_of
from shared.core.source.evaluation import HOLE, UNKNOWN, Frame, Scope, frame_of, inner_frame
from shared.core.source.scopes import parse_scope

_MOST_DEPTH = 20
_PROVIDERS = "/providers/"


@dataclass(frozen=True)
class _Node:
    """A resource of a template: what it may be called by, what it stands for, what it depends on.

    ``keys`` are folded: its symbolic name, its name, type and name, and its path as in an id.
    """

    keys: frozenset[str]
    stands_for: frozenset[str]
    depends_on: tuple[str, ...]


def relations(source: Mapping[str, Any], ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each id in ``ids`` those of them that it depends on, by a compiled source. Pure.

    Keys are folded. Resources in a loop, or with names that only ARM knows, are left out.
    """
    known: dict[str, set[str]] = {}
    for one in ids:
        known.setdefault(_key(type_of(one), name_of(one)), set()).add(one)
    scope = parse_scope(source["scope"], Scope(HOLE, HOLE))
    given = {
        fold(name): entry.get("value", UNKNOWN) for name, entry in source["parameters"].items()
    }
    found: dict[str, set[str]] = {}
    template = source["template"]
    _walk(template, frame_of(template, scope, given), known, found, 0)
    return {key: tuple(sorted(needed)) for key, needed in found.items()}


def _walk(
    template: Json,
    frame: Frame,
    known: Mapping[str, set[str]],
    found: dict[str, set[str]],
    depth: int,
) -> set[str]:
    """Note what the resources of one template depend on; return all that it deploys."""
    nodes = list(_nodes(template, frame, known, found, depth))
    by_key: dict[str, set[str]] = {}
    for node in nodes:
        for key in node.keys:
            by_key.setdefault(key, set()).update(node.stands_for)
    for node in nodes:
        needed = set().union(*(by_key.get(_tail(text), set()) for text in node.depends_on))
        for one in node.stands_for:
            if others := needed - {one}:
                found.setdefault(fold(one), set()).update(others)
    return set().union(*(node.stands_for for node in nodes))


def _nodes(
    template: Json,
    frame: Frame,
    known: Mapping[str, set[str]],
    found: dict[str, set[str]],
    depth: int,
) -> Iterator[_Node]:
    if depth > _MOST_DEPTH:
        return
    for path, resource in resources_of(template, ""):
        kind, name = frame.text(member(resource, "type")), frame.text(member(resource, "name"))
        if HOLE in kind or HOLE in name:
            continue
        symbol = path.partition(".")[2]
        keys = {fold(symbol), fold(name), fold(f"{kind}/{name}"), _key(kind, name)} - {""}
        stands_for = set(known.get(_key(kind, name), ()))
        if fold(kind) in DEPLOYMENT_TYPES:
            stands_for = _inside(resource, frame, known, found, depth)
        yield _Node(frozenset(keys), frozenset(stands_for), _depends_on(resource, frame))
        yield from _children(resource, kind, name, frame, known)


def _inside(
    resource: Json,
    frame: Frame,
    known: Mapping[str, set[str]],
    found: dict[str, set[str]],
    depth: int,
) -> set[str]:
    properties = member(resource, "properties")
    nested = member(properties, "template") if isinstance(properties, dict) else None
    if not isinstance(nested, dict) or not isinstance(properties, dict):
        return set()
    within = inner_frame(properties, nested, frame, frame.scope)
    return _walk(nested, within, known, found, depth + 1)


def _children(
    resource: Json, kind: str, name: str, frame: Frame, known: Mapping[str, set[str]]
) -> Iterator[_Node]:
    """Yield the resources that are written inside of another one."""
    for _, child in resources_of(resource, ""):
        own_kind, own = frame.text(member(child, "type")), frame.text(member(child, "name"))
        if HOLE in own_kind or HOLE in own or "." in own_kind.split("/", 1)[0]:
            continue
        full_kind, full = f"{kind}/{own_kind}", f"{name}/{own}"
        keys = frozenset({fold(full), fold(f"{full_kind}/{full}"), _key(full_kind, full)})
        stands_for = frozenset(known.get(_key(full_kind, full), ()))
        yield _Node(keys, stands_for, _depends_on(child, frame))


def _depends_on(resource: Json, frame: Frame) -> tuple[str, ...]:
    written = member(resource, "dependsOn")
    texts = [frame.text(each) for each in written] if isinstance(written, list) else []
    return tuple(text for text in texts if HOLE not in _tail(text))


def _tail(text: str) -> str:
    """Return what a ``dependsOn`` names, as a key: of an id, what follows the last provider's mark."""
    if _PROVIDERS in fold(text):
        return _key(type_of(text), name_of(text))
    return fold(text)


def _key(kind: str, name: str) -> str:
    """Return a type and a name as they are in an id, folded: ``microsoft.x/a/1/b/2``."""
    provider, *types = fold(kind).split("/")
    names = fold(name).split("/")
    if len(types) != len(names):
        return fold(f"{kind}/{name}")
    return "/".join([provider, *(part for pair in zip(types, names, strict=True) for part in pair)])
