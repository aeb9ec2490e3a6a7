"""Leaving and moving (rule 15): what a stack leaves behind is settled, kept and shown."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from shared.core import names, owners
from shared.core.document import to_text
from shared.core.errors import Stalled
from tests.fakes.arm import Outcome
from tests.flows.chains import FAILED, gives, takes, whole_subscription
from tests.flows.world import SUB, World, template

GROUP = f"/subscriptions/{SUB}/resourceGroups"


def at(scope: str, note: str = "", name: str = "web", **more: Any) -> dict[str, Any]:
    """Return a repository with one stack in a resource group; ``more`` are lines of its entry."""
    lines = ["version: 1", "stacks:", f"  {name}:", "    template: web.json"]
    lines += [f"    scope: {scope}", "    createResourceGroup: westeurope"]
    lines += [f"    {key}: {value}" for key, value in more.items()]
    return {"plumbline.yaml": "\n".join(lines), "web.json": template(note)}


def puts(world: World) -> list[tuple[str, str]]:
    """Return the stack and the group of each PUT that ARM took, in order."""
    found = [taken.request.id.split("/") for taken in world.arm.taken]
    return [(parts[-1].rpartition(".")[2], parts[4]) for parts in found]


def shown(world: World) -> dict[str, str]:
    """Return the phases of all stacks."""
    return {stack["name"]: stack["phase"] for stack in world.api("stacks")}


def test_a_changed_scope_leaves_a_half_behind(world: World) -> None:
    """The stack begins anew where it goes; what it left is kept and shown with its history."""
    world.push(at("rg-a", "one"))
    world.run(30)
    revision = world.push(at("rg-b", "one"))
    world.run()

    assert puts(world) == [("web", "rg-a"), ("web", "rg-b")]
    assert world.status(revision) == "deployed"
    assert shown(world) == {"web": "steady", "web~1": "orphaned"}
    assert world.api("stacks/web")["halves"] == ["web~1"]
    half = world.api("stacks/web~1")
    assert (half["scope"], half["release"]) == (f"{GROUP}/rg-a", "1.1")
    (release,) = world.api("stacks/web~1/releases")
    assert release["resources"] == [
        f"{GROUP}/rg-a/providers/Microsoft.Network/networkSecurityGroups/nsg"
    ]
    assert [one["release"] for one in world.api("stacks/web/releases")] == ["2.1", "1.1"]


def test_the_old_release_ends_before_the_new_begins(world: World) -> None:
    """A deployment that runs where the stack was is watched and recorded; nothing is put meanwhile."""
    world.arm.plan(names.deployment_id(f"{GROUP}/rg-a", "example", "web"), Outcome(seconds=100))
    first = world.push(at("rg-a", "one"))
    world.run(10)
    world.push(at("rg-b", "one"))
    world.run()

    old, new = world.arm.taken
    assert old.until is not None
    assert new.at >= old.until
    assert world.api("stacks/web~1")["applied"]["revision"] == first
    assert world.status(first) == "deployed"


def test_a_half_is_never_released(world: World) -> None:
    """It stays as it is for as long as anybody looks, and nobody can order a release of it."""
    world.push(at("rg-a"))
    world.run(30)
    world.push(at("rg-b"))
    world.run(5 * 3600)

    assert len(world.arm.taken) == 2
    assert world.ordered("web~1", "release").body.error == "NothingDesired"


def test_a_failed_release_is_left_behind_too(world: World) -> None:
    """What it wrote is still there: the half says so, and the new place starts clean."""
    world.arm.default = FAILED
    world.push(at("rg-a"))
    world.run(30)
    world.arm.default = Outcome(seconds=1)
    revision = world.push(at("rg-b"))
    world.run()

    assert world.status(revision) == "deployed"
    assert world.api("stacks/web~1")["applied"] is None
    assert world.api("stacks/web~1/releases")[0]["outcome"] == "failed"
    assert world.record("web").touched == ()


@pytest.mark.parametrize("scope", ["RG-A", f"/subscriptions/{SUB}/resourceGroups/rg-a"])
def test_the_same_scope_written_otherwise_is_no_move(world: World, scope: str) -> None:
    """Ids compare as ARM compares them."""
    world.push(at("rg-a", "one"))
    world.run(30)
    world.push(at(scope, "one"))
    world.run()

    assert shown(world) == {"web": "steady"}
    assert {group.lower() for _, group in puts(world)} == {"rg-a"}


def test_a_scope_that_goes_back_before_anything_was_put_is_no_move(world: World) -> None:
    """While the stack waits nothing is split, so that there is nothing to undo."""
    world.arm.plan(names.deployment_id(f"{GROUP}/rg-a", "example", "web"), Outcome(seconds=60))
    world.push(at("rg-a", "one"))
    world.run(10)
    world.push(at("rg-b", "one"))
    world.run(10)
    world.push(at("rg-a", "one"))
    world.run()

    assert shown(world) == {"web": "steady"}
    assert puts(world) == [("web", "rg-a")]


def test_a_refused_move_is_taken_back_without_a_release(world: World) -> None:
    """Nothing was put in the new scope: what was left behind is simply the stack's again."""
    world.push(at("rg-a", "one"))
    world.run(30)
    world.faults.fail("arm.create_group", _denied, times=99)
    world.push(at("rg-b", "one"))
    world.run(60)
    world.faults.heal()
    revision = world.push(at("rg-a", "one"))
    world.run()

    assert puts(world) == [("web", "rg-a")]
    assert world.status(revision) == "deployed"
    assert world.api("stacks/web")["halves"] == []
    assert world.api("stacks/web~1")["moved_to"] == "web"


def _denied() -> Exception:
    return Stalled("AuthorizationFailed", "no")


def test_two_moves_in_a_row_leave_two_halves(world: World) -> None:
    """Each place has its own; both are told."""
    for scope in ("rg-a", "rg-b", "rg-c"):
        world.push(at(scope, "one"))
        world.run(60)

    assert puts(world) == [("web", "rg-a"), ("web", "rg-b"), ("web", "rg-c")]
    assert shown(world) == {"web": "steady", "web~1": "orphaned", "web~2": "orphaned"}
    assert world.api("stacks/web")["halves"] == ["web~1", "web~2"]


def test_a_stack_that_comes_back_takes_up_what_it_left(world: World) -> None:
    """The first place is as it was left: nothing is deployed there again, and its half is its own."""
    for scope in ("rg-a", "rg-b", "rg-a"):
        revision = world.push(at(scope, "one"))
        world.run(60)

    assert puts(world) == [("web", "rg-a"), ("web", "rg-b")]
    assert world.status(revision) == "deployed"
    assert world.api("stacks/web")["halves"] == ["web~2"]
    assert world.api("stacks/web~1")["moved_to"] == "web"

    world.push(at("rg-c", "one"))
    world.run()

    assert world.api("stacks/web")["halves"] == ["web~1", "web~2"]
    assert world.api("stacks/web~1")["moved_to"] is None


def test_a_stack_moves_from_a_group_to_its_subscription_and_back(world: World) -> None:
    """The kinds of scope do not matter to what is left behind."""
    world.push(at("rg-a", name="base"))
    world.run(60)
    world.push(whole_subscription("westeurope"))
    world.run(60)
    away = world.api("stacks/base")
    world.push(at("rg-a", "new", name="base"))
    world.run()

    assert (away["scope"], away["halves"]) == (f"/subscriptions/{SUB}", ["base~1"])
    last = world.api("stacks/base")
    assert (last["phase"], last["halves"]) == ("steady", ["base~2"])
    assert len(world.arm.taken) == 3


def test_dependents_follow_a_stack_that_moves(world: World) -> None:
    """They wait until it is deployed where it goes, and take its values from there."""
    two = "\n    valuesFrom: {from: web.outputs.id}\n"
    other = (
        "\n  app:\n    template: app.json\n    scope: rg-app\n    createResourceGroup: westeurope"
    )

    def repository(scope: str, value: str) -> dict[str, Any]:
        files = at(scope)
        files["plumbline.yaml"] += other + two
        return {**files, "web.json": gives(value), "app.json": takes()}

    world.push(repository("rg-a", "v1"))
    world.run(60)
    world.push(repository("rg-b", "v2"))
    world.run()

    assert puts(world)[2:] == [("web", "rg-b"), ("app", "rg-app")]


def test_a_frozen_stack_does_not_move(world: World) -> None:
    """Nothing is split before something may be put."""
    world.push(at("rg-a"))
    world.run(60)
    until = to_text(world.clock.now() + timedelta(hours=1))
    world.order("web", "freeze", until=until)
    world.push(at("rg-b"))
    world.run(600)
    frozen = shown(world)
    world.run(4000)

    assert frozen == {"web": "pending"}
    assert puts(world) == [("web", "rg-a"), ("web", "rg-b")]


def test_a_late_put_is_found_where_it_arrives(world: World) -> None:
    """A PUT of unknown end that arrives after the stack has left is recorded with what was left."""
    world.arm.postpone_put()
    world.push(at("rg-a"))
    world.run(3)
    assert world.arm.taken == []
    world.push(at("rg-b"))
    world.run(30)
    world.arm.groups.setdefault(f"{GROUP}/rg-a".lower(), {})
    world.arm.deliver()
    world.run()

    assert puts(world) == [("web", "rg-b"), ("web", "rg-a")]
    half = world.api("stacks/web~1")
    assert half["applied"]["revision"]
    assert shown(world) == {"web": "steady", "web~1": "orphaned"}


# ---- renamedFrom ---------------------------------------------------------------------------


def named(name: str, before: str | None = None, note: str = "one", scope: str = "rg-a") -> Any:
    """Return a repository with one stack of that name, and the name that it had before."""
    return at(scope, note, name, **({"renamedFrom": before} if before else {}))


def test_a_renamed_stack_is_not_deployed_again(world: World) -> None:
    """It has what was deployed under its old name, and its history; the old one says where it went."""
    world.push(named("old"))
    world.run(60)
    revision = world.push(named("new", "old"))
    world.run(4000)

    assert puts(world) == [("old", "rg-a")]
    assert world.status(revision) == "deployed"
    assert shown(world) == {"new": "steady", "old": "orphaned"}
    assert world.api("stacks/old")["moved_to"] == "new"
    releases = [(r["release"], r["outcome"]) for r in world.api("stacks/new/releases")]
    assert releases == [("2.0", "kept"), ("1.1", "succeeded")]


def test_the_next_release_of_a_renamed_stack_has_its_own_deployment(world: World) -> None:
    """ARM's deployment carries the stack's name, so the new name puts one of its own."""
    world.push(named("old"))
    world.run(60)
    world.push(named("new", "old"))
    world.run(60)
    revision = world.push(named("new", "old", "two"))
    world.run(4000)

    assert puts(world) == [("old", "rg-a"), ("new", "rg-a")]
    assert world.status(revision) == "deployed"
    assert world.record("new").phase == "steady"


def test_the_line_may_go_once_it_is_done(world: World) -> None:
    """What was taken over stays taken over."""
    for content in (named("old"), named("new", "old"), named("new"), named("new", note="two")):
        world.push(content)
        world.run(60)

    assert puts(world) == [("old", "rg-a"), ("new", "rg-a")]


def test_a_release_of_the_old_name_ends_before_the_new_begins(world: World) -> None:
    """Two deployments of one set of resources never run at once, whatever they are called."""
    world.arm.plan(names.deployment_id(f"{GROUP}/rg-a", "example", "old"), Outcome(seconds=100))
    first = world.push(named("old"))
    world.run(10)
    world.push(named("new", "old", "two"))
    world.run(30)
    waits = world.api("stacks/new")["problem"]["code"]
    world.run()

    assert waits == "RenameWaits"
    old, new = world.arm.taken
    assert old.until is not None
    assert new.at >= old.until
    assert puts(world) == [("old", "rg-a"), ("new", "rg-a")]
    assert world.status(first) in {"deployed", "superseded"}
    assert [r["release"] for r in world.api("stacks/new/releases")] == ["2.1", "1.1"]


def test_a_late_put_of_the_old_name_is_waited_for(world: World) -> None:
    """A PUT of unknown end may still arrive: the new name waits until it no longer can."""
    world.push(named("old"))
    world.run(60)
    world.arm.postpone_put()
    world.push(named("old", note="two"))
    world.run(3)
    begun = world.clock.now()
    world.push(named("new", "old", "three"))
    world.run()

    assert puts(world)[1:] == [("new", "rg-a")]
    assert (world.arm.taken[-1].at - begun).total_seconds() > 100


def test_a_chain_of_renames_keeps_everything(world: World) -> None:
    """Each name takes over from the one before, with all of its history."""
    for content in (named("a"), named("b", "a"), named("c", "b"), named("c", "b", "two")):
        world.push(content)
        world.run(60)

    assert puts(world) == [("a", "rg-a"), ("c", "rg-a")]
    kept = [r["release"] for r in world.api("stacks/c/releases")]
    assert kept == ["4.1", "3.0", "2.0", "1.1"]
    moved = {s["name"]: s["moved_to"] for s in world.api("stacks")}
    assert moved == {"a": "b", "b": "c", "c": None}


def test_a_name_that_never_came_to_anything_is_passed_over(world: World) -> None:
    """Renamed twice while a release runs: the last name takes over from the first."""
    world.arm.plan(names.deployment_id(f"{GROUP}/rg-a", "example", "a"), Outcome(seconds=60))
    for content in (named("a"), named("b", "a"), named("c", "b")):
        world.push(content)
        world.run(10)
    world.run()

    assert puts(world) == [("a", "rg-a")]
    assert world.record("c").phase == "steady"
    assert world.api("stacks/a")["moved_to"] == "c"


@pytest.mark.parametrize("line", [None, "new"])
def test_a_rename_that_is_undone_deploys_nothing(world: World, line: str | None) -> None:
    """The old name takes back what it gave, whether the manifest says so or the push was reverted."""
    world.push(named("old"))
    world.run(60)
    world.push(named("new", "old"))
    world.run(60)
    revision = world.push(named("old", line))
    world.run(60)
    again = world.push(named("new", "old"))
    world.run()

    assert puts(world) == [("old", "rg-a")]
    assert (world.status(revision), world.status(again)) == ("deployed", "deployed")
    assert shown(world) == {"new": "steady", "old": "orphaned"}


def test_a_rename_that_is_undone_before_it_was_done_changes_nothing(world: World) -> None:
    """While the old release runs nothing has been carried."""
    world.arm.plan(names.deployment_id(f"{GROUP}/rg-a", "example", "old"), Outcome(seconds=60))
    world.push(named("old"))
    world.run(10)
    world.push(named("new", "old"))
    world.run(10)
    world.push(named("old"))
    world.run()

    assert puts(world) == [("old", "rg-a")]
    assert shown(world) == {"new": "orphaned", "old": "steady"}


def test_an_old_name_may_be_used_for_another_stack(world: World) -> None:
    """It begins anew: what it had is the renamed stack's, and stays there."""
    world.push(named("old"))
    world.run(60)
    world.push(named("new", "old"))
    world.run(60)
    both = named("new")
    both["plumbline.yaml"] += "\n" + named("old", scope="rg-b")["plumbline.yaml"].split("\n", 2)[2]
    revision = world.push(both)
    world.run()

    assert puts(world) == [("old", "rg-a"), ("old", "rg-b")]
    assert world.status(revision) == "deployed"
    assert shown(world) == {"new": "steady", "old": "steady"}
    assert [r["release"] for r in world.api("stacks/new/releases")] == ["2.0", "1.1"]


def test_an_old_name_in_its_old_place_takes_nothing_up(world: World) -> None:
    """What ARM has under the name is the renamed stack's: the new one is deployed once that is seen."""
    world.push(named("old"))
    world.run(60)
    world.push(named("new", "old"))
    world.run(60)
    both = named("new")
    both["plumbline.yaml"] += "\n" + named("old")["plumbline.yaml"].split("\n", 2)[2]
    world.push(both)
    world.run()
    unasked = puts(world)
    world.order("old", "approve", "both may have it")
    world.run()

    assert unasked == [("old", "rg-a")]
    assert puts(world) == [("old", "rg-a"), ("old", "rg-a")]
    assert world.record("old").phase == "steady"


def test_a_rename_and_a_new_scope_at_once(world: World) -> None:
    """The history comes along, and what stays where it was is the new name's half."""
    world.push(named("old"))
    world.run(60)
    revision = world.push(named("new", "old", scope="rg-b"))
    world.run()

    assert puts(world) == [("old", "rg-a"), ("new", "rg-b")]
    assert world.status(revision) == "deployed"
    assert shown(world) == {"new": "steady", "new~1": "orphaned", "old": "orphaned"}
    (release,) = world.api("stacks/new~1/releases")
    assert release["release"] == "1.1"


def test_what_was_left_behind_follows_a_rename(world: World) -> None:
    """A stack that moved, was renamed and comes back takes up what the old name had left."""
    for content in (
        named("old"),
        named("old", scope="rg-b"),
        named("new", "old", scope="rg-b"),
        named("new", "old"),
    ):
        world.push(content)
        world.run(60)

    assert puts(world) == [("old", "rg-a"), ("old", "rg-b")]
    assert world.record("new").phase == "steady"
    assert world.api("stacks/old~1")["moved_to"] == "new"


def two(first: str, second: str) -> dict[str, Any]:
    """Return a repository with the stacks of two others."""
    (name, _, before), (other_name, _, other_before) = first.partition("<"), second.partition("<")
    one, other = named(name, before), named(other_name, other_before, scope="rg-b")
    return {**one, "plumbline.yaml": one["plumbline.yaml"] + "\n" + _entry(other)}


def _entry(repository: dict[str, Any]) -> str:
    text: str = repository["plumbline.yaml"]
    return text.split("\n", 2)[2]


@pytest.mark.parametrize(
    ("content", "broken"),
    [
        (two("old", "new<old"), ["new"]),
        (two("x<old", "new<old"), ["new", "x"]),
        (two("new<new", "x"), ["new"]),
        (two("x<new", "new<x"), ["new", "x"]),
    ],
)
def test_a_name_that_is_not_free_cannot_be_taken_over(
    world: World, content: dict[str, Any], broken: list[str]
) -> None:
    """The stack that claims it is told so, with its place, and nothing is released of it."""
    world.push(named("old"))
    world.run(60)
    world.push(content)
    world.run(60)

    problems = {s["name"]: s["problem"] for s in world.api("stacks") if s["problem"]}
    assert sorted(problems) == broken
    assert {problem["code"] for problem in problems.values()} == {"RenameTaken"}
    assert all(p["path"].endswith(".renamedFrom") and p["line"] for p in problems.values())


def test_a_stack_with_a_history_takes_nothing_over(world: World) -> None:
    """It would lose its own: a person has to say what is meant."""
    world.push(two("old", "new"))
    world.run(60)
    world.push(named("new", "old", scope="rg-b"))
    world.run(60)
    stalled = world.api("stacks/new")
    world.push(named("new", scope="rg-b"))
    world.run(60)

    assert (stalled["phase"], stalled["problem"]["code"]) == ("stalled", "RenameTaken")
    assert world.record("new").phase == "steady"
    assert len(world.arm.taken) == 2


def test_an_old_name_that_nobody_knows_is_nothing_to_take_over(world: World) -> None:
    """A manifest that still says it, in an installation that never saw the old name, deploys."""
    revision = world.push(named("new", "old"))
    world.run(60)

    assert world.status(revision) == "deployed"
    assert puts(world) == [("new", "rg-a")]


def test_dependents_of_the_old_name_are_told_and_those_of_the_new_go_on(world: World) -> None:
    """A link to the old name is broken; one to the new takes the values that were left."""
    link = "    valuesFrom: {from: %s.outputs.id}"
    app = (
        "\n  app:\n    template: app.json\n    scope: rg-app\n    createResourceGroup: westeurope\n"
    )

    def repository(stack: Any, giver: str) -> dict[str, Any]:
        text = stack["plumbline.yaml"] + app + link % giver
        return {"plumbline.yaml": text, "web.json": gives("v1"), "app.json": takes()}

    world.push(repository(named("old"), "old"))
    world.run(60)
    world.push(repository(named("new", "old"), "old"))
    world.run(60)
    broken = world.api("stacks/app")["problem"]["code"]
    revision = world.push(repository(named("new", "old"), "new"))
    world.run()

    assert broken == "DependencyUnknown"
    assert world.status(revision) == "deployed"
    assert puts(world) == [("old", "rg-a"), ("app", "rg-app"), ("app", "rg-app")]
    assert world.record("app").phase == "steady"


# ---- one resource, two owners --------------------------------------------------------------


def sharing(app: str, web: str = "nsg") -> dict[str, Any]:
    """Return a repository with two stacks in one group, and the names of their resources."""
    lines = ["version: 1", "defaults: {scope: rg-a, createResourceGroup: westeurope}", "stacks:"]
    lines += ["  app: {template: app.json}", "  web: {template: web.json}"]
    return {
        "plumbline.yaml": "\n".join(lines),
        "app.json": template(name=app),
        "web.json": template(name=web),
    }


def warnings(world: World) -> dict[str, list[str]]:
    """Return what stacks are warned of."""
    stacks = world.api("stacks")
    return {s["name"]: [w["message"] for w in s["warnings"]] for s in stacks if s["warnings"]}


def test_two_owners_of_one_resource_are_both_warned(world: World) -> None:
    """Each is told what it is and who the other is, and no longer than it is so."""
    world.push(sharing("NSG"))
    world.run(60)
    both = warnings(world)
    world.push(sharing("other"))
    world.run(60)

    owned = f"{GROUP}/rg-a/providers/Microsoft.Network/networkSecurityGroups"
    assert both == {
        "app": [f"{owned}/NSG is deployed by example.web, too."],
        "web": [f"{owned}/nsg is deployed by example.app, too."],
    }
    assert warnings(world) == {}


def test_a_warning_follows_what_is_shared(world: World) -> None:
    """Another resource that two stacks share is another warning."""

    def web(*resources: str) -> dict[str, Any]:
        found = sharing("a")
        nested = [orjson.loads(template(name=name))["resources"][0] for name in resources]
        body = orjson.loads(template()) | {"resources": nested}
        return {**found, "web.json": orjson.dumps(body)}

    one = web("a", "b")
    world.push(one)
    world.run(60)
    world.push({**one, "app.json": template(name="b")})
    world.run(60)

    told = warnings(world)
    assert [message.split()[0][-1] for messages in told.values() for message in messages] == [
        "b",
        "b",
    ]


def test_an_orphan_still_owns_what_it_left(world: World) -> None:
    """Whoever deploys the same after it is warned: a deletion of the orphan would take it away."""
    world.push(named("old"))
    world.run(60)
    world.push(at("rg-a", "one", "new", adopt="take"))
    world.run(60)

    assert sorted(warnings(world)) == ["new", "old"]


def test_a_renamed_stack_shares_nothing_with_its_old_name(world: World) -> None:
    """What was taken over has one owner."""
    world.push(named("old"))
    world.run(60)
    world.push(named("new", "old", "two"))
    world.run(60)

    assert warnings(world) == {}


def test_quiet_stacks_that_share_something_cost_nothing(world: World) -> None:
    """What was told once is neither read nor written again."""
    world.push(sharing("nsg"))
    world.run(600)
    calls: list[str] = []
    world.hook = lambda _, call, name: calls.append(f"{call} {name}")
    world.sweep()
    world.hook = None

    assert warnings(world)
    assert [call for call in calls if "record.json" in call or "/releases/" in call] == []


def test_stacks_whose_sketches_collide_are_not_warned(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal bytes are a suspicion; what is said comes from the releases themselves."""
    monkeypatch.setattr("shared.flows.conclude.sketch", lambda _: owners.sketch(["same"]))
    world.push(sharing("other"))
    world.run(600)

    assert warnings(world) == {}
    assert world.record("app").told_of
