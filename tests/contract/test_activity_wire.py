"""The Activity Log's adapter when the other side is slow, full, broken or hostile."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.adapters.arm import Account, ArmEndpoint, activity, activity_table
from shared.adapters.arm.activity import AzureActivityLog
from shared.adapters.arm.activity_reading import of_event, of_row
from shared.adapters.arm.activity_table import LogsEndpoint
from shared.adapters.system import SystemClock
from shared.core.errors import PlumblineError, Stalled, Transient
from tests.arm.azure import StaticCredential
from tests.contract.activity_worlds import (
    ACCOUNT,
    ANN,
    GROUP,
    SUBSCRIPTION,
    SimulatedWorld,
    simulated,
)

CANARY = "claim-canary-77"
APP = "99999999-0000-0000-0000-00000000000a"
OBJECT = "99999999-0000-0000-0000-00000000000b"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
EVENT = {
    "eventDataId": "e1",
    "resourceId": f"{ACCOUNT}/",
    "operationName": {"value": "Microsoft.Storage/storageAccounts/write", "localizedValue": "x"},
    "status": {"value": "Succeeded"},
    "eventTimestamp": "2026-05-04T10:00:00.1234567Z",
    "submissionTimestamp": "2026-05-04T10:02:00Z",
    "correlationId": "c1",
    "caller": OBJECT,
    "claims": {"appid": APP, "ipaddr": CANARY, "name": "Ann", UPN: ANN, "groups": CANARY},
    "authorization": {"scope": CANARY},
    "properties": {"requestbody": CANARY},
}


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
    world.azure.turn(clock_offset_seconds=3600)
    for number in range(times):
        world.change(f"person-{number:02}")
    return world.now() + timedelta(seconds=3590)


# ---- what is taken of an entry -------------------------------------------------------------


def test_of_the_claims_only_name_and_client_are_taken() -> None:
    """A name rather than an object's id; neither addresses nor groups, scopes or bodies."""
    write = of_event(EVENT)

    assert write is not None
    assert CANARY not in repr(write)
    assert (write.caller, write.client, write.correlation_id) == (ANN, APP, "c1")
    assert (write.id, write.resource_id) == ("e1", ACCOUNT)
    assert write.at == datetime(2026, 5, 4, 10, 0, 0, 123456, tzinfo=UTC)
    assert write.seen_at == datetime(2026, 5, 4, 10, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "caller"),
    [
        ({"claims": {"name": "Ann"}}, "Ann"),
        ({"claims": None}, OBJECT),
        ({"caller": None, "claims": {}}, None),
        ({"caller": "  two\nlines  " + "x" * 999}, ("two lines " + "x" * 999)[:256]),
        ({"caller": 5, "claims": [5]}, None),
    ],
)
def test_who_it_was_is_told_as_well_as_it_goes(changed: Any, caller: str | None) -> None:
    """An object's id is better than nobody, and an answer of another shape is nobody."""
    write = of_event(EVENT | changed)

    assert write is not None
    assert write.caller == caller


@pytest.mark.parametrize(
    "changed",
    [
        {"status": {"value": "Started"}},
        {"status": "Failed"},
        {"status": None},
        {"eventDataId": ""},
        {"resourceId": None},
        {"resourceId": "nowhere"},
        {"eventTimestamp": "yesterday"},
        {"eventTimestamp": 5},
        {"operationName": {"value": "Microsoft.Web/sites/restart/action"}},
        {"operationName": []},
    ],
)
def test_what_is_no_finished_change_is_nothing(changed: Any) -> None:
    """Whatever an entry lacks, it breaks nothing."""
    assert of_event(EVENT | changed) is None


def test_a_row_gets_the_spelling_of_arm_where_it_is_the_same() -> None:
    """A workspace has capitals and small letters; another scope is not taken for the resource."""
    row = {
        "Id": "e1",
        "Resource": ACCOUNT.lower(),
        "Operation": "MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE",
        "At": datetime(2026, 5, 4, tzinfo=UTC),
        "SeenAt": datetime(2026, 5, 4, tzinfo=UTC),
        "Action": "Microsoft.Storage/storageAccounts/write",
        "Scope": ACCOUNT,
    }
    same, other = of_row(row), of_row(row | {"Scope": GROUP, "Action": None})

    assert same is not None
    assert other is not None
    assert (same.resource_id, same.operation) == (ACCOUNT, row["Action"])
    assert (other.resource_id, other.operation) == (ACCOUNT.lower(), row["Operation"])


# ---- more than fits ------------------------------------------------------------------------


def test_every_page_is_read(arm: SimulatedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """ARM shows 200 entries on a page, newest first; past the last page that is read some are lost."""
    since = changed(arm, 450)
    whole = arm.read(since)
    monkeypatch.setattr(activity, "MAX_PAGES", 2)
    cut = arm.read(since)

    assert len([one for one in whole.writes if "person" in (one.caller or "")]) == 450
    assert whole.lost_before is None
    assert len(cut.writes) == 400
    assert cut.lost_before == min(one.at for one in cut.writes)
    assert cut.writes == whole.writes[-400:]


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
    assert [one.caller for one in whole.writes] == [f"person-{number:02}" for number in range(9)]
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
