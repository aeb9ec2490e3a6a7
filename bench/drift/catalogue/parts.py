"""What the catalogue is written in: pieces, groups of them, and moves against them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.drift.model import Kind

Body = dict[str, Any]


@dataclass(frozen=True)
class Move:
    """One thing that somebody may do to a resource: what, and where it shows.

    Exactly one of ``set`` (a merge patch), ``delete`` and ``put`` (type, last name, body: a child,
    or with ``beside`` a resource of the same group). ``hidden`` says why no GET can show it.
    """

    sort: str
    path: str = ""
    set: Body | None = None
    delete: bool = False
    put: tuple[str, str, Body] | None = None
    beside: bool = False
    hidden: str = ""

    @property
    def kind(self) -> Kind:
        """The kind of drift that it makes."""
        return "undeclared" if self.put else "deleted" if self.delete else "modified"


@dataclass(frozen=True)
class Piece:
    """A resource as a template declares it, and the moves that there are."""

    type: str
    name: str
    version: str
    body: Body
    moves: tuple[Move, ...] = ()
    needs: tuple[int, ...] = ()
    """Which of the pieces before it, counted from its group's first, it depends on."""


@dataclass(frozen=True)
class Group:
    """Pieces that belong together; ``noise`` are classes that are on for some of their types only."""

    pieces: tuple[Piece, ...]
    nested: bool = False
    noise: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


TAGS = {"env": "prod", "owner": "shop"}


OTHER_TAG = Move("tag", "tags.owner", set={"tags": {"owner": "somebody-else"}})


NEW_TAG = Move("tag", "tags.costCentre", set={"tags": {"costCentre": "4711"}})


GONE = Move("deletion", delete=True)


def elements(
    path: str, name: str, *, keep: Sequence[Any], more: Any, other: Sequence[Any]
) -> tuple[Move, ...]:
    """Return what may be done to an array below ``properties``: add, remove, change an element."""
    place = f"properties.{path}"

    def to(items: Sequence[Any]) -> Body:
        patch: Any = list(items)
        for step in reversed(path.split(".")):
            patch = {step: patch}
        return {"properties": patch}

    return (
        Move("array element added", f"{place}[{name}]", set=to([*keep, more])),
        Move("array element removed", f"{place}", set=to(keep[:-1])),
        Move("array element changed", f"{place}", set=to(other)),
    )


def single(kind: str, name: str, version: str, body: Body, *moves: Move) -> Callable[[str], Group]:
    """Return a maker of a group of one resource; ``{key}`` in its name tells it from others."""

    def make(key: str) -> Group:
        return Group((Piece(kind, name.format(key=key), version, body, moves),))

    return make


def placed(value: Any, scope: str) -> Any:
    """Return a body with the id of its resource group in place of its word."""
    if isinstance(value, str):
        return value.replace("{scope}", scope)
    if isinstance(value, dict):
        return {name: placed(item, scope) for name, item in value.items()}
    return [placed(item, scope) for item in value] if isinstance(value, list) else value
