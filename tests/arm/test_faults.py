"""Faults: which calls a rule hits, what it says in whose words, and what becomes of the call."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, get_args

import pytest
from azure.core.exceptions import (
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from hypothesis import given
from hypothesis import strategies as st

from local.arm.control import read_faults
from local.arm.errors import ArmError
from local.arm.faults.kinds import KINDS
from local.arm.rules import Call, Kind, Match, Reply, Rule, fits
from local.arm.script import Script
from local.arm.server import Settings, start
from local.arm.tokens import Identity
from tests.arm.azure import API, Azure, ask, clients, eventually, network, plain, storage

SITE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/Shop"


def call(method: str = "PUT", path: str = SITE, **more: Any) -> Call:
    """Return a call of one client."""
    given = {"route": "resource", "origin": "client", "api_version": API, **more}
    return Call(method, path, oid="object", appid="client", **given)


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"method": "put"}, True),
        ({"method": "GET"}, False),
        ({"path": "sites/[^/]+$"}, True),
        ({"path": "^sites"}, False),
        ({"type": "microsoft.web/sites"}, True),
        ({"type": "Microsoft.Web/*"}, True),
        ({"type": "Microsoft.Web"}, False),
        ({"action": "Microsoft.Web/sites/write"}, True),
        ({"action": "*/write"}, True),
        ({"action": "*/delete"}, False),
        ({"scope": "/subscriptions/s/resourcegroups/RG"}, True),
        ({"scope": "/subscriptions/s/resourceGroups/r"}, False),
        ({"api_version": API}, True),
        ({"api_version": "2020-01-01"}, False),
        ({"caller": "object"}, True),
        ({"caller": "CLIENT"}, True),
        ({"caller": "somebody"}, False),
        ({"origin": "deployment"}, False),
        ({"route": "resource"}, True),
    ],
)
def test_a_rule_hits_the_calls_that_it_describes(match: dict[str, Any], hit: bool) -> None:  # noqa: FBT001 - a table
    """By method, path, route, origin, type, permission, scope, api-version and caller."""
    assert fits(Match(**match), call()) is hit


def used(script: Script, calls: list[Call]) -> list[bool]:
    """Return which calls were answered by a rule."""
    return [script.take(one) is not None for one in calls]


def test_every_third_from_the_second_on() -> None:
    """`nth` says where to begin, `every` how to go on, `count` when to stop."""
    script = Script()
    script.add(Rule(match=Match(nth=2, every=3), answer=Reply(status=500), count=2))

    assert used(script, [call()] * 9) == [False, True, False, False, True, *[False] * 4]


@given(st.integers(), st.permutations([f"{SITE}{number % 5}" for number in range(20)]))
def test_chance_depends_on_the_seed_and_the_call_not_on_the_order(
    seed: int, paths: list[str]
) -> None:
    """However concurrent calls fall, each of them draws what it would have drawn alone."""

    def drawn(order: list[str]) -> dict[str, list[bool]]:
        script = Script(seed=seed)
        script.add(Rule(match=Match(chance=0.5), answer=Reply(status=500), count=None))
        found: dict[str, list[bool]] = {}
        for path in order:
            found.setdefault(path, []).append(script.take(call(path=path)) is not None)
        return found

    assert drawn(paths) == drawn(sorted(paths))


def test_chance_is_about_what_it_says_and_guids_do_not_change_it() -> None:
    """A quarter of a thousand calls, give or take; polling URLs draw alike in every run."""
    script = Script(seed=7)
    script.add(Rule(match=Match(chance=0.25), answer=Reply(status=500), count=None))
    polls = [call("GET", f"/operations/{'0' * 20}"), call("GET", f"/operations/{'9' * 20}")]

    assert 200 < sum(used(script, [call(path=f"{SITE}{n}") for n in range(1000)])) < 300
    assert polls[0].identity == polls[1].identity


def test_every_kind_is_described() -> None:
    """What can be scripted is what the side channel lists."""
    assert set(KINDS) == set(get_args(Kind))


WORDS: list[tuple[str, int, str, str]] = [
    ("another_operation", 409, "AnotherOperationInProgress", "is in progress"),
    ("authorization_failed", 403, "AuthorizationFailed", "'Microsoft.Web/sites/write'"),
    ("busy", 429, "RetryableErrorDueToAnotherOperation", "in progress"),
    ("conflict", 409, "Conflict", "shop"),
    ("deny_assignment", 403, "DenyAssignmentAuthorizationFailed", "the access is denied"),
    ("deployment_active", 409, "DeploymentActive", "and will expire at"),
    ("group_being_deleted", 409, "ResourceGroupBeingDeleted", "'rg'"),
    ("in_use", 400, "InUseSiteCannotBeDeleted", "shop is in use by"),
    ("linked_authorization_failed", 403, "LinkedAuthorizationFailed", "linked scope"),
    ("not_registered", 409, "MissingSubscriptionRegistration", "namespace 'Microsoft.Web'"),
    ("policy", 403, "RequestDisallowedByPolicy", "was disallowed by policy"),
    ("principal_not_found", 400, "PrincipalNotFound", "does not exist in the directory"),
    ("property_change", 409, "PropertyChangeNotAllowed", "is not allowed"),
    ("provider_throttled", 429, "ResourceRequestsThrottled", "time interval '00:05:00'"),
    ("quota_exceeded", 401, "Unauthorized", "without additional quota"),
    ("scope_locked", 409, "ScopeLocked", "cannot perform write operation"),
    ("server_error", 500, "InternalServerError", "internal error"),
    ("sku_not_available", 409, "SkuNotAvailable", "not available in location"),
    ("throttled", 429, "SubscriptionRequestsThrottled", "'write' requests"),
    ("too_many_requests", 429, "TooManyRequests", "Too many requests"),
]


@pytest.mark.parametrize(("kind", "status", "code", "words"), WORDS)
def test_a_kind_is_worded_as_arm_and_its_providers_do(
    azure: Azure, kind: str, status: int, code: str, words: str
) -> None:
    """Status, code and text; Retry-After with every 429 and with no 409."""
    path = f"{azure.subscription}/resourceGroups/rg/providers/Microsoft.Web/sites/shop"
    azure.script({"kind": kind})
    reply = azure.call("PUT", f"{path}?api-version={API}", {"location": "westeurope"})

    assert (reply.status, reply.code) == (status, code)
    assert words in reply.message
    assert ("retry-after" in reply.headers) is (status == 429)


def test_a_policy_says_which_policy_in_additional_info(azure: Azure) -> None:
    """PolicyViolation names definition, assignment and effect."""
    azure.script({"kind": "policy", "detail": "No public addresses"})
    with pytest.raises(HttpResponseError) as caught:
        azure.group()
    error: Any = caught.value.error

    [violation] = error.additional_info
    assert violation.type == "PolicyViolation"
    assert violation.info["policyDefinitionDisplayName"] == "No public addresses"
    assert violation.info["policyDefinitionEffect"] == "deny"


def test_a_permission_withdrawn_stays_withdrawn(azure: Azure) -> None:
    """From now on no write to sites below the group, by client or deployment; all else goes on."""
    group = azure.group()
    match = {"action": "Contoso.Shop/*/write", "scope": group}
    azure.script({"kind": "authorization_failed"}, None, **match)
    for name in ("a", "b"):
        with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
            azure.deploy(name, [plain("s1")]).result()

    azure.deploy("c", [storage()]).result()
    direct = azure.call(
        "PUT", f"{group}/providers/Contoso.Shop/shelves/s?api-version={API}", {"properties": {}}
    )
    assert direct.code == "AuthorizationFailed"
    azure.control("DELETE", "/answers")
    azure.deploy("d", [plain("s1")]).result()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("when", ["before", "after"])
def test_server_errors_come_before_or_after_the_effect(
    azure: Azure, status: int, when: str
) -> None:
    """The SDK tries again by itself, and finds its own work if that was done."""
    answer = {"kind": "server_error", "status": status, "when": when}
    azure.script(answer, method="PUT", route="resource-group")
    path = f"{azure.subscription}/resourcegroups/rg?api-version={API}"

    assert azure.call("PUT", path, {"location": "westus"}).status == status
    assert azure.call("HEAD", path).status == (204 if when == "after" else 404)
    azure.script(answer, method="PUT", route="resource-group")
    with clients(azure.address, retry_backoff_factor=0.01) as patient:
        patient.group("rg-b")


def test_an_operation_that_never_ends_holds_the_deployment(azure: Azure) -> None:
    """It runs on, its name is taken, and cancelling is the way out."""
    azure.group()
    azure.script({"kind": "lro_stuck"}, method="PUT", route="deployment")
    azure.begin("d", [plain("s1")])
    found = azure.deployments.deployments
    eventually(lambda: found.get("rg-shop", "d").properties.provisioning_state == "Running")
    with pytest.raises(ResourceExistsError, match="DeploymentActive"):
        azure.begin("d", [])
    found.cancel("rg-shop", "d")
    eventually(lambda: found.get("rg-shop", "d").properties.provisioning_state == "Canceled")


@pytest.mark.parametrize("end", ["Succeeded", "Failed", "Canceled"])
def test_a_deployment_ends_late_and_as_it_is_told(azure: Azure, end: str) -> None:
    """The poller sees the end that the rule wants, and its error."""
    azure.group()
    error = {"code": "Whim", "message": "because"}
    lro = {"end": end, "seconds": 0.3, "error": error}
    azure.script({"kind": "lro_stuck", "lro": lro}, method="PUT", route="deployment")
    began = time.monotonic()
    poller = azure.deploy("d", [plain("s1")])
    if end == "Succeeded":
        poller.result()
    else:
        with pytest.raises(HttpResponseError):
            poller.result()

    shown = azure.deployments.deployments.get("rg-shop", "d").properties
    assert time.monotonic() - began > 0.3
    assert shown.provisioning_state == end
    assert (shown.error.code if shown.error else None) == ("Whim" if end == "Failed" else None)


@pytest.mark.parametrize("body", [network(), plain("s1"), storage()])
def test_a_resource_ends_late_and_badly(azure: Azure, body: dict[str, Any]) -> None:
    """In the style of its provider; afterwards it is there, in state Failed, and a PUT heals it."""
    rid = f"{azure.group()}/providers/{body['type']}/{body['name']}"
    lro = {"end": "Failed", "seconds": 0.2, "error": {"code": "Whim", "message": "because"}}
    azure.script({"kind": "lro_stuck", "lro": lro}, method="PUT", route="resource")
    resources, version = azure.resources.resources, body["apiVersion"]
    with pytest.raises(HttpResponseError, match="Whim"):
        resources.begin_create_or_update_by_id(rid, body, api_version=version).result()

    def state() -> str:
        found = resources.get_by_id(rid, api_version=version)
        return str(found.properties["provisioningState"])

    assert state() == "Failed"
    resources.begin_create_or_update_by_id(rid, body, api_version=version).result()
    assert state() == "Succeeded"


def test_a_delete_can_be_late_or_fail(azure: Azure) -> None:
    """Late it is gone in the end; failed the resource stays."""
    group = azure.group()
    azure.deploy("d", [plain("late"), plain("stays")]).result()
    for name, end in (("late", "Succeeded"), ("stays", "Failed")):
        rid = f"{group}/providers/Contoso.Shop/shelves/{name}"
        lro = {"end": end, "seconds": 0.2}
        azure.script({"kind": "lro_stuck", "lro": lro}, method="DELETE")
        poller = azure.resources.resources.begin_delete_by_id(rid, api_version=API)
        if end == "Succeeded":
            poller.result()
        else:
            with pytest.raises(HttpResponseError):
                poller.result()

        there = azure.resources.resources.check_existence_by_id(rid, api_version=API)
        assert there is (end == "Failed")


def test_a_what_if_can_be_late(azure: Azure) -> None:
    """Its Location answers 202 until then, and the result is the true one."""
    azure.group()
    lro = {"end": "Succeeded", "seconds": 0.3}
    azure.script({"kind": "lro_stuck", "lro": lro}, route="deployment-what-if")
    began = time.monotonic()
    found = azure.deployments.deployments.begin_what_if("rg-shop", "d", ask([plain("s1")]))

    assert [change.change_type for change in found.result().changes] == ["Create"]
    assert time.monotonic() - began > 0.3


def test_a_group_can_be_stuck_in_deleting(azure: Azure) -> None:
    """Its deletion never ends, and nothing can be written into it."""
    azure.group()
    azure.script({"kind": "lro_stuck"}, method="DELETE", route="resource-group")
    azure.resources.resource_groups.begin_delete("rg-shop", polling=False)
    found = azure.resources.resource_groups.get("rg-shop")

    assert found.properties.provisioning_state == "Deleting"
    with pytest.raises(ResourceExistsError, match="ResourceGroupBeingDeleted"):
        azure.begin("d", [])


@pytest.mark.parametrize("says", ["Dancing", "", "{"])
def test_polls_can_be_told_nonsense(azure: Azure, says: str) -> None:
    """An unknown word keeps the SDK polling; no body, or no JSON, makes it give up."""
    azure.group()
    lro = {"end": "Succeeded", "says": says}
    azure.script({"kind": "lro_stuck", "lro": lro}, method="PUT", route="deployment")
    poller = azure.deploy("d", [])
    if says == "Dancing":
        poller.wait(0.5)
        assert not poller.done()
        azure.control("DELETE", "/answers")
        poller.result()
        return
    with pytest.raises(HttpResponseError):
        poller.result()
    assert azure.deployments.deployments.get("rg-shop", "d").name == "d"


def test_a_write_fails_after_half_of_it_was_stored(azure: Azure) -> None:
    """The client gets an error, and the resource is there in state Failed."""
    group = azure.group()
    azure.script({"kind": "partial", "status": 409}, method="PUT", route="resource")
    rid = f"{group}/providers/Contoso.Shop/shelves/s1"
    reply = azure.call("PUT", f"{rid}?api-version={API}", {"location": "westeurope"})
    found = azure.resources.resources.get_by_id(rid, api_version=API)

    assert (reply.status, reply.code) == (409, "InternalServerError")
    assert found.properties["provisioningState"] == "Failed"


def test_the_third_resource_of_a_deployment_fails_and_leaves_pieces(azure: Azure) -> None:
    """The first two are whole, the third is half there, the operations tell which."""
    group = azure.group()
    azure.script({"kind": "partial"}, origin="deployment", type="Contoso.Shop/shelves", nth=3)
    names = ["a", "b", "c"]
    shelves = [
        plain(name, dependsOn=[f"{group}/providers/Contoso.Shop/shelves/{before}"] * (name > "a"))
        for name, before in zip(names, " ab", strict=True)
    ]
    with pytest.raises(HttpResponseError):
        azure.deploy("d", shelves).result()
    states = [
        azure.resources.resources.get_by_id(
            f"{group}/providers/Contoso.Shop/shelves/{name}", api_version=API
        ).properties["provisioningState"]
        for name in names
    ]

    assert states == ["Succeeded", "Succeeded", "Failed"]


def test_a_resource_of_a_deployment_sticks(azure: Azure) -> None:
    """The deployment waits for it, and fails with the provider's error."""
    azure.group()
    lro = {"end": "Failed", "seconds": 0.3, "error": {"code": "Whim", "message": "because"}}
    azure.script({"kind": "lro_stuck", "lro": lro}, origin="deployment")
    with pytest.raises(HttpResponseError) as caught:
        azure.deploy("d", [plain("s1")]).result()
    error: Any = caught.value.error

    [detail] = error.details
    assert (detail.code, detail.details[0].code) == ("ResourceDeploymentFailure", "Whim")


def listed(azure: Azure) -> Any:
    """List the groups once."""
    return list(azure.resources.resource_groups.list())


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ({"kind": "malformed_json"}, DecodeError),
        ({"kind": "html_page"}, HttpResponseError),
        ({"headers": {"Content-Type": "text/plain"}}, None),
        ({"omit": ["x-ms-request-id", "Content-Type", "Strict-Transport-Security"]}, None),
        ({"bytes_per_second": 2000}, None),
    ],
)
def test_what_travels_badly(
    azure: Azure, answer: dict[str, Any], raised: type[HttpResponseError] | None
) -> None:
    """Cut JSON and proxy pages raise; another content type, lost headers, slowness do not."""
    azure.group()
    azure.script(answer, route="resource-groups")
    with clients(azure.address, retry_total=0) as brittle:
        if raised is None:
            assert [group.name for group in listed(brittle)] == ["rg-shop"]
        else:
            with pytest.raises(raised):
                listed(brittle)


def test_headers_get_lost_and_bodies_trickle(azure: Azure) -> None:
    """As a plain client sees it; the next answer is whole again."""
    azure.group()
    path = f"{azure.subscription}/resourcegroups?api-version={API}"
    azure.script({"omit": ["X-Ms-Request-Id"], "bytes_per_second": 800}, route="resource-groups")
    began = time.monotonic()
    slow = azure.call("GET", path)
    took = time.monotonic() - began
    whole = azure.call("GET", path)

    assert slow.body == whole.body
    assert took > 0.15
    assert "x-ms-request-id" not in slow.headers
    assert "x-ms-request-id" in whole.headers


def test_polling_urls_can_be_longer_than_four_kilobytes(azure: Azure) -> None:
    """The SDK follows them as they are, by either header."""
    azure.turn(long_urls=True)
    path = f"{azure.group()}/providers/Microsoft.Resources/deployments/d?api-version={API}"
    azure.deploy("d", []).result()
    gone = azure.call("DELETE", path)
    azure.resources.resource_groups.begin_delete("rg-shop").result()

    assert len(gone.headers["location"]) > 4096


@pytest.mark.parametrize("knob", [True, False])
def test_retry_after_can_be_a_date(azure: Azure, knob: bool) -> None:  # noqa: FBT001 - a table
    """HTTP knows both; it is the date that the answer's clock will show."""
    if knob:
        azure.turn(retry_after_as="date")
    answer = {"kind": "throttled", "retry_after": 30}
    azure.script({**answer, "retry_after_as": "seconds" if knob else "date"})
    reply = azure.call("GET", f"{azure.subscription}/resourcegroups?api-version={API}")
    until = parsedate_to_datetime(reply.headers["retry-after"])

    assert abs(until - parsedate_to_datetime(reply.headers["date"]) - timedelta(seconds=30)) < (
        timedelta(seconds=3)
    )


def test_reads_lag_behind_writes(azure: Azure) -> None:
    """404 for what is new, the old body for what is changed or deleted, then the truth."""
    group = azure.group()
    rid = f"{group}/providers/Contoso.Shop/shelves/s1"
    resources = azure.resources.resources
    azure.turn(read_lag_seconds_by_type={"contoso.shop/shelves": 60})

    def put(depth: int) -> None:
        body = {"location": "westeurope", "properties": {"depth": depth}}
        resources.begin_create_or_update_by_id(rid, body, api_version=API).result()

    put(1)
    with pytest.raises(ResourceNotFoundError):
        resources.get_by_id(rid, api_version=API)
    azure.turn(clock_offset_seconds=61)
    assert resources.get_by_id(rid, api_version=API).properties["depth"] == 1
    put(2)
    assert resources.get_by_id(rid, api_version=API).properties["depth"] == 1
    azure.turn(clock_offset_seconds=122)
    assert resources.get_by_id(rid, api_version=API).properties["depth"] == 2
    resources.begin_delete_by_id(rid, api_version=API).result()
    assert resources.get_by_id(rid, api_version=API).properties["depth"] == 2
    azure.turn(clock_offset_seconds=183)
    assert not resources.check_existence_by_id(rid, api_version=API)


def test_lists_lag_behind_what_deployments_write(azure: Azure) -> None:
    """GET by id knows the new resource at once, the lists only later."""
    group = azure.group()
    azure.turn(list_lag_seconds=60)
    azure.deploy("d", [plain("s1")]).result()
    rid = f"{group}/providers/Contoso.Shop/shelves/s1"

    def names() -> list[str]:
        return [one.name for one in azure.resources.resources.list_by_resource_group("rg-shop")]

    assert azure.resources.resources.get_by_id(rid, api_version=API).name == "s1"
    assert names() == []
    azure.turn(clock_offset_seconds=61)
    assert names() == ["s1"]
    azure.resources.resources.begin_delete_by_id(rid, api_version=API).result()
    assert names() == ["s1"]
    azure.turn(clock_offset_seconds=122)
    assert names() == []


def test_groups_lag_too(azure: Azure) -> None:
    """A new group is 404 and in no list at first, though things can be put into it."""
    azure.turn(read_lag_seconds=60, list_lag_seconds=120)
    group = azure.group()
    found = azure.resources.resource_groups
    with pytest.raises(ResourceNotFoundError, match="ResourceGroupNotFound"):
        found.get("rg-shop")
    shelf = f"{group}/providers/Contoso.Shop/shelves/s1?api-version={API}"
    assert azure.call("PUT", shelf, {"location": "westeurope"}).status == 201
    azure.turn(clock_offset_seconds=61)
    assert found.get("rg-shop").name == "rg-shop"
    assert list(found.list()) == []
    azure.turn(clock_offset_seconds=121)
    assert [one.name for one in found.list()] == ["rg-shop"]


def assignment(azure: Azure, principal: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """Return the path and body of a role assignment to the group."""
    name = "11111111-0000-4000-8000-000000000001"
    role = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    scope = f"{azure.subscription}/resourceGroups/rg-shop"
    definition = f"{azure.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return (
        f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01",
        {"properties": {"principalId": principal, "roleDefinitionId": definition, **more}},
    )


def test_a_young_principal_is_not_found(azure: Azure) -> None:
    """Until the directory knows it, or the assignment says what kind of principal it is."""
    group = azure.group()
    azure.turn(principal_lag_seconds=60)
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
    identity = azure.call(
        "PUT", f"{group}/providers/{kind}/reader?api-version=2024-11-30", {"location": "westeurope"}
    )
    principal = identity.body["properties"]["principalId"]
    early = azure.call("PUT", *assignment(azure, principal))
    typed = azure.call("PUT", *assignment(azure, principal, principalType="ServicePrincipal"))
    azure.turn(clock_offset_seconds=61)
    late = azure.call("PUT", *assignment(azure, principal))

    assert (early.status, early.code) == (400, "PrincipalNotFound")
    assert typed.status == 201
    assert late.status < 300


def test_a_rule_about_one_caller_leaves_the_others_alone(azure: Azure) -> None:
    """By object id."""
    who = Identity(azure.address.subscription_id, azure.address.tenant_id)
    other = Identity("other", azure.address.tenant_id).token("aud", 0, 4102444800)
    azure.script({"kind": "conflict"}, None, caller=who.oid)
    path = f"{azure.subscription}/resourcegroups?api-version={API}"

    assert azure.call("GET", path).status == 409
    assert azure.call("GET", path, token=other).status == 200


FILE = b"""{"seed": 3, "rules": [
  {"match": {"route": "resource-groups", "chance": 0.5}, "count": null,
   "answer": {"kind": "server_error", "status": 503}}]}"""


def test_a_file_of_faults_plays_the_same_every_time() -> None:
    """Two simulators with one file fail the same calls; another seed fails others."""

    def play(file: bytes) -> list[int]:
        with start(Settings(faults=read_faults(file))) as address, clients(address) as azure:
            path = f"{azure.subscription}/resourcegroups?api-version={API}"
            return [azure.call("GET", path).status for _ in range(24)]

    first = play(FILE)
    assert first == play(FILE)
    assert set(first) == {200, 503}
    assert first != play(FILE.replace(b"3,", b"4,", 1))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"7",
        b"[7]",
        b'{"rule": []}',
        b'[{"answer": {"kind": "nonsense"}}]',
        b'[{"answer": {"status": 99}}]',
        b'[{"answer": {"status": 500}, "match": {"chance": 2}}]',
        b'[{"answer": {"status": 500}, "match": {"nth": 0}}]',
        b'[{"answer": {"status": 500}, "count": -1}]',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: bytes) -> None:
    """400 with the place in the file, not a traceback."""
    with pytest.raises(ArmError) as refused:
        read_faults(text)

    assert refused.value.status == 400


def test_rules_come_in_one_by_one_or_all_together(azure: Azure) -> None:
    """All or none: a list with one bad rule adds nothing."""
    good, bad = {"answer": {"status": 500}}, {"answer": {"status": 500}, "match": {"path": "("}}
    refused = azure.call("POST", "/_control/answers", [good, bad], token=None)
    left = azure.control("GET", "/answers")["value"]
    added = azure.control("POST", "/answers", {"seed": 5, "rules": [good, good]})

    assert refused.status == 400
    assert "rules[1]" in refused.message
    assert left == []
    assert [rule["id"] for rule in added["value"]] == ["1", "2"]


def test_the_faults_fixture_scripts_and_clears(
    azure: Azure, faults: Callable[..., list[dict[str, Any]]]
) -> None:
    """A test says what goes wrong in one line, and which seed decides."""
    [rule] = faults({"match": {"method": "GET"}, "answer": {"kind": "conflict"}}, seed=9)
    path = f"{azure.subscription}/resourcegroups?api-version={API}"

    assert rule["answer"]["kind"] == "conflict"
    assert [azure.call("GET", path).status for _ in range(2)] == [409, 200]
