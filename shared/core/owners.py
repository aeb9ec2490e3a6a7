"""Which stacks own one resource, told from facts in a listing (rule 15).

A record's facts hold four bytes for each resource of the last good release. Who shares bytes may share
a resource: their releases say it exactly. All are pure.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from shared.core import names
from shared.core.problem import Problem
from shared.core.prune.ids import inside_of
from shared.core.record.facts import UNKNOWN
from shared.core.scopes import fold

MOST_COMPARED: Final = 800
"""How many resources of a stack are compared: ARM deploys no more with one template."""

MOST_SHOWN: Final = 10

MOST_AROUND: Final = 400
"""How many resources that a stack is inside of fit into a listing's facts; more are not told."""
_BYTES: Final = 4

Identity = tuple[str, str]

Suspects = Mapping[Identity, frozenset[int]]
"""Who may own what a stack owns, and the bytes that both have."""


def sketch(ids: Iterable[str]) -> str:
    """Return the facts' text for the resources that a stack owns."""
    found = {hashlib.sha256(fold(one).encode()).digest()[:_BYTES] for one in ids}
    return base64.b64encode(b"".join(sorted(found)[:MOST_COMPARED])).decode()


def sketch_around(ids: Iterable[str]) -> str:
    """Return the facts' text for what resources lie inside of, or UNKNOWN where it does not fit.

    Where not all resources fit into their own sketch this one says so: with nested deployments a
    stack has more than one template deploys.
    """
    own = {fold(one) for one in ids}
    around = inside_of(own)
    fits = len(own) <= MOST_COMPARED and len(around) <= MOST_AROUND
    return sketch(around) if fits else UNKNOWN


def marks_of(ids: Iterable[str]) -> frozenset[int]:
    """Return the marks that resources leave in a sketch that they are in."""
    return frozenset(mark for one in ids for mark in marks(sketch((one,))))


def marks(text: str) -> Sequence[int]:
    """Return the marks in a sketch; what is none has none."""
    try:
        data = base64.b64decode(text, validate=True)
        return memoryview(data).cast("I").tolist()
    except (binascii.Error, TypeError, ValueError):
        return ()


def suspects(listed: Iterable[tuple[str, Mapping[str, str]]]) -> dict[Identity, Suspects]:
    """Return for each stack in the listing those that may own a resource that it owns, too.

    Of more than two owners each is held against the first.
    """
    first: dict[int, Identity] = {}
    found: dict[Identity, dict[Identity, frozenset[int]]] = {}
    for name, facts in listed:
        own = facts.get("owns")
        identity = names.identity_of_record(name) if own else None
        if own is None or identity is None:
            continue
        for mark in marks(own):
            other = first.setdefault(mark, identity)
            if other == identity or _is_half_of(identity, other):
                continue
            for one, two in ((identity, other), (other, identity)):
                known = found.setdefault(one, {})
                known[two] = known.get(two, frozenset()) | {mark}
    return dict(found)


def _is_half_of(one: Identity, other: Identity) -> bool:
    """Tell whether both are of one stack: what stays where it was is no news to its owner."""
    return one[0] == other[0] and one[1].partition("~")[0] == other[1].partition("~")[0]


def told(others: Suspects) -> str:
    """Return what marks a stack as told of these others and of what it may share with each."""
    if not others:
        return ""
    said = [[*other, *sorted(marks)] for other, marks in sorted(others.items())]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]


def problems(own: Iterable[str], others: Mapping[Identity, Iterable[str]]) -> tuple[Problem, ...]:
    """Return a problem for each resource in ``own`` that another stack has, too."""
    mine = {fold(one): one for one in own}
    found = [
        Problem(
            code="ResourceShared",
            message=f"{mine[fold(one)]} is deployed by {names.identity(*identity)}, too.",
            hint="Take it out of one of the two templates, or refer to it there as existing.",
        )
        for identity, theirs in sorted(others.items())
        for one in sorted(theirs)
        if fold(one) in mine
    ]
    return tuple(found[:MOST_SHOWN])
