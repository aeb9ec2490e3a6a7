"""What could break drift: secrets, what the log forgot or told late, documents that are damaged."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.core import names
from shared.core.errors import Stalled
from tests.fakes.arm.foresight import Outlook
from tests.flows.test_children import RULE, written
from tests.flows.test_drift import GROUP, NSG, confirm, deployed, edit, only_item, tag
from tests.flows.test_healing import healing
from tests.flows.world import SUB, World, files, manifest, template


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world whose stack was deployed, and whose baseline is confirmed."""
    world = deployed(monkeypatch)
    confirm(world)
    yield world
    world.arm.check()
    assert world.errors == []


def scans(world: World, hours: float, *, every_s: float = 300.0) -> None:
    """Let scans tick for some hours."""
    for _ in range(round(hours * 3600 / every_s)):
        world.clock.advance(every_s - 30.0)
        world.scan()


@pytest.mark.parametrize(
    "change",
    [
        edit("adminPassword", "hunter2-now"),
        edit("appSettings", [{"name": "MODE", "value": "hunter2-now"}]),
    ],
)
def test_a_secret_of_what_if_is_not_shown(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Where the snapshot is no measure, what what-if tells is shown, and no secret in it (I28)."""
    world = World(monkeypatch)
    done: list[bool] = []

    def strike(moment: Any, call: str, name: str) -> None:
        if moment == "before" and call == "arm.resource" and NSG in name and not done:
            done.append(True)
            world.arm.change(NSG, change)

    world.hook = strike
    world.push(files("web", web="one"))
    world.run(60)
    confirm(world)
    assert only_item(world.drift("web")).released == "(unknown)"
    raw = world.documents.read(names.drift("example", "web"))
    assert raw is not None
    assert b"hunter2" not in raw.data
    assert "hunter2" not in str(world.log.events)


def test_an_activity_document_that_cannot_be_read_stops_nothing(world: World) -> None:
    """The log is asked again for what was in it."""
    world.documents.overwrite(names.activity(SUB), b"not json")
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    assert only_item(world.drift("web")).who is not None


def test_what_nobody_declared_is_nobodys_fight(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come and go as often as it likes: no heal has anything to do with it."""
    world = World(monkeypatch)
    world.push(healing())
    world.run(60)
    confirm(world)
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    world.run(60)
    other = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/mine"
    for _ in range(4):
        world.arm.make(other, {"location": "westeurope", "properties": {}})
        scans(world, 0.1)
        world.arm.remove(other)
        scans(world, 0.1)
    assert len(world.drift("web").history) > 4
    assert world.drift("web").problem is None


# ---- what the log forgot, and told late ----------------------------------------------------


@pytest.fixture
def parent(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world whose stack has a child that no listing shows."""
    world = World(monkeypatch)
    world.push({**files("web"), "web.json": written()})
    world.run(60)
    confirm(world)
    yield world
    assert world.errors == []


def drifted(world: World) -> list[str]:
    """Return which resources have drifted."""
    return [item.resource for item in world.drift("web").items]


def test_drift_is_not_over_when_the_log_has_forgotten_it(parent: World) -> None:
    """The log tells of seven days; what was found then is drift until it is brought back."""
    parent.arm.change(RULE, edit("access", "Allow"))
    scans(parent, 9 * 24, every_s=3 * 3600)
    assert drifted(parent) == [RULE]
    parent.arm.change(RULE, edit("access", "Deny"))
    scans(parent, 0.2)
    assert parent.drift("web").state == "none"


def test_what_happened_while_the_log_was_silent_for_long_stays_drift(parent: World) -> None:
    """A log that answers again, and not back to then, is no witness that nobody did it."""
    parent.activity.forbid(times=10_000)
    parent.arm.change(RULE, edit("access", "Allow"))
    scans(parent, 9 * 24, every_s=3 * 3600)
    assert drifted(parent) == [RULE]
    parent.faults.heal()
    scans(parent, 48, every_s=3 * 3600)
    assert drifted(parent) == [RULE]


def test_a_write_that_the_log_shows_late_is_found(parent: World) -> None:
    """Entries do not come in order: one from before what was read already is news, too."""
    parent.arm.change(RULE, edit("access", "Allow"))
    late = parent.arm.writes.pop()
    parent.clock.advance(5)
    parent.arm.change(NSG, tag("by hand"))
    parent.scan()
    parent.arm.writes.append(late)
    scans(parent, 0.2)
    assert RULE in drifted(parent)


# ---- incomplete is never clean -------------------------------------------------------------


def test_a_damaged_release_is_incomplete(world: World) -> None:
    """Nobody knows what the stack owns: that it was clean once says nothing now."""
    world.history.corrupt(names.release("example", "web", "1.1"), b"nonsense")
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    drift = world.drift("web")
    assert (drift.state, [gap.code for gap in drift.gaps]) == ("incomplete", ["ReleaseMissing"])


def test_what_may_not_be_listed_is_incomplete(world: World) -> None:
    """Within the time in which everything is looked at; and it is looked at again once that may be."""
    refused = Stalled("AuthorizationFailed", "may not read Microsoft.Resources/resources")
    world.faults.fail("arm.sightings", lambda: refused, times=10_000)
    world.arm.change(NSG, tag("by hand"))
    scans(world, 25, every_s=3600)
    drift = world.drift("web")
    assert (drift.state, [gap.code for gap in drift.gaps]) == (
        "incomplete",
        ["AuthorizationFailed"],
    )
    world.faults.heal()
    scans(world, 1.2)
    assert only_item(world.drift("web")).path == "tags.note"
    assert world.drift("web").gaps == ()


def test_a_heal_that_has_to_wait_comes_when_it_has_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing new happens until then, and yet it is not forgotten until the next full look."""
    world = World(monkeypatch)
    world.push(healing())
    world.run(60)
    confirm(world)
    for number in range(7):
        world.arm.change(NSG, edit(f"p{number}", number), caller=f"{number}@contoso.example")
        scans(world, 0.25)
    scans(world, 3)
    assert world.puts("web") > 4
    assert (world.drift("web").state, world.drift("web").problem) == ("none", None)


# ---- what the manifest says ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("drift", "note", "reason"),
    [
        ("heal", "one", "healed"),
        (
            "{ignore: [{type: Microsoft.Network/networkSecurityGroups, path: tags.note}]}",
            "by hand",
            "reverted",
        ),
    ],
)
def test_a_change_of_the_policy_counts_with_the_next_scan(
    world: World, drift: str, note: str, reason: str
) -> None:
    """It deploys nothing by itself, so that no release brings a look with it."""
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    text = manifest("web").replace("template: web.json", f"template: web.json, drift: {drift}")
    world.push({**files("web", web="one"), "plumbline.yaml": text})
    world.run(60)
    scans(world, 0.2)
    assert world.note("web") == note
    assert world.drift("web").items == ()
    assert [closed.reason for closed in world.drift("web").history] == [reason]
    assert "policy" not in str(world.log.named("scan_finished")[-1]["reasons"])


# ---- children that nobody declared ---------------------------------------------------------


def test_children_that_came_and_went_hide_no_other(world: World) -> None:
    """The log tells of them for seven days; they are not asked for."""
    for number in range(25):
        world.arm.make(f"{NSG}/securityRules/a{number}", {"properties": {}})
        world.clock.advance(1)
        world.arm.remove(f"{NSG}/securityRules/a{number}")
    world.arm.make(f"{NSG}/securityRules/z", {"properties": {}})
    world.scan()
    assert drifted(world) == [f"{NSG}/securityRules/z"]


def test_more_children_than_are_read_are_told_of(world: World) -> None:
    """Those that are known stay, and that there are others is a gap."""
    for number in range(25):
        world.arm.make(f"{NSG}/securityRules/m{number:02}", {"properties": {}})
    world.scan()
    before = drifted(world)
    assert len(before) == 20
    assert [gap.code for gap in world.drift("web").gaps] == ["ChildrenNotRead"]
    for number in range(25):
        world.arm.make(f"{NSG}/securityRules/a{number:02}", {"properties": {}})
    scans(world, 0.1)
    assert drifted(world) == before


def test_a_child_that_may_not_be_read_is_incomplete(world: World) -> None:
    """The log says that somebody made it; what was known stays known."""
    rule = f"{NSG}/securityRules/mine"
    refusing: list[bool] = []

    def refuse(moment: Any, call: str, name: str) -> None:
        if moment == "before" and call == "arm.resource" and rule in name and refusing:
            raise Stalled("AuthorizationFailed", "may not read it")

    world.hook = refuse
    refusing.append(True)
    world.arm.make(rule, {"properties": {}})
    world.scan()
    assert world.drift("web").state == "incomplete"
    refusing.clear()
    scans(world, 25, every_s=3600)
    assert drifted(world) == [rule]
    refusing.append(True)
    scans(world, 25, every_s=3600)
    assert drifted(world) == [rule]


# ---- over releases, renames and neighbours -------------------------------------------------

OTHER = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/mine"


def shared_group(*stacks: str) -> dict[str, Any]:
    """Return a repository whose stacks are all in one group."""
    lines = [
        f"  {one}: {{template: {one}.json, scope: rg-web, createResourceGroup: westeurope, adopt: take}}"
        for one in stacks
    ]
    text = "\n".join(["version: 1", "stacks:", *lines])
    bodies = {f"{one}.json": template("one", name=f"nsg-{one}") for one in stacks}
    return {"plumbline.yaml": text, **bodies}


def test_a_new_neighbour_makes_nothing_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another stack answers for the group by now: what nobody declared stays drift."""
    world = World(monkeypatch)
    world.push(shared_group("web"))
    world.run(60)
    confirm(world)
    world.arm.make(OTHER, {"location": "westeurope", "properties": {}})
    scans(world, 0.2)
    world.push(shared_group("first", "web"))
    world.run(60)
    scans(world, 1)
    assert drifted(world) == [OTHER]
    world.arm.remove(OTHER)
    scans(world, 25, every_s=3600)
    assert drifted(world) == []


def test_a_renamed_stack_keeps_its_drift(world: World) -> None:
    """It is the same stack, and what was found is older than the log remembers."""
    world.arm.make(OTHER, {"location": "westeurope", "properties": {}})
    scans(world, 9 * 24, every_s=3 * 3600)
    found = world.drift("web").items
    text = manifest("new").replace("scope: rg-new", "scope: rg-web, renamedFrom: web")
    world.push({**files("new", new="one"), "plumbline.yaml": text})
    world.run(120)
    scans(world, 1)
    assert world.drift("new").items == found


def test_a_release_makes_no_incomplete_stack_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody can look at is no better for a release, before everything was looked at again."""
    world = deployed(monkeypatch)
    world.arm.outlook = Outlook(unsupported={"nsg": "its id cannot be calculated"})
    confirm(world)
    world.push(files("web", web="two"))
    world.run(60)
    for note in ("by hand", "two"):
        world.arm.change(NSG, tag(note))
        world.scan()
    assert (world.drift("web").full_at, world.drift("web").state) == (None, "incomplete")


def test_a_what_if_that_arm_forgot_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only a day later."""
    world = deployed(monkeypatch)
    world.arm.outlook = Outlook(looks=3)
    world.clock.advance(601)
    world.services.scan_drift()
    world.deliver_visible()
    world.arm.forget_predictions()
    world.scan()
    assert [gap.code for gap in world.drift("web").gaps] == ["WhatIfLost"]
    scans(world, 0.5)
    assert world.drift("web").state == "none"
