"""What-if, listings and deletions against a server that answers exactly what a test says.

The address of a what-if comes from an answer and is kept: here is what a hostile one can do with it.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs

import pytest

from shared.adapters.arm import AzureArm
from shared.core.arm_errors import Active, Refused, Unregistered
from shared.core.arm_model import DeploymentRequest
from shared.core.errors import PlumblineError, Stalled, Transient
from shared.core.prediction import Predicting, Prediction
from tests.contract.arm_wire import (
    DEPLOYMENT,
    GROUP,
    REQUEST,
    SUBSCRIPTION,
    TOKEN,
    Credential,
    Wire,
    answer,
    connect,
    failure,
    raised,
)

ABOVE = f"/subscriptions/{SUBSCRIPTION}"
RESULT = f"{ABOVE}/operationresults/eyJqb2JJZCI6IngifQ"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
DONE = {"status": "Succeeded", "properties": {"correlationId": "c-1", "changes": []}}


def predict(arm: AzureArm) -> object:
    """Start the what-if."""
    return arm.predict(REQUEST)


def look(arm: AzureArm) -> object:
    """Look at a what-if."""
    return arm.prediction(RESULT + "?api-version=2026-06-01")


def listed(arm: AzureArm) -> object:
    """Ask for a page of a listing."""
    return arm.sightings(GROUP)


def versions(arm: AzureArm) -> object:
    """Ask for an api-version."""
    return arm.api_version(SUBSCRIPTION, "Microsoft.Network/virtualNetworks")


def delete(arm: AzureArm) -> None:
    """Delete a resource."""
    arm.delete_resource(VNET, "2024-05-01")


# ---- what is sent --------------------------------------------------------------------------


def test_a_what_if_sends_what_the_put_sends(wire: Wire) -> None:
    """Template, parameters and mode as put; whole bodies are wanted, a reader's rights must do."""
    wire.script = [answer(202, Location=f"{wire.url}{RESULT}?api-version=1", Retry_After="15")]
    calls: list[str] = []
    with closing(connect(wire, Credential(), on_call=calls.append)) as arm:
        told = arm.predict(REQUEST)

    assert told == Predicting(f"{RESULT}?api-version=1", 15.0)
    [post] = wire.seen
    assert post.method == "POST"
    path, _, query = post.path.partition("?")
    assert path.lower() == f"{DEPLOYMENT}/whatIf".lower()
    assert "api-version" in parse_qs(query)
    assert json.loads(post.body) == {
        "properties": {
            "mode": "Incremental",
            "template": REQUEST.template,
            "parameters": REQUEST.parameters,
            "whatIfSettings": {"resultFormat": "FullResourcePayloads"},
            "validationLevel": "ProviderNoRbac",
        },
    }
    assert calls == ["whatif.post"]


def test_a_what_if_of_a_subscription_names_its_location(wire: Wire) -> None:
    """At its own path, with the location that the put has."""
    wire.script = [answer(200, DONE)]
    above = f"{ABOVE}/providers/Microsoft.Resources/deployments/d"
    with closing(wire.arm()) as arm:
        told = arm.predict(DeploymentRequest(above, ABOVE, {}, {}, {}, location="westeurope"))

    assert told == Prediction(correlation_id="c-1")
    assert wire.seen[0].path.partition("?")[0] == f"{above}/whatIf"
    assert json.loads(wire.seen[0].body)["location"] == "westeurope"


def test_nothing_is_foretold_above_subscriptions(wire: Wire) -> None:
    """Nothing is deployed there: a defect, and no request."""
    above = "/providers/Microsoft.Management/managementGroups/m"
    asked = DeploymentRequest(
        f"{above}/providers/Microsoft.Resources/deployments/d", above, {}, {}, {}
    )
    with closing(wire.arm()) as arm, pytest.raises(ValueError, match="subscriptions"):
        arm.predict(asked)
    assert wire.seen == []


def test_a_look_goes_where_it_was_told_once_and_follows_no_poller(wire: Wire) -> None:
    """Path and query to the byte, a new address is taken up; without one the old one stays."""
    query = "?api-version=2026-06-01&t=638&c=MII%2BabC_-~&s=x%2Fy%3D%3D&h=h-1"
    other = RESULT + "2?api-version=2"
    wire.script = [
        answer(202, x_ms_retry_after_ms="1500"),
        answer(202, Location=wire.url + other),
        answer(200, DONE),
    ]
    calls: list[str] = []
    with closing(connect(wire, Credential(), on_call=calls.append)) as arm:
        first = arm.prediction(RESULT + query)
        second = arm.prediction(RESULT + query)
        third = arm.prediction(other)

    assert first == Predicting(RESULT + query, 1.5)
    assert second == Predicting(other, None)
    assert third == Prediction(correlation_id="c-1")
    assert [seen.path for seen in wire.seen] == [RESULT + query, RESULT + query, other]
    assert calls == ["whatif.get"] * 3


def test_an_address_of_five_kilobytes_is_kept_whole(wire: Wire) -> None:
    """Signatures are that long."""
    query = "?api-version=1&c=" + "M" * 5000
    wire.script = [answer(202, Location=wire.url + RESULT + query), answer(200, DONE)]
    with closing(wire.arm()) as arm:
        told = arm.predict(REQUEST)
        assert isinstance(told, Predicting)
        arm.prediction(told.address)

    assert told.address == RESULT + query
    assert wire.seen[1].path == RESULT + query


def test_a_wait_that_is_a_date_is_no_fault(wire: Wire) -> None:
    """HTTP allows it, the SDK cannot read it: what was accepted was accepted."""
    date = "Fri, 02 Jan 2026 03:05:05 GMT"
    wire.script = [answer(202, Location=wire.url + RESULT, Retry_After=date)]
    with closing(wire.arm()) as arm:
        assert arm.predict(REQUEST) == Predicting(RESULT, 60.0)
        arm.delete_resource(VNET, "2024-05-01")
        arm.forget(DEPLOYMENT)
    assert [seen.method for seen in wire.seen] == ["POST", "DELETE", "DELETE"]


# ---- addresses -----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["https://evil.example", "//evil.example", "http://10.0.0.1:81"])
def test_the_host_of_an_address_is_not_kept(wire: Wire, host: str) -> None:
    """Whoever ARM's answer names: the token only ever goes to the endpoint."""
    wire.script = [answer(202, Location=f"{host}{RESULT}?a=1"), answer(200, DONE)]
    with closing(wire.arm()) as arm:
        told = arm.predict(REQUEST)
        assert isinstance(told, Predicting)
        arm.prediction(told.address)

    assert told.address == f"{RESULT}?a=1"
    assert [seen.path for seen in wire.seen][1:] == [f"{RESULT}?a=1"]


WRONG = [
    "",
    "/",
    "relative",
    f"https://evil.example{RESULT}",
    f"//evil.example{RESULT}",
    f"@evil.example{RESULT}",
    f".evil.example{RESULT}",
    f":1@evil.example{RESULT}",
    f"\\\\evil.example{RESULT}",
    VNET,
    f"{VNET}?x=/operationresults/y",
    f"{ABOVE}/resources",
    f"{ABOVE}/operationresults",
    f"{ABOVE}/operationresults/",
    f"{ABOVE}/operationresults/a/b",
    f"{ABOVE}/operationresults/..",
    f"{ABOVE}/operationresults/%2e%2e",
    f"{ABOVE}/providers/Microsoft.KeyVault/vaults/v/operationresults/x",
    f"{ABOVE}/resourceGroups/../operationresults/x",
    f"{ABOVE}/resourceGroups/%2E%2e/operationresults/x",
    f"/subscriptions/../operationresults/x/{SUBSCRIPTION}",
    f"{RESULT}#fragment",
    f"{RESULT}?a=1#fragment",
    f"{RESULT}?{{endpoint}}",
    f"{RESULT}?a=1\r\nX-Other: 1",
    f"{RESULT}?a b",
    f"{RESULT}\n",
    RESULT + "?a=" + "x" * 20_000,
]


@pytest.mark.parametrize("address", WRONG)
def test_a_kept_address_that_is_no_what_ifs_is_refused(wire: Wire, address: str) -> None:
    """A document that somebody changed sends nothing anywhere; the text is not repeated."""
    with closing(wire.arm()) as arm:
        error = raised(lambda: arm.prediction(address))

    assert (type(error), error.reason) == (Stalled, "PredictionRefused")
    assert wire.seen == []
    assert "evil" not in str(error)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Location": ""},
        {"Location": "https://[broken"},
        {"Location": VNET},
        {"Location": f"{ABOVE}/operationresults/../../x"},
        {"Location": RESULT + "?a=" + "x" * 20_000},
        {"Azure_AsyncOperation": RESULT},
    ],
)
def test_an_answer_that_leads_nowhere_may_pass(wire: Wire, headers: dict[str, str]) -> None:
    """It is not kept; another attempt may be told better."""
    wire.script = [answer(202, **headers)]
    with closing(wire.arm()) as arm:
        error = raised(lambda: predict(arm))

    assert (type(error), error.reason) == (Transient, "ArmAnswerUnreadable")
    assert len(wire.seen) == 1


# ---- what cannot be read is never nothing -----------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"null", b"[]", b'"Succeeded"', b'{"status": "Succ'),
        *({}, {"status": "Succeeded"}, {"status": "Succeeded", "properties": None}),
        {"status": "Succeeded", "properties": {}},
        {"status": "Succeeded", "properties": {"changes": None}},
        {"status": "Succeeded", "properties": {"changes": {}}},
        {"status": "Succeeded", "properties": {"changes": [None]}},
        {"status": "Succeeded", "properties": {"changes": [], "diagnostics": ["x"]}},
        {"status": "Succeeded", "properties": {"changes": [], "potentialChanges": "x"}},
        {"status": "Succeeded", "properties": {"changes": [{"delta": "x"}]}},
        {"status": "Succeeded", "properties": {"changes": [{"delta": [{"children": [1]}]}]}},
        {"status": "Running", "properties": {"changes": []}},
        {"properties": {"changes": []}},
        b'{"status": "Succeeded", "properties": {"changes": ' + b"[" * 100_000,
    ],
)
def test_a_what_if_that_cannot_be_read_is_not_one_without_changes(wire: Wire, body: Any) -> None:
    """Incomplete is never clean: it may pass, and is asked for again."""
    wire.script = [answer(200, body)]
    with closing(wire.arm()) as arm:
        error = raised(lambda: look(arm))

    assert (type(error), error.reason) == (Transient, "ArmAnswerUnreadable")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", [], {}, {"value": None}, {"value": {}}, {"value": [None]}),
        *({"value": ["x"]}, {"value": [{}]}, {"value": [{"id": 7}]}, {"value": [{"id": ""}]}),
        {"value": [{"id": VNET}], "nextLink": 7},
        {"value": [{"id": VNET}], "nextLink": "https://evil.example/"},
        {"value": [{"id": VNET}], "nextLink": f"{VNET}?$skiptoken=1"},
        {"value": [{"id": VNET}], "nextLink": f"{ABOVE}/resourceGroups/rg-b/resources?x=1"},
        {"value": [{"id": VNET}], "nextLink": f"{ABOVE}/resources?$skiptoken=1"},
        {"value": [{"id": VNET}], "nextLink": "/subscriptions/other/resources"},
        b'{"value": ' + b"[" * 100_000,
    ],
)
def test_a_listing_that_cannot_be_read_is_not_an_empty_one(wire: Wire, body: Any) -> None:
    """A resource that is left out of a listing looks like a deleted one."""
    wire.script = [answer(200, body)]
    with closing(wire.arm()) as arm:
        error = raised(lambda: listed(arm))

    assert (type(error), error.reason) == (Transient, "ArmAnswerUnreadable")


@pytest.mark.parametrize("body", [b"", b"<html>", [], {}, {"resourceTypes": None}])
def test_a_provider_that_cannot_be_read_is_asked_again(wire: Wire, body: Any) -> None:
    """What was not understood is not remembered."""
    types = [{"resourceType": "virtualNetworks", "apiVersions": ["2024-05-01"]}]
    wire.script = [answer(200, body), answer(200, {"resourceTypes": types})]
    with closing(wire.arm()) as arm:
        error = raised(lambda: versions(arm))
        assert versions(arm) == "2024-05-01"

    assert (type(error), error.reason) == (Transient, "ArmAnswerUnreadable")


# ---- listings ------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [GROUP, ABOVE])
def test_a_page_is_one_request(wire: Wire, scope: str) -> None:
    """With both times asked for and the largest page; the next one by the path that ARM gave."""
    following = f"https://evil.example{scope}/resources?api-version=1&$skiptoken=abc%3D"
    wire.script = [
        answer(200, {"value": [{"id": VNET, "type": "t", "changedTime": "odd"}]}),
        answer(200, {"value": [{"id": VNET}], "nextLink": following}),
        answer(200, {"value": []}),
    ]
    calls: list[str] = []
    with closing(connect(wire, Credential(), on_call=calls.append)) as arm:
        first = arm.sightings(scope)
        second = arm.sightings(scope)
        third = arm.sightings(scope, second.after)

    query = parse_qs(wire.seen[0].path.partition("?")[2])
    assert query["$top"] == ["1000"]
    assert set(query["$expand"][0].split(",")) == {"createdTime", "changedTime"}
    assert [(one.id, one.type, one.changed_at) for one in first.sightings] == [(VNET, "t", None)]
    assert (first.after, third.after) == (None, None)
    assert second.after == f"{scope}/resources?api-version=1&$skiptoken=abc%3D"
    asked = wire.seen[2].path.partition("?")
    assert asked[0].lower() == f"{scope}/resources".lower()
    assert parse_qs(asked[2])["$skiptoken"] == ["abc="]
    assert calls == ["resources.list"] * 3


@pytest.mark.parametrize(
    "after",
    [
        f"https://evil.example{GROUP}/resources",
        f"//evil.example{GROUP}/resources",
        f"{ABOVE}/resources",
        f"{ABOVE}/resourceGroups/rg-b/resources",
        f"{GROUP}/resources/../../../x",
        f"{VNET}?x={GROUP}/resources",
        f"{GROUP}/resources?a b",
    ],
)
def test_a_page_of_another_listing_is_a_defect(wire: Wire, after: str) -> None:
    """The next page is of the same scope, at the same host, or is not asked for."""
    with closing(wire.arm()) as arm, pytest.raises(ValueError, match=r"listing|address"):
        arm.sightings(GROUP, after)
    assert wire.seen == []


def test_a_group_whose_name_is_escaped_goes_on(wire: Wire) -> None:
    """A blank in a name comes back as %20."""
    group = f"{ABOVE}/resourceGroups/rg (x)"
    path = f"{ABOVE}/resourcegroups/rg%20(x)/resources?$skiptoken=1"
    wire.script = [answer(200, {"value": [], "nextLink": wire.url + path})]
    with closing(wire.arm()) as arm:
        assert arm.sightings(group).after == path


def test_a_listing_that_goes_round_ends(wire: Wire) -> None:
    """A page that is followed by itself would be read for ever."""
    path = f"{GROUP}/resources?$skiptoken=1"
    wire.script = [answer(200, {"value": [], "nextLink": wire.url + path})]
    with closing(wire.arm()) as arm:
        assert arm.sightings(GROUP).after == path
        error = raised(lambda: arm.sightings(GROUP, path))

    assert (type(error), error.reason) == (Transient, "ArmAnswerUnreadable")


def test_a_listing_that_is_gone_halfway_is_begun_again(wire: Wire) -> None:
    """The first page of a group that is not there is empty; a later one proves nothing."""
    wire.script = [failure(404, "ResourceGroupNotFound")]
    with closing(wire.arm()) as arm:
        assert arm.sightings(GROUP).sightings == ()
        error = raised(lambda: arm.sightings(GROUP, f"{GROUP}/resources?$skiptoken=1"))

    assert (type(error), error.reason) == (Transient, "ListingGone")


# ---- api-versions --------------------------------------------------------------------------


def test_versions_are_asked_for_once_and_previews_come_last(wire: Wire) -> None:
    """One request tells of all types of a provider, and a provider that is not there of none."""
    types = [
        {"resourceType": "Mixed", "apiVersions": ["2023-01-01", "2025-01-01-preview"]},
        {"resourceType": "mixed/below", "apiVersions": ["2023-05-01", "2024-02-01", "2019-01-01"]},
        {"resourceType": "new", "apiVersions": ["2025-01-01-preview", "2025-06-01-beta"]},
        {"resourceType": "odd", "apiVersions": ["latest", None, 7]},
        {"resourceType": "none"},
        {"apiVersions": ["2025-01-01"]},
        None,
    ]
    wire.script = [
        answer(200, {"namespace": "A.B", "resourceTypes": types}),
        failure(404, "InvalidResourceNamespace"),
    ]
    kinds = ("mixed", "MIXED/Below", "new", "odd", "none", "other")
    with closing(wire.arm()) as arm:
        found = [arm.api_version(SUBSCRIPTION, f"A.b/{kind}") for kind in kinds]
        nowhere = [arm.api_version(SUBSCRIPTION, f"C.D/{kind}") for kind in kinds]
        nothing = [
            arm.api_version(SUBSCRIPTION, text) for text in ("", "x", "A.B", "../x/y", "A B/c")
        ]

    assert found == ["2023-01-01", "2024-02-01", "2025-06-01-beta", None, None, None]
    assert nowhere == [None] * 6
    assert nothing == [None] * 5
    assert len(wire.seen) == 2


# ---- what ARM refuses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "status", "code", "kind"),
    [
        (predict, 400, "InvalidTemplate", Refused),
        (predict, 400, "SomethingNew", Refused),
        (predict, 403, "RequestDisallowedByPolicy", Refused),
        (predict, 403, "AuthorizationFailed", Stalled),
        (predict, 404, "ResourceGroupNotFound", Stalled),
        (predict, 404, "DeploymentNotFound", Refused),
        (predict, 409, "MissingSubscriptionRegistration", Unregistered),
        (predict, 408, "RequestTimeout", Transient),
        (predict, 429, "SubscriptionRequestsThrottled", Transient),
        (predict, 500, "InternalServerError", Transient),
        (predict, 500, "InvalidTemplate", Stalled),
        (predict, 503, "ServerBusy", Transient),
        (predict, 307, "Moved", Stalled),
        (look, 403, "AuthorizationFailed", Stalled),
        (look, 404, "NotFound", Stalled),
        (look, 410, "Gone", Stalled),
        (look, 429, "SubscriptionRequestsThrottled", Transient),
        (look, 502, "BadGateway", Transient),
        (look, 307, "Moved", Stalled),
        (listed, 403, "AuthorizationFailed", Stalled),
        (listed, 404, "SubscriptionNotFound", Stalled),
        (listed, 429, "SubscriptionRequestsThrottled", Transient),
        (listed, 500, "InternalServerError", Transient),
        (versions, 403, "AuthorizationFailed", Stalled),
        (versions, 503, "ServerBusy", Transient),
        (delete, 403, "AuthorizationFailed", Stalled),
        (delete, 403, "RequestDisallowedByPolicy", Stalled),
        (delete, 409, "ScopeLocked", Stalled),
        (delete, 409, "ReadOnlyDisabledSubscription", Stalled),
        (delete, 409, "Conflict", Transient),
        (delete, 409, "AnotherOperationInProgress", Transient),
        (delete, 409, "SomethingNew", Transient),
        (delete, 400, "InUseSubnetCannotBeDeleted", Stalled),
        (delete, 400, "NoRegisteredProviderFound", Stalled),
        (delete, 429, "SubscriptionRequestsThrottled", Transient),
        (delete, 500, "InternalServerError", Transient),
    ],
)
def test_answers_become_errors_after_one_request(
    wire: Wire, call: Callable[[AzureArm], object], status: int, code: str, kind: type[Exception]
) -> None:
    """T8, T10: nothing is asked twice, redirects are not followed, and the wish to wait is kept."""
    headers = {"Retry_After": "7", "Location": f"{wire.url}{RESULT}"}
    wire.script = [failure(status, code, "said so of 'Microsoft.Web'", **headers)]
    with closing(wire.arm()) as arm:
        error = raised(lambda: call(arm))

    gone = call is look and status in {404, 410}
    assert type(error) is kind
    assert error.reason == ("PredictionGone" if gone else code)
    assert getattr(error, "retry_after_s", 7.0) == 7.0
    assert len(wire.seen) == 1


@pytest.mark.parametrize("status", [200, 202, 204, 404])
def test_a_deletion_that_was_taken_or_was_not_needed_is_over(wire: Wire, status: int) -> None:
    """One request, with the api-version as given; nobody watches."""
    location = f"{wire.url}{ABOVE}/operationresults/x"
    wire.script = [answer(status, Location=location, Azure_AsyncOperation=location)]
    calls: list[str] = []
    with closing(connect(wire, Credential(), on_call=calls.append)) as arm:
        arm.delete_resource(f"{VNET}/subnets/a b#c", "2024-05-01")

    [seen] = wire.seen
    assert seen.method == "DELETE"
    assert seen.path == f"{VNET}/subnets/a%20b%23c?api-version=2024-05-01"
    assert calls == ["resource.delete"]


def test_a_lock_is_named(wire: Wire) -> None:
    """Which one to remove is in the line for the user."""
    lock = f"{GROUP}/providers/Microsoft.Authorization/locks/keep"
    message = f"The scope cannot perform delete operation because these are locked: '{lock}'."
    wire.script = [failure(409, "ScopeLocked", message)]
    with closing(wire.arm()) as arm:
        error = raised(lambda: delete(arm))

    assert isinstance(error, Stalled)
    assert lock in error.message
    assert "lock" in (error.hint or "")


# ---- what-if's bodies are nobody's business --------------------------------------------------


SECRETS: Mapping[str, Any] = {
    "status": "Succeeded",
    "properties": {"changes": [{"resourceId": VNET, "before": {"p": "canary-b"}}, "canary-c"]},
}


@pytest.mark.parametrize(
    "body",
    [
        SECRETS,
        {**SECRETS, "status": "canary-status"},
        json.dumps(SECRETS).encode()[:-20],
        b"canary-text",
    ],
)
def test_nothing_of_a_what_if_is_logged_or_told(
    wire: Wire, caplog: pytest.LogCaptureFixture, body: Any
) -> None:
    """An answer that cannot be read is named, and not quoted; nor is the token."""
    caplog.set_level(0)
    wire.script = [answer(200, body)]
    with closing(wire.arm()) as arm:
        error: PlumblineError = raised(lambda: look(arm))

    told = f"{caplog.text} {error} {vars(error)}"
    assert [word for word in ("canary", TOKEN) if word in told] == []


def test_active_is_not_lost_on_the_way(wire: Wire) -> None:
    """A what-if of a name that is being deployed says so, should ARM ever refuse it for that."""
    wire.script = [failure(409, "DeploymentActive")]
    with closing(wire.arm()) as arm:
        assert type(raised(lambda: predict(arm))) is Active
