"""What somebody does to an estate by hand, chosen by a seed, and the label of each edit."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

import msgspec

from bench.drift import catalogue
from bench.drift.catalogue import Move, Piece
from bench.drift.model import Edit, Label, Stack, When
from bench.drift.rehearsal import Noise, Rehearsal
from local.arm.noise import merge_patch

EARLY_EVERY: Final = 10
HIDDEN_EVERY: Final = 40
LOOKALIKE: Final = "lookalike (N23)"
HIDDEN: Final = "hidden"
"""Edits that no GET can show: one in forty, to be counted and not to be found."""
SORTS: Final = (
    "property",
    "array element added",
    "array element removed",
    "array element changed",
    "child added",
    "child changed",
    "child deleted",
    "tag",
    "sku",
    "deletion",
    "undeclared",
    "secret rotated",
    LOOKALIKE,
)
"""All sorts of edits; each has its turn."""


HANDS: Final = ("eve@contoso.example", "mallory@contoso.example", "automation@contoso.example")
"""Who makes the edits."""


@dataclass(frozen=True)
class Placed:
    """A piece where it stands."""

    stack: Stack
    resource: str
    piece: Piece


class Rehearsals:
    """Stacks as they are after their release, made when they are first asked for."""

    def __init__(self, classes: Noise, seed: int) -> None:
        self._classes, self._seed = classes, seed
        self._made: dict[str, Rehearsal] = {}

    def of(self, stack: Stack) -> Rehearsal:
        """Return the rehearsal of a stack."""
        if stack.name not in self._made:
            self._made[stack.name] = Rehearsal(stack, self._classes, self._seed)
        return self._made[stack.name]


def drifted(
    chance: random.Random, placed: list[Placed], wanted: int, trials: Rehearsals, stacks: int
) -> list[tuple[Edit, Label]]:
    """Return so many edits with their labels, all sorts in turn, no two in one family.

    Every tenth is early, between release and baseline; those of a hundredth of the stacks are made
    before the others, for the scan of an estate of which 1 % was touched.
    """
    sorts = (*chance.sample(SORTS, len(SORTS)), HIDDEN)
    pool = {sort: _shuffled(chance, _candidates(sort, placed)) for sort in sorts}
    found: list[tuple[Edit, Label]] = []
    touched: set[str] = set()
    while len(found) < wanted and any(pool[sort] for sort in SORTS):
        for sort in sorts:
            due = sort != HIDDEN or len(found) // HIDDEN_EVERY > sum(
                bool(x.hidden) for _, x in found
            )
            if len(found) == wanted or not due:
                continue
            name, early = f"e{len(found):04d}", len(found) % EARLY_EVERY == EARLY_EVERY - 1
            pair = _next(pool[sort], name, touched, trials, early=early)
            if pair is not None:
                found.append(pair)
    late = dict.fromkeys(label.stack for edit, label in found if edit.when == "late")
    few = set(list(late)[: max(1, stacks // 100)])
    return [(_timed(edit, label, few), label) for edit, label in found]


def _timed(edit: Edit, label: Label, few: set[str]) -> Edit:
    when: When = edit.when
    if when == "late" and label.stack in few:
        when = "touch"
    return msgspec.structs.replace(edit, when=when)


def _shuffled(
    chance: random.Random, items: list[tuple[Placed, Move | None]]
) -> list[tuple[Placed, Move | None]]:
    return chance.sample(items, len(items))


def _candidates(sort: str, placed: list[Placed]) -> list[tuple[Placed, Move | None]]:
    if sort == LOOKALIKE:
        return [(one, None) for one in placed]
    return [
        (one, move)
        for one in placed
        for move in one.piece.moves
        if (HIDDEN if move.hidden else move.sort) == sort
    ]


def _next(
    pool: list[tuple[Placed, Move | None]],
    name: str,
    touched: set[str],
    trials: Rehearsals,
    *,
    early: bool,
) -> tuple[Edit, Label] | None:
    """Take from the pool until there is an edit that can be made and shows; None if there is none."""
    while pool:
        one, move = pool.pop()
        kin = family(one.resource)
        if kin in touched:
            continue
        trial = trials.of(one.stack)
        move = move or _lookalike(trial, one)
        if move is None:
            continue
        edit, label = _pair(name, one, move, "early" if early else "late")
        if move.hidden or trial.shows(edit, label):
            touched.add(kin)
            return edit, label
    return None


def family(resource: str) -> str:
    """Return what a resource and its children have in common. Pure."""
    head, _, tail = resource.partition("/providers/")
    return f"{head}/{'/'.join(tail.split('/')[:3])}".lower()


def _lookalike(trial: Rehearsal, one: Placed) -> Move | None:
    for path, value in trial.lookalikes(one.resource)[:1]:
        return Move(LOOKALIKE, path, set=merge_patch(path, value))
    return None


def _pair(name: str, one: Placed, move: Move, when: When) -> tuple[Edit, Label]:
    resource, version = one.resource, ""
    if move.put is not None:
        kind, last, _ = move.put
        base = one.resource.rpartition("/providers/")[0] if move.beside else one.resource
        tail = f"/providers/{kind}" if move.beside else f"/{kind.rpartition('/')[2]}"
        resource, version = f"{base}{tail}/{last}", one.piece.version
    edit = Edit(
        id=name,
        resource=resource,
        when=when,
        set=catalogue.placed(move.set, one.stack.scope) if move.set else None,
        delete=move.delete,
        put=move.put[2] if move.put else None,
        api_version=version,
        by=HANDS[int(name[1:]) % len(HANDS)],
    )
    label = Label(
        edit=name,
        stack=one.stack.name,
        resource=resource,
        kind=move.kind,
        path=move.path,
        sort=move.sort,
        hidden=move.hidden,
    )
    return edit, label
