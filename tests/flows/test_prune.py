"""Prune: what left a template goes, last of all, and nothing that is anybody else's (rule 15)."""

from datetime import timedelta
from typing import Any

import pytest

from shared.core import names
from shared.core import record as changes
from shared.core.message import StackMessage, encode
from shared.core.prune.leaving import left
from shared.core.waves import NONE_TAKEN
from shared.state.archive import Archive
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.estates import AWHILE_S, GROUPS, NET, NO, NSG, deleted, of, repository, resource
from tests.flows.world import CONFIGURATION, URL, World, deployment_id


def test_what_left_the_template_is_deleted_and_kept_in_history(world: World) -> None:
    """It is gone from Azure, the rest stays, and history says which release left it."""
    world.push(repository({"web": ["a", "b"]}))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)

    assert list(world.arm.resources) == [of("web", "a")]
    assert world.record("web").left == ()
    (kept,) = Archive(world.history).deletions("example", "web")
    assert (kept.id.lower(), kept.release, kept.by) == (of("web", "b"), "2.1", None)


def test_what_a_failed_release_was_not_let_to_write_is_not_deleted(world: World) -> None:
    """ARM lists it among the operations; it is there because somebody else made it."""
    world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)
    theirs = of("web", "theirs")
    world.arm.make(theirs, {"type": NSG, "name": "theirs"}, api_version="2023-11-01")
    world.arm.plan(deployment_id("web"), Outcome(failures={"theirs": NO}))
    world.push(repository({"web": ["a", "ours", "theirs"]}))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)

    assert deleted(world) == ["ours"]
    assert theirs in world.arm.resources


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


def test_a_stack_of_another_repository_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose a resource is, is asked over all repositories."""
    example: Any = CONFIGURATION["repositories"]["example"]  # type: ignore[index]
    other = {**example, "branch": "other", "hook": "another-random-hook"}
    repositories = {"example": example, "other": other}
    world = World(monkeypatch, configuration={**CONFIGURATION, "repositories": repositories})
    shared = repository({"theirs": ["b"]}, group="one")
    world.git.push(URL, shared, branch="other")
    world.push(repository({"web": ["a", "b"]}, group="one"))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}, group="one"))
    world.run(AWHILE_S)

    assert world.documents.read(names.record("other", "theirs")) is not None
    assert deleted(world) == []
    assert of("one", "b") in world.arm.resources


def test_who_depends_deletes_first(world: World) -> None:
    """Two stacks lose something in one push: the dependent's goes before its dependency's."""
    world.arm.deletion_s = 100
    there: list[bool] = []

    def look(moment: Moment, call: str, name: str) -> None:
        if (moment, call) == ("before", "arm.delete_resource") and name.endswith("/b"):
            there.append(of("web", "d") in world.arm.resources)

    world.hook = look
    world.push(repository({"net": ["a", "b"], "web": ["c", "d"]}, depends={"web": "net"}))
    world.run(AWHILE_S)
    world.push(repository({"net": ["a"], "web": ["c"]}, depends={"web": "net"}))
    world.run(400)

    assert deleted(world) == ["d", "b"]
    assert there == [False]


def test_doubled_messages_ask_arm_once(world: World) -> None:
    """However often somebody asks for a look, one deletion is one request."""
    world.arm.deletion_s = 60
    world.push(repository({"web": ["a", "b"]}))
    world.run(AWHILE_S)
    world.push(repository({"web": ["a"]}))
    message = encode(StackMessage(repository="example", stack="web"))
    for _ in range(100):
        world.queues.put("prune", message)
        world.run(2)

    assert deleted(world) == ["b"]
    assert world.queues.length("prune") == 0


def test_what_comes_back_before_it_is_deleted_stays(world: World) -> None:
    """The plan is dropped when the next release has the resources again."""
    many = ["a", "b", "c", "d", "e"]
    for content in (many, ["a"], many):
        world.push(repository({"web": content}))
        world.run(AWHILE_S)

    assert deleted(world) == []
    assert world.record("web").waiting_plan is None
    assert len(world.arm.resources) == 5


def test_the_newest_api_version_is_used_where_the_old_one_is_retired(world: World) -> None:
    """A resource is deleted although ARM knows its type's old version no more."""
    world.push(repository({"web": ["a", resource("old", "Microsoft.Old/things")]}))
    world.run(AWHILE_S)
    world.arm.retire("Microsoft.Old/things", oldest="2025-01-01")
    world.push(repository({"web": ["a"]}))
    world.run(AWHILE_S)

    assert deleted(world) == ["old"]


def test_a_worker_that_was_overtaken_deletes_nothing(world: World) -> None:
    """Somebody takes the stack between the look and the intent: the older fence stops (I13)."""
    taken: list[str] = []

    def overtake(moment: Moment, call: str, _: str) -> None:
        if world.turn == "prune" and (moment, call) == ("after", "arm.resource") and not taken:
            taken.append(call)
            world.services.prune.records.update(
                world.services.prune.records.look("example", "web"),  # type: ignore[arg-type]
                lambda record, _: record,
            )

    world.push(repository({"web": ["a", "b"]}))
    world.run(AWHILE_S)
    world.hook = overtake
    world.push(repository({"web": ["a"]}))
    while not taken:
        world.run(1)
    early = deleted(world)
    world.run(AWHILE_S)

    assert early == []
    assert deleted(world) == ["b"]


def test_a_release_that_begins_after_the_look_keeps_its_neighbourhood(world: World) -> None:
    """What is asked once more right before a deletion: somebody may be about to take it over."""
    begun: list[str] = []

    def begin(moment: Moment, call: str, _: str) -> None:
        if world.turn == "prune" and (moment, call) == ("after", "arm.resource") and not begun:
            begun.append(call)
            record = world.record("api")
            attempt = changes.next_attempt(record, inputs=NONE_TAKEN, at=world.clock.now())
            world.services.prune.records.amend(
                "example",
                "api",
                lambda r, at: changes.intend(r, attempt, deployment_id("one"), at),
                at=world.clock.now(),
            )

    world.push(repository({"web": ["a", "b"], "api": ["c"]}, group="one"))
    world.run(AWHILE_S)
    world.hook = begin
    world.push(repository({"web": ["a"], "api": ["c"]}, group="one"))
    while not begun:
        world.run(1)
    early = deleted(world)
    world.run(600)

    assert early == []
    assert deleted(world) == ["b"]
