"""A type's knowledge in the form in which it is used: paths taken apart, words parsed, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.arm import knowledge
from local.arm.knowledge import ResourceType, paths
from local.arm.knowledge.normal import normaliser
from local.arm.knowledge.paths import Path
from local.arm.knowledge.schema import Element, Lookup
from local.arm.knowledge.words import Facts, Filler, filler, has_words
from local.arm.providers.walks import Node, grow


@dataclass(frozen=True, slots=True)
class Tree:
    """An object to lay into a body: (key, key in lower case, what it is, its own members)."""

    members: tuple[tuple[str, str, Filler, Tree | None], ...]

    def fill_in(self, body: dict[str, Any], facts: Facts) -> None:
        """Add what is missing from `body`, at every depth; null in the body counts as missing."""
        keys = {key.lower(): key for key in body}
        for name, lower, make, inner in self.members:
            key = keys.get(lower)
            found = body[key] if key is not None else None
            if found is None:
                body[key or name] = make(facts)
            elif inner is not None and isinstance(found, dict):
                inner.fill_in(found, facts)

    def overlay(self, body: dict[str, Any], facts: Facts) -> None:
        """Set what the provider decides in `body`, at every depth."""
        keys = {key.lower(): key for key in body}
        for name, lower, make, inner in self.members:
            key = keys.get(lower, name)
            if inner is not None and isinstance(body.get(key), dict):
                inner.overlay(body[key], facts)
            else:
                body[key] = make(facts)


def tree(value: dict[str, Any]) -> Tree:
    """Parse an object of defaults or computed values. Pure."""
    return Tree(
        tuple(
            (name, name.lower(), filler(item), tree(item) if isinstance(item, dict) else None)
            for name, item in value.items()
        )
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """A lookup: the value at `by`, or what its words say, picks what is filled in at `into`."""

    by: Path
    word: Filler | None
    otherwise: Any
    into: Path
    values: dict[str, Tree]

    def apply(self, body: dict[str, Any], facts: Facts) -> None:
        """Fill in what follows from the value at `by`."""
        value = self.word(facts) if self.word else paths.first(body, self.by)
        if value is None:
            value = self.otherwise
        text = str(value).lower()
        found = self.values.get(text) or (self.values.get("*") if value else None)
        if found is None:
            return
        for name, lower in (step for step in self.into if step is not None):
            key = paths.key_in(body, name, lower) or name
            if not isinstance(body.get(key), dict):
                body[key] = {}
            body = body[key]
        found.fill_in(body, facts)


def finding(lookup: Lookup, defaults: dict[str, Any]) -> Finding:
    """Parse a lookup. Pure."""
    worded = has_words(lookup.by)
    by = () if worded else paths.steps(lookup.by)
    return Finding(
        by,
        filler(lookup.by) if worded else None,
        None if worded else paths.first(defaults, by),
        paths.steps(lookup.into) if lookup.into else (),
        {key.lower(): tree(value) for key, value in lookup.values.items()},
    )


@dataclass(frozen=True, slots=True)
class Elements:
    """What a provider makes of the elements of one array."""

    path: Path
    key: str | None
    defaults: Tree
    lookups: tuple[Finding, ...]
    computed: Tree
    etag: bool

    def apply(self, body: Any, facts: Facts) -> None:
        """Complete every element that is an object."""
        self._walk(body, 0, facts.rid.id, facts)

    def _walk(self, value: Any, at: int, base: str, facts: Facts) -> None:
        """Follow the path; `base` is the id of the innermost named thing passed."""
        if at == len(self.path):
            self._complete(value, base, facts)
            return
        step = self.path[at]
        if step is None or not isinstance(value, dict):
            return
        key = paths.key_in(value, *step)
        if key is None:
            return
        found = value[key]
        if at + 1 < len(self.path) and self.path[at + 1] is None and isinstance(found, list):
            for index, item in enumerate(found):
                self._walk(item, at + 2, f"{base}/{step[0]}/{_named(item, 'name', index)}", facts)
        else:
            self._walk(found, at + 1, base, facts)

    def _complete(self, array: Any, base: str, facts: Facts) -> None:
        last = self.path[-1]
        for index, item in enumerate(array if isinstance(array, list) and last else ()):
            if not isinstance(item, dict):
                continue
            facts.element, facts.index = item, index
            facts.element_name = _named(item, self.key, index)
            facts.element_id = f"{base}/{last[0] if last else ''}/{facts.element_name}"
            for found in self.lookups:
                found.apply(item, facts)
            self.defaults.fill_in(item, facts)
            self.computed.overlay(item, facts)


def _named(item: Any, key: str | None, index: int) -> str:
    name = paths.first(item, paths.steps(key)) if key and isinstance(item, dict) else None
    return str(index if name is None else name)


def _elements(path: str, element: Element) -> Elements:
    return Elements(
        paths.steps(path),
        element.key,
        tree(element.defaults),
        tuple(finding(lookup, element.defaults) for lookup in element.lookups),
        tree(element.computed),
        element.etag,
    )


@dataclass(frozen=True, slots=True)
class Compiled:
    """One type, ready for use."""

    ignored: Node
    """What is taken out of a body: dropped, read-only, secret."""
    no_effect: tuple[Path, ...]
    normalise: Node
    normalise_late: Node
    lookups: tuple[Finding, ...]
    defaults: Tree
    elements: tuple[Elements, ...]
    computed: Tree
    immutable: tuple[tuple[str, Path], ...]
    etagged: tuple[Path, ...]
    """The arrays whose elements show the resource's etag."""


def _spell(name: str) -> str:
    return knowledge.load().spell(name)


def compiled(known: ResourceType) -> Compiled:
    """Return a type's knowledge ready for use; made once and kept with it."""
    kept = known.__dict__
    found = kept.get("compiled")
    if found is None:
        found = kept["compiled"] = _compile(known, _spell)
    return found


def _compile(known: ResourceType, spell: Callable[[str], str]) -> Compiled:
    elements = [_elements(*entry) for entry in known.elements.items()]
    ignored = [*known.drop, *known.readOnly, *known.secrets]
    elements.sort(key=lambda one: len(one.path))
    return Compiled(
        ignored=grow((paths.steps(path), None) for path in ignored),
        no_effect=tuple(map(paths.steps, known.noEffect)),
        normalise=_changes(known, spell, late=False),
        normalise_late=_changes(known, spell, late=True),
        lookups=tuple(finding(lookup, known.defaults) for lookup in known.lookups),
        defaults=tree(known.defaults),
        elements=tuple(elements),
        computed=tree(_together(known.computed, known.volatile)),
        immutable=tuple((path, paths.steps(path)) for path in known.immutable),
        etagged=tuple((*one.path, None) for one in elements if one.etag),
    )


def _changes(known: ResourceType, spell: Callable[[str], str], *, late: bool) -> Node:
    rules = [rule for rule in known.normalise if rule.late is late]
    return grow((paths.steps(rule.path), normaliser(rule, spell)) for rule in rules)


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return two objects as one, joined at every depth. Pure."""
    joined = dict(one)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(joined.get(key), dict)
        joined[key] = _together(joined[key], value) if both else value
    return joined


def read_only(known: ResourceType) -> list[str]:
    """Return the paths that a provider decides alone, those inside arrays included. Pure.

    What-if takes them out of what it compares.
    """
    found = [*known.readOnly, *paths.leaves(known.computed), *paths.leaves(known.volatile)]
    for path, element in known.elements.items():
        found += [f"{path}[*].{leaf}" for leaf in paths.leaves(element.computed)]
        if element.etag:
            found.append(f"{path}[*].etag")
    return list(dict.fromkeys(found))
