"""Prune: what left a template goes, last of all, and nothing that is anybody else's (rule 15)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest

from shared.core import names
from shared.core.prune.leaving import left
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.world import CONFIGURATION, SCHEMA, SUB, Killed, World, deployment_id

GROUPS = f"/subscriptions/{SUB}/resourceGroups"
NSG = "Microsoft.Network/networkSecurityGroups"
NET = "Microsoft.Network/virtualNetworks"
STORE = "Microsoft.Storage/storageAccounts"
NO = {"code": "InvalidParameter", "message": "no"}
AWHILE_S = 120.0


def resource(name: str, kind: str = NSG, *depends_on: str) -> dict[str, Any]:
    """Return a resource of a template."""
    return {
        "type": kind,
        "apiVersion": "2023-11-01",
        "name": name,
        "location": "westeurope",
        "dependsOn": list(depends_on),
        "properties": {},
    }


def template(*resources: str | dict[str, Any]) -> bytes:
    """Return a template; a name alone is a network security group's."""
    made = [resource(one) if isinstance(one, str) else one for one in resources]
    return orjson.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": made})


def repository(
    stacks: dict[str, Sequence[str | dict[str, Any]]],
    *,
    prune: bool = True,
    removed: Sequence[str] = (),
    depends: dict[str, str] | None = None,
    group: str = "",
) -> dict[str, Any]:
    """Return a repository: the stacks by their resources, each in a group of its name or ``group``."""
    lines = ["version: 1", f"defaults: {{prune: {str(prune).lower()}}}"]
    if removed:
        lines.append(f"removed: [{', '.join(removed)}]")
    lines.append("stacks:")
    for name in stacks:
        after = f", dependsOn: [{depends[name]}]" if depends and name in depends else ""
        lines.append(
            f"  {name}: {{template: {name}.json, scope: rg-{group or name}, "
            f"createResourceGroup: westeurope{after}}}"
        )
    made: dict[str, Any] = {f"{name}.json": template(*each) for name, each in stacks.items()}
    return made | {"plumbline.yaml": "\n".join(lines)}


def of(stack: str, name: str, kind: str = NSG) -> str:
    """Return a resource's id in a stack's own group, in lower case."""
    path = "/".join(
        part for pair in zip(kind.split("/")[1:], name.split("/"), strict=True) for part in pair
    )
    return f"{GROUPS}/rg-{stack}/providers/{kind.split('/')[0]}/{path}".lower()


def deleted(world: World) -> list[str]:
    """Return the last parts of the ids that ARM was asked to delete, in order."""
    return [one.rpartition("/")[2] for one in world.arm.deletions]


def test_what_left_the_template_is_deleted_and_kept_in_history(world: World) -> None:
    """It is gone from Azure, the rest stays, and history says which release left it."""
    world.push(repository({"web": ["a", "b"]}))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)

    assert list(world.arm.resources) == [of("web", "a")]
    assert world.record("web").left == ()
    (kept,) = [name for name in world.kept() if "/deletions/" in name]
    document = orjson.loads(world.history.read(kept) or b"")
    assert (document["id"].lower(), document["release"]) == (of("web", "b"), "2.1")


def test_without_prune_what_left_stays_and_is_told_with_its_release(world: World) -> None:
    """Nothing is deleted; the record says what left with which release, until it comes back."""
    world.push(repository({"web": ["a", "b", "c"]}, prune=False))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a", "b"]}, prune=False))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}, prune=False))
    world.run(AWHILE_S)
    before = {key.lower(): release for key, release in left(world.record("web")).items()}
    world.push(repository({"web": ["a", "c"]}, prune=False))
    world.run(AWHILE_S)
    after = [key.lower() for key in left(world.record("web"))]

    assert before == {of("web", "c"): "2.1", of("web", "b"): "3.1"}
    assert after == [of("web", "b")]
    assert world.arm.deletions == []


def test_prune_that_is_switched_on_deletes_what_left_before(world: World) -> None:
    """No release is needed for it: the policy alone makes the debt."""
    world.push(repository({"web": ["a", "b"]}, prune=False))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}, prune=False))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)

    assert deleted(world) == ["b"]
    assert world.puts("web") == 2


def test_nothing_is_deleted_while_another_stack_of_the_repository_is_not_there_yet(
    world: World,
) -> None:
    """Prune is the last wave: it begins after the slowest release of the revision."""
    world.push(repository({"web": ["a", "b"], "slow": ["s"]}))
    world.run(AWHILE_S)
    world.arm.plan(deployment_id("slow"), Outcome(seconds=400))
    world.push(repository({"web": ["a"], "slow": ["s", "t"]}))
    world.run(350)
    early = deleted(world)
    world.run(300)

    assert early == []
    assert deleted(world) == ["b"]


def test_a_failed_stack_holds_back_every_deletion(world: World) -> None:
    """Neither the stack whose release failed nor its neighbours prune, until it is mended."""
    world.push(repository({"web": ["a", "b"], "api": ["c", "d"]}))
    world.run(AWHILE_S)
    world.arm.plan(deployment_id("api"), Outcome(seconds=1, failures={"c": NO}))
    world.push(repository({"web": ["a"], "api": ["c"]}))
    world.run(600)
    early = deleted(world)
    world.order("api", "retry", "mended")
    world.run(AWHILE_S)

    assert early == []
    assert sorted(deleted(world)) == ["b", "d"]


def test_a_dependent_that_has_not_followed_yet_holds_back_the_deletion(world: World) -> None:
    """What it still uses must not go: net prunes after web was looked at again."""
    stacks: dict[str, Any] = {"net": ["a", "b"], "web": ["w"]}
    world.push(repository(stacks, depends={"web": "net"}))
    world.run(AWHILE_S)
    followed: list[dict[str, str]] = []

    def look(moment: Moment, call: str, _: str) -> None:
        applied = world.record("web").applied if call == "arm.delete_resource" else None
        if moment == "before" and applied is not None:
            followed.append(dict(applied.follows))

    world.hook = look
    world.push(repository({**stacks, "net": ["a"]}, depends={"web": "net"}))
    world.run(AWHILE_S)

    assert deleted(world) == ["b"]
    assert followed == [{"net": "2.1"}]


def test_more_than_the_budget_waits_and_nothing_goes_before_it_is_approved(world: World) -> None:
    """Four of five are more than three: exactly the approved list is deleted, then."""
    world.push(repository({"web": ["a", "b", "c", "d", "e"]}))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}))
    world.run(3 * 3600)
    record = world.record("web")
    early, plan = deleted(world), record.waiting_plan
    shown = record.prune_problem
    world.order("web", "approve", "they are old")
    world.run(AWHILE_S)

    assert early == []
    assert plan is not None
    assert plan.counts == {"delete": 4}
    assert shown is not None
    assert shown.code == "PruneWaits"
    assert sorted(deleted(world)) == ["b", "c", "d", "e"]
    assert world.record("web").prune_problem is None
    by = {
        orjson.loads(world.history.read(name) or b"")["by"]
        for name in world.kept()
        if "/deletions/" in name
    }
    assert len(by) == 1
    assert None not in by


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


@pytest.mark.parametrize("kind", [STORE, "Microsoft.Sql/servers", "Microsoft.KeyVault/vaults"])
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


def test_what_another_stack_took_over_stays(world: World) -> None:
    """A resource that moves from one stack to another in one push is nobody's to delete."""
    world.push(repository({"web": ["a", "b"], "api": ["c"]}, group="one"))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"], "api": ["b", "c"]}, group="one"))
    world.run(AWHILE_S)

    assert deleted(world) == []
    assert world.record("web").left == ()
    assert of("one", "b") in world.arm.resources


def test_what_somebody_has_something_inside_of_stays(world: World) -> None:
    """A network that left one stack stays while another stack has a subnet in it."""
    subnet = resource("net/sub", f"{NET}/subnets")
    world.push(repository({"web": ["a", resource("net", NET)], "api": [subnet]}, group="one"))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"], "api": [subnet]}, group="one"))
    world.run(AWHILE_S)

    assert deleted(world) == []
    problem = world.record("web").prune_problem
    assert problem is not None
    assert problem.code == "PruneKept"


def test_dependents_go_before_what_they_depend_on(world: World) -> None:
    """Children before parents, and against the template's order, each after the other is gone."""
    world.arm.deletion_s = 20
    net, sub = resource("net", NET), resource("net/sub", f"{NET}/subnets")
    nic = resource("nic", "Microsoft.Network/networkInterfaces", f"[resourceId('{NSG}', 'nsg')]")
    world.push(repository({"web": ["a", net, sub, "nsg", nic]}))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)
    world.order("web", "approve")
    world.run(400)

    order = deleted(world)
    assert sorted(order) == ["net", "nic", "nsg", "sub"]
    assert order.index("sub") < order.index("net")
    assert order.index("nic") < order.index("nsg")


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


def test_a_freeze_holds_deletions_back(world: World) -> None:
    """A frozen stack keeps what left it; the freeze ends, and it goes."""
    world.push(repository({"web": ["a", "b"]}, prune=False))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}, prune=False))
    world.run(AWHILE_S)
    until = (world.clock.now() + timedelta(hours=1)).isoformat()
    world.order("web", "freeze", "the audit", until=until)
    world.push(repository({"web": ["a"]}))
    world.run(1800)
    early = deleted(world)
    world.run(3600)

    assert early == []
    assert deleted(world) == ["b"]


def test_what_was_deleted_by_hand_is_only_struck_out(world: World) -> None:
    """ARM is asked for nothing that is not there."""
    world.push(repository({"web": ["a", "b"]}, prune=False))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}, prune=False))
    world.run(AWHILE_S)
    world.arm.remove(of("web", "b"))
    world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)

    assert deleted(world) == []
    assert world.record("web").left == ()


def test_a_failed_attempt_that_made_something_leaves_it_to_prune(world: World) -> None:
    """What a release wrote before it failed, and the next does not want, has left, too."""
    world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)
    world.arm.plan(deployment_id("web"), Outcome(seconds=1, failures={"c": NO}))
    world.push(repository({"web": ["a", "b", "c"]}))
    world.run(AWHILE_S)
    there = of("web", "b") in world.arm.resources
    world.push(repository({"web": ["a", "d"]}))
    world.run(AWHILE_S)

    assert there
    assert sorted(world.arm.resources) == [of("web", "a"), of("web", "d")]


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


def test_deletions_stay_inside_the_operators_scopes(world: World) -> None:
    """What was allowed once and is no more is not deleted, and says so."""
    world.push(repository({"web": ["a", "b"]}, prune=False))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}, prune=False))
    world.run(AWHILE_S)
    example: Any = {**CONFIGURATION["repositories"]["example"]}  # type: ignore[index]
    example["scopes"] = [f"{GROUPS}/rg-other"]
    world.configure({**CONFIGURATION, "repositories": {"example": example}})
    world.push(repository({"web": ["a"]}))
    world.run(1800)

    assert deleted(world) == []


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
