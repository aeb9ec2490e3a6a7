"""What each class of noise does to a body that is free of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from local.arm.clock import guid_for
from local.arm.knowledge import ResourceType
from local.arm.noise import leaks
from local.arm.noise.bodies import MISSING, Path, arrays, at, empty, find, key, leaves, named, show
from local.arm.noise.case import Case, Edit, closed_by
from local.arm.noise.chance import number, single, some
from local.arm.noise.respelling import aged, recased, retyped, rewritten
from local.arm.noise.stored import NAMING, name_of
from local.arm.noise.vocabulary import unknown_members
from local.arm.providers.model import read_only

_SERVICE_DEFAULTS: tuple[tuple[Path, Any], ...] = (
    (("properties", "publicNetworkAccess"), "Enabled"),
    (("properties", "disableLocalAuth"), False),
    (("properties", "zoneRedundant"), False),
    (("properties", "minimumTlsVersion"), "1.2"),
)
_EMPTIES: tuple[tuple[Path, Any], ...] = (
    (("identity",), {"type": "None"}),
    (("tags",), {}),
    (("zones",), []),
)
_MOVING = re.compile(r"modified|updated|changed|last|next|expir|count|address", re.IGNORECASE)


def _name(case: Case) -> Callable[[Edit], str]:
    """Return how an edit's place is called, so that noise stays where it is when others change."""
    return lambda one: named(case.body, one.path)


def _respelled(
    case: Case, name: str, change: Callable[[Any], Any], more: list[tuple[Path, Any]]
) -> list[Edit]:
    listed = [(path, at(case.body, path)) for path, _ in case.written(name)]
    found = [Edit(path, other) for path, value in listed if (other := change(value)) is not MISSING]
    if found:
        return found
    pool = [one for one in [*more, *case.own()] if one[0][-1] != "name" or one[0][0] == "sku"]
    found = [Edit(path, other) for path, value in pool if (other := change(value)) is not MISSING]
    return some(found, *case.subject.words(name), name=_name(case))


def _n1(case: Case) -> list[Edit]:
    told = [*leaks.written(case.known, "N1"), *read_only(case.known)]
    if any(not empty(at(case.body, path)) for one in told for path in find(case.body, one)):
        return []  # what the provider computes is there, and only what-if may miss it
    return [Edit(("properties", "resourceGuid"), guid_for(case.subject.resource_id, "resource"))]


def _n2(case: Case) -> list[Edit]:
    there = [
        path
        for one in default_patterns(case.known)
        for path in find(case.body, one)
        if not empty(at(case.body, path))
    ]
    if there:
        return []  # the same; that somebody says it himself invents no other
    listed = leaks.written(case.known, "N2").items()
    told: list[tuple[Path, Any]] = [(tuple(path.split(".")), value) for path, value in listed]
    told = [one for one in told if one[1] is not None]
    new = [Edit(*one) for one in told or _SERVICE_DEFAULTS if at(case.body, one[0]) is MISSING]
    return new if told else some(new, *case.subject.words("N2"), name=_name(case))


def default_patterns(known: ResourceType) -> list[str]:
    """Return the paths of what a provider fills in, those inside arrays included. Pure."""
    found = [show(path) for path, _ in leaves(known.defaults)]
    for array, element in known.elements.items():
        found += [f"{array}[*].{show(path)}" for path, _ in leaves(element.defaults)]
    return found


def _n3(case: Case) -> list[Edit]:
    if case.known.drop or leaks.written(case.known, "N3"):
        return [Edit(path) for path, _ in case.written("N3")]
    return [Edit(path) for path in single(case.loose(), *case.subject.words("N3"), name=key)]


def _n5(case: Case) -> list[Edit]:
    told = [
        Edit(path, value)
        for path, value in case.written("N5")
        if value is not None and value != at(case.body, path)
    ]
    return told or _respelled(case, "N5", rewritten, [])


def _n6(case: Case) -> list[Edit]:
    location = at(case.body, ("location",))
    return _respelled(case, "N6", recased, [(("location",), location)])


def _n7(case: Case) -> list[Edit]:
    words = case.subject.words("N7")
    listed = [(path, at(case.body, path)) for path, _ in case.written("N7")]
    embedded = {f"properties.{name}".lower() for name in case.known.embeds}
    closed = set(map(str.lower, read_only(case.known)))
    free = [one for one in arrays(case.body) if not closed_by(one[0], closed)]
    # What is inside first: the order of the elements around it changes its path.
    found = sorted(_reordered(listed, words), key=lambda one: -len(one.path))
    if not found:
        apart = [one for one in free if key(one[0]) not in embedded]
        found = some(_reordered(apart, words), *words, name=_name(case))
    return found or _reordered(free, words)


def _reordered(pool: list[tuple[Path, Any]], words: tuple[Any, ...]) -> list[Edit]:
    found = []
    for path, items in pool:
        if not isinstance(items, list) or len(items) < 2:  # noqa: PLR2004 - one has no order
            continue
        turn = 1 + number(*words, key(path)) % (len(items) - 1)
        order = (*range(turn, len(items)), *range(turn))
        if [items[index] for index in order] != items:
            found.append(Edit(path, order=order))
    return found


def _n14(case: Case) -> list[Edit]:
    asked = case.api_version[:10]
    if asked >= max(case.known.versions)[:10]:
        return []
    hidden = [path for one in hidden_from(case.known, asked) for path in find(case.body, one)]
    listed = [Edit(path) for path in [*hidden, *(path for path, _ in case.written("N14"))]]
    younger = single(case.loose(), *case.subject.words("N14"), name=key)
    return listed or [Edit(path) for path in younger]


def hidden_from(known: ResourceType, api_version: str) -> list[str]:
    """Return the paths that an api-version does not show. Pure."""
    rules = [rule for rule in known.withVersion if api_version[:10] < rule.before[:10]]
    return [path for rule in rules for path in rule.drop]


def _n15(case: Case) -> list[Edit]:
    listed = case.written("N15")
    told = [Edit(path, more=tuple(value)) for path, value in listed if isinstance(value, list)]
    if told:
        return [
            Edit(one.path, more=fresh)
            for one in told
            if (fresh := tuple(i for i in one.more if not _has(at(case.body, one.path), i)))
        ]
    merged = [path for one in case.known.merges for path in find(case.body, one)]
    embedded = {f"properties.{name}".lower() for name in case.known.embeds}
    pool = [(path, at(case.body, path)) for path in merged] or [
        one
        for one in arrays(case.body)
        if at(case.subject.put, one[0]) is not MISSING and key(one[0]) not in embedded
    ]
    grown = [
        Edit(path, more=(extra,))
        for path, items in pool
        if path[0] == "properties" and items and (extra := _extra(items[-1])) is not MISSING
    ]
    return grown if merged else some(grown, *case.subject.words("N15"), name=_name(case))


def _has(items: Any, item: Any) -> bool:
    return any(name_of(one) == name_of(item) for one in items)


def _extra(item: Any) -> Any:
    """Return an element that an earlier PUT, or the provider, may have left behind. Pure."""
    if isinstance(item, str):
        return f"{item}-earlier"
    if not isinstance(item, Mapping):
        return MISSING
    name = next((name for name in NAMING if isinstance(item.get(name), str)), None)
    if name is None:
        return MISSING
    disabled = {"enabled": False} if "enabled" in item else {}
    return {**item, **disabled, name: f"{item[name]}-earlier"}


def _n16(case: Case) -> list[Edit]:
    found = unknown_members(case.subject.type, case.known, case.body, case.subject.words("N16"))
    return [Edit(path) for path in found]


def _n18(case: Case) -> list[Edit]:
    listed = leaks.written(case.known, "N18").items()
    told: list[tuple[Path, Any]] = [(tuple(path.split(".")), value) for path, value in listed]
    if not told and "location" not in case.body:
        told = [(("properties", "description"), None)]
    missing = [Edit(*one) for one in told or _EMPTIES if at(case.body, one[0]) in (MISSING, None)]
    return missing if told else some(missing, *case.subject.words("N18"), name=_name(case))


def _n19(case: Case) -> list[Edit]:
    return _respelled(case, "N19", retyped, [])


def _n20(case: Case) -> list[Edit]:
    listed = [path for path, _ in case.written("N20")]
    listed += [
        path for leaf, _ in leaves(case.known.volatile) for path in find(case.body, show(leaf))
    ]
    found = _aged(case, listed)
    if not found:
        computed = [path for one in read_only(case.known) for path in find(case.body, one)]
        moving = [path for path in computed if _MOVING.search(str(path[-1]))]
        known = [*find(case.body, "etag"), *find(case.body, "systemData.lastModifiedAt")]
        found = some(_aged(case, [*known, *moving]), *case.subject.words("N20"), name=_name(case))
    etag = f'W/"{guid_for(case.subject.resource_id, str(case.tick))}"'
    return found or [Edit(("etag",), etag)]


def _aged(case: Case, listed: list[Path]) -> list[Edit]:
    pairs = [(path, aged(at(case.body, path), case.tick)) for path in dict.fromkeys(listed)]
    return [Edit(path, value) for path, value in pairs if value is not MISSING]


_CLASSES: dict[str, Callable[[Case], list[Edit]]] = {
    "N1": _n1,
    "N2": _n2,
    "N3": _n3,
    "N5": _n5,
    "N6": _n6,
    "N7": _n7,
    "N14": _n14,
    "N15": _n15,
    "N16": _n16,
    "N18": _n18,
    "N19": _n19,
    "N20": _n20,
}


NAMES = tuple(_CLASSES)
"""The classes that show in a body, in number order."""


def edits_of(case: Case, name: str) -> list[Edit]:
    """Return what one class does to a body that is free of noise. Pure."""
    make = _CLASSES.get(name)
    return make(case) if make else []
