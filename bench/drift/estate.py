"""Makes an estate from a seed: stacks over the catalogue types, edits of all sorts, and their labels."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Final

from bench.drift import catalogue
from bench.drift.catalogue import Group, Piece
from bench.drift.edits import Placed, Rehearsals, drifted
from bench.drift.model import PLACE, Estate, Stack, id_of
from bench.drift.rehearsal import Rehearsal
from local.arm import knowledge
from local.arm.errors import ArmError
from local.arm.noise.classes import TOGETHER

SCHEMA: Final = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
VERSION: Final = "2022-09-01"
SHARE: Final = 0.05
RARE_EVERY: Final = 50
"""Of so many stacks, each rare class of noise has one."""
SHARED: Final = (8, 9)
"""Of ten stacks, these two share a resource group."""


def generate(seed: int, stacks: int, resources: int = 10, share: float = SHARE) -> Estate:
    """Return the estate that belongs to a seed; ``share`` of its resources are truly drifted."""
    chance = random.Random(seed)
    classes = noise()
    made: list[Stack] = []
    placed: list[Placed] = []
    for number in range(stacks):
        stack, pieces = _stack(chance, seed, number, resources)
        made.append(stack)
        placed += pieces
    wanted = max(1, round(share * stacks * resources))
    pairs = drifted(chance, placed, wanted, Rehearsals(classes, seed), stacks)
    return Estate(
        seed=seed,
        noise=classes,
        noise_seed=seed,
        stacks=made,
        edits=[edit for edit, _ in pairs],
        labels=[label for _, label in pairs],
    )


def noise() -> dict[str, list[str]]:
    """Return the classes that are on: those that leave room for others everywhere, the rest by type."""
    found = {"*": sorted(TOGETHER - {"N21", "N22"}, key=_number)}
    found |= {kind: ["N22"] for kind in catalogue.BLIND}
    found |= {kind: ["N21"] for kind in catalogue.SILENT}
    for make in catalogue.RARE:
        found |= {kind: list(on) for kind, on in make("x").noise.items()}
    return found


def _number(name: str) -> int:
    return int(name[1:])


def _stack(chance: random.Random, seed: int, number: int, size: int) -> tuple[Stack, list[Placed]]:
    """Return a stack of exactly so many resources."""
    name = f"stack-{number:04d}"
    group = f"rg-shared-{number // 10:03d}" if number % 10 in SHARED else f"rg-{number:04d}"
    scope = f"{PLACE}/resourceGroups/{group}"
    rows: list[dict[str, Any]] = []
    placed: list[tuple[str, Piece]] = []
    for part in _parts(chance, f"{seed % 1000:03d}{number:04d}", number, size):
        declared = [_declared(one, scope, part) for one in part.pieces]
        rows += [_nested(name, len(rows), declared)] if part.nested else declared
        placed += [(id_of(scope, row), one) for row, one in zip(declared, part.pieces, strict=True)]
    template = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": rows}
    stack = Stack(name=name, group=group, template=template)
    return stack, [Placed(stack, resource, piece) for resource, piece in placed]


def _parts(chance: random.Random, key: str, number: int, size: int) -> Iterator[Group]:
    """Yield groups of resources until a stack has its size; single ones fill what is left."""
    makers: list[Callable[[str], Group]] = list(
        chance.sample(catalogue.USUAL, len(catalogue.USUAL))
    )
    rare = number % RARE_EVERY
    if rare < len(catalogue.RARE):
        makers.insert(0, catalogue.RARE[rare])
    left = size
    for at, make in enumerate(makers):
        part = make(f"{key}{chr(97 + at)}")
        if len(part.pieces) <= left and not (at > len(catalogue.RARE) and chance.random() < 0.4):
            left -= len(part.pieces)
            yield part
    for at in range(left):
        yield catalogue.general(chance.choice(general_types()), f"{key}z{at}")


def _declared(piece: Piece, scope: str, part: Group) -> dict[str, Any]:
    needs = [
        id_of(scope, {"type": one.type, "name": one.name})
        for one in (part.pieces[at] for at in piece.needs)
    ]
    found = {"type": piece.type, "apiVersion": piece.version, "name": piece.name, **piece.body}
    found = catalogue.placed(found, scope)
    return {**found, "dependsOn": needs} if needs else found


def _nested(stack: str, at: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": VERSION,
        "name": f"inner-{stack}-{at}",
        "properties": {
            "mode": "Incremental",
            "template": {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": rows},
        },
    }


@cache
def general_types() -> Sequence[str]:
    """Return the types at the top that take a body of any shape, as the catalogue has it."""
    known = knowledge.load()
    found = []
    for provider in known.providers.values():
        for kind, one in provider.types.items():
            full = f"{provider.namespace}/{kind}"
            plain = "/" not in kind and one.tracked and not one.managedGroup
            if plain and _takes(full):
                found.append(full)
    return found


def _takes(kind: str) -> bool:
    part = catalogue.general(kind, "probe0001")
    row = _declared(part.pieces[0], f"{PLACE}/resourceGroups/rg", part)
    stack = Stack(name="probe", group="rg", template={"resources": [row]})
    try:
        Rehearsal(stack, {}, 0)
    except ArmError:
        return False
    return True
