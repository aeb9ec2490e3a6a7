"""The Activity Log: what was really done, by whom, and how the service shows it."""

from __future__ import annotations

import http.client
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local.arm import tokens
from local.arm.server import Settings, start
from tests.arm.azure import (
    API,
    Azure,
    StaticCredential,
    clients,
    eventually,
    nested,
    network,
    plain,
    storage,
)

DAY = timedelta(days=1)


def filter_of(since: datetime | None = None, until: datetime | None = None, more: str = "") -> str:
    """Return a query string with a filter over a time, yesterday to tomorrow if not said."""
    since, until = since or datetime.now(UTC) - DAY, until or datetime.now(UTC) + DAY
    text = f"eventTimestamp ge '{since.isoformat()}' and eventTimestamp le '{until.isoformat()}'"
    return f"api-version=2015-04-01&$filter={quote(text + more)}"


def log(azure: Azure, more: str = "", **times: datetime) -> list[dict[str, Any]]:
    """Return what the management route lists, oldest first."""
    path = f"{azure.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    reply = azure.call("GET", f"{path}?{filter_of(more=more, **times)}")
    assert reply.status == 200, reply
    found: list[dict[str, Any]] = list(reversed(reply.body["value"]))
    return found


def told(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Return (operation, name, status) of events."""
    return [
        (
            event["operationName"]["value"].removeprefix("Microsoft."),
            event["resourceId"].rpartition("/")[2],
            event["status"]["value"],
        )
        for event in events
    ]


def test_a_write_by_a_client_is_a_start_and_an_end(azure: Azure) -> None:
    """Both share operation and correlation; the end has the status, the caller is the token's."""
    group = azure.group()
    path = f"{group}/providers/Microsoft.Network/networkSecurityGroups/nsg"
    azure.call(
        "PUT",
        f"{path}?api-version=2024-01-01",
        {"location": "westeurope"},
        headers={"x-ms-client-request-id": "c-1", "x-ms-correlation-request-id": "k-1"},
    )
    start, end = log(azure, " and resourceProvider eq 'Microsoft.Network'")

    assert (start["status"]["value"], end["status"]["value"]) == ("Started", "Succeeded")
    assert end["subStatus"] == {
        "value": "Created",
        "localizedValue": "Created (HTTP Status Code: 201)",
    }
    assert end["properties"]["statusCode"] == "Created"
    assert end["operationId"] == start["operationId"]
    assert end["eventDataId"] != start["eventDataId"]
    assert end["correlationId"] == "k-1"
    assert end["resourceId"] == path
    assert end["resourceGroupName"] == "rg-shop"
    assert end["resourceType"]["value"] == "Microsoft.Network/networkSecurityGroups"
    assert end["authorization"] == {
        "action": "Microsoft.Network/networkSecurityGroups/write",
        "scope": path,
    }
    assert end["operationName"]["localizedValue"] == "Create or Update Network Security Group"
    assert end["httpRequest"] == {
        "clientRequestId": "c-1",
        "clientIpAddress": "127.0.0.1",
        "method": "PUT",
    }
    assert end["level"] == "Informational"
    assert end["category"]["value"] == "Administrative"
    claims = end["claims"]
    assert claims["http://schemas.microsoft.com/identity/claims/objectidentifier"] == end["caller"]


def test_what_a_person_writes_carries_their_sign_in_name(azure: Azure) -> None:
    """Whoever signed in to the portal is named, and the portal's application is the client."""
    path = f"{azure.group()}/providers/Microsoft.Network/networkSecurityGroups/nsg"
    person = tokens.Person("eve@x.example", tenant="t").token("https://management.azure.com/")
    azure.call("PUT", f"{path}?api-version=2024-01-01", {"location": "westeurope"}, token=person)

    end = log(azure, " and resourceProvider eq 'Microsoft.Network'")[-1]

    assert end["caller"] == "eve@x.example"
    assert end["claims"]["appid"] == tokens.PORTAL


def test_a_deployment_and_all_that_it_writes_share_one_correlation(azure: Azure) -> None:
    """The correlation id is the deployment's, the caller whoever asked for it."""
    azure.group()
    azure.deploy("d", [storage(), network(dependsOn=["stshop001"])]).result()
    deployment = azure.deployments.deployments.get("rg-shop", "d")
    events = log(azure, f" and correlationId eq '{deployment.properties.correlation_id}'")

    assert told(events) == [
        ("Resources/deployments/write", "d", "Started"),
        ("Resources/deployments/write", "d", "Accepted"),
        ("Storage/storageAccounts/write", "stshop001", "Started"),
        ("Storage/storageAccounts/write", "stshop001", "Succeeded"),
        ("Network/virtualNetworks/write", "vnet", "Started"),
        ("Network/virtualNetworks/write", "vnet", "Succeeded"),
        ("Resources/deployments/write", "d", "Succeeded"),
    ]
    assert len({event["caller"] for event in events}) == 1
    assert "httpRequest" not in events[2]


def test_a_nested_deployment_is_noted_with_its_own_end(azure: Azure) -> None:
    """It is begun by its parent and shares the correlation."""
    azure.group()
    azure.deploy("outer", [nested("inner", [plain("shelf")])]).result()
    events = [event for event in log(azure) if "resourceGroups/write" not in str(event)]

    assert [(name, status) for _, name, status in told(events)] == [
        ("outer", "Started"),
        ("outer", "Accepted"),
        ("inner", "Started"),
        ("inner", "Accepted"),
        ("shelf", "Started"),
        ("shelf", "Succeeded"),
        ("inner", "Succeeded"),
        ("outer", "Succeeded"),
    ]
    assert len({event["correlationId"] for event in events}) == 1


def test_a_refused_step_and_its_deployment_fail_with_the_reason(azure: Azure) -> None:
    """Failed, level Error, the HTTP status in words and ARM's error in the details."""
    azure.group()
    azure.script(
        {"kind": "authorization_failed"}, origin="deployment", path="storageAccounts/stshop001"
    )
    poller = azure.deploy("d", [storage()])
    with pytest.raises(Exception, match="authorization"):
        poller.result()
    step, deployment = log(azure, " and status eq 'Failed'")

    assert step["resourceId"].endswith("/storageAccounts/stshop001")
    assert step["subStatus"]["value"] == "Forbidden"
    assert "AuthorizationFailed" in step["properties"]["statusMessage"]
    assert deployment["resourceId"].endswith("/deployments/d")
    assert deployment["level"] == "Error"


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("PUT", "/resourceGroups/none/providers/Contoso.Shop/shelves/s", {}, "NotFound"),
        (
            "PUT",
            "/resourceGroups/rg-shop/providers/Microsoft.Storage/storageAccounts/stshop1",
            {},
            "BadRequest",
        ),
        ("PUT", "/resourceGroups/rg-shop", {"location": "eastus"}, "Conflict"),
    ],
)
def test_a_refused_call_is_a_failure(
    azure: Azure, method: str, path: str, body: Any, said: str
) -> None:
    """404, 400 and 409 are noted with their status in words."""
    azure.group()
    reply = azure.call(method, f"{azure.subscription}{path}?api-version={API}", body)
    (event,) = log(azure, " and status eq 'Failed'")

    assert reply.status >= 400
    assert event["subStatus"]["value"] == said
    assert reply.code in event["properties"]["statusMessage"]


def test_a_scripted_403_is_noted_and_a_429_is_not(azure: Azure) -> None:
    """Who lacks a permission was seen; who came too often never got so far."""
    azure.script({"kind": "authorization_failed"}, method="PUT")
    azure.script({"kind": "throttled"}, method="PUT")
    statuses = [
        azure.call("PUT", f"{azure.subscription}/resourceGroups/a?api-version={API}", {}).status
        for _ in range(2)
    ]

    assert statuses == [403, 429]
    assert [event["subStatus"]["value"] for event in log(azure)] == ["", "Forbidden"]


def test_what_was_done_is_noted_although_the_answer_got_lost(azure: Azure) -> None:
    """A broken connection after the effect leaves the effect, and its trace."""
    azure.script({"drop": True, "when": "after"}, method="PUT", path="resourceGroups/lost")
    with pytest.raises(http.client.RemoteDisconnected):
        azure.call(
            "PUT",
            f"{azure.subscription}/resourceGroups/lost?api-version={API}",
            {"location": "eastus"},
        )

    assert told(log(azure))[-1] == (
        "Resources/subscriptions/resourceGroups/write",
        "lost",
        "Succeeded",
    )


def test_a_hand_in_the_portal_is_a_person(azure: Azure) -> None:
    """The side channel's changes carry the actor as caller and in the claims."""
    group = azure.group()
    azure.deploy("d", [plain("s1")]).result()
    shelf = f"{group}/providers/Contoso.Shop/shelves/s1"
    azure.control(
        "POST", "/change", {"id": shelf, "set": {"tags": {"a": "b"}}, "actor": "eve@x.example"}
    )
    azure.control("POST", "/delete", {"id": shelf.upper(), "actor": "bob@x.example"})
    eve, bob = (
        log(azure, " and caller eq 'eve@x.example'"),
        log(azure, " and caller eq 'bob@x.example'"),
    )

    assert told(eve)[-1] == ("Contoso.Shop/shelves/write", "s1", "Succeeded")
    assert told(bob)[-1][0] == "Contoso.Shop/shelves/delete"
    assert eve[0]["claims"]["name"] == "eve@x.example"


def test_work_that_takes_time_is_accepted_and_ends_when_it_ends(azure: Azure) -> None:
    """The end is listed once the provider is done, and not before."""
    azure.turn(resource_seconds=0.4)
    group = azure.group()
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/stshop001"
    azure.call(
        "PUT",
        f"{account}?api-version=2024-01-01",
        {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
    )
    more = " and resourceProvider eq 'Microsoft.Storage'"
    before = [status for _, _, status in told(log(azure, more))]
    eventually(lambda: len(log(azure, more)) == 3)

    assert before == ["Started", "Accepted"]
    assert told(log(azure, more))[-1][2] == "Succeeded"


def test_a_group_takes_its_resources_along(azure: Azure) -> None:
    """Deleting a group notes the deletion of each resource in it, with the same correlation."""
    azure.group()
    azure.deploy("d", [storage()]).result()
    azure.resources.resource_groups.begin_delete("rg-shop").result()
    events = log(azure)
    gone = [
        (event["operationName"]["value"], event["correlationId"])
        for event in events
        if event["operationName"]["value"].endswith("/delete")
        and event["status"]["value"] == "Succeeded"
    ]

    assert sorted(name for name, _ in gone) == [
        "Microsoft.Resources/subscriptions/resourceGroups/delete",
        "Microsoft.Storage/storageAccounts/delete",
    ]
    assert len({correlation for _, correlation in gone}) == 1


def test_complete_mode_notes_what_it_deletes(azure: Azure) -> None:
    """The deletion belongs to the deployment."""
    azure.group()
    azure.deploy("one", [plain("s1"), plain("s2")]).result()
    azure.deploy("two", [plain("s1")], mode="Complete").result()
    deployment = azure.deployments.deployments.get("rg-shop", "two")
    (_, end) = [
        event for event in log(azure) if "shelves/delete" in event["operationName"]["value"]
    ]

    assert end["resourceId"].endswith("/shelves/s2")
    assert end["correlationId"] == deployment.properties.correlation_id


def test_actions_are_noted_and_questions_are_not(azure: Azure) -> None:
    """POST listKeys is an action; GET, HEAD and a template's hash are none."""
    group = azure.group()
    azure.deploy("d", [storage()]).result()
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/stshop001"
    before = len(log(azure))
    azure.call("GET", f"{account}?api-version={API}")
    azure.call(
        "POST", f"/providers/Microsoft.Resources/calculateTemplateHash?api-version={API}", {}
    )
    azure.call("POST", f"{account}/listKeys?api-version={API}")
    after = log(azure)[before:]

    assert [event["operationName"]["value"] for event in after] == [
        "Microsoft.Storage/storageAccounts/listKeys/action"
    ] * 2
    assert after[0]["resourceId"] == account


def test_no_secret_gets_into_the_log(azure: Azure) -> None:
    """The body of a write is shown with what looks secret masked, at any depth."""
    group = azure.group()
    azure.call(
        "PUT",
        f"{group}/providers/Contoso.Shop/shelves/s?api-version={API}",
        {
            "location": "westeurope",
            "properties": {
                "adminPassword": "hunter2",
                "settings": [{"name": "A", "value": "hunter2"}],
                "text": "AccountKey=hunter2",
                "depth": 3,
            },
        },
    )
    azure.deploy(
        "d",
        [plain("x")],
        parameters={"p": {"type": "securestring"}},
        given={"p": {"value": "hunter2"}},
    ).result()
    events = log(azure)

    assert "hunter2" not in str(events)
    assert '"depth":3' in str(events)


def test_the_log_lags_by_a_knob(azure: Azure) -> None:
    """An entry is seen once the lag is over, with the time at which it became visible."""
    azure.turn(activity_lag_seconds=120)
    azure.group()
    hidden = log(azure)
    azure.turn(clock_offset_seconds=121)
    seen = log(azure)
    at, submitted = (
        datetime.fromisoformat(seen[0][name][:26])
        for name in ("eventTimestamp", "submissionTimestamp")
    )

    assert hidden == []
    assert len(seen) == 2
    assert submitted - at == timedelta(seconds=120)


def test_the_log_is_bounded_and_forgets_after_ninety_days(azure: Azure) -> None:
    """The newest entries stay; what is older than 90 days goes with the next entry."""
    azure.turn(activity_limit=4)
    for name in ("a", "b", "c"):
        azure.group(name)
    kept = [event["resourceGroupName"] for event in log(azure)]
    azure.turn(clock_offset_seconds=91 * 86_400)
    azure.group("d")
    later = datetime.now(UTC) + timedelta(days=91)
    now = log(azure, since=later - timedelta(days=89), until=later + DAY)

    assert kept == ["b", "b", "c", "c"]
    assert [event["resourceGroupName"] for event in now] == ["d", "d"]


def test_the_log_survives_a_restart(tmp_path: Path) -> None:
    """A folder opened again has the same entries, with the same ids, and goes on from there."""
    with start(Settings(folder=tmp_path)) as address, clients(address) as azure:
        azure.group("rg-a")
        before = log(azure)
    with start(Settings(folder=tmp_path)) as address, clients(address) as again:
        after = log(again)
        again.group("rg-b")
        later = log(again)

    assert len(before) == 2
    assert after == before
    assert [event["resourceGroupName"] for event in later] == ["rg-a", "rg-a", "rg-b", "rg-b"]


def test_a_reset_forgets_the_log(azure: Azure) -> None:
    """Like all else."""
    azure.group()
    azure.control("POST", "/reset")

    assert log(azure) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("api-version=2015-04-01", "required"),
        ("api-version=2015-04-01&$filter=resourceGroupName%20eq%20'a'", "from when on"),
        (filter_of(datetime.now(UTC) - timedelta(days=100)), "90 days"),
        (filter_of(datetime.now(UTC), datetime.now(UTC) - DAY), "before the start"),
        (filter_of(more=" or caller eq 'x'"), "cannot be read"),
        (filter_of(more=" and color eq 'x'"), "not supported"),
        (filter_of(more=" and caller ge 'x'"), "not supported"),
        ("api-version=2015-04-01&$filter=eventTimestamp%20ge%20'soon'", "ISO 8601"),
        (filter_of() + "&$select=nothing", "$select"),
        (filter_of() + "&$skipToken=x", "$skipToken"),
    ],
)
def test_a_filter_that_cannot_be_used_is_refused(azure: Azure, query: str, said: str) -> None:
    """Each time with 400 BadRequest that says what is wrong."""
    path = f"{azure.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    reply = azure.call("GET", f"{path}?{query}")

    assert (reply.status, reply.code) == (400, "BadRequest")
    assert said in reply.message


def test_filters_select_and_order(azure: Azure) -> None:
    """By group, by resource, by status; newest first; only the fields that were asked for."""
    azure.group("rg-a")
    azure.group("rg-b")
    path = f"{azure.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    query = filter_of(
        more=" and resourceGroupName eq 'RG-A' and eventChannels eq 'Admin, Operation'"
    )
    reply = azure.call("GET", f"{path}?{query}&$select=eventTimestamp,resourceGroupName,status")
    by_id = log(azure, f" and resourceUri eq '{azure.subscription}/resourcegroups/RG-B'")
    times = [event["eventTimestamp"] for event in reply.body["value"]]

    assert [set(event) for event in reply.body["value"]] == [
        {"eventTimestamp", "resourceGroupName", "status"}
    ] * 2
    assert times == sorted(times, reverse=True)
    assert {event["resourceGroupName"] for event in by_id} == {"rg-b"}


def test_long_lists_come_in_pages_that_new_entries_do_not_shift(azure: Azure) -> None:
    """Every entry comes once, although others are written between two pages."""
    for number in range(110):
        azure.call(
            "PUT",
            f"{azure.subscription}/resourceGroups/g{number}?api-version={API}",
            {"location": "eastus"},
        )
    path = f"{azure.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    first = azure.call("GET", f"{path}?{filter_of()}").body
    azure.group("later")
    link = first["nextLink"]
    second = azure.call("GET", link[len(azure.address.endpoint) :]).body
    ids = [event["eventDataId"] for event in first["value"] + second["value"]]

    assert len(ids) == len(set(ids)) == 220
    assert "nextLink" not in second


def test_the_tenant_has_a_log_of_its_own(azure: Azure) -> None:
    """What is done in a subscription is not in it; categories and operations are listed."""
    azure.group()
    path = "/providers/Microsoft.Insights"
    tenant = azure.call("GET", f"{path}/eventtypes/management/values?{filter_of()}")
    categories = azure.call("GET", f"{path}/eventcategories?api-version=2015-04-01").body["value"]
    operations = azure.call("GET", f"{path}/operations?api-version=2015-04-01").body["value"]

    assert tenant.body == {"value": []}
    assert categories[0] == {"value": "Administrative", "localizedValue": "Administrative"}
    assert any(one["name"] == "Microsoft.Insights/metricAlerts/write" for one in operations)


def test_the_caller_is_who_the_token_says(azure: Azure) -> None:
    """Another identity's writes carry its object id."""
    other = azure.address.token.split(".")
    with clients(azure.address, StaticCredential(".".join(other))) as same:
        same.group("rg-same")

    (oid,) = {event["caller"] for event in log(azure)}
    assert len(oid) == 36
