"""Removed stacks: what the manifest lists goes whole, and nothing that it does not list."""

from typing import Any

import pytest

from shared.core import names
from shared.state.archive import Archive
from tests.fakes.system import Moment
from tests.flows.estates import AWHILE_S, deleted, of, repository
from tests.flows.world import Killed, World


def test_a_removed_stack_goes_whole_after_those_that_depend_on_it(world: World) -> None:
    """Its resources are deleted, its record stays at rest as removed, its history is kept."""
    stacks: dict[str, Any] = {"net": ["n"], "web": ["w"], "api": ["x"]}
    world.push(repository(stacks, depends={"web": "net"}))
    world.run(AWHILE_S)
    world.push(repository({"api": ["x"]}, removed=["web", "net"]))
    world.run(400)

    assert deleted(world) == ["w", "n"]
    assert list(world.arm.resources) == [of("api", "x")]
    for stack in ("web", "net"):
        assert world.record(stack).removed_at is not None
        assert world.api(f"stacks/{stack}")["phase"] == "removed"
        assert world.api(f"stacks/{stack}/releases")


def test_what_an_orphan_depends_on_waits_for_it(world: World) -> None:
    """A removed stack goes after those that depend on it, listed or not, and says so."""
    world.push(repository({"net": ["n"], "web": ["w"], "api": ["x"]}, depends={"web": "net"}))
    world.run(AWHILE_S)
    world.push(repository({"api": ["x"]}, removed=["net"]))
    world.run(600)
    early, problem = deleted(world), world.record("net").prune_problem
    world.push(repository({"api": ["x"]}, removed=["net", "web"]))
    world.run(AWHILE_S)

    assert early == []
    assert problem is not None
    assert problem.code == "PruneNeeded"
    assert deleted(world) == ["w", "n"]


def test_an_orphan_that_is_not_listed_stays(world: World) -> None:
    """Gone from the manifest is not enough, whatever prune says."""
    world.push(repository({"web": ["w"], "api": ["x"]}))
    world.run(AWHILE_S)
    world.push(repository({"api": ["x"]}))
    world.run(2 * 3600)

    assert deleted(world) == []
    assert world.api("stacks/web")["phase"] == "orphaned"


def test_a_removed_stack_that_comes_back_is_deployed_anew(world: World) -> None:
    """The same content as before is put again, under a new generation: its resources are gone."""
    both: dict[str, Any] = {"web": ["w"], "api": ["x"]}
    world.push(repository(both))
    world.run(AWHILE_S)
    world.push(repository({"api": ["x"]}, removed=["web"]))
    world.run(AWHILE_S)
    gone = of("web", "w") not in world.arm.resources
    world.push(repository(both))
    world.run(AWHILE_S)

    assert gone
    assert of("web", "w") in world.arm.resources
    record = world.record("web")
    assert (record.phase, record.removed_at) == ("steady", None)
    assert record.applied is not None
    assert record.applied.release != "1.1"


def test_a_large_removed_stack_waits_for_approval(world: World) -> None:
    """The budget is the same as for what left a template."""
    world.push(repository({"web": ["a", "b", "c", "d"], "api": ["x"]}))
    world.run(AWHILE_S)
    world.push(repository({"api": ["x"]}, removed=["web"]))
    world.run(3600)
    early, applied = deleted(world), world.record("web").applied
    world.order("web", "approve", "it is meant")
    world.run(AWHILE_S)

    assert early == []
    assert applied is not None
    assert sorted(deleted(world)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("back", [True, False])
def test_an_approval_ends_when_the_removal_is_taken_back(world: World, *, back: bool) -> None:
    """The stack is listed again later: what was said of another time is not good for this one."""
    api, many = {"api": ["x"]}, {"web": ["a", "b", "c", "d"]}
    world.push(repository({**many, **api}))
    world.run(AWHILE_S)
    world.push(repository(api, removed=["web"]))
    world.run(AWHILE_S)
    world.order("web", "freeze", until="2026-06-01T00:00:00Z")
    world.order("web", "approve", "it is old")
    world.push(repository({**many, **api} if back else api))
    world.run(AWHILE_S)
    world.order("web", "unfreeze")
    world.push(repository(api, removed=["web"]))
    world.run(AWHILE_S)

    assert deleted(world) == []
    assert world.record("web").waiting_plan is not None


def test_a_half_goes_when_it_is_listed(world: World) -> None:
    """What a stack left in another scope is deleted under its own name."""
    world.push(repository({"web": ["w"]}, group="old"))
    world.run(AWHILE_S)
    world.push(repository({"web": ["w"]}, group="new"))
    world.run(AWHILE_S)
    world.push(repository({"web": ["w"]}, group="new", removed=["web~1"]))
    world.run(400)

    assert list(world.arm.resources) == [of("new", "w")]
    assert world.api("stacks/web~1")["phase"] == "removed"
    assert names.is_half_name("web~1")


@pytest.mark.parametrize("shot", range(14))
def test_a_worker_that_dies_over_a_removal_leaves_it_to_the_next(world: World, shot: int) -> None:
    """Killed at any of its calls: all is gone in the end, told once each, and others are untouched."""
    seen: list[str] = []

    def kill(moment: Moment, call: str, _: str) -> None:
        if world.turn == "prune" and moment == "after" and not call.startswith("queues."):
            seen.append(call)
            if len(seen) == 3 * shot + 1:
                raise Killed

    world.arm.deletion_s = 20
    world.push(repository({"web": ["v", "w"], "api": ["x"]}))
    world.run(AWHILE_S)
    world.hook = kill
    world.push(repository({"api": ["x"]}, removed=["web"]))
    world.run(1500)

    assert list(world.arm.resources) == [of("api", "x")]
    assert world.api("stacks/web")["phase"] == "removed"
    told = sorted(one.id for one in Archive(world.history).deletions("example", "web"))
    assert [one.lower() for one in told] == [of("web", "v"), of("web", "w")]
