"""What the operator lets be deleted holds at once, whatever sync copied before."""

from typing import Any

import pytest

from tests.fakes.arm import Outcome
from tests.flows.estates import AWHILE_S, deleted, repository
from tests.flows.world import CONFIGURATION, World, deployment_id


def capped(**ceilings: Any) -> dict[str, Any]:
    """Return the operator's configuration with these ceilings."""
    followed: dict[str, Any] = CONFIGURATION["repositories"]["example"]  # type: ignore[index]
    return CONFIGURATION | {"repositories": {"example": {**followed, "ceilings": ceilings}}}


@pytest.mark.parametrize(
    ("ceilings", "said"),
    [
        ({"prune": False}, "CeilingExceeded"),
        ({"delete_resources": 0, "delete_percent": 0}, "PruneWaits"),
    ],
)
def test_a_ceiling_that_was_lowered_after_sync_holds(
    monkeypatch: pytest.MonkeyPatch, ceilings: dict[str, Any], said: str
) -> None:
    """Two resources were within the budget when the release began, and are not when it has ended."""
    world = World(monkeypatch, PLUMBLINE_SYNC_POLL_S="86400")  # no sync copies the new ceilings
    world.push(repository({"web": ["a", "b", "c"]}))
    world.run(AWHILE_S)
    world.arm.plan(deployment_id("web"), Outcome(seconds=50))
    world.push(repository({"web": ["a"]}))
    world.run(10)
    world.configure(capped(**ceilings))
    world.run(90)

    problem = world.record("web").prune_problem
    assert deleted(world) == []
    assert problem is not None
    assert problem.code == said


def test_a_removed_stack_has_the_budget_of_today(world: World) -> None:
    """No sync tells a stack that left the manifest of another budget."""
    world.push(repository({"web": ["a", "b"], "api": ["c"]}))
    world.run(AWHILE_S)
    world.push(repository({"api": ["c"]}))
    world.run(AWHILE_S)
    world.configure(capped(delete_resources=0, delete_percent=0))
    world.run(AWHILE_S)
    world.push(repository({"api": ["c"]}, removed=["web"]))
    world.run(AWHILE_S)
    early, waits = deleted(world), world.record("web").waiting_plan
    world.order("web", "approve", "it is old")
    world.run(AWHILE_S)

    assert early == []
    assert waits is not None
    assert sorted(deleted(world)) == ["a", "b"]
