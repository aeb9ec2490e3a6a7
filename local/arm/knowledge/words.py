"""Fills the ``{words}`` in the knowledge files with the facts of one resource.

======================  ==========================================================
word                    stands for
======================  ==========================================================
``{id}`` ``{name}``     the resource's id and the last part of its name
``{lowername}``         the same in lower case
``{parent}``            the first part of the name; ``{lowerparent}`` in lower case
``{parentId}``          the id of the parent resource
``{location}``          as in westeurope; ``{displayLocation}`` as in West Europe;
                        ``{pairedLocation}`` the region that backs it up
``{subscription}`` ``{group}`` ``{tenant}`` ``{scope}``  where it is
``{created}`` ``{now}`` when it was made, when it was last written
``{createdEpoch}`` ``{nowEpoch}``  the same as seconds since 1970
``{caller}``            who made it; ``{changer}`` who wrote it last
``{guid:x}``            a guid of the resource's own for each x
``{key:x}``             a secret of the resource's own; a rotation changes it
``{hash:x}``            13 letters and digits; ``{number:n}`` digits below 10^n
``{ip:x}``              an IPv4 address
``{body:path}``         what the body says there; ``{lowerbody:path}`` in lower case
``{element:path}``      the same in an element of an array; ``{element}`` its name
``{elementId}``         its id; ``{index}`` its place
======================  ==========================================================
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from local.arm.clock import guid_for, read_stamp
from local.arm.ids import ResourceId
from local.arm.knowledge import paths, regions

_WORD = re.compile(r"\{([A-Za-z]+)(?::([^{}]*))?\}")
_steps = lru_cache(4096)(paths.steps)

Filler = Callable[["Facts"], Any]


@dataclass(slots=True)
class Facts:
    """What the words stand for here: the resource, its body, and the element at hand."""

    rid: ResourceId
    tenant: str
    created: str
    changed: str
    body: Any
    people: tuple[str, str] = ("", "")
    rotations: Mapping[str, int] = field(default_factory=dict)
    born: str = ""
    element: Any = None
    element_name: str = ""
    element_id: str = ""
    index: int = 0

    def word(self, word: str, argument: str) -> Any:
        """Return what a word stands for. Raises KeyError for a word that nothing explains."""
        return _WORDS[word](self, argument)

    @property
    def key(self) -> str:
        """What guids and secrets are made of: the id that the resource had when it was made."""
        return self.born or self.rid.key

    @property
    def location(self) -> str:
        """The location, in ARM's spelling; West Europe's where the body has none."""
        return regions.normal(str(paths.first(self.body, _LOCATION) or "westeurope"))


_LOCATION = paths.steps("location")


def key_for(*words: str) -> str:
    """Return the access key that belongs to these words: 64 bytes in base64, made up. Pure."""
    return base64.b64encode(hashlib.sha512("|".join(words).encode()).digest()).decode()


def _digest(facts: Facts, argument: str) -> bytes:
    return hashlib.sha256(f"{facts.key}|{argument}".encode()).digest()


def _key(facts: Facts, argument: str) -> str:
    turn = facts.rotations.get(argument, 0)
    return key_for(facts.key, argument, *([str(turn)] if turn else []))


def _ip(facts: Facts, argument: str) -> str:
    low, middle, high = _digest(facts, argument)[:3]
    return f"20.{high % 64 + 64}.{middle}.{low % 254 + 1}"


def _number(facts: Facts, argument: str) -> int:
    return int.from_bytes(_digest(facts, argument)[:8], "big") % int(10 ** int(argument or 1))


def _hash(facts: Facts, argument: str) -> str:
    return base64.b32encode(_digest(facts, argument)).decode().lower()[:13]


def _epoch(moment: str) -> int:
    try:
        return int(read_stamp(moment).timestamp())
    except ValueError:
        return 0  # a body made up without a time, as what-if's for what is not there yet


def _parent_id(facts: Facts, _: str) -> str:
    parent = facts.rid.parent
    return parent.id if parent else facts.rid.scope


def _said(facts: Facts, path: str) -> Any:
    return paths.first(facts.body, _steps(path))


def _element(facts: Facts, path: str) -> Any:
    return paths.first(facts.element, _steps(path)) if path else facts.element_name


_WORDS: dict[str, Callable[[Facts, str], Any]] = {
    "id": lambda facts, _: facts.rid.id,
    "name": lambda facts, _: facts.rid.names[-1],
    "lowername": lambda facts, _: facts.rid.names[-1].lower(),
    "parent": lambda facts, _: facts.rid.names[0],
    "lowerparent": lambda facts, _: facts.rid.names[0].lower(),
    "parentId": _parent_id,
    "location": lambda facts, _: facts.location,
    "displayLocation": lambda facts, _: regions.display(facts.location),
    "pairedLocation": lambda facts, _: regions.paired(facts.location),
    "subscription": lambda facts, _: facts.rid.subscription,
    "group": lambda facts, _: facts.rid.group,
    "tenant": lambda facts, _: facts.tenant,
    "scope": lambda facts, _: facts.rid.scope,
    "now": lambda facts, _: facts.changed,
    "created": lambda facts, _: facts.created,
    "createdEpoch": lambda facts, _: _epoch(facts.created),
    "nowEpoch": lambda facts, _: _epoch(facts.changed),
    "caller": lambda facts, _: facts.people[0],
    "changer": lambda facts, _: facts.people[1],
    "guid": lambda facts, word: guid_for(facts.key, word),
    "key": _key,
    "hash": _hash,
    "number": _number,
    "ip": _ip,
    "body": _said,
    "lowerbody": lambda facts, path: str(_said(facts, path) or "").lower(),
    "element": _element,
    "elementId": lambda facts, _: facts.element_id,
    "index": lambda facts, _: facts.index,
}


def unexplained(value: Any) -> list[str]:
    """Return the words in a value that nothing explains. Pure."""
    if isinstance(value, str):
        return [word[0] for word in _WORD.finditer(value) if word[1] not in _WORDS]
    if isinstance(value, dict):
        parts = [*value.values(), *value]
    else:
        parts = value if isinstance(value, list) else []
    return [word for part in parts for word in unexplained(part)]


def copied(value: Any) -> Any:
    """Return a JSON value with objects and arrays of its own. Pure."""
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if type(value) is list:
        return [copied(item) for item in value]
    return value


def has_words(value: Any) -> bool:
    """Return whether anything in a value is to be filled in. Pure."""
    if isinstance(value, str):
        return _WORD.search(value) is not None
    if isinstance(value, dict):
        return any(has_words(item) for item in value.values())
    return isinstance(value, list) and any(has_words(item) for item in value)


def filler(value: Any) -> Filler:
    """Return what makes `value` with its words replaced; parse once, fill many times. Pure.

    A string that is one word keeps the fact's type. The filler raises KeyError for a word that
    no fact explains: the file is wrong.
    """
    if not has_words(value):
        return (lambda _: copied(value)) if isinstance(value, dict | list) else lambda _: value
    if isinstance(value, dict):
        members = [(key, filler(item)) for key, item in value.items()]
        return lambda facts: {key: make(facts) for key, make in members}
    if isinstance(value, list):
        items = [filler(item) for item in value]
        return lambda facts: [make(facts) for make in items]
    return _text(value)


def _text(value: str) -> Filler:
    whole = _WORD.fullmatch(value)
    if whole:
        word, argument = whole[1], whole[2] or ""
        return lambda facts: facts.word(word, argument)
    parts: list[str | tuple[str, str]] = []
    end = 0
    for found in _WORD.finditer(value):
        parts += [value[end : found.start()], (found[1], found[2] or "")]
        end = found.end()
    parts.append(value[end:])
    return lambda facts: "".join(
        [part if isinstance(part, str) else str(facts.word(*part)) for part in parts]
    )


def fill(value: Any, facts: Facts) -> Any:
    """Return `value` with its words replaced. Pure; raises as a `filler` does."""
    return filler(value)(facts)
