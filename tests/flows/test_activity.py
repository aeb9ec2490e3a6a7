"""Asking the Activity Log: what is kept, and what becomes of a log that is late or absent."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from shared import events
from shared.core import names
from shared.core.activities import OVERLAP, Activity
from shared.core.document import decode
from shared.core.errors import Transient
from shared.ports import CallsLeft
from tests.fakes.activity import FakeActivityLog
from tests.flows.world import CONFIGURATION, SUB, World

VNET = f"/subscriptions/{SUB}/resourceGroups/rg-web/providers/Microsoft.Network/virtualNetworks/v"
WORKSPACE = "99999999-1111-1111-1111-111111111111"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Offer a world whose log comes a quarter of an hour late, as Azure's may."""
    world = World(monkeypatch)
    world.activity.lag_s = 900.0
    return world


def ask(world: World, *ours: str) -> Activity:
    """Let a scan ask the log, and return what is known then."""
    found = world.services.activities(SUB, world.clock.now(), ours)
    stored = world.documents.read(names.activity(SUB))
    assert stored is not None
    assert decode(Activity, "activity", stored.data).document == found
    return found


def callers(activity: Activity) -> list[str | None]:
    """Return who did what is known."""
    return [one.caller for one in activity.writes]


def scan(world: World, minutes: int, *ours: str) -> Activity:
    """Let minutes pass with a scan every five."""
    for _ in range(minutes // 5):
        world.clock.advance(300)
        ask(world, *ours)
    return ask(world, *ours)


def test_a_change_by_hand_is_known_once_the_log_has_it(world: World) -> None:
    """Late entries are found, each once, and what our releases did is left out."""
    world.activity.note(VNET, caller="ann", times=3)
    world.activity.note(VNET, caller="us", correlation_id="OURS")
    early = ask(world, "ours")
    late = scan(world, 60, "ours")

    assert early.answers
    assert early.writes == ()
    assert callers(late) == ["ann"]
    assert late.known_until is not None
    assert late.known_until > late.writes[0].at


def test_nothing_is_missed_between_two_scans_whatever_the_lag(world: World) -> None:
    """Up to the overlap an entry may be late: the watermark never passes one that is to come."""
    for minute in range(120):
        world.activity.lag_s = (minute * 7 % 30) * 60.0
        world.activity.note(f"{VNET}{minute}", caller=str(minute))
        world.clock.advance(60)
        if minute % 5 == 0:
            ask(world)
    found = scan(world, 60)

    assert sorted(int(one or "") for one in callers(found)) == list(range(120))


def test_a_quiet_log_is_not_read_from_the_beginning_each_time(world: World) -> None:
    """A mass of entries is passed after the overlap, even if nothing comes after it."""
    for number in range(50):
        world.activity.note(f"{VNET}{number}", correlation_id="ours")
    scan(world, 90, "ours")
    world.log.events.clear()
    ask(world)

    assert [one["read"] for one in world.log.named(events.ACTIVITY_READ)] == [0]


def test_a_log_that_cannot_be_asked_is_an_answer(world: World) -> None:
    """The document says why and since when, what was known stays, and it heals by itself."""
    world.activity.lag_s = 0
    world.activity.note(VNET, caller="ann")
    ask(world)
    world.activity.forbid(times=2)
    since = world.clock.now()
    silent = ask(world)
    world.clock.advance(300)
    still = ask(world)
    healed = ask(world)

    assert callers(still) == ["ann"]
    assert silent.problem is not None
    assert silent.problem.code == "AuthorizationFailed"
    assert still.problem_since == since
    assert not still.answers
    assert healed.answers
    assert [one["reason"] for one in world.log.named(events.ACTIVITY_SILENT)] == [
        "AuthorizationFailed"
    ] * 2


def test_a_log_that_does_not_answer_is_an_answer_too(world: World) -> None:
    """A network fault is no reason not to look for drift."""
    world.faults.fail("activity.writes", lambda: Transient("ArmUnreachable", "no answer"))
    found = ask(world)

    assert found.problem is not None
    assert found.problem.code == "ArmUnreachable"


def test_a_spent_budget_leaves_the_log_for_later(world: World) -> None:
    """Releases go first: ARM is not asked, and no problem is made of it."""
    world.activity.note(VNET)
    world.arm.limits[SUB, "reads"] = CallsLeft(0, world.clock.monotonic())
    found = world.services.activities(SUB, world.clock.now())

    assert found == Activity(subscription=SUB)
    assert world.faults.count("activity.writes") == 0


def test_a_workspace_is_asked_where_there_is_one_and_costs_no_call_of_arm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It goes by when the workspace had an entry; one that is not there is a problem."""
    configuration: dict[str, Any] = copy.deepcopy(dict(CONFIGURATION))
    configuration["activity"] = {"workspaces": {SUB: WORKSPACE}}
    world = World(monkeypatch, configuration=configuration)
    world.arm.limits[SUB, "reads"] = CallsLeft(0, world.clock.monotonic())
    missing = ask(world)
    world.activity.workspaces.add(WORKSPACE)
    world.activity.note(VNET, caller="ann")
    found = ask(world)

    assert missing.problem is not None
    assert missing.problem.code == "ActivityLogMissing"
    assert callers(found) == ["ann"]


def test_more_than_fits_is_read_on_or_said_to_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace is read on from where it stopped; through ARM the oldest are lost, and that is said."""
    configuration: dict[str, Any] = copy.deepcopy(dict(CONFIGURATION))
    through_arm = World(monkeypatch)
    configuration["activity"] = {"workspaces": {SUB: WORKSPACE}}
    by_workspace = World(monkeypatch, configuration=configuration)
    by_workspace.activity.workspaces.add(WORKSPACE)
    for world in (through_arm, by_workspace):
        world.activity.most = 40
        for number in range(100):
            world.activity.note(f"{VNET}{number}", caller=str(number))
            world.clock.advance(60)
    found = ask(through_arm)
    first = ask(by_workspace)
    whole = scan(by_workspace, 60)

    assert callers(found) == [str(number) for number in range(60, 100)]
    assert found.known_from == found.writes[0].at
    assert callers(first) == [str(number) for number in range(40)]
    assert first.known_until == first.writes[-1].seen_at - OVERLAP
    assert callers(whole) == [str(number) for number in range(100)]
    assert whole.known_from is not None
    assert whole.known_from < whole.writes[0].at


def test_two_scans_at_once_lose_nothing(world: World) -> None:
    """Whoever comes second takes over what the first has written."""
    world.activity.lag_s = 0
    world.activity.note(VNET, caller="ann")
    other = world.worker(world.clock)
    beaten: list[str] = []

    def hook(moment: str, call: str, name: str) -> None:
        if (moment, call) == ("before", "documents.create") and not beaten:
            beaten.append(name)
            world.activity.note(f"{VNET}2", caller="bob")
            other.activities(SUB, world.clock.now() + timedelta(seconds=1), ())

    world.hook = hook
    found = ask(world)

    assert beaten == [names.activity(SUB)]
    assert callers(found) == ["ann", "bob"]


def test_the_fake_is_as_strict_as_azure(world: World) -> None:
    """Another subscription's changes are not told."""
    other = VNET.replace(SUB, "2" * 8 + SUB[8:])
    log: FakeActivityLog = world.activity
    log.lag_s = 0
    log.note(other)

    assert log.writes(SUB, world.clock.now()).writes == ()
