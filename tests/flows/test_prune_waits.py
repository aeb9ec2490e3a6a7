"""Deletions that wait for a word, are refused, hang, or die over it."""

import orjson
import pytest

from shared.core import names
from shared.state.archive import Archive
from tests.fakes.system import Moment
from tests.flows.estates import AWHILE_S, deleted, of, repository, resource, template
from tests.flows.world import Killed, World


def test_more_than_the_budget_waits_and_nothing_goes_before_it_is_approved(world: World) -> None:
    """Four of five are more than three: exactly the approved list is deleted, then."""
    world.push(repository({"web": ["a", "b", "c", "d", "e"]}))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}))
    world.run(3 * 3600)
    record = world.record("web")
    early, plan = deleted(world), record.waiting_plan
    shown, listed = record.prune_problem, world.api("stacks/web/plan")
    world.order("web", "approve", "they are old")
    world.run(AWHILE_S)

    assert early == []
    assert plan is not None
    assert plan.counts == {"delete": 4}
    assert shown is not None
    assert shown.code == "PruneWaits"
    assert sorted(deleted(world)) == ["b", "c", "d", "e"]
    assert world.record("web").prune_problem is None
    assert (listed["kind"], listed["waiting"]) == ("prune", True)
    assert [of("web", name) for name in "bcde"] == [
        step["resource"].lower() for step in listed["steps"]
    ]
    assert {one.why for one in Archive(world.history).deletions("example", "web")} == {
        "they are old"
    }


def test_a_release_ends_although_the_one_before_cannot_be_read(world: World) -> None:
    """Nobody knows what left the stack, then: all of it stays."""
    world.push(repository({"web": ["a", "b"]}))
    world.run(AWHILE_S)
    world.history.corrupt(names.release("example", "web", "1.1"), b"{broken")
    revision = world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)

    assert world.status(revision) == "deployed"
    assert deleted(world) == []


def test_an_emptied_template_is_asked_about_after_it_was_filled_again(world: World) -> None:
    """The next push has something else in it: what the emptied one left still waits for a word."""
    world.push(repository({"web": ["a", "b"]}))
    world.run(AWHILE_S)
    world.push(repository({"web": []}))
    world.run(AWHILE_S)
    world.push(repository({"web": ["c"]}))
    world.run(AWHILE_S)
    early = deleted(world)
    world.order("web", "approve", "they are old")
    world.run(AWHILE_S)

    assert early == []
    assert sorted(deleted(world)) == ["a", "b"]


def test_what_a_nested_deployment_wrote_has_not_left_because_its_history_did(
    world: World,
) -> None:
    """Subscriptions keep 800 deployments, and people tidy up: nobody knows then what left."""
    inner = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inner",
        "properties": {"mode": "Incremental", "template": orjson.loads(template("x", "y"))},
    }
    world.push(repository({"web": ["a", "b", inner]}))
    world.run(AWHILE_S)
    world.arm.groom("inner")
    world.push(repository({"web": ["a", inner]}))
    world.run(AWHILE_S)

    assert deleted(world) == []
    assert world.record("web").phase == "steady"


def test_the_budget_grows_with_the_stack(world: World) -> None:
    """Ten percent of forty are four."""
    names_of = [f"n{n:02}" for n in range(40)]
    world.push(repository({"web": names_of}))
    world.run(AWHILE_S)
    world.push(repository({"web": names_of[4:]}))
    world.run(AWHILE_S)

    assert sorted(deleted(world)) == names_of[:4]


def test_an_approval_is_good_for_one_time_only(world: World) -> None:
    """The same resources that come back and leave again need somebody's word again."""
    many = ["a", "b", "c", "d", "e"]
    for content in (many, ["a"]):
        world.push(repository({"web": content}))
        world.run(AWHILE_S)
    world.order("web", "approve", "they are old")
    world.run(AWHILE_S)
    for content in (many, ["a"]):
        world.push(repository({"web": content}))
        world.run(AWHILE_S)

    assert len(deleted(world)) == 4
    assert world.record("web").waiting_plan is not None


@pytest.mark.parametrize(
    "kind",
    ["Microsoft.Storage/storageAccounts", "Microsoft.Sql/servers", "Microsoft.KeyVault/vaults"],
)
def test_what_holds_data_is_never_deleted_unasked(world: World, kind: str) -> None:
    """One store is within any budget, and waits all the same."""
    world.push(repository({"web": ["a", resource("data", kind)]}))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}))
    world.run(2 * 3600)

    assert deleted(world) == []
    problem = world.record("web").prune_problem
    assert problem is not None
    assert "data" in problem.message


def test_an_emptied_template_is_never_pruned_unasked(world: World) -> None:
    """Two resources are within the budget, but nothing would be left."""
    world.push(repository({"web": ["a", "b"]}))
    world.run(AWHILE_S)
    world.push(repository({"web": []}))
    world.run(2 * 3600)
    early = deleted(world)
    world.order("web", "approve", "it is meant")
    world.run(AWHILE_S)

    assert early == []
    assert sorted(deleted(world)) == ["a", "b"]


def test_what_others_stand_in_the_way_of_is_tried_again(world: World) -> None:
    """A relation that no template tells shows as a conflict, and passes when the other is gone."""
    world.push(repository({"web": ["a", "b", "c"]}))
    world.run(AWHILE_S)
    world.arm.attach(of("web", "c"), to=of("web", "b"))
    world.arm.deletion_s = 30
    world.push(repository({"web": ["a"]}))
    world.run(600)

    assert list(world.arm.resources) == [of("web", "a")]
    assert world.record("web").prune_problem is None


def test_a_lock_stops_its_own_resource_and_no_other(world: World) -> None:
    """It is shown, the others go, the stack stays steady; once it is lifted the rest goes, too."""
    world.push(repository({"web": ["a", "b", "c"]}))
    world.run(AWHILE_S)
    world.arm.lock_scope(of("web", "b"))
    revision = world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)
    record = world.record("web")
    early, problem = sorted(world.arm.resources), record.prune_problem
    world.arm.unlock_scope(of("web", "b"))
    world.run(2 * 3600)

    assert early == [of("web", "a"), of("web", "b")]
    assert problem is not None
    assert problem.code == "PruneRefused"
    assert (record.phase, world.status(revision)) == ("steady", "deployed")
    assert list(world.arm.resources) == [of("web", "a")]
    assert world.record("web").prune_problem is None


def test_a_deletion_that_hangs_is_shown(world: World) -> None:
    """After half an hour a person is told; ARM is not asked every few seconds."""
    world.push(repository({"web": ["a", "b"]}))
    world.run(AWHILE_S)
    world.arm.deletion_s = 3600
    world.push(repository({"web": ["a"]}))
    world.run(2400)
    problem = world.record("web").prune_problem
    asked = len(deleted(world))
    world.run(3600)

    assert problem is not None
    assert problem.code == "PruneSlow"
    assert asked <= 5
    assert list(world.arm.resources) == [of("web", "a")]
    assert world.record("web").prune_problem is None


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "call", ["arm.delete_resource", "arm.resource", "documents.replace", "history.put"]
)
def test_a_crash_at_any_call_of_a_deletion_ends_the_same(
    world: World, call: str, moment: Moment
) -> None:
    """Killed at each of the first calls of a kind while it prunes: gone, kept in history once."""
    world.arm.deletion_s = 20
    for shot in range(4):
        struck: list[str] = []

        def kill(
            when: Moment, made: str, _: str, shot: int = shot, seen: list[str] = struck
        ) -> None:
            if world.turn != "prune" or when != moment or made != call:
                return
            seen.append(made)
            if len(seen) == shot + 1:
                raise Killed

        world.hook = None
        world.push(repository({"web": ["a", f"b{shot}"]}))
        world.run(AWHILE_S)
        world.hook = kill
        world.push(repository({"web": ["a"]}))
        world.run(1200)

        assert list(world.arm.resources) == [of("web", "a")]
        assert world.record("web").left == ()
        assert len([name for name in world.kept() if "/deletions/" in name]) == shot + 1
