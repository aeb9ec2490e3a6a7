"""Waves: stacks that wait for others, and take their outputs (rule 11)."""

from typing import Any

import pytest

from shared import events
from tests.fakes.system import Moment
from tests.flows.chains import (
    CHAIN,
    FAILED,
    chain,
    manifest,
    outputs,
    pair,
    takes,
    whole_subscription,
)
from tests.flows.world import SUB, Killed, World, deployment_id, template


def taken(world: World, stack: str) -> list[Any]:
    """Return the value of ``from`` in each PUT of a stack, oldest first."""
    return [put.request.parameters["from"]["value"] for put in world.arm.puts(deployment_id(stack))]


def order(world: World) -> list[str]:
    """Return the stacks in the order in which their releases were put."""
    return [str(fields["stack"]) for fields in world.log.named(events.RELEASE_PUT)]


def test_a_stack_is_released_after_those_that_it_depends_on(world: World) -> None:
    """Rule 11: three waves of one push are put in order, each when the one before is applied."""
    revision = world.push(chain())
    world.run()

    assert order(world) == ["network", "app", "web"]
    assert world.status(revision) == "deployed"


def test_a_value_is_handed_on(world: World) -> None:
    """A parameter gets what the other stack's deployment put out."""
    world.push(pair("subnet-7"))
    world.run()

    assert taken(world, "web") == ["subnet-7"]
    assert world.record("web").phase == "steady"


def test_a_changed_value_releases_the_dependent_again(world: World) -> None:
    """A push that touches only the giver reaches the taker, in the same generation."""
    world.push(pair("v1"))
    world.run()
    revision = world.push(pair("v2"))
    world.run()

    assert taken(world, "web") == ["v1", "v2"]
    assert world.record("web").applied.release == "1.2"  # type: ignore[union-attr]
    assert world.status(revision) == "deployed"


def test_an_equal_value_releases_nobody(world: World) -> None:
    """Rule 11: a giver that is released again with the same outputs leaves its takers alone."""
    world.push(pair())
    world.run()
    world.push(pair(more={"network.json": template("other", **outputs("v1"))}))
    world.run(3 * 3600)

    assert world.puts("network") == 2
    assert world.puts("web") == 1


def test_a_failed_stack_holds_back_its_dependents_and_nobody_else(world: World) -> None:
    """They wait as pending with the chain that says why; the revision is answered for good."""
    world.arm.plan(deployment_id("network"), FAILED)
    revision = world.push(
        {**chain(), "plumbline.yaml": CHAIN + "\n" + _stack("other"), "other.json": template()}
    )
    world.run()

    web = world.api("stacks/web")
    assert web["phase"] == "pending"
    assert [one["stack"] for one in web["waiting"]] == ["app", "network"]
    assert web["waiting"][-1] == {"stack": "network", "phase": "failed", "code": "SkuNotAvailable"}
    assert world.record("other").phase == "steady"
    assert world.puts("app") + world.puts("web") == 0
    assert world.api(f"revisions/{revision}") == {
        "revision": revision,
        "final": True,
        "status": "failed",
        "stacks": {"app": "blocked", "network": "failed", "other": "deployed", "web": "blocked"},
        "by": None,
    }


def _stack(name: str) -> str:
    return f"  {name}: {{template: {name}.json, scope: rg-{name}, createResourceGroup: westeurope}}"


def test_the_mending_push_releases_what_waited(world: World) -> None:
    """Once the dependency is good, its dependents follow without a push of their own."""
    world.arm.plan(deployment_id("network"), FAILED)
    world.push(chain())
    world.run()
    revision = world.push(chain(network="mended"))
    world.run()

    assert order(world) == ["network", "network", "app", "web"]
    assert world.status(revision) == "deployed"
    assert world.api("stacks/web")["waiting"] == []


def test_a_dependency_that_cannot_be_compiled_is_waited_for(world: World) -> None:
    """A dependent is not released on top of a dependency whose newest state nobody knows."""
    world.push(chain())
    world.run()
    revision = world.push({**chain(web="new"), "app.json": b"{"})
    world.run()

    assert world.puts("web") == 1
    assert world.status(revision) == "failed"
    assert world.api("stacks/web")["waiting"][0]["code"] == "NotJson"


def test_a_stack_waits_for_one_that_will_change_because_of_another(world: World) -> None:
    """``app`` is at its own digest, and will be released again: ``web`` waits for that."""
    world.push(chain("v1"))
    world.run()
    done = len(order(world))
    world.push(chain("v2", web="new"))
    world.run()

    assert order(world)[done:] == ["network", "app", "web"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"dependsOn": "[netwrok]"}, "DependencyUnknown"),
        ({"dependsOn": "[web]"}, "DependencyCycle"),
        ({"valuesFrom": "{from: netwrok.outputs.id}"}, "DependencyUnknown"),
        ({"valuesFrom": "{from: network.outputs.other}"}, "OutputUnknown"),
        ({"valuesFrom": "{from: network.id}"}, "BadOutput"),
        ({"valuesFrom": "{from: network.outputs.id}", "values": "{From: x}"}, "ValueTwice"),
        ({"valuesFrom": "{none: network.outputs.id}"}, "ParameterUnknown"),
    ],
)
def test_a_link_that_is_wrong_breaks_its_own_stack_only(
    world: World, said: dict[str, str], code: str
) -> None:
    """Each is told with its place, and the other stack is released."""
    files = pair(more={"plumbline.yaml": manifest(network={}, web=said)})
    revision = world.push(files)
    world.run()

    assert world.record("network").phase == "steady"
    assert world.puts("web") == 0
    assert code in [problem.code for problem in world.record("web").source_problems]
    assert world.status(revision) == "failed"


def test_a_circle_stops_only_those_in_it(world: World) -> None:
    """The way round is told; who waits for the circle waits, who does not is released."""
    text = manifest(
        a={"dependsOn": "[b]"}, b={"dependsOn": "[a]"}, c={"dependsOn": "[a]"}, network={}
    )
    names = ("a", "b", "c", "network")
    world.push({"plumbline.yaml": text, **{f"{name}.json": template() for name in names}})
    world.run()

    assert order(world) == ["network"]
    problem = world.record("a").source_problems[0]
    assert problem.code == "DependencyCycle"
    assert "a → b → a" in problem.message
    assert world.api("stacks/c")["waiting"][0]["code"] == "DependencyCycle"


@pytest.mark.parametrize(
    ("output", "kind", "code"),
    [
        ({"type": "securestring", "value": "x"}, "securestring", "OutputSecure"),
        ({"type": "int", "value": 1}, "string", "OutputType"),
        ({"type": "array", "value": []}, "object", "OutputType"),
    ],
)
def test_what_cannot_be_handed_on_is_told_before_anything_is_released(
    world: World, output: dict[str, Any], kind: str, code: str
) -> None:
    """Secure outputs and outputs of another type are problems of the taker at the push."""
    files = pair(
        more={"network.json": template(outputs={"id": output}), "web.json": takes(kind=kind)}
    )
    world.push(files)
    world.run()

    assert [problem.code for problem in world.record("web").source_problems] == [code]


def test_an_output_that_looks_like_a_secret_is_not_handed_on(world: World) -> None:
    """Plumbline keeps no secrets, so it has none to give: the taker stalls and says so."""
    secret = "DefaultEndpointsProtocol=https;AccountKey=" + "a" * 86 + "=="
    world.push(pair(secret))
    world.run()

    stack = world.api("stacks/web")
    assert stack["problem"]["code"] == "OutputSecret"
    assert world.puts("web") == 0
    assert not any("a" * 86 in str(world.history.read(name)) for name in world.kept())


def test_lost_messages_to_dependents_are_sent_again(world: World) -> None:
    """A worker that dies between recording its release and telling the others is made up for."""
    shots: list[str] = []

    def kill(moment: Moment, call: str, _: str) -> None:
        if shots or (moment, call) != ("before", "queues.send") or not world.puts("network"):
            return
        if "dependents" in world.record("network").owed:
            shots.append(call)
            raise Killed(call)

    world.hook = kill
    world.push(pair())
    world.run()

    assert shots
    assert taken(world, "web") == ["v1"]
    assert world.record("network").owed == ()


@pytest.mark.parametrize("earlier", [(), ("v0",)], ids=["never released", "released before"])
def test_a_dead_workers_message_to_a_dependent_costs_one_sweep(
    world: World, earlier: tuple[str, ...]
) -> None:
    """Rule 3: dependents are owed a look; queues give back a dead worker's only in ten minutes."""
    for value in earlier:
        world.push(pair(value))
        world.run()
    before = world.puts("network"), world.puts("web")
    dead: list[str] = []

    def kill(_: Moment, call: str, name: str) -> None:
        done = len(world.log.named("release_succeeded")) > began
        if done and world.turn == "release" and call.endswith(".read") and "web/record" in name:
            dead.append(call)
            raise Killed(call)

    began = len(world.log.named("release_succeeded"))
    world.hook = kill
    world.push(pair("v1"))
    world.run(15, sweeps=False)
    assert dead
    assert world.puts("web") == before[1]
    world.hook = None
    world.run(90)

    assert world.puts("web") == before[1] + 1
    assert world.record("web").standing == "steady"


BASE = f"/subscriptions/{SUB}/providers/Microsoft.Resources/deployments/plumbline.example.base"


def test_a_stack_may_be_a_whole_subscriptions(world: World) -> None:
    """It is deployed at the subscription, with the region where ARM keeps it."""
    revision = world.push(whole_subscription("West Europe"))
    world.run()

    (put,) = world.arm.puts(BASE)
    assert put.request.location == "westeurope"
    assert world.status(revision) == "deployed"


def test_its_region_can_be_changed(world: World) -> None:
    """ARM refuses the same name in another region: the old entry of the history goes first."""
    world.push(whole_subscription("westeurope"))
    world.run()
    revision = world.push(whole_subscription("northeurope"))
    world.run()

    assert [put.request.location for put in world.arm.puts(BASE)] == ["westeurope", "northeurope"]
    assert world.status(revision) == "deployed"


@pytest.mark.parametrize("kind", ["deploymentTemplate", "tenantDeploymentTemplate"])
def test_a_template_for_another_kind_of_scope_is_told(world: World, kind: str) -> None:
    """The schema says what a template is for, and the stack's scope is held against it."""
    files = whole_subscription("westeurope")
    files["base.json"] = files["base.json"].replace(
        b"subscriptionDeploymentTemplate", kind.encode()
    )
    world.push(files)
    world.run()

    problem = world.record("base").source_problems[0]
    assert problem.code == "TemplateScopeUnsupported"
