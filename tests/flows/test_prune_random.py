"""Prune under random pushes: resources wander between stacks, and nobody loses what it has."""

import random
from typing import Any

import pytest

from shared.core import names
from shared.core.scopes import fold
from shared.state.archive import Archive
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.estates import deleted, of, repository
from tests.flows.world import CONFIGURATION, Killed, World

STACKS = ("api", "net", "web")
RESOURCES = tuple(f"r{n}" for n in range(9))


DEATHS = 0.03
"""How often a worker dies at a call that it makes while it prunes."""


def dealt(chance: random.Random) -> dict[str, list[str]]:
    """Deal some resources to the stacks; each keeps one of its own, so that none is ever empty."""
    hands: dict[str, list[str]] = {stack: [f"own-{stack}"] for stack in STACKS}
    for one in chance.sample(RESOURCES, chance.randint(0, len(RESOURCES))):
        hands[chance.choice(STACKS)].append(one)
    return hands


def owned(world: World) -> dict[str, set[str]]:
    """Return what each stack's last good release has."""
    found = {}
    for stack in STACKS:
        if world.documents.read(names.record("example", stack)) is None:
            continue
        record = world.record(stack)
        applied = record.applied
        if applied is None:
            continue
        release = Archive(world.history).release("example", stack, applied.release)
        found[stack] = {fold(one.id) for one in release.inventory} if release is not None else set()
    return found


@pytest.mark.parametrize("seed", range(8))
def test_no_stack_loses_what_it_has_and_nothing_stays_that_left(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Pushes at any time, workers that die, slow deletions: in the end Azure is what Git says."""
    chance = random.Random(seed)
    example: Any = {**CONFIGURATION["repositories"]["example"]}  # type: ignore[index]
    example["ceilings"] = {"delete_resources": 800}
    world = World(
        monkeypatch, configuration={**CONFIGURATION, "repositories": {"example": example}}
    )
    world.arm.default = Outcome(seconds=chance.choice([1, 10, 40]))
    world.arm.deletion_s = chance.choice([0, 20, 90])
    robbed: list[str] = []

    def look(moment: Moment, call: str, name: str) -> None:
        if call == "arm.delete_resource" and moment == "before":
            robbed.extend(s for s, ids in owned(world).items() if fold(name) in ids)
        risky = world.turn == "prune" and call.startswith(("arm.", "documents.replace"))
        if risky and chance.random() < DEATHS:
            raise Killed

    world.hook = look
    hands: dict[str, list[str]] = {}
    for _ in range(6):
        hands = dealt(chance)
        world.push(repository(hands, depends={"web": "net"}, group="one"))
        world.run(chance.choice([5, 40, 150, 400]))
    world.run(3600)
    wanted = {of("one", one) for hand in hands.values() for one in hand}

    assert robbed == []
    assert deleted(world)
    assert set(world.arm.resources) == wanted
    assert all(world.record(stack).left == () for stack in STACKS)
    world.arm.check()
