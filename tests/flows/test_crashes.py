"""A worker may die before or after any call: the loop ends where it would have ended (I11, I13)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.chains import pair
from tests.flows.world import Killed, World, files, manifest

CALM_S = 700.0


@dataclass
class Sniper:
    """Kills the worker at the call number ``shot`` (before or after its effect), once."""

    shot: int
    moment: Moment
    seen: int = 0
    hit: str | None = None

    def __call__(self, moment: Moment, call: str, name: str) -> None:
        """Look at one call."""
        if moment != self.moment or self.hit is not None:
            return
        self.seen += 1
        if self.seen > self.shot:
            self.hit = f"{moment} {call} {name}"
            raise Killed(self.hit)


def _one_push(world: World) -> list[str]:
    return [world.push(files("a", "b", a="one"))]


def _two_pushes(world: World) -> list[str]:
    first = world.push(files("a", "b", a="one"))
    world.run(3)
    return [first, world.push(files("a", "b", a="two", b="two"))]


def _change_while_it_runs(world: World) -> list[str]:
    world.arm.default = Outcome(seconds=20)
    first = world.push(files("a", a="one"))
    world.run(10)
    return [first, world.push(files("a", a="two"))]


def _two_waves(world: World) -> list[str]:
    first = world.push(pair("one"))
    world.run(30)
    return [first, world.push(pair("two"))]


def _quietly(world: World, content: dict[str, Any]) -> str:
    """Push and deploy before the sniper takes aim."""
    hook, world.hook = world.hook, None
    revision = world.push(content)
    world.run(30)
    world.hook = hook
    return revision


def _a_scope_changes(world: World) -> list[str]:
    elsewhere = manifest("a").replace("rg-a", "rg-old")
    first = _quietly(world, files("a", a="one") | {"plumbline.yaml": elsewhere})
    return [first, world.push(files("a", a="one"))]


def _a_stack_is_renamed(world: World) -> list[str]:
    old = manifest("old").replace("rg-old", "rg-a")
    first = _quietly(world, files("old", old="one") | {"plumbline.yaml": old})
    new = manifest("a").replace("createResource", "renamedFrom: old, createResource")
    return [first, world.push(files("a", a="two") | {"plumbline.yaml": new})]


SCENARIOS: dict[str, tuple[Callable[[World], list[str]], dict[str, str]]] = {
    "one push": (_one_push, {"a": "one", "b": ""}),
    "two pushes": (_two_pushes, {"a": "two", "b": "two"}),
    "a change while it runs": (_change_while_it_runs, {"a": "two"}),
    "a value is handed on": (_two_waves, {"network": "", "web": ""}),
    "a scope changes": (_a_scope_changes, {"a": "one"}),
    "a stack is renamed": (_a_stack_is_renamed, {"a": "two"}),
}

LEFT: dict[str, dict[str, str | None]] = {
    "a scope changes": {"a~1": None},
    "a stack is renamed": {"old": "a"},
}
"""What a scenario leaves orphaned, and who has it now."""


def _play(monkeypatch: pytest.MonkeyPatch, name: str, sniper: Sniper) -> World:
    world = World(monkeypatch)
    scenario, expected = SCENARIOS[name]
    world.hook = sniper
    revisions = scenario(world)
    world.run(60)
    world.hook = None
    world.run(CALM_S)
    _check(world, revisions, expected, sniper)
    left = {s["name"]: s["moved_to"] for s in world.api("stacks") if s["phase"] == "orphaned"}
    assert left == LEFT.get(name, {}), sniper.hit
    return world


def _check(world: World, revisions: list[str], expected: dict[str, str], sniper: Sniper) -> None:
    told = sniper.hit or "without a crash"
    world.arm.check()
    assert {s: world.note(s) for s in expected} == expected, told
    for stack in expected:
        record = world.record(stack)
        assert record.phase == "steady", told
        assert record.problem is None, told
        assert record.owed == (), told
        assert record.in_flight is None, told
        assert world.puts(stack) <= len(revisions) + 1, told
    last = world.api(f"revisions/{revisions[-1]}")
    assert last["final"], told
    assert last["status"] in {"deployed", "nothing"}, told
    for revision in set(revisions[:-1]) - world.unheard:
        assert world.api(f"revisions/{revision}")["final"], told
    assert [n for n in world.queues.names() if not n.endswith("-poison")] == [], told
    assert list(world.documents.list("pending/")) == [], told
    snapshots = [n for n in world.kept() if "/snapshots/" in n]
    assert len(snapshots) >= len(expected), told


@pytest.mark.parametrize("name", SCENARIOS)
def test_without_a_crash_the_scenario_ends_well(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The scenarios themselves hold, so that a failure below is the crash's."""
    _play(monkeypatch, name, Sniper(10**9, "before"))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_call_changes_nothing_in_the_end(name: str, moment: Moment) -> None:
    """Invariant I11: for every call, killed before or after it, the run ends in the same state."""
    shots = 0
    while True:
        sniper = Sniper(shots, moment)
        with pytest.MonkeyPatch.context() as patch:
            _play(patch, name, sniper)
        if sniper.hit is None:
            break
        shots += 1

    assert shots > 30
