"""What what-if gets wrong on its own, whatever GET shows: one function for each class."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from local.arm import knowledge
from local.arm.noise import leaks
from local.arm.noise.bodies import (
    MISSING,
    Path,
    at,
    drop,
    empty,
    find,
    key,
    leaves,
    named,
    pattern,
    pruned,
    put,
    show,
)
from local.arm.noise.chance import number, some
from local.arm.noise.edits import default_patterns, hidden_from
from local.arm.noise.prediction import Prediction
from local.arm.noise.sides import Sides, case_of
from local.arm.noise.stored import merged, name_of
from local.arm.noise.vocabulary import unknown_members
from local.arm.providers.model import read_only

MASK = "*******"
_SECRET = re.compile(
    r"(password|pwd|secret|token|connectionstring|credential|(account|access|shared|api)key)",
    re.IGNORECASE,
)
_RUNTIME = re.compile(r"^\[(?!\[).*\b(reference|list[a-z]*)\s*\(", re.IGNORECASE | re.DOTALL)
_ISSUED = re.compile(
    r"https?://.*|/subscriptions/.*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)


def _words(one: Prediction, name: str) -> tuple[Any, ...]:
    return (one.resource_id.lower(), name, one.seed)


def _places(body: Any, patterns: list[str]) -> list[Path]:
    return list(dict.fromkeys(path for one in patterns for path in find(body, one)))


def _chosen(one: Prediction, name: str, pool: list[Path], reported: list[str]) -> list[Path]:
    """Return those of the pool that are written down; else those reported; else some."""
    told = {said.lower() for said in leaks.written(one.known, name)}
    heard = {said.lower() for said in reported}
    for wanted in (told, heard):
        chosen = [path for path in pool if pattern(path) in wanted]
        if chosen:
            return chosen
    return some(pool, *_words(one, name), name=lambda path: named(one.got, path))


def _computed(one: Prediction) -> Prediction:
    """N1: what GET computes is in `before` and not foreseen."""
    sides = Sides.of(one)
    told = list(leaks.written(one.known, "N1"))
    pool = [
        path
        for path in _places(one.got, [*told, *read_only(one.known)])
        if at(one.put, path) is MISSING
        and at(sides.before, path) is MISSING
        and sides.calm(path)
        and not empty(at(one.got, path))
    ]
    table = leaks.reported(one.type)
    for path in _chosen(one, "N1", pool, [*table.readOnly, *table.unknown]):
        sides = replace(sides, before=put(sides.before, path, at(one.got, path)))
    return sides.into(one)


def _defaulted(one: Prediction) -> Prediction:
    """N2: a default that the template leaves to the provider is not foreseen, or another one is."""
    sides = Sides.of(one)
    told = leaks.written(one.known, "N2")
    table = leaks.reported(one.type)
    pool = [
        path
        for path in _places(sides.after, [*told, *default_patterns(one.known)])
        if at(one.put, path) is MISSING and sides.calm(path)
    ]
    other = {said.lower(): value for said, value in {**table.defaults, **told}.items()}
    for path in _chosen(one, "N2", pool, [*table.defaults, *table.unknown]):
        value, believed = at(sides.after, path), other.get(pattern(path))
        if believed is not None and type(believed) is type(value) and believed != value:
            sides = replace(sides, after=put(sides.after, path, believed))
        else:
            sides = replace(sides, after=drop(sides.after, path))
    return sides.into(one)


def _expanded(one: Prediction) -> Prediction:
    """N5: what the provider makes of the short form of a sku is not foreseen."""
    sides = Sides.of(one)
    made = {
        ".".join(part for part in (rule.into, show(path)) if part)
        for rule in one.known.lookups
        for value in rule.values.values()
        for path, _ in leaves(value)
    }
    # The tier is known to follow from the name: what-if never compares it.
    short = sorted(path for path in made - {"sku.tier"} if path.startswith("sku."))
    for path in _places(sides.after, short):
        if at(one.put, path) is MISSING and sides.calm(path):
            sides = replace(sides, after=drop(sides.after, path))
    return sides.into(one)


def _promised(one: Prediction, paths: list[Path]) -> Prediction:
    """Return the prediction with what the template says at places where neither side has any."""
    sides = Sides.of(one)
    for path in paths:
        if at(sides.before, path) is MISSING and sides.calm(path):
            sides = replace(sides, after=put(sides.after, path, at(one.put, path)))
    return sides.into(one)


def _unechoed(one: Prediction) -> Prediction:
    """N3: what GET never echoes is foreseen."""
    secret = {path.lower() for path in [*one.known.secrets, *leaks.written(one.known, "N4")]}
    silent = [*leaks.written(one.known, "N3"), *one.known.drop]
    silent += [spill.source for spill in one.known.spills]
    return _promised(one, _places(one.put, [path for path in silent if path.lower() not in secret]))


def _secret(one: Prediction) -> Prediction:
    """N4: a secret is foreseen, masked or in the clear; one that GET echoes is masked."""
    patterns = [*leaks.written(one.known, "N4"), *one.known.secrets]
    fed = [path for path, _ in leaves(one.put) if key(path) in {s.lower() for s in one.secure}]
    paths = [*_places(one.put, patterns), *fed] or [
        path for path, value in leaves(one.put) if isinstance(value, str) and _sounds(path)
    ]
    sides = Sides.of(one)
    for path in dict.fromkeys(paths):
        if not sides.calm(path):
            continue
        masked = path in fed or number(*_words(one, "N4"), key(path)) % 2 == 0
        shown = MASK if masked or at(sides.before, path) is not MISSING else at(one.put, path)
        sides = replace(sides, after=put(sides.after, path, shown))
    return sides.into(one)


def _sounds(path: Path) -> bool:
    return bool(_SECRET.search(str(path[-1]))) if path else False


def _embedded(one: Prediction) -> Prediction:
    """N8: the parent's body shows children; those declared inline have an apiVersion too many."""
    sides = Sides.of(one)
    for name, kind in one.known.embeds.items():
        path = ("properties", name)
        shown = at(one.got, path)
        if at(one.put, path) is not MISSING or not shown or not sides.calm(path):
            continue
        if at(sides.before, path) is MISSING:
            sides = replace(
                sides, before=put(sides.before, path, _stripped(one, kind, path, shown))
            )
        else:
            sides = replace(sides, after=drop(sides.after, path))
    return _versioned(one, sides).into(one)


def _stripped(one: Prediction, kind: str, path: Path, shown: list[Any]) -> list[Any]:
    """Return embedded children without what their provider computes."""
    child = knowledge.load().type(f"{one.type}/{kind}")
    hidden = ["id", "etag", "type", "systemData", "properties.provisioningState"]
    body: Any = put({}, path, shown)
    for place in _places(body, [f"{show(path)}[*].{name}" for name in hidden + read_only(child)]):
        body = drop(body, place)
    found = at(pruned(body), path)
    return found if isinstance(found, list) else []


def _versioned(one: Prediction, sides: Sides) -> Sides:
    """Return the sides with an apiVersion in the first of each kind of inline children."""
    pool = [("properties", name) for name in one.known.embeds]
    if not pool and isinstance(one.put.get("properties"), dict):
        pool = [("properties", name) for name in one.put["properties"]]
    for path in pool:
        said, found = at(one.put, path), at(sides.after, path)
        inline = isinstance(said, list) and said and isinstance(found, list) and found
        if inline and sides.calm(path) and _is_child(found[0]):
            place = (*path, 0, "apiVersion")
            sides = replace(sides, after=put(sides.after, place, one.api_version))
    return sides


def _is_child(item: Any) -> bool:
    return isinstance(item, dict) and {"name", "properties"} <= {name.lower() for name in item}


def _unevaluated(one: Prediction) -> Prediction:
    """N9: the text of an expression stands where its value, known already, belongs."""
    sides = Sides.of(one)
    written = [
        (path, text)
        for path, text in leaves(one.source or {})
        if isinstance(text, str) and _RUNTIME.match(text)
    ]
    listed = [(path, _literal(one, path)) for path in _told(one, "N9")]
    for path, text in [*written, *listed] or _guessed(one):
        if at(one.put, path) is not MISSING and sides.calm(path):
            sides = replace(sides, after=put(sides.after, path, text))
    return sides.into(one)


def _told(one: Prediction, name: str) -> list[Path]:
    return _places(one.put, list(leaks.written(one.known, name)))


def _guessed(one: Prediction) -> list[tuple[Path, str]]:
    """Return a value that another resource may well have given the template."""
    own = [entry for entry in case_of(one).own() if at(one.put, entry[0]) is not MISSING]
    issued = [path for path, value in own if isinstance(value, str) and _ISSUED.fullmatch(value)]
    pool = issued or [path for path in case_of(one).loose() if at(one.put, path) is not MISSING]
    chosen = pool[number(*_words(one, "N9")) % len(pool) :][:1] if pool else []
    return [(path, _literal(one, path)) for path in chosen]


def _literal(one: Prediction, path: Path) -> str:
    head, _, name = one.resource_id.rpartition("/")
    member = next((step for step in reversed(path) if isinstance(step, str)), "value")
    if _sounds(path) or "callback" in member.lower():
        return f"[listCallbackUrl('{head}/{name}-source', '{one.api_version}').{member}]"
    return f"[reference('{head}/{name}-source', '{one.api_version}').{member}]"


def _ineffective(one: Prediction) -> Prediction:
    """N13: what the template says is listed as without effect."""
    sides = Sides.of(one)
    known = [*one.known.noEffect, *leaks.written(one.known, "N13")]
    found = _places(one.put, known)
    if not known:
        decided = _places(one.put, read_only(one.known))
        own = [path for path in case_of(one).loose() if at(one.put, path) is not MISSING]
        pool = decided or own
        found = pool[number(*_words(one, "N13")) % len(pool) :][:1] if pool else []
    listed = {show(path) for path in found if sides.calm(path)}
    told = one.truth.no_effect if one.truth else frozenset[str]()
    return replace(one, no_effect=one.no_effect | told | listed)


def _younger(one: Prediction) -> Prediction:
    """N14: what the api-version of the template does not show is foreseen."""
    return _promised(one, _places(one.put, hidden_from(one.known, one.api_version)))


def _merged(one: Prediction) -> Prediction:
    """N15: what-if expects an array to become what the template says."""
    sides = Sides.of(one)
    for path in merged(one.known, one.put, _words(one, "N15")):
        said, kept = at(one.put, path), at(sides.after, path)
        if not isinstance(said, list) or not isinstance(kept, list) or not sides.calm(path):
            continue
        names = [name_of(item) for item in said]
        left = [item for item in kept if name_of(item) in names]
        if left != kept:
            sides = replace(sides, after=put(sides.after, path, left))
    return sides.into(one)


def _unknown(one: Prediction) -> Prediction:
    """N16: what the provider drops is foreseen."""
    return _promised(one, unknown_members(one.type, one.known, one.put, _words(one, "N16")))


FORESIGHT: dict[str, Callable[[Prediction], Prediction]] = {
    "N1": _computed,
    "N2": _defaulted,
    "N3": _unechoed,
    "N4": _secret,
    "N5": _expanded,
    "N8": _embedded,
    "N9": _unevaluated,
    "N13": _ineffective,
    "N14": _younger,
    "N15": _merged,
    "N16": _unknown,
}
