"""The ARM adapter against a server that answers exactly what a test says, over TLS.

The simulator shows that the adapter works; here it is shown what it does when nothing works.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError

from shared.adapters.arm import ArmEndpoint, AzureArm, client
from shared.core.arm_errors import Active, Refused, Unknown, Unregistered
from shared.core.arm_model import HISTORY_GONE, DeploymentRequest
from shared.core.errors import Stalled, Transient
from tests.contract.arm_wire import (
    DEPLOYMENT,
    GROUP,
    REQUEST,
    SUBSCRIPTION,
    TOKEN,
    Act,
    Clock,
    Credential,
    Handler,
    Ids,
    Wire,
    answer,
    connect,
    deployment,
    failure,
    raised,
)

# ---- what is sent --------------------------------------------------------------------------


def test_put_starts_and_does_not_watch(wire: Wire) -> None:
    """One PUT, body, tags and names as asked, and the answer as accepted: no polling follows."""
    asynchronous = f"{wire.url}{DEPLOYMENT}/operationStatuses/1?api-version=2026-06-01"
    wire.script = [answer(201, deployment(), Azure_AsyncOperation=asynchronous)]
    with closing(wire.arm()) as arm:
        accepted = arm.put(REQUEST)

    assert accepted.state == "running"
    assert accepted.tags == {"plumbline-release": "1.1"}
    [put] = wire.seen
    assert put.method == "PUT"
    assert put.path.lower().startswith(DEPLOYMENT.lower() + "?api-version=")
    assert json.loads(put.body) == {
        "properties": {
            "mode": "Incremental",
            "template": REQUEST.template,
            "parameters": REQUEST.parameters,
        },
        "tags": REQUEST.tags,
    }
    assert put.headers["Authorization"] == f"Bearer {TOKEN}"
    assert put.headers["User-Agent"].startswith("plumbline/9.9 ")
    assert len(put.headers["x-ms-client-request-id"]) == 36


def test_deployment_reads_what_arm_tells(wire: Wire) -> None:
    """State folded, seven decimals and an ISO duration read, secure outputs without a value."""
    outputs = {"a": {"type": "String", "value": "x"}, "s": {"type": "SecureString"}}
    wire.script = [answer(200, deployment("Succeeded", outputs=outputs))]
    with closing(wire.arm()) as arm:
        found = arm.deployment(DEPLOYMENT.upper())

    assert found is not None
    assert (found.id, found.state, found.duration_s) == (DEPLOYMENT, "succeeded", 62.5)
    assert found.timestamp == datetime(2026, 10, 7, 8, 0, 0, 123456, tzinfo=UTC)
    assert found.outputs == outputs
    assert found.correlation_id == "c-1"


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        (GROUP, f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-a/"),
        (GROUP[:51], f"/subscriptions/{SUBSCRIPTION}/"),
    ],
)
def test_only_what_runs_is_listed(wire: Wire, scope: str, asked: str) -> None:
    """ARM is asked for what runs, every page is read, and what ended meanwhile is left out."""
    following = f"{wire.url}{scope}/providers/Microsoft.Resources/deployments/?$skiptoken=abc"
    wire.script = [
        answer(200, {"value": [deployment("Running")], "nextLink": following}),
        answer(200, {"value": [deployment("Succeeded"), deployment("Running")]}),
    ]
    calls: list[str] = []
    with closing(connect(wire, Credential(), on_call=calls.append)) as arm:
        found = arm.running(scope)

    path, _, query = wire.seen[0].path.partition("?")
    assert path.lower() == f"{asked}providers/microsoft.resources/deployments".lower()
    assert parse_qs(query)["$filter"] == ["provisioningState eq 'Running'"]
    assert "skiptoken=abc" in wire.seen[1].path
    assert calls == ["deployments.list"] * 2
    assert [(one.id, one.state) for one in found] == [(DEPLOYMENT, "running")] * 2
    assert found[0].tags == {"plumbline-release": "1.1"}
    assert found[0].timestamp == datetime(2026, 10, 7, 8, 0, 0, 123456, tzinfo=UTC)


def test_resource_uses_the_given_version_and_an_escaped_path(wire: Wire) -> None:
    """T2: api-version as given; blanks, hashes and per cent signs of a name survive the way."""
    wire.script = [answer(200, {"id": "x"})]
    resource = f"{GROUP}/providers/microsoft.insights/actionGroups/a b#c%2Fd"
    with closing(wire.arm()) as arm:
        assert arm.resource(resource, "2023-01-01") == {"id": "x"}

    path, _, query = wire.seen[0].path.partition("?")
    assert path == f"{GROUP}/providers/microsoft.insights/actionGroups/a%20b%23c%252Fd"
    assert query == "api-version=2023-01-01"


def test_operations_at_group_scope_follow_pages_and_nested_deployments(wire: Wire) -> None:
    """T5: the spelling without providers/; pages followed; nested ones read; a missing one told."""
    nested = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-b/providers/Microsoft.Resources/deployments/inner"
    gone = nested + "-gone"

    def operation(target: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "id": "o",
            "operationId": "1",
            "properties": {
                "provisioningOperation": "Create",
                "provisioningState": "Succeeded",
                "targetResource": target,
                **more,
            },
        }

    vnet = {
        "id": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v",
        "apiVersion": "2024-05-01",
    }
    kind = {"resourceType": "Microsoft.Resources/deployments"}
    error = {"error": {"code": "Conflict", "message": "no"}}
    following = f"{wire.url}{GROUP}/deployments/plumbline.shop.web/operations?$skiptoken=abc"
    wire.script = [
        answer(200, {"value": [operation(vnet)], "nextLink": following}),
        answer(
            200, {"value": [operation({"id": nested, **kind}), operation({"id": gone, **kind})]}
        ),
        answer(200, {"value": [operation(vnet, statusCode="Conflict", statusMessage=error)]}),
        failure(404, "DeploymentNotFound"),
    ]
    calls: list[str] = []
    with closing(connect(wire, Credential(), on_call=calls.append)) as arm:
        found = arm.operations(DEPLOYMENT)

    first, second, third = wire.seen[0].path, wire.seen[1].path, wire.seen[2].path
    assert "/resourcegroups/rg-a/deployments/plumbline.shop.web/operations?" in first
    assert "skiptoken=abc" in second
    assert "/resourcegroups/rg-b/deployments/inner/operations?" in third
    assert [one.deployment_id for one in found] == [
        DEPLOYMENT,
        DEPLOYMENT,
        DEPLOYMENT,
        nested,
        gone,
    ]
    assert found[4].kind == HISTORY_GONE
    assert found[0].api_version == "2024-05-01"
    assert (found[3].status_code, found[3].error) == ("Conflict", error["error"])
    assert calls == ["operations.list"] * 4


def nested_in(scope: str, *names: str) -> dict[str, Any]:
    """Return a page of operations that created these deployments."""
    kind = {"resourceType": "Microsoft.Resources/deployments"}
    made = [f"{scope}/providers/Microsoft.Resources/deployments/{name}" for name in names]
    properties = [
        {"provisioningOperation": "Create", "targetResource": {"id": one, **kind}} for one in made
    ]
    return {"value": [{"id": "o", "operationId": "1", "properties": one} for one in properties]}


def test_operations_of_deployments_above_groups_are_read(wire: Wire) -> None:
    """A nested deployment of the subscription, a management group or the tenant is looked into."""
    above = f"/subscriptions/{SUBSCRIPTION}"
    management = "/providers/Microsoft.Management/managementGroups/m"
    wire.script = [
        answer(200, nested_in(above, "a")),
        answer(200, nested_in(management, "b")),
        answer(200, nested_in("", "c")),
        answer(200, {"value": []}),
    ]
    with closing(wire.arm()) as arm:
        assert len(arm.operations(DEPLOYMENT)) == 3

    paths = [seen.path.partition("?")[0] for seen in wire.seen]
    kind = "/providers/Microsoft.Resources/deployments/"
    assert paths[1:] == [
        f"{above}{kind}a/operations",
        f"{management}{kind}b/operations",
        f"{kind}c/operations",
    ]


def test_endless_nesting_stalls(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Part of an inventory would be worse than none; a loop ends by itself."""
    wire.script = [
        answer(200, nested_in(GROUP, "plumbline.shop.web", "a")),
        answer(200, {"value": []}),
    ]
    with closing(wire.arm()) as arm:
        assert len(arm.operations(DEPLOYMENT)) == 2
    monkeypatch.setattr(client, "MAX_DEPLOYMENTS", 2)
    wire.script = [answer(200, nested_in(GROUP, "a", "b"))]
    with closing(wire.arm()) as arm:
        assert raised(lambda: arm.operations(DEPLOYMENT)).reason == "TooManyNestedDeployments"


def test_operations_refused_are_an_error(wire: Wire) -> None:
    """A withdrawn permission is not an empty inventory."""
    wire.script = [failure(403, "AuthorizationFailed")]
    with closing(wire.arm()) as arm:
        assert type(raised(lambda: arm.operations(DEPLOYMENT))) is Stalled


def test_nothing_is_deployed_to_the_tenant(wire: Wire) -> None:
    """An id without a scope is a defect, and no request."""
    with closing(wire.arm()) as arm, pytest.raises(ValueError, match="tenant"):
        arm.deployment("/providers/Microsoft.Resources/deployments/d")
    assert wire.seen == []


@pytest.mark.parametrize(("status", "expected"), [(204, True), (404, False)])
def test_group_is_looked_for_by_head(wire: Wire, status: int, expected: object) -> None:
    """T7: HEAD answers 204 or 404."""
    wire.script = [answer(status)]
    with closing(wire.arm()) as arm:
        assert arm.has_group(GROUP) is expected
    assert wire.seen[0].method == "HEAD"


def test_group_and_provider_are_asked_for(wire: Wire) -> None:
    """Creating a group sends location and tags; registering answers ARM's state."""
    wire.script = [
        answer(201, {"id": GROUP, "location": "westeurope"}),
        answer(200, {"namespace": "Microsoft.Web", "registrationState": "Registering"}),
    ]
    with closing(wire.arm()) as arm:
        arm.create_group(GROUP, "westeurope", {"owner": "plumbline"})
        state = arm.register_provider(SUBSCRIPTION, "Microsoft.Web")

    assert state == "Registering"
    assert json.loads(wire.seen[0].body) == {
        "location": "westeurope",
        "tags": {"owner": "plumbline"},
    }
    assert wire.seen[1].method == "POST"
    assert f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Web/register" in wire.seen[1].path


def test_subscription_scope_deployments_work_by_their_id(wire: Wire) -> None:
    """A deployment of a subscription is read and put at its own path, with its location."""
    wire.script = [answer(201, deployment()), answer(200, deployment("Canceled"))]
    above = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Resources/deployments/d"
    request = DeploymentRequest(above, above[:53], {}, {}, {}, location="westeurope")
    with closing(wire.arm()) as arm:
        arm.put(request)
        found = arm.deployment(above)

    assert found is not None
    assert found.state == "canceled"
    assert json.loads(wire.seen[0].body)["location"] == "westeurope"
    assert {seen.path.partition("?")[0] for seen in wire.seen} == {above}


def test_what_arm_says_is_left_is_kept(wire: Wire) -> None:
    """The last throttling headers are kept per subscription, for the health answer."""
    headers = {"x_ms_ratelimit_remaining_subscription_reads": "249"}
    wire.script = [answer(204, **headers)]
    with closing(wire.arm()) as arm:
        arm.has_group(GROUP)
        assert arm.remaining == {SUBSCRIPTION: {"subscription-reads": 249}}


# ---- what ARM refuses ----------------------------------------------------------------------


def put(arm: AzureArm) -> object:
    """Put the deployment."""
    return arm.put(REQUEST)


def get(arm: AzureArm) -> object:
    """Get the deployment."""
    return arm.deployment(DEPLOYMENT)


FORBIDDEN = (
    "The client 'x' with object id 'y' does not have authorization to perform action "
    f"'Microsoft.Resources/deployments/write' over scope '{DEPLOYMENT}' or the scope is invalid."
)
UNREGISTERED = "The subscription is not registered to use namespace 'Microsoft.Web'. See aka.ms."


@pytest.mark.parametrize(
    ("call", "status", "code", "kind"),
    [
        (put, 400, "InvalidTemplate", Refused),
        (put, 403, "RequestDisallowedByPolicy", Refused),
        (put, 409, "DeploymentActive", Active),
        (put, 409, "SomethingNew", Refused),
        (put, 409, "DeploymentQuotaExceeded", Stalled),
        (put, 409, "ScopeLocked", Stalled),
        (put, 404, "ResourceGroupNotFound", Stalled),
        (put, 401, "InvalidAuthenticationToken", Stalled),
        (put, 401, "ExpiredAuthenticationToken", Transient),
        (put, 429, "SubscriptionRequestsThrottled", Transient),
        (put, 408, "RequestTimeout", Unknown),
        (put, 500, "InternalServerError", Unknown),
        (put, 503, "ServerBusy", Unknown),
        (put, 202, "AnswerLost", Unknown),
        (get, 429, "TooManyRequests", Transient),
        (get, 500, "InternalServerError", Transient),
        (get, 502, "BadGateway", Transient),
        (get, 403, "AuthorizationFailed", Stalled),
        (get, 404, "SubscriptionNotFound", Stalled),
        (get, 307, "Moved", Stalled),
    ],
)
def test_answers_become_errors_after_one_request(
    wire: Wire, call: Callable[[AzureArm], object], status: int, code: str, kind: type[Exception]
) -> None:
    """T7, T8, T10: the table decides, and no status is asked for twice, Retry-After or not."""
    wire.script = [failure(status, code, Retry_After="1", Location=wire.url + "/elsewhere")]
    with closing(wire.arm()) as arm:
        error = raised(lambda: call(arm))

    assert type(error) is kind
    assert error.reason == code
    assert len(wire.seen) == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry_After": "17"}, 17.0),
        ({"Retry_After": "0"}, 0.0),
        ({"Retry_After": "Fri, 02 Jan 2026 03:05:05 GMT"}, 60.0),
        ({"Retry_After": "99999999"}, 3600.0),
        ({"x_ms_retry_after_ms": "1500"}, 1.5),
        ({}, None),
    ],
)
def test_retry_after_is_handed_on(
    wire: Wire, headers: dict[str, str], expected: float | None
) -> None:
    """T8: a throttled PUT is sent once, and ARM's wish becomes the message's delay."""
    wire.script = [failure(429, "SubscriptionRequestsThrottled", **headers)]
    with closing(wire.arm()) as arm:
        error = raised(lambda: put(arm))

    assert isinstance(error, Transient)
    assert error.retry_after_s == expected
    assert len(wire.seen) == 1


def test_unregistered_provider_is_raised_and_not_registered_by_the_sdk(wire: Wire) -> None:
    """T9: the namespace is named; the SDK neither registers nor sleeps."""
    wire.script = [failure(409, "MissingSubscriptionRegistration", UNREGISTERED)]
    with closing(wire.arm()) as arm:
        error = raised(lambda: put(arm))

    assert isinstance(error, Unregistered)
    assert error.namespace == "Microsoft.Web"
    assert len(wire.seen) == 1


def test_missing_permission_is_named(wire: Wire) -> None:
    """A withdrawn role stalls, and says which action is missing where; the answer is kept."""
    wire.script = [
        failure(403, "AuthorizationFailed", FORBIDDEN, x_ms_correlation_request_id="c-9")
    ]
    with closing(wire.arm()) as arm:
        error = raised(lambda: put(arm))

    assert isinstance(error, Stalled)
    assert error.hint is not None
    assert "Microsoft.Resources/deployments/write" in error.hint
    assert DEPLOYMENT in error.hint
    assert error.detail == {
        "code": "AuthorizationFailed",
        "message": FORBIDDEN,
        "correlationId": "c-9",
    }


def test_missing_permission_on_a_group_is_named_although_head_has_no_body(wire: Wire) -> None:
    """HEAD tells no code; the action that it needs is known."""
    wire.script = [answer(403)]
    with closing(wire.arm()) as arm:
        error = raised(lambda: arm.has_group(GROUP))

    assert isinstance(error, Stalled)
    assert error.reason == "AuthorizationFailed"
    assert "Microsoft.Resources/subscriptions/resourceGroups/read" in (error.hint or "")


def test_refused_put_carries_the_problem(wire: Wire) -> None:
    """What a user reads is the innermost error of a preflight, with the tree beside it."""
    inner = {"code": "SkuNotAvailable", "message": "The requested size is not available."}
    nested = {"code": "ValidationForResourceFailed", "message": "see inner", "details": [inner]}
    body = {"code": "InvalidTemplateDeployment", "message": "not valid", "details": [nested]}
    wire.script = [answer(400, {"error": body})]
    with closing(wire.arm()) as arm:
        error = raised(lambda: put(arm))

    assert isinstance(error, Refused)
    assert error.problem.code == "SkuNotAvailable"
    assert error.problem.message == "The requested size is not available."
    assert error.problem.detail == body


@pytest.mark.parametrize("code", ["DeploymentNotFound", "ResourceGroupNotFound"])
def test_missing_is_none(wire: Wire, code: str) -> None:
    """A 404 is an answer, not an error."""
    wire.script = [failure(404, code)]
    with closing(wire.arm()) as arm:
        assert arm.deployment(DEPLOYMENT) is None
        assert arm.resource(f"{GROUP}/providers/Microsoft.Web/sites/s", "2024-04-01") is None


# ---- what the network does -----------------------------------------------------------------


def _hang(wire: Wire) -> Act:
    return lambda _handler: (wire.released.wait(20), None)[1]


def _reset(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _truncated(handler: Handler) -> None:
    handler.send_response(201)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "')
    handler.wfile.flush()
    _reset(handler)


def _drip(wire: Wire) -> Act:
    def act(handler: Handler) -> None:
        handler.send_response(201)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "5000")
        handler.end_headers()
        with suppress(OSError):
            while not wire.released.wait(0.05):
                handler.wfile.write(b" ")
                handler.wfile.flush()

    return act


def test_put_whose_reply_is_lost_is_unknown(wire: Wire) -> None:
    """ARM got the PUT and the connection broke: only a GET can tell, and it is not sent twice."""
    wire.script = [_reset]
    with closing(wire.arm()) as arm:
        assert type(raised(lambda: put(arm))) is Unknown
    assert len(wire.seen) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b""])
def test_put_with_an_unreadable_answer_is_unknown(wire: Wire, body: bytes) -> None:
    """Accepted, but the answer cannot be read."""
    wire.script = [answer(201, body)]
    with closing(wire.arm()) as arm:
        assert type(raised(lambda: put(arm))) is Unknown


def test_truncated_answers(wire: Wire) -> None:
    """Half an answer is Unknown for a PUT and Transient for anything else."""
    wire.script = [_truncated]
    with closing(wire.arm()) as arm:
        assert type(raised(lambda: put(arm))) is Unknown
        assert type(raised(lambda: get(arm))) is Transient


@pytest.mark.parametrize("act", [_hang, _drip])
def test_put_is_over_when_its_time_is_up(wire: Wire, act: Callable[[Wire], Act]) -> None:
    """A server that is silent, or feeds a byte now and then, cannot hold a PUT past its time."""
    wire.script = [act(wire)]
    with closing(wire.arm(timeout_s=1.5)) as arm:
        started = time.monotonic()
        error = raised(lambda: put(arm))

    assert type(error) is Unknown
    assert time.monotonic() - started < 8
    assert len(wire.seen) == 1


def test_put_never_leaves_after_its_time(wire: Wire) -> None:
    """A slow token uses up the time: the PUT is then not sent at all."""
    wire.script = [answer(201, deployment())]
    with closing(connect(wire, Credential(delay_s=0.4), timeout_s=0.3)) as arm:
        assert type(raised(lambda: put(arm))) is Transient
    assert wire.seen == []


def test_connection_refused_is_transient_for_a_put(wire: Wire) -> None:
    """It certainly never left, so it may be sent again without asking."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"https://127.0.0.1:{free.getsockname()[1]}"
        arm = AzureArm(ArmEndpoint(nobody, ca_file=wire.ca_file), Credential(), Clock(), Ids())
        with closing(arm):
            error = raised(lambda: put(arm))
    assert (type(error), error.reason) == (Transient, "ArmUnreachable")


def test_unknown_host_is_transient_for_a_put(wire: Wire) -> None:
    """A name that does not resolve sent nothing."""
    at = ArmEndpoint("https://arm.invalid", ca_file=wire.ca_file)
    with closing(AzureArm(at, Credential(), Clock(), Ids())) as arm:
        assert type(raised(lambda: put(arm))) is Transient


def test_untrusted_certificate_stalls(wire: Wire, tmp_path: Path) -> None:
    """No second attempt mends a certificate; nothing was sent to whoever that is."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    wire.script = [answer(201, deployment())]
    with closing(wire.arm(ca_file=str(other))) as arm:
        error = raised(lambda: put(arm))

    assert (type(error), error.reason) == (Stalled, "ArmCertificateRefused")
    assert wire.seen == []


def test_connection_is_used_again_and_survives_its_end(wire: Wire) -> None:
    """A kept connection serves many calls; one that the server closed is replaced."""
    wire.script = [answer(204), answer(204, Connection="close"), answer(204)]
    with closing(wire.arm()) as arm:
        assert [arm.has_group(GROUP) for _ in range(3)] == [True, True, True]


# ---- identity and endpoint -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (CredentialUnavailableError("no response"), Transient, "IdentityUnavailable"),
        (ClientAuthenticationError("AADSTS7000215"), Stalled, "IdentityRefused"),
        (ServiceRequestError("refused"), Transient, "IdentityUnavailable"),
    ],
)
def test_token_failures_are_not_arms(
    wire: Wire, error: Exception, kind: type[Exception], reason: str
) -> None:
    """No token: nothing was sent to ARM, so a PUT is not Unknown."""
    with closing(connect(wire, Credential(error))) as arm:
        found = raised(lambda: put(arm))

    assert (type(found), found.reason) == (kind, reason)
    assert wire.seen == []


def test_network_fault_below_a_refused_token_is_transient(wire: Wire) -> None:
    """azure-identity wraps whatever went wrong: the cause decides."""
    error = ClientAuthenticationError("wrapped")
    error.__cause__ = ServiceRequestError("connection reset")
    with closing(connect(wire, Credential(error))) as arm:
        assert type(raised(lambda: put(arm))) is Transient


def test_plain_http_is_refused_at_once() -> None:
    """T3: no connect retries, no token in the clear, and an error that says how to mend it."""
    error = raised(
        lambda: AzureArm(ArmEndpoint("http://127.0.0.1:1"), Credential(), Clock(), Ids())
    )
    assert (type(error), error.reason) == (Stalled, "InsecureEndpoint")
    assert "https" in (error.hint or "")


def test_missing_ca_file_is_said_at_once() -> None:
    """A wrong path is told when the adapter is made, not at the first push."""
    at = ArmEndpoint("https://127.0.0.1:1", ca_file="/nowhere/ca.pem")
    error = raised(lambda: AzureArm(at, Credential(), Clock(), Ids()))
    assert (type(error), error.reason) == (Stalled, "ArmCaFileMissing")


def test_nothing_secret_is_logged_or_told(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the token nor what is deployed shows up in logs or errors, whatever happens."""
    caplog.set_level(0)
    request = DeploymentRequest(
        DEPLOYMENT, GROUP, {"canary-template": 1}, {"p": {"value": "canary-value"}}, {}
    )
    wire.script = [failure(400, "InvalidTemplate", f"bad: Bearer {TOKEN}, AccountKey=canary-key;")]
    with closing(wire.arm()) as arm:
        error = raised(lambda: arm.put(request))

    assert isinstance(error, Refused)
    told = f"{caplog.text} {error} {error.problem}"
    assert [word for word in (TOKEN, "canary") if word in told] == []


def test_clients_are_made_once_per_subscription_by_many_threads(wire: Wire) -> None:
    """Concurrent calls share connections and clients."""
    wire.script = [answer(204)]
    with closing(wire.arm()) as arm:
        found: list[bool] = []
        threads = [
            threading.Thread(target=lambda: found.append(arm.has_group(GROUP))) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert found == [True] * 12


@pytest.mark.parametrize("body", [{"value": None}, {"value": [None]}, {"value": ["x"]}, [], "x"])
def test_a_listing_of_another_shape_may_pass(wire: Wire, body: Any) -> None:
    """It is what a proxy in between may say: tried again, as with a single deployment."""
    wire.script = [answer(200, body)]
    with closing(connect(wire, Credential())) as arm, pytest.raises(Transient) as raised:
        arm.running(GROUP)

    assert raised.value.reason == "ArmAnswerUnreadable"
