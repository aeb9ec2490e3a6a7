"""Adopting what exists: a first release that meets resources is shown as a plan, and waits."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from shared.core import names
from shared.core.document import to_text
from shared.core.prediction import Diagnostic, PropertyChange
from tests.fakes.arm import Outcome
from tests.fakes.arm.foresight import Outlook
from tests.flows import chains
from tests.flows.world import SUB, Killed, World, deployment_id, template

GROUP = f"/subscriptions/{SUB}/resourceGroups/rg-web"
NSG = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"
KIND = "Microsoft.Network/networkSecurityGroups"


def shop(note: str = "ours", **more: Any) -> dict[str, Any]:
    """Return a repository with one stack ``web``; ``more`` are lines of its entry."""
    lines = ["version: 1", "stacks:", "  web:", "    template: web.json", "    scope: rg-web"]
    lines += ["    createResourceGroup: westeurope"]
    lines += [f"    {key}: {value}" for key, value in more.items()]
    return {"plumbline.yaml": "\n".join(lines), "web.json": template(note)}


def make(world: World, resource_id: str = NSG, note: str = "theirs", **properties: Any) -> None:
    """Let a resource be there that nobody here made."""
    world.arm.groups.setdefault(GROUP.lower(), {"location": "westeurope", "tags": {}})
    body = {
        "type": KIND,
        "name": resource_id.rpartition("/")[2],
        "location": "westeurope",
        "tags": {"note": note},
        "properties": {"securityRules": [], **properties},
    }
    world.arm.make(resource_id, body, api_version="2023-11-01")


def shown(world: World) -> tuple[str, str | None]:
    """Return the stack's phase and the code of its problem."""
    stack = world.api("stacks/web")
    return stack["phase"], (stack["problem"] or {}).get("code")


def whatifs(world: World) -> int:
    """Return how many what-ifs were started."""
    return len(world.arm.foretold)


def test_a_first_push_overwrites_nothing(world: World) -> None:
    """What is there stays as it is until somebody agrees to exactly the plan that is shown."""
    make(world)
    revision = world.push(shop())
    world.run(4000)

    plan = world.api("stacks/web/plan")
    assert shown(world) == ("pending", "ApprovalNeeded")
    assert world.note("web") == "theirs"
    assert (world.puts("web"), whatifs(world)) == (0, 1)
    assert plan["waiting"]
    assert plan["counts"] == {"modify": 1}
    (step,) = plan["steps"]
    assert (step["resource"], step["kind"]) == (NSG, "modify")
    assert step["changes"] == [
        {"path": "tags.note", "kind": "modify", "before": "theirs", "after": "ours"}
    ]

    world.order("web", "approve", plan=plan["plan"])
    world.run(60)

    assert world.note("web") == "ours"
    assert shown(world) == ("steady", None)
    assert world.status(revision) == "deployed"
    assert world.services.status("stacks/web/plan").status == 404


def test_what_stays_as_it_is_needs_approval_too(world: World) -> None:
    """A resource that exists comes under Plumbline, which would change it back from then on."""
    make(world, note="ours")
    world.push(shop())
    world.run(100)

    assert world.puts("web") == 0
    assert world.api("stacks/web/plan")["counts"] == {"no_change": 1}
    assert "1 would stay" in world.api("stacks/web")["problem"]["message"]


def test_who_takes_what_exists_is_not_asked(world: World) -> None:
    """``adopt: take`` costs neither a listing nor a what-if."""
    make(world)
    calls: list[str] = []
    world.hook = lambda _, call, __: calls.append(call)
    world.push(shop(adopt="take"))
    world.run(60)

    assert world.note("web") == "ours"
    assert not {"arm.sightings", "arm.predict"} & set(calls)


@pytest.mark.parametrize("exists", [False, True])
def test_an_empty_group_costs_one_listing(world: World, *, exists: bool) -> None:
    """Where there is nothing, nothing can be overwritten: no what-if, no wait."""
    if exists:
        world.arm.groups[GROUP.lower()] = {"location": "westeurope", "tags": {}}
    calls: list[str] = []
    world.hook = lambda moment, call, _: calls.append(call) if moment == "before" else None
    world.push(shop())
    world.run(60)

    assert world.note("web") == "ours"
    assert [calls.count(call) for call in ("arm.sightings", "arm.predict")] == [1, 0]


@pytest.mark.parametrize(
    ("exists", "said"), [(True, "1 would be changed"), (False, "its own resource group is missing")]
)
def test_what_a_nested_deployment_meets_counts_too(
    world: World, *, exists: bool, said: str
) -> None:
    """The stack's own group is empty, or not there, and another one that it writes to is not."""
    make(world)
    if exists:
        own = f"/subscriptions/{SUB}/resourceGroups/rg-own"
        world.arm.groups[own.lower()] = {"location": "westeurope", "tags": {}}
    inner = orjson.loads(template("ours"))
    nested = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inner",
        "resourceGroup": "rg-web",
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "template": inner,
        },
    }
    pushed = shop()
    pushed["plumbline.yaml"] = pushed["plumbline.yaml"].replace("scope: rg-web", "scope: rg-own")
    world.push({**pushed, "web.json": orjson.dumps({**inner, "resources": [nested]})})
    world.run(60)

    assert shown(world) == ("pending", "ApprovalNeeded")
    assert said in world.api("stacks/web")["problem"]["message"]
    assert world.note("web") == "theirs"
    world.order("web", "approve")
    world.run(60)
    assert world.note("web") == "ours"


def test_what_is_not_in_the_template_makes_nobody_wait(world: World) -> None:
    """Other stacks, and other people, may have resources in the same group."""
    make(world, f"{GROUP}/providers/{KIND}/other")
    world.push(shop())
    world.run(60)

    assert (world.note("web"), whatifs(world)) == ("ours", 1)
    assert world.services.status("stacks/web/plan").status == 404


def test_only_the_first_release_is_asked_about(world: World) -> None:
    """Once something of the stack has reached ARM its resources are its own, failed or not."""
    world.arm.plan(deployment_id("web"), Outcome(failures={"nsg": {"code": "Conflict"}}))
    world.push(shop("one"))
    world.run(60)
    make(world, f"{GROUP}/providers/{KIND}/other")
    make(world)
    world.push(shop("two"))
    world.run(60)

    assert (world.note("web"), whatifs(world)) == ("two", 0)


def test_a_deployment_of_ours_is_proof_enough(world: World) -> None:
    """Lost state is taken up from ARM, not asked about."""
    world.push(shop())
    world.run(200)
    world.documents.delete(names.record("example", "web"))
    world.run(200)

    assert shown(world) == ("steady", None)
    assert (world.puts("web"), whatifs(world)) == (1, 0)


def test_a_removed_stack_that_comes_back_is_asked_about(world: World) -> None:
    """What it had is gone: what is there now somebody else made, whatever ARM remembers of it."""
    world.push(shop())
    world.run(200)
    other = "stacks: {api: {template: web.json, scope: rg-api, createResourceGroup: westeurope}}"
    lines = ["version: 1", "defaults: {prune: true}", "removed: [web]", other]
    world.push({**shop(), "plumbline.yaml": "\n".join(lines)})
    world.run(300)
    gone = world.note("web") is None
    make(world)
    world.push(shop("again"))
    world.run(300)

    assert gone
    assert shown(world) == ("pending", "ApprovalNeeded")
    assert (world.note("web"), world.puts("web")) == ("theirs", 1)


def test_another_push_makes_another_plan(world: World) -> None:
    """Approval is of one plan: of what would be released, and of what it would do."""
    make(world)
    world.push(shop("one"))
    world.run(60)
    first = world.api("stacks/web/plan")
    world.push(shop("two"))
    world.run(60)
    second = world.api("stacks/web/plan")

    refused = world.ordered("web", "approve", plan=first["plan"])

    assert first["plan"] != second["plan"]
    assert (refused.status, refused.body.error) == (409, "PlanChanged")
    world.order("web", "approve")
    world.run(60)
    assert world.note("web") == "two"


def test_an_approval_is_not_one_of_the_next_plan(world: World) -> None:
    """Who approved a plan that was never carried out has approved nothing of a newer push."""
    make(world)
    world.push(shop("one"))
    world.run(60)
    world.order("web", "freeze", until=to_text(world.clock.now() + timedelta(hours=1)))
    world.order("web", "approve")
    world.push(shop("two"))
    world.run(60)
    world.order("web", "unfreeze")
    world.run(60)

    assert world.note("web") == "theirs"
    assert shown(world) == ("pending", "ApprovalNeeded")


def test_a_plan_is_of_what_is_taken_from_others_too(world: World) -> None:
    """Another value is another release, although Git says the same: it is asked about anew."""
    make(world)
    world.push(chains.pair("one"))
    world.run(120)
    first = world.api("stacks/web/plan")["plan"]
    generation = world.record("web").generation
    world.push(chains.pair("two"))
    world.run(200)

    assert world.record("web").generation == generation

    assert world.api("stacks/web/plan")["plan"] != first
    assert world.ordered("web", "approve", plan=first).status == 409


def test_what_was_approved_stays_approved_when_git_comes_back_to_it(world: World) -> None:
    """The same plan has the same digest, whatever was pushed in between."""
    make(world)
    world.push(shop("one"))
    world.run(60)
    first = world.api("stacks/web/plan")["plan"]
    world.push(shop("two"))
    world.run(60)
    world.push(shop("one"))
    world.run(60)

    assert world.api("stacks/web/plan")["plan"] == first


def test_who_asks_for_a_release_has_the_plan_made_anew(world: World) -> None:
    """What was in the way may have been taken away by hand since."""
    make(world)
    make(world, f"{GROUP}/providers/{KIND}/other")
    world.push(shop())
    world.run(60)
    world.arm.remove(NSG)
    world.order("web", "release")
    world.run(60)

    assert (world.note("web"), whatifs(world)) == ("ours", 2)


@pytest.mark.parametrize(
    ("outlook", "said"),
    [
        (Outlook(unsupported={"nsg": "it depends on a name"}), "nothing can be told"),
        (
            Outlook(
                diagnostics=(Diagnostic("Warning", "NestedTooDeep", "some were not looked at"),)
            ),
            "did not look everywhere",
        ),
        (Outlook(error={"code": "InvalidTemplate", "message": "no such thing"}), "InvalidTemplate"),
    ],
)
def test_what_nobody_can_see_needs_approval(world: World, outlook: Outlook, said: str) -> None:
    """A what-if that could not look everywhere is no proof that nothing is overwritten."""
    make(world, f"{GROUP}/providers/{KIND}/other")
    world.arm.foretell(deployment_id("web"), outlook)
    world.push(shop())
    world.run(60)

    assert shown(world) == ("pending", "ApprovalNeeded")
    assert said in world.api("stacks/web")["problem"]["message"]
    world.order("web", "approve")
    world.run(60)
    assert world.note("web") == "ours"


def test_a_remark_that_only_informs_stops_nothing(world: World) -> None:
    """Diagnostics of the level Info are no gap."""
    make(world, f"{GROUP}/providers/{KIND}/other")
    remark = Diagnostic("Info", "Hint", "by the way")
    world.arm.foretell(deployment_id("web"), Outlook(diagnostics=(remark,)))
    world.push(shop())
    world.run(60)

    assert world.note("web") == "ours"


def test_a_what_if_that_takes_its_time_is_waited_for(world: World) -> None:
    """Nothing waits inside a function: one what-if, looked at again and again."""
    make(world)
    world.arm.foretell(deployment_id("web"), Outlook(looks=5))
    world.push(shop())
    world.run(120)

    assert shown(world) == ("pending", "ApprovalNeeded")
    assert whatifs(world) == 1


def test_a_what_if_that_never_ends_is_given_up(world: World) -> None:
    """Somebody may approve all the same."""
    make(world)
    world.arm.foretell(deployment_id("web"), Outlook(looks=10**6))
    world.push(shop())
    world.run(900)

    assert "did not end" in world.api("stacks/web")["problem"]["message"]


def test_a_what_if_that_arm_forgot_is_started_again(world: World) -> None:
    """Its address is worth nothing then."""
    make(world)
    world.arm.foretell(deployment_id("web"), Outlook(looks=10**6))
    world.push(shop())
    world.run(20)
    world.arm.forget_predictions()
    world.run(60)

    assert whatifs(world) == 2
    assert shown(world) == ("pending", "ApprovalNeeded")


def test_a_provider_that_what_if_misses_is_registered(world: World) -> None:
    """As for a PUT: it is no reason to ask anybody."""
    make(world, f"{GROUP}/providers/{KIND}/other")
    world.arm.only_registered("Microsoft.Resources")
    world.push(shop())
    world.run(300)

    assert world.note("web") == "ours"


def test_a_secret_is_not_shown(world: World) -> None:
    """Plans are for everybody who may read, and so without passwords."""
    make(world)
    change = PropertyChange("properties.adminPassword", "modify", "old-one", "new-one")
    world.arm.noise[NSG.lower()] = (change,)
    world.push(shop())
    world.run(60)

    plan = world.api("stacks/web/plan")
    (step,) = plan["steps"]
    assert "properties.adminPassword" in [change["path"] for change in step["changes"]]
    for kept in world.kept():
        assert b"new-one" not in (world.history.read(kept) or b"")
    assert "old-one" not in str(plan)


def test_nothing_is_approved_where_nothing_waits(world: World) -> None:
    """An order that would be heeded later, by surprise, is refused."""
    world.push(shop())
    world.run(60)

    refused = world.ordered("web", "approve")

    assert (refused.status, refused.body.error) == (409, "NothingToApprove")


def test_a_stack_that_left_has_no_plan_to_approve(world: World) -> None:
    """Nothing of it would be released."""
    make(world)
    world.push(shop())
    world.run(60)
    world.push(
        {"plumbline.yaml": "version: 1\nstacks: {b: {template: web.json, scope: rg-b}}"}
        | {"web.json": template("x")}
    )
    world.run(60)

    assert world.ordered("web", "approve").status == 409
    assert not world.api("stacks/web/plan")["waiting"]


@pytest.mark.parametrize("nth", range(1, 40, 2))
def test_a_crash_at_any_step_ends_the_same(world: World, nth: int) -> None:
    """Rule 1 and I11: a worker that dies before or after any call changes nothing but the time."""
    make(world)
    count = 0

    def die(*_: object) -> None:
        nonlocal count
        count += 1
        if count == nth:
            raise Killed

    world.push(shop())
    world.hook = die
    world.run(1500)
    approved = world.api("stacks/web/plan")

    assert shown(world) == ("pending", "ApprovalNeeded")
    assert approved["counts"] == {"modify": 1}
    count = 0
    try:
        world.order("web", "approve", plan=approved["plan"])
    except Killed:
        if not world.record("web").approved:
            world.order("web", "approve", plan=approved["plan"])
    world.run(1500)
    assert world.note("web") == "ours"
    assert shown(world) == ("steady", None)
    assert world.puts("web") == 1
