"""The side channel: every verb, and what each kind of scripted answer does to the real SDK."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceResponseError,
)

from tests.arm.azure import API, Azure, clients, network, plain


def test_the_channel_says_what_it_can_do(azure: Azure) -> None:
    """GET lists verbs, knobs, routes, noise and kinds of answers; an unknown verb is 404."""
    described = azure.control("GET", "")

    assert "POST /answers" in described["verbs"]
    assert all(described["verbs"].values())
    assert "deployment" in described["routes"]
    assert described["methods"]["deployment-cancel"] == ["POST"]
    assert "server_error" in described["answers"]
    assert described["noise"].keys() == {f"N{number}" for number in range(1, 24)}
    assert described["rule"]["$defs"]["Match"]["properties"].keys() >= {"type", "chance", "caller"}
    assert azure.call("GET", "/_control/nothing", token=None).status == 404


def test_every_knob_has_a_type_a_default_and_a_meaning(azure: Azure) -> None:
    """What PATCH takes is what GET describes."""
    described = azure.control("GET", "")["knobs"]
    azure.control("POST", "/reset")

    assert described["retry_after"]["default"] == 0.2
    assert all(knob["type"] and knob["meaning"].endswith(".") for knob in described.values())
    assert {name: knob["default"] for name, knob in described.items()} == azure.control(
        "GET", "/knobs"
    )


@pytest.mark.parametrize(
    ("knobs", "word"),
    [
        ({"speed": 1}, "no knob 'speed'"),
        ({"resource_seconds": -1}, "resource_seconds"),
        ({"resource_seconds": "fast"}, "resource_seconds"),
        ({"throttle": {"reads": [0, 1]}}, "throttle.reads[0]"),
        ({"throttle": {"peeks": [1, 1]}}, "peeks"),
        ({"noise": {"*": ["N24"]}}, "N24"),
        ({"retry_after_as": "weeks"}, "retry_after_as"),
        ({"clock_offset_seconds": 1e300}, "clock_offset_seconds"),
        ([], "object"),
    ],
)
def test_a_knob_that_cannot_be_turned_so_is_named(azure: Azure, knobs: Any, word: str) -> None:
    """400 with the reason, and nothing is turned."""
    before = azure.control("GET", "/knobs")
    reply = azure.call("PATCH", "/_control/knobs", knobs, token=None)

    assert (reply.status, reply.code) == (400, "InvalidRequestContent")
    assert word in reply.message
    assert azure.control("GET", "/knobs") == before


def test_requests_are_counted_by_kind_and_route_without_secrets(azure: Azure) -> None:
    """Reads, writes and deletes since the last reset; the log holds no token and no body."""
    azure.group()
    azure.control("DELETE", "/requests")
    azure.group("rg-b")
    azure.resources.resource_groups.get("rg-b")
    azure.resources.resource_groups.begin_delete("rg-b").result()
    found = azure.control("GET", "/requests")

    assert found["kinds"] == {"reads": 2, "writes": 1, "deletes": 1}
    assert found["routes"]["PUT resource-group"] == 1
    assert found["requests"][0]["method"] == "PUT"
    assert found["requests"][0]["status"] == 201
    assert azure.address.token not in str(found)
    assert "westeurope" not in str(found)


def test_knobs_turn_one_by_one_and_refuse_what_they_are_not(azure: Azure) -> None:
    """PATCH keeps the others; an unknown knob or a wrong type is 400."""
    azure.turn(resource_seconds=0.5)
    knobs = azure.control("GET", "/knobs")
    for bad in ({"speed": 1}, {"resource_seconds": "fast"}):
        assert azure.call("PATCH", "/_control/knobs", bad, token=None).status == 400

    assert knobs["resource_seconds"] == 0.5
    assert knobs["retry_after"] == 0.02


def test_the_clock_can_be_moved(azure: Azure) -> None:
    """An offset shows in every time a client sees."""
    azure.turn(clock_offset_seconds=86400.0)
    azure.group()
    done = azure.deploy("d", []).result()

    assert done.properties.timestamp > datetime.now(UTC) + timedelta(hours=23)


def test_throttling_is_waited_out_by_the_sdk(azure: Azure) -> None:
    """429 with Retry-After and ARM's words; the call after it succeeds."""
    azure.script({"kind": "throttled", "retry_after": 1}, route="resource-groups")
    raw = azure.call("GET", f"{azure.subscription}/resourcegroups?api-version={API}")
    azure.script({"kind": "throttled", "retry_after": 1}, route="resource-groups")

    assert list(azure.resources.resource_groups.list()) == []
    assert (raw.status, raw.code) == (429, "SubscriptionRequestsThrottled")
    assert raw.headers["retry-after"] == "1"
    assert "Number of 'read' requests" in raw.message


@pytest.mark.parametrize(
    ("method", "path", "action", "scope"),
    [
        ("PUT", "/resourcegroups/rg", "Microsoft.Resources/subscriptions/resourceGroups/write", ""),
        ("GET", "/resourcegroups", "Microsoft.Resources/subscriptions/resourceGroups/read", ""),
        (
            "PUT",
            "/resourcegroups/rg/providers/Microsoft.Resources/deployments/d",
            "Microsoft.Resources/deployments/write",
            "",
        ),
        (
            "GET",
            "/resourcegroups/rg/deployments/d/operations",
            "Microsoft.Resources/deployments/operations/read",
            "/resourcegroups/rg/deployments/d",
        ),
        ("GET", "/resources", "Microsoft.Resources/subscriptions/resources/read", "/"),
        (
            "GET",
            "/resourcegroups/rg/resources",
            "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
            "/resourcegroups/rg",
        ),
        (
            "DELETE",
            "/resourcegroups/rg/providers/Microsoft.Web/sites/s",
            "Microsoft.Web/sites/delete",
            "",
        ),
        (
            "POST",
            "/resourcegroups/rg/providers/Microsoft.Storage/storageAccounts/s/listKeys",
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "/resourcegroups/rg/providers/Microsoft.Storage/storageAccounts/s",
        ),
        (
            "POST",
            "/providers/Microsoft.Web/register",
            "Microsoft.Web/register/action",
            "/",
        ),
    ],
)
def test_a_withdrawn_permission_is_named_as_arm_names_it(
    azure: Azure, method: str, path: str, action: str, scope: str
) -> None:
    """403 AuthorizationFailed with client, object id, action and scope."""
    azure.script({"kind": "authorization_failed"}, method=method)
    reply = azure.call(method, f"{azure.subscription}{path}?api-version={API}", {})

    assert (reply.status, reply.code) == (403, "AuthorizationFailed")
    assert (
        f"perform action '{action}' over scope '{azure.subscription}{(scope or path).rstrip('/')}'"
        in reply.message
    )


def test_an_answer_comes_at_the_nth_call_and_count_times(azure: Azure) -> None:
    """The first and the fourth are true, the second and third are scripted."""
    azure.script({"status": 418, "body": {"tea": True}}, 2, path="RESOURCEGROUPS$", nth=2)
    path = f"{azure.subscription}/resourcegroups?api-version={API}"

    assert [azure.call("GET", path).status for _ in range(4)] == [200, 418, 418, 200]


def test_a_failure_after_the_effect_has_had_its_effect(azure: Azure) -> None:
    """500 before the effect leaves nothing behind, 500 after it does."""
    for when, exists in (("before", False), ("after", True)):
        azure.script({"status": 500, "when": when}, method="PUT", route="resource-group")
        with (
            clients(azure.address, retry_total=0) as brittle,
            pytest.raises(HttpResponseError),
        ):
            brittle.group(f"rg-{when}")

        assert azure.resources.resource_groups.check_existence(f"rg-{when}") is exists


def test_a_connection_can_be_broken_before_and_after(azure: Azure) -> None:
    """The client never hears; only the effect differs."""
    for when, exists in (("before", False), ("after", True)):
        azure.script({"drop": True, "when": when}, method="PUT", route="resource-group")
        with clients(azure.address, retry_total=0) as brittle, pytest.raises(ServiceResponseError):
            brittle.group(f"rg-{when}")

        assert azure.resources.resource_groups.check_existence(f"rg-{when}") is exists


def test_a_call_can_hang(azure: Azure) -> None:
    """The client's own time-out ends the wait; without one the true answer follows."""
    azure.script({"hang_seconds": 0.5}, 2, method="PUT", route="resource-group")
    with (
        clients(azure.address, retry_total=0, read_timeout=0.1) as hasty,
        pytest.raises(ServiceResponseError),
    ):
        hasty.group("rg-a")
    azure.group("rg-b")

    assert azure.resources.resource_groups.check_existence("rg-b")


def test_rules_are_listed_and_taken_back(azure: Azure) -> None:
    """Each rule shows its use; one or all can go; a rule that cannot work is refused."""
    for name in ("rg-a", "rg-b"):
        azure.script({"status": 409}, None, path=name)
    azure.call("GET", f"{azure.subscription}/resourcegroups/rg-a?api-version={API}")
    rules = azure.control("GET", "/answers")["value"]
    azure.control("DELETE", f"/answers?id={rules[0]['id']}")
    left = azure.control("GET", "/answers")["value"]
    removed = azure.control("DELETE", "/answers")

    assert [rule["used"] for rule in rules] == [1, 0]
    assert [rule["id"] for rule in left] == [rules[1]["id"]]
    assert removed == {"removed": 1}
    bads: tuple[dict[str, Any], ...] = (
        {},
        {"answer": {}},
        {"answer": {"status": 1}, "match": {"path": "("}},
        {"anwser": {}},
    )
    for bad in bads:
        assert azure.call("POST", "/_control/answers", bad, token=None).status == 400


def test_a_throttled_provider_is_waited_out_inside_a_deployment(azure: Azure) -> None:
    """ARM tries again by itself; the deployment succeeds."""
    azure.group()
    azure.script(
        {"status": 429, "headers": {"Retry-After": "0"}}, 2, origin="deployment", path="shelves/s1$"
    )
    done = azure.deploy("d", [plain("s1")]).result()

    assert done.properties.provisioning_state == "Succeeded"
    assert azure.control("GET", "/answers")["value"][0]["used"] == 2


def test_a_permission_missing_inside_a_deployment_fails_its_step(azure: Azure) -> None:
    """The operation and the deployment name the action."""
    azure.group()
    azure.script({"kind": "authorization_failed"}, origin="deployment", path="shelves/s1$")
    with pytest.raises(HttpResponseError) as caught:
        azure.deploy("d", [plain("s1")]).result()

    assert caught.value.error is not None
    [detail] = caught.value.error.details
    assert detail.code == "AuthorizationFailed"
    assert "'Contoso.Shop/shelves/write'" in str(detail.message)


def test_a_resource_changed_by_hand_shows_the_hand(azure: Azure) -> None:
    """Drift: the value, the changed time and the actor are those of the change."""
    group = azure.group()
    azure.deploy("d", [plain("s1"), network()]).result()
    shelf = f"{group}/providers/Contoso.Shop/shelves/s1"
    changed = azure.control(
        "POST",
        "/change",
        {"id": shelf, "set": {"properties": {"depth": 9}}, "actor": "eve@x.example"},
    )

    assert changed["properties"]["depth"] == 9
    assert changed["systemData"]["lastModifiedBy"] == "eve@x.example"
    assert changed["systemData"]["lastModifiedAt"] > changed["systemData"]["createdAt"]
    vnet = f"{group}/providers/Microsoft.Network/virtualNetworks/vnet"
    azure.control("POST", "/delete", {"id": f"{vnet}/subnets/web"})
    azure.control("POST", "/delete", {"id": shelf})
    with pytest.raises(ResourceNotFoundError):
        azure.resources.resources.get_by_id(shelf, api_version=API)
    found = azure.resources.resources.get_by_id(vnet, api_version=API)
    assert found.properties["subnets"] == []
    azure.control("POST", "/delete", {"id": group})
    assert not azure.resources.resource_groups.check_existence("rg-shop")


def test_a_reset_forgets_everything(azure: Azure) -> None:
    """Groups, deployments, rules, knobs, counts: all as at the start."""
    azure.turn(deployment_seconds=5.0)
    azure.group()
    azure.begin("d", [])
    with pytest.raises(ResourceExistsError):
        azure.deploy("d", [])
    azure.script({"status": 500}, None)
    azure.control("POST", "/reset")

    assert azure.counts() == {}
    assert azure.control("GET", "/knobs")["deployment_seconds"] == 0.0
    assert list(azure.resources.resource_groups.list()) == []
    azure.group()
    azure.deploy("d", [plain("s1")]).result(10)
