"""Drift: found, explained, and never made up (issue 5; invariants I20 to I22)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import msgspec
import orjson
import pytest

from shared.core import names
from shared.core.drift.model import Drift, Item
from shared.core.errors import Stalled, Transient
from shared.core.prediction import Diagnostic, PropertyChange
from shared.core.view import to_json
from shared.flows.lookup import Answered
from tests.fakes.arm import Outcome
from tests.fakes.arm.foresight import Outlook
from tests.flows.world import SUB, World, deployment_id, files, manifest, template

GROUP: Final = f"/subscriptions/{SUB}/resourceGroups/rg-web"
NSG: Final = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"
HAND: Final = "hand@example.com"


def deployed(monkeypatch: pytest.MonkeyPatch, **options: Any) -> World:
    """Return a world with one stack that was deployed a minute ago."""
    world = World(monkeypatch, **options)
    world.push(files("web", web="one"))
    world.run(60)
    return world


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world whose stack was deployed, and whose baseline is confirmed."""
    world = deployed(monkeypatch)
    confirm(world)
    yield world
    world.arm.check()
    assert world.errors == []


def confirm(world: World) -> None:
    """Let ten minutes pass after the release, and a scan."""
    world.clock.advance(601)
    world.scan()


def edit(path: str, value: Any) -> Any:
    """Return an edit of one member of the properties."""

    def change(body: dict[str, Any]) -> None:
        body["properties"][path] = value

    return change


def tag(value: str) -> Any:
    """Return an edit of the tag ``note``."""

    def change(body: dict[str, Any]) -> None:
        body["tags"]["note"] = value

    return change


def only_item(drift: Drift) -> Item:
    """Return the one difference that there is."""
    (item,) = drift.items
    return item


def asked(world: World, path: str) -> Any:
    """Return the body of the API's answer."""
    answered: Answered = world.services.status(path)
    assert answered.status == 200, answered
    return orjson.loads(to_json(answered.body))


def calls(world: World, do: Any) -> list[str]:
    """Return the calls to ARM and its log that are made meanwhile."""
    made: list[str] = []
    before = world.hook

    def note(moment: Any, call: str, name: str) -> None:
        if moment == "before" and call.startswith(("arm.", "activity.")):
            made.append(call)
        if before is not None:
            before(moment, call, name)

    world.hook = note
    do()
    world.hook = before
    return made


# ---- quiet ---------------------------------------------------------------------------------


def test_a_quiet_stack_has_no_drift(world: World) -> None:
    """After a release and its baseline nothing is wrong."""
    drift = world.drift("web")
    assert (drift.state, drift.items, drift.gaps) == ("none", (), ())
    assert drift.confirmed_at is not None


def test_a_quiet_scan_asks_for_one_listing_and_the_log(world: World) -> None:
    """Stacks with nothing new cost nothing more."""
    assert calls(world, world.scan) == ["activity.writes", "arm.sightings"]


def test_everything_is_looked_at_once_a_day(world: World) -> None:
    """What neither witness tells of is found by a full look."""
    before = world.drift("web").full_at
    world.clock.advance(86_401)
    world.scan()
    assert before is not None
    assert world.drift("web").full_at != before


def test_noise_of_what_if_is_no_drift_and_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference that what-if finds where nothing differs becomes a rule with its evidence."""
    world = deployed(monkeypatch)
    world.arm.noise[NSG.lower()] = (PropertyChange("properties.guid", "delete", before="x"),)
    confirm(world)
    drift = world.drift("web")
    assert drift.state == "none"
    (finding,) = drift.noise
    assert (finding.path, finding.shape, finding.seen) == ("properties.guid", "delete", 1)
    shown = asked(world, "stacks/web/drift")
    assert [one["path"] for one in shown["noise"]] == ["properties.guid"]


# ---- found and explained -------------------------------------------------------------------


def test_a_hand_edit_is_found_and_explained(world: World) -> None:
    """Who changed what, and what it was before, is told by the next scan."""
    rule = {"name": "open", "properties": {"access": "Allow"}}
    world.arm.change(NSG, edit("securityRules", [rule]))
    world.scan()
    drift = world.drift("web")
    assert drift.state == "drifted"
    item = only_item(drift)
    assert (item.kind, item.path) == ("modified", "properties.securityRules[name=open]")
    assert (item.severity, item.released, item.now) == ("high", "(absent)", rule)
    assert item.who is not None
    assert item.who.caller == HAND


def test_what_the_template_says_is_managed_and_told(world: World) -> None:
    """A managed difference names what the template leads to."""
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    item = only_item(world.drift("web"))
    assert (item.path, item.managed, item.severity) == ("tags.note", True, "low")
    assert (item.wanted, item.released, item.now) == ("one", "one", "by hand")


def test_an_edit_before_the_baseline_is_found_by_the_next_scan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody waits ten minutes for a difference, and the baseline does not swallow it."""
    world = deployed(monkeypatch)
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    assert only_item(world.drift("web")).path == "tags.note"
    confirm(world)
    drift = world.drift("web")
    assert drift.confirmed_at is not None
    assert only_item(drift).path == "tags.note"
    assert only_item(drift).managed


def test_an_edit_between_the_put_and_the_snapshot_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A snapshot that shows somebody else's writing is no measure for it."""
    world = World(monkeypatch)
    world.hook = _edit_at_the_first_capture(world)
    world.push(files("web", web="one"))
    world.run(60)
    confirm(world)
    item = only_item(world.drift("web"))
    assert (item.path, item.wanted, item.now) == ("tags.note", "one", "by hand")
    assert item.released == "(unknown)"


def _edit_at_the_first_capture(world: World) -> Any:
    done: list[bool] = []

    def strike(moment: Any, call: str, name: str) -> None:
        if moment == "before" and call == "arm.resource" and NSG in name and not done:
            done.append(True)
            world.arm.change(NSG, tag("by hand"))

    return strike


def test_an_edit_that_is_taken_back_closes(world: World) -> None:
    """History tells when it opened and closed, and that somebody took it back."""
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    world.arm.change(NSG, tag("one"))
    world.scan()
    drift = world.drift("web")
    assert (drift.state, drift.items) == ("none", ())
    (closed,) = drift.history
    assert (closed.item.path, closed.reason) == ("tags.note", "reverted")


def test_a_push_over_drift_closes_it(world: World) -> None:
    """A new release brings the resource back, and says so."""
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    world.push(files("web", web="two"))
    world.run(60)
    world.scan()
    drift = world.drift("web")
    assert drift.items == ()
    assert [closed.reason for closed in drift.history] == ["released"]


def test_a_secret_is_named_and_not_shown(world: World) -> None:
    """A changed secret is told as changed, whatever it was and is."""
    world.arm.change(NSG, edit("adminPassword", "hunter2-before"))
    world.scan()
    item = only_item(world.drift("web"))
    assert (item.path, item.now, item.severity) == (
        "properties.adminPassword",
        "changed (secret)",
        "high",
    )
    raw = world.documents.read(names.drift("example", "web"))
    assert raw is not None
    assert b"hunter2" not in raw.data
    assert "hunter2" not in str(world.log.events)


def test_a_deleted_resource_is_found(world: World) -> None:
    """It is told who deleted it; deletion is high."""
    world.arm.remove(NSG)
    world.scan()
    item = only_item(world.drift("web"))
    assert (item.kind, item.resource, item.severity) == ("deleted", NSG, "high")
    assert item.who is not None
    assert item.who.operation.endswith("/delete")


def test_a_deleted_group_is_found(world: World) -> None:
    """All that was in it is gone, by the hand that deleted the group."""
    world.arm.remove(GROUP)
    world.scan()
    item = only_item(world.drift("web"))
    assert item.kind == "deleted"
    assert item.who is not None
    assert item.who.caller == HAND


def test_a_resource_that_nobody_declared_is_found(world: World) -> None:
    """Somebody's new resource in the stack's group is undeclared."""
    other = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/mine"
    world.arm.make(other, {"location": "westeurope", "properties": {}})
    world.scan()
    item = only_item(world.drift("web"))
    assert (item.kind, item.resource, item.managed) == ("undeclared", other, False)
    world.arm.remove(other)
    world.scan()
    assert world.drift("web").state == "none"


def test_a_child_that_nobody_declared_is_found(world: World) -> None:
    """Listings show no children: the log tells of them."""
    child = f"{NSG}/securityRules/mine"
    world.arm.make(child, {"properties": {}})
    world.scan()
    item = only_item(world.drift("web"))
    assert (item.kind, item.resource, item.severity) == ("undeclared", child, "high")


def test_what_was_there_before_is_no_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coverage tells of what is in no stack; it is nobody's drift."""
    world = World(monkeypatch)
    other = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/old"
    world.arm.groups[GROUP.lower()] = {"location": "westeurope", "tags": {}}
    world.arm.make(other, {"location": "westeurope", "properties": {}})
    world.clock.advance(60)
    world.push(files("web", web="one"))
    world.run(60)
    confirm(world)
    assert world.drift("web").state == "none"
    (scope,) = asked(world, "coverage")["scopes"]
    assert (scope["in_stacks"], scope["in_none"], scope["others"]) == (1, 1, [other])


# ---- honest --------------------------------------------------------------------------------


def test_a_release_in_flight_makes_it_tentative(world: World) -> None:
    """While a release runs nothing is said to be drift, and nothing to be clean (I20)."""
    world.arm.change(NSG, tag("by hand"))
    world.arm.plan(deployment_id("web"), Outcome(seconds=300))
    world.push(files("web", web="two"))
    world.run(20)
    world.services.scan_drift()
    world.queues.send("inspect", b'{"v":1,"repository":"example","stack":"web"}')
    world.run(5)
    assert world.drift("web").state == "tentative"
    world.run(400)
    world.scan()
    confirm(world)
    assert world.drift("web").state == "none"


def test_a_resource_that_may_not_be_read_is_incomplete(world: World) -> None:
    """It names the permission; never is it clean."""
    action = "Microsoft.Network/networkSecurityGroups/read"
    refused = Stalled("AuthorizationFailed", f"does not have authorization for '{action}'")
    world.arm.change(NSG, tag("by hand"))
    world.faults.fail("arm.resource", lambda: refused, times=2)
    world.scan()
    drift = world.drift("web")
    assert drift.state == "incomplete"
    (gap,) = drift.gaps
    assert (gap.resource, action in gap.message) == (NSG, True)


@pytest.mark.parametrize(
    ("outlook", "code"),
    [
        (Outlook(unsupported={"nsg": "its id cannot be calculated"}), "WhatIfUnsupported"),
        (
            Outlook(
                diagnostics=(
                    Diagnostic("Warning", "NestedDeploymentShortCircuited", "was not expanded"),
                )
            ),
            "WhatIfPartial",
        ),
        (Outlook(error={"code": "InternalServerError", "message": "sorry"}), "WhatIfFailed"),
    ],
)
def test_a_what_if_that_could_not_look_everywhere_is_incomplete(
    monkeypatch: pytest.MonkeyPatch, outlook: Outlook, code: str
) -> None:
    """What ARM hides is listed, and never clean."""
    world = deployed(monkeypatch)
    world.arm.outlook = outlook
    confirm(world)
    drift = world.drift("web")
    assert (drift.state, [gap.code for gap in drift.gaps]) == ("incomplete", [code])
    world.arm.outlook = Outlook()
    world.clock.advance(86_401)
    world.scan()
    assert world.drift("web").state == "none"


def test_a_what_if_that_takes_its_time_is_fetched_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits inside a function: the address is kept, and asked again."""
    world = deployed(monkeypatch)
    world.arm.outlook = Outlook(looks=3)
    world.clock.advance(601)
    world.scan()
    assert world.drift("web").looking is not None
    world.run(60, sweeps=False)
    assert world.drift("web").state == "none"


def test_a_lost_message_is_sent_again_by_a_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that was begun and forgotten goes on with a later scan."""
    world = deployed(monkeypatch)
    world.arm.outlook = Outlook(looks=1)
    world.clock.advance(601)
    world.services.scan_drift()
    world.deliver_visible()
    for message in world.queues.take("inspect", 32, hidden_s=1e9):
        world.queues.complete(message)
    world.clock.advance(120)
    world.queues.take("inspect", 32, hidden_s=1e9)
    world.scan()
    assert world.drift("web").state == "none"


def test_a_lost_snapshot_is_made_anew_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody touched since the release stands for it; until then it is incomplete."""
    world = deployed(monkeypatch)
    world.history.forget(names.snapshot("example", "web", "1.1"))
    confirm(world)
    drift = world.drift("web")
    assert (drift.state, drift.gaps[0].code) == ("incomplete", "SnapshotLost")
    world.clock.advance(86_401)
    world.scan()
    assert world.drift("web").state == "none"
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    assert only_item(world.drift("web")).path == "tags.note"


def test_a_damaged_snapshot_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are not what was written are never compared with."""
    world = deployed(monkeypatch)
    snapshot = world.services.inspect.archive.snapshot("example", "web", "1.1")
    assert snapshot is not None
    (digest,) = snapshot.resources.values()
    world.history.corrupt(names.contents(digest), b"nonsense")
    confirm(world)
    drift = world.drift("web")
    assert (drift.state, drift.gaps[0].code, drift.gaps[0].resource) == (
        "incomplete",
        "SnapshotLost",
        NSG,
    )


def test_without_a_log_an_edit_is_found_and_nobody_is_named(world: World) -> None:
    """Unknown is said honestly."""
    world.activity.forbid(times=100)
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    item = only_item(world.drift("web"))
    assert (item.path, item.who) == ("tags.note", None)
    assert SUB in asked(world, "coverage")["problems"]


def test_a_late_log_explains_later(world: World) -> None:
    """Who did it is told as soon as the log knows."""
    late = world.activity.entries
    world.activity.entries = []
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    assert only_item(world.drift("web")).who is None
    world.clock.advance(600)
    world.activity.entries = [
        *late[:-1],
        *(_later(one, world.clock.now()) for one in late[-1:]),
    ]
    world.scan()
    item = only_item(world.drift("web"))
    assert item.who is not None
    assert item.who.caller == HAND


def _later(write: Any, seen_at: Any) -> Any:
    return msgspec.structs.replace(write, seen_at=seen_at)


def test_a_drift_document_that_cannot_be_read_is_made_anew(world: World) -> None:
    """It is kept aside, and the next look begins from nothing."""
    world.documents.overwrite(names.drift("example", "web"), b"not json")
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    confirm(world)
    assert only_item(world.drift("web")).path == "tags.note"
    assert any(name.startswith("unreadable/") for name in world.kept())


def test_drift_age_and_history_are_shown(world: World) -> None:
    """The API tells how old drift is, and what came and went."""
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    world.clock.advance(3600)
    shown = asked(world, "stacks/web/drift")
    assert shown["age_s"] >= 3600
    assert shown["items"][0]["who"]["caller"] == HAND
    assert asked(world, "stacks/web")["drift"]["state"] == "drifted"
    assert asked(world, "stacks")[0]["drift"]["items"] == 1
    assert timedelta(seconds=shown["age_s"]) < timedelta(days=1)


def test_what_left_the_template_is_undeclared_with_the_release_that_left_it(world: World) -> None:
    """Without prune it stays, and is shown until it is gone."""
    two = orjson.loads(template("one"))
    two["resources"].append({**two["resources"][0], "name": "other"})
    world.push({**files("web"), "web.json": orjson.dumps(two)})
    world.run(60)
    world.push(files("web", web="one"))
    world.run(60)
    confirm(world)
    item = only_item(world.drift("web"))
    assert (item.kind, item.resource.rpartition("/")[2], item.left_with) == (
        "undeclared",
        "other",
        "3.1",
    )
    world.arm.remove(item.resource)
    world.scan()
    assert world.drift("web").state == "none"


def test_a_throttled_look_comes_later_and_once(world: World) -> None:
    """A delay is written down before the message goes back, so that scans add none (rule 9)."""
    world.arm.change(NSG, tag("by hand"))
    world.faults.fail("arm.resource", lambda: Transient("ArmThrottled", "later", retry_after_s=600))
    world.scan()
    due_at = world.drift("web").due_at
    assert due_at is not None
    assert due_at >= world.clock.now() + timedelta(seconds=540)
    for _ in range(5):
        world.scan()
    assert world.queues.length("inspect") == 1
    world.run(700, sweeps=False)
    assert only_item(world.drift("web")).path == "tags.note"


def test_a_what_if_that_failed_is_tried_again_within_the_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A hiccup of ARM leaves nothing incomplete for a day."""
    world = deployed(monkeypatch)
    world.arm.outlook = Outlook(error={"code": "InternalServerError", "message": "sorry"})
    confirm(world)
    assert world.drift("web").state == "incomplete"
    world.arm.outlook = Outlook()
    world.scan()
    assert world.drift("web").state == "incomplete"
    world.clock.advance(3600)
    world.scan()
    assert world.drift("web").state == "none"


def test_a_retired_api_version_is_incomplete(world: World) -> None:
    """What ARM refuses to show is a gap that says why, and no drift."""
    world.arm.change(NSG, tag("by hand"))
    world.arm.retire("Microsoft.Network/networkSecurityGroups", "2099-01-01")
    world.scan()
    drift = world.drift("web")
    assert (drift.state, drift.items) == ("incomplete", ())
    assert [gap.resource for gap in drift.gaps] == [NSG]
    assert "API version" in drift.gaps[0].message


def test_what_the_manifest_ignores_is_no_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    """By type and path, and only while Azure has the value that is named."""
    world = World(monkeypatch)
    ignore = "{type: Microsoft.Network/networkSecurityGroups, path: tags.note, value: by policy}"
    text = manifest("web").replace("web.json,", f"web.json, drift: {{ignore: [{ignore}]}},")
    world.push({"plumbline.yaml": text, "web.json": template("one")})
    world.run(60)
    confirm(world)
    world.arm.change(NSG, tag("by policy"))
    world.scan()
    assert world.drift("web").state == "none"
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    assert only_item(world.drift("web")).now == "by hand"


def test_a_resource_that_was_moved_says_so(world: World) -> None:
    """It is gone from its group, by the operation that took it elsewhere."""
    world.arm.remove(NSG)
    gone = world.arm.writes.pop()
    world.arm.writes.append(
        msgspec.structs.replace(
            gone,
            resource_id=GROUP,
            operation="Microsoft.Resources/subscriptions/resourceGroups/moveResources/action",
        )
    )
    world.scan()
    item = only_item(world.drift("web"))
    assert item.kind == "deleted"
    assert item.hint is not None
    assert "moved" in item.hint


def test_a_full_look_asks_for_each_thing_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One listing, one what-if, one reading of each resource; the scan's own calls come before."""
    world = deployed(monkeypatch)
    world.clock.advance(601)
    made = calls(world, world.scan)
    assert made[:2] == ["activity.writes", "arm.sightings"]
    assert sorted(made[2:]) == ["arm.predict", "arm.prediction", "arm.resource", "arm.sightings"]


def test_a_role_that_somebody_got_on_the_group_is_found(world: World) -> None:
    """No listing shows what is attached to a group: the log tells of it, and it is high."""
    role = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/11111111-aaaa"
    world.arm.make(role, {"properties": {"roleDefinitionId": "owner"}})
    world.scan()
    item = only_item(world.drift("web"))
    assert (item.kind, item.resource, item.severity) == ("undeclared", role, "high")
    world.arm.remove(role)
    world.scan()
    assert world.drift("web").state == "none"


def test_what_is_made_inside_something_undeclared_is_told_once(world: World) -> None:
    """The resource that nobody declared is enough."""
    other = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/mine"
    world.arm.make(other, {"location": "westeurope", "properties": {}})
    world.arm.make(f"{other}/subnets/s", {"properties": {}})
    world.scan()
    assert only_item(world.drift("web")).resource == other
