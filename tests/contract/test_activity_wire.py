"""The Activity Log's adapter when the other side is slow, full, broken or hostile."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from local.arm.routes import activity as pages
from shared import wiring
from shared.adapters.arm import Account, ArmEndpoint, activity, activity_table
from shared.adapters.arm.activity import AzureActivityLog
from shared.adapters.arm.activity_table import LogsEndpoint
from shared.adapters.system import SystemClock
from shared.core.errors import PlumblineError, Stalled, Transient
from shared.settings import load
from tests.arm.azure import StaticCredential
from tests.contract.activity_worlds import (
    ANN,
    SUBSCRIPTION,
    SimulatedWorld,
    simulated,
)


@pytest.fixture(params=[False, True], ids=["arm", "workspace"])
def world(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SimulatedWorld]:
    """Offer the simulator by each route."""
    with simulated(monkeypatch, workspace=request.param) as simulator:
        yield simulator


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedWorld]:
    """Offer the simulator by ARM's route."""
    with simulated(monkeypatch, workspace=False) as simulator:
        yield simulator


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedWorld]:
    """Offer the simulator by a workspace."""
    with simulated(monkeypatch, workspace=True) as simulator:
        yield simulator


def raised(world: SimulatedWorld) -> PlumblineError:
    """Return what reading the log raises."""
    with pytest.raises(PlumblineError) as caught:
        world.read(world.now() - timedelta(hours=1))
    return caught.value


def changed(world: SimulatedWorld, times: int) -> datetime:
    """Let somebody change the account some times; returns the time before."""
    world.pass_time(3600)
    before = world.now()
    for number in range(times):
        world.change(f"person-{number:03}")
    return before


# ---- more than fits ------------------------------------------------------------------------


def test_every_page_is_read(arm: SimulatedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """ARM shows pages, newest first; past the last that is read, what is older is said to be lost."""
    monkeypatch.setattr(pages, "_PAGE", 10)
    since = changed(arm, 25)
    whole = arm.read(since)
    monkeypatch.setattr(activity, "MAX_PAGES", 2)
    cut = arm.read(since)

    assert len(whole.writes) == 25
    assert whole.lost_before is None
    assert cut.writes == whole.writes[-20:]
    assert cut.lost_before == cut.writes[0].at


def test_a_workspace_is_read_in_parts(
    table: SimulatedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oldest first; where it stops is said, and reading on from there tells the rest."""
    monkeypatch.setattr(activity_table, "ROWS", 4)
    since = changed(table, 9)
    whole = table.read(since)
    monkeypatch.setattr(activity_table, "MAX_QUERIES", 1)
    first = table.read(since)
    assert first.read_until is not None
    second = table.read(first.read_until)

    assert whole.read_until is None
    assert [one.caller for one in whole.writes] == [f"person-{number:03}" for number in range(9)]
    assert first.writes == whole.writes[:4]
    assert second.writes == whole.writes[3:7]


def test_a_workspace_that_cuts_its_answer_is_read_on(
    table: SimulatedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partial answer is a part, never the whole."""
    since = changed(table, 9)
    table.azure.turn(logs_row_limit=4)
    whole = table.read(since)
    monkeypatch.setattr(activity_table, "MAX_QUERIES", 1)

    assert len(whole.writes) == 9
    assert whole.read_until is None
    assert table.read(since).read_until is not None


@dataclass
class HurriedClock(SystemClock):
    """A clock by which each page takes a third of the time that there is."""

    spent_s: float = 0.0

    def monotonic(self) -> float:
        """Return seconds; what was spent is gone."""
        return super().monotonic() + self.spent_s

    def spend(self, _kind: str) -> None:
        """Let a page take its time."""
        self.spent_s += 10.5


def test_a_reading_that_takes_long_ends_with_a_part(
    world: SimulatedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that says so gets further than an attempt that runs out of time again and again."""
    monkeypatch.setattr(pages, "_PAGE", 10)
    monkeypatch.setattr(activity_table, "ROWS", 10)
    since = changed(world, 35)
    clock = HurriedClock()
    address = world.azure.address
    log = AzureActivityLog(
        ArmEndpoint(url=address.endpoint, ca_file=address.ca_file),
        LogsEndpoint(url=address.endpoint, ca_file=address.ca_file),
        StaticCredential(address.token),
        clock,
        Account(lambda: "id", clock.spend, lambda _, __: None),
    )
    with closing(log):
        part = log.writes(SUBSCRIPTION, since, world.workspace)

    assert 0 < len(part.writes) < 35
    assert (part.read_until is not None) == (world.workspace is not None)
    assert (part.lost_before is not None) == (world.workspace is None)


# ---- what goes wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "kind", "reason"),
    [
        ({"kind": "throttled", "retry_after": 17}, Transient, "SubscriptionRequestsThrottled"),
        ({"kind": "server_error", "status": 503}, Transient, "ServiceUnavailable"),
        ({"drop": True, "when": "before"}, Transient, "Unreachable"),
        ({"kind": "malformed_json"}, Transient, "AnswerUnreadable"),
        ({"kind": "html_page"}, Transient, ("Http502", "AnswerUnreadable")),
        ({"status": 200, "body": []}, Transient, "AnswerUnreadable"),
        ({"status": 200, "body": {"value": 5, "tables": 5}}, Transient, "AnswerUnreadable"),
        ({"status": 404, "body": {"error": {"code": "NotFound"}}}, Stalled, "ActivityLogMissing"),
    ],
)
def test_each_fault_is_one_of_ours(
    world: SimulatedWorld, told: Any, kind: type[PlumblineError], reason: str | tuple[str, str]
) -> None:
    """One attempt each: what passes by itself is Transient, what a person must mend says how."""
    world.azure.script(told, route=world.route)
    before = sum(world.azure.counts().values())
    error = raised(world)

    assert isinstance(error, kind)
    assert error.reason.endswith(reason)
    assert sum(world.azure.counts().values()) - before == 1
    if isinstance(error, Transient) and "retry_after" in told:
        assert error.retry_after_s == 17
    if isinstance(error, Stalled):
        assert error.hint


def test_a_workspace_without_the_table_says_what_to_do(table: SimulatedWorld) -> None:
    """A log that is not sent there is missing, not empty."""
    inner = {"code": "SEM0100", "message": "Failed to resolve table 'AzureActivity'"}
    error = {"code": "BadArgumentError", "message": "The request is wrong", "innererror": inner}
    table.azure.script({"status": 400, "body": {"error": error}}, route=table.route)
    wrong = raised(table)
    table.workspace = "77777777-0000-0000-0000-000000000000"
    unknown = raised(table)

    assert (wrong.reason, unknown.reason) == ("ActivityLogMissing", "ActivityLogMissing")
    assert "diagnostic setting" in (wrong.hint or "")
    assert "Workspace ID" in (unknown.hint or "")


def test_a_workspace_that_may_not_be_read_names_the_rights(table: SimulatedWorld) -> None:
    """Log Analytics does not say which action is missing, so we do."""
    table.forbid()

    assert "Microsoft.OperationalInsights/workspaces/query/AzureActivity/read" in (
        raised(table).hint or ""
    )


def test_the_token_goes_nowhere_else(arm: SimulatedWorld) -> None:
    """A next page on another host is not asked for."""
    link = "https://evil.example/subscriptions/x?api-version=2015-04-01"
    told = {"status": 200, "body": {"value": [], "nextLink": link}}
    arm.azure.script(told, route=arm.route)

    assert raised(arm).reason == "ArmAnswerUnreadable"


def test_what_is_asked_for_is_only_what_is_kept(arm: SimulatedWorld) -> None:
    """Bodies of requests may hold secrets: they do not even come here."""
    arm.change(ANN)
    arm.read(arm.now() - timedelta(hours=1))
    log = arm.azure.control("GET", "/requests")["requests"]
    [asked] = [json.dumps(one) for one in log if one["route"] == arm.route]

    assert "properties" not in asked
    assert "httpRequest" not in asked


def test_what_arm_says_of_its_limits_is_heard(arm: SimulatedWorld) -> None:
    """Reading the log is paid from the bucket that releases are paid from."""
    heard: list[tuple[str, Any]] = []
    counted: list[str] = []
    account = Account(
        lambda: "id", counted.append, lambda key, left: heard.append((key, dict(left)))
    )
    address = arm.azure.address
    endpoint = ArmEndpoint(url=address.endpoint, ca_file=address.ca_file)
    logs = LogsEndpoint(url=address.endpoint, ca_file=address.ca_file)
    credential = StaticCredential(address.token)
    log = AzureActivityLog(endpoint, logs, credential, SystemClock(), account)
    with closing(log):
        log.writes(SUBSCRIPTION.upper(), arm.now())

    assert counted == ["activity.list"]
    assert [key for key, _ in heard] == [SUBSCRIPTION]
    assert "subscription-reads" in heard[0][1]


@pytest.mark.parametrize("what", ["arm", "logs"])
def test_an_address_in_the_clear_is_refused(what: str) -> None:
    """A token is never sent without TLS."""
    urls = {"arm": "https://arm.example", "logs": "https://logs.example"}
    urls[what] = f"http://{what}.example"

    with pytest.raises(Stalled) as caught:
        AzureActivityLog(
            ArmEndpoint(url=urls["arm"]),
            LogsEndpoint(url=urls["logs"]),
            StaticCredential("t"),
            SystemClock(),
            Account(lambda: "id", lambda _: None, lambda _, __: None),
        )

    assert caught.value.reason == "InsecureEndpoint"


def test_the_app_asks_with_what_its_settings_say(world: SimulatedWorld) -> None:
    """Addresses, the authority to trust and the identity reach the adapter, by either route."""
    address = world.azure.address
    told = {
        "PlumblineStorage": "UseDevelopmentStorage=true",
        "PLUMBLINE_DIGEST_KEY": "k" * 40,
        "PLUMBLINE_DIGEST_KEY_ID": "test",
        "PLUMBLINE_ARM_ENDPOINT": address.endpoint,
        "PLUMBLINE_ARM_CA_FILE": address.ca_file,
        "PLUMBLINE_LOGS_ENDPOINT": address.endpoint,
    }
    ports: Any = wiring.AzurePorts(load(told), wiring.log())
    before = world.now()
    world.change(ANN)
    found = ports.activity.writes(SUBSCRIPTION, before, world.workspace)
    heard = ports.arm.left(SUBSCRIPTION, "reads")
    for made in (ports.activity, ports.arm, ports._identity):
        made.close()

    assert ANN in {one.caller for one in found.writes}
    assert (heard is None) == (world.workspace is not None)
