"""Healing: what drifted is brought back, and nobody is fought for ever (issue 5, part 5)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.flows.test_drift import HAND, NSG, asked, confirm, deployed, edit, only_item, tag
from tests.flows.world import World, deployment_id, files, manifest, template


def healing() -> dict[str, bytes | str]:
    """Return a repository whose stack is healed."""
    text = manifest("web").replace("template: web.json", "template: web.json, drift: heal")
    return {"plumbline.yaml": text, "web.json": template("one")}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world whose stack is healed, and whose baseline is confirmed."""
    world = World(monkeypatch)
    world.push(healing())
    world.run(60)
    confirm(world)
    yield world
    world.arm.check()
    assert world.errors == []


def puts(world: World) -> int:
    """Return how many deployments ARM took."""
    return len(world.arm.puts(deployment_id("web")))


def test_drift_is_healed_by_one_more_attempt(world: World) -> None:
    """A new attempt of the same generation brings it back, and the next look says none."""
    world.arm.change(NSG, tag("by hand"))
    world.clock.advance(5)
    world.scan()
    world.run(60)
    assert world.record("web").applied is not None
    assert world.arm.resources[NSG.lower()]["tags"]["note"] == "one"
    world.scan()
    drift = world.drift("web")
    assert (drift.state, drift.items) == ("none", ())
    assert [closed.reason for closed in drift.history] == ["healed"]
    record = world.record("web")
    assert record.applied is not None
    assert (record.applied.release, record.generation) == ("1.2", 1)
    assert record.asked is not None
    assert record.asked.kind == "heal"


def test_without_heal_drift_is_only_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report is the default, and changes nothing."""
    world = deployed(monkeypatch)
    confirm(world)
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    world.run(120)
    assert puts(world) == 1
    assert only_item(world.drift("web")).path == "tags.note"


def test_a_frozen_stack_is_not_healed(world: World) -> None:
    """A freeze holds healing back as it holds any release."""
    until = (world.clock.now()).replace(year=2027, month=1).isoformat()
    world.order("web", "freeze", until=until)
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    world.run(120)
    assert puts(world) == 1


def test_a_fight_ends_in_one_problem(world: World) -> None:
    """A hundred rounds against a policy that sets a property are not a hundred deployments."""
    for _ in range(100):
        world.arm.change(NSG, tag("by policy"), caller="policy@contoso.example")
        world.scan()
        world.run(90)
        world.clock.advance(3600)
        world.scan()
    drift = world.drift("web")
    assert drift.problem is not None
    assert drift.problem.code == "DriftFight"
    assert "policy@contoso.example" in drift.problem.message
    assert puts(world) <= 4
    assert len(world.log.named("drift_fight")) == 1
    assert asked(world, "stacks/web/drift")["problem"]["code"] == "DriftFight"


def test_a_release_that_somebody_orders_ends_a_fight(world: World) -> None:
    """Who has settled it orders a release, and healing begins anew."""
    for _ in range(4):
        world.arm.change(NSG, tag("by policy"), caller="policy@contoso.example")
        world.scan()
        world.run(90)
        world.clock.advance(3600)
    world.scan()
    assert world.drift("web").problem is not None
    world.order("web", "release")
    world.run(90)
    world.scan()
    drift = world.drift("web")
    assert (drift.problem, drift.state) == (None, "none")
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    world.run(90)
    assert world.arm.resources[NSG.lower()]["tags"]["note"] == "one"


def test_heals_in_a_row_wait_longer_each_time(world: World) -> None:
    """Other properties by other people are healed, too, but not at once for ever."""
    for number in range(6):
        world.arm.change(NSG, edit(f"p{number}", number), caller=f"{number}@contoso.example")
        world.scan()
        world.run(20)
    assert 1 < puts(world) < 6


def test_a_heal_that_was_put_off_comes_by_itself(world: World) -> None:
    """Nobody writes any more, and still the stack is brought back once the wait is over."""
    for number in range(2):
        world.arm.change(NSG, tag(f"by hand {number}"), caller=f"{number}@contoso.example")
        world.scan()
        world.run(20)
    assert puts(world) == 2
    world.clock.advance(120)
    world.scan()
    world.run(20)

    assert puts(world) == 3
    assert world.arm.resources[NSG.lower()]["tags"]["note"] == "one"


def test_who_wrote_it_is_in_the_heal(world: World) -> None:
    """The log says what is healed, and who made it necessary."""
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    (found,) = world.log.named("drift_found")
    assert found["callers"] == [HAND]
    assert len(world.log.named("heal_asked")) == 1


def test_a_push_goes_before_a_heal(world: World) -> None:
    """What a newer revision wants is released, and the heal is forgotten."""
    world.arm.change(NSG, tag("by hand"))
    world.commit(files("web", web="two"))
    world.scan()
    world.run(200)
    assert world.arm.resources[NSG.lower()]["tags"]["note"] == "two"


def _provider_that_keeps(world: World, member: str) -> None:
    """Let a PUT leave a member of the properties as it is, as some providers do."""
    plain = world.arm._write

    def keeping(resource_id: str, body: Mapping[str, Any], *args: Any, **more: Any) -> None:
        old = world.arm.resources.get(resource_id.lower(), {}).get("properties", {})
        if member in old and member not in body["properties"]:
            body = {**body, "properties": {**body["properties"], member: old[member]}}
        plain(resource_id, body, *args, **more)

    world.arm._write = keeping  # type: ignore[method-assign]


def test_what_a_heal_does_not_bring_back_stays_drift_and_is_healed_once(world: World) -> None:
    """A provider may keep what a PUT does not name: that is said, and not tried for ever."""
    _provider_that_keeps(world, "extra")
    world.arm.change(NSG, edit("extra", 1))
    world.clock.advance(5)
    world.scan()
    world.run(90)
    confirm(world)
    for _ in range(5):
        world.clock.advance(7200)
        world.scan()
        world.run(60)
    item = only_item(world.drift("web"))
    assert (item.path, item.now, puts(world)) == ("properties.extra", 1, 2)
    assert item.hint is not None
    assert "did not bring it back" in item.hint
    assert world.drift("web").history == ()
    world.arm.change(NSG, lambda body: body["properties"].pop("extra"))
    world.scan()
    assert world.drift("web").state == "none"


def test_who_sets_it_again_before_the_snapshot_is_fought_and_named(world: World) -> None:
    """A policy that acts at once is in every snapshot: no look takes it for what was released."""
    world.hook = _policy_that_acts_at_once(world)
    world.arm.change(NSG, tag("by policy"), caller="policy@contoso.example")
    states = set()
    for _ in range(100):
        world.scan()
        world.run(90)
        world.clock.advance(3600)
        world.scan()
        states.add(world.drift("web").state)
    drift = world.drift("web")
    assert "none" not in states
    assert drift.problem is not None
    assert "policy@contoso.example" in drift.problem.message
    assert puts(world) <= 5


def _policy_that_acts_at_once(world: World) -> Callable[[Any, str, str], None]:
    """Set the tag again whenever a snapshot of a new release is about to read it."""
    seen: set[int] = set()

    def strike(moment: Any, call: str, _name: str) -> None:
        owes = "snapshot" in world.record("web").owed if call == "arm.resource" else False
        if moment == "before" and owes and puts(world) not in seen:
            seen.add(puts(world))
            world.arm.change(NSG, tag("by policy"), caller="policy@contoso.example")

    return strike
