"""What ARM's answers mean and how they read: the table, the tree, the one line."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.arm_answers import (
    Kind,
    classify,
    error_of,
    flatten,
    is_named,
    is_transient_failure,
    retry_after_s,
    unregistered_namespace,
)
from shared.core.arm_answers.problems import MAX_DETAIL, MAX_MESSAGE

GROUP = "/subscriptions/s/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/logs"
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/web"
NESTED = f"{GROUP}/providers/Microsoft.Resources/deployments/inner"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def err(code: str, message: str = "said so", *details: Any, **more: Any) -> dict[str, Any]:
    """Return ARM's error object."""
    return {
        "code": code,
        "message": message,
        **({"details": list(details)} if details else {}),
        **more,
    }


# ---- the table -----------------------------------------------------------------------------

T, A, R, S, U, N, M = (
    *(Kind.TRANSIENT, Kind.ACTIVE, Kind.REFUSED, Kind.STALLED, Kind.UNKNOWN),
    *(Kind.UNREGISTERED, Kind.MISSING),
)


@pytest.mark.parametrize(
    ("status", "code", "read", "put"),
    [
        (400, "InvalidTemplate", S, R),
        (400, "InvalidRequestContent", S, R),
        (400, "DeploymentNameLengthLimitExceeded", S, R),
        (401, "InvalidAuthenticationToken", S, S),
        (401, "ExpiredAuthenticationToken", T, T),
        (401, "AuthenticationFailed", T, T),
        (401, "", S, S),
        (403, "AuthorizationFailed", S, S),
        (403, "LinkedAuthorizationFailed", S, S),
        (403, "DenyAssignmentAuthorizationFailed", S, S),
        (403, "RequestDisallowedByPolicy", S, R),
        (403, "SomethingNew", S, S),
        (404, "DeploymentNotFound", M, R),
        (404, "ResourceNotFound", M, R),
        (404, "ResourceGroupNotFound", M, S),
        (404, "resourcegroupnotfound", M, S),
        (404, "SubscriptionNotFound", S, S),
        (404, "", M, R),
        (408, "RequestTimeout", T, U),
        (409, "DeploymentActive", A, A),
        (409, "DeploymentActiveAndUneditable", A, A),
        (409, "DeploymentQuotaExceeded", S, S),
        (409, "ScopeLocked", S, S),
        (409, "InvalidDeploymentLocation", S, R),
        (409, "MissingSubscriptionRegistration", N, N),
        (409, "SubscriptionNotRegistered", N, N),
        (409, "AnotherOperationInProgress", T, T),
        (409, "ResourceGroupBeingDeleted", T, T),
        (409, "Conflict", S, R),
        (429, "SubscriptionRequestsThrottled", T, T),
        (429, "RetryableErrorDueToAnotherOperation", T, T),
        (429, "", T, T),
        (500, "InternalServerError", T, U),
        (502, "", T, U),
        (503, "ServerBusy", T, U),
        (503, "AuthorizationFailed", S, U),
        (504, "GatewayTimeout", T, U),
        (202, "", S, U),
        (307, "", S, U),
    ],
)
def test_table(status: int, code: str, read: Kind, put: Kind) -> None:
    """(status, code) -> kind, for a read and for the PUT of a deployment."""
    error = err(code) if code else None
    assert classify(status, error) is read
    assert classify(status, error, put=True) is put


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["SkuNotAvailable"], R),
        (["AuthorizationFailed"], S),
        (["AuthorizationFailed", "SkuNotAvailable"], R),
        (["MissingSubscriptionRegistration"], N),
        (["MissingSubscriptionRegistration", "AuthorizationFailed"], S),
        (["AnotherOperationInProgress"], T),
        (["AnotherOperationInProgress", "RequestDisallowedByPolicy"], R),
    ],
)
def test_preflight_means_the_gravest_of_what_is_inside(codes: list[str], expected: Kind) -> None:
    """A wrapper's own code says nothing; one permanent error makes another attempt pointless."""
    inner = err("ValidationForResourceFailed", "x", *map(err, codes))
    assert classify(400, err("InvalidTemplateDeployment", "x", inner), put=True) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, False),
        (err("DeploymentFailed"), False),
        (err("DeploymentFailed", "x", err("TooManyRequests")), True),
        (err("DeploymentFailed", "x", err("TooManyRequests"), err("SkuNotAvailable")), False),
        (err("DeploymentFailed", "x", err("429"), err("PrincipalNotFound")), True),
        (err("Conflict", json.dumps({"error": err("RetryableErrorDueToAnotherOperation")})), True),
        (
            err("ResourceDeploymentFailure", "x", err("DeploymentFailed", "x", err("ServerBusy"))),
            True,
        ),
        (err("Conflict"), False),
        ({"error": err("InternalServerError")}, True),
        ({}, False),
    ],
)
def test_only_what_passes_by_itself_is_tried_again(
    error: Mapping[str, Any] | None, *, expected: bool
) -> None:
    """Rule 10: a failed generation is tried again for transient codes, and all of them must be."""
    assert is_transient_failure(error) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            err("MissingSubscriptionRegistration", "to use namespace 'Microsoft.Web'."),
            "Microsoft.Web",
        ),
        (
            err(
                "MissingSubscriptionRegistration",
                "x",
                err("MissingSubscriptionRegistration", "y", target="Microsoft.App"),
            ),
            "Microsoft.App",
        ),
        (
            err(
                "InvalidTemplateDeployment", "x", err("SubscriptionNotRegistered", "'microsoft.a'")
            ),
            "microsoft.a",
        ),
        (err("MissingSubscriptionRegistration", "for 'it'"), None),
        (err("Conflict", "'Microsoft.Web'"), None),
        (None, None),
    ],
)
def test_namespace_to_register(error: Mapping[str, Any] | None, expected: str | None) -> None:
    """The provider is named by the target, or quoted in the message."""
    assert unregistered_namespace(error) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("17", 17.0),
        (" 5 ", 5.0),
        ("1.5", 1.5),
        ("3601", 3600.0),
        ("9" * 400, 3600.0),
        ("Fri, 02 Jan 2026 03:05:05 GMT", 60.0),
        ("Fri, 02 Jan 2026 03:05:05", 60.0),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0.0),
        ("Sat, 01 Jan 2028 00:00:00 GMT", 3600.0),
        ("-5", None),
        ("nan", None),
        ("soon", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after(header: str | None, expected: float | None) -> None:
    """Seconds, dates, zero, huge and rubbish."""
    assert retry_after_s(header, NOW) == expected


# ---- the one line --------------------------------------------------------------------------


def test_the_innermost_error_is_told_with_its_resource() -> None:
    """Through every wrapper, the JSON in a message included; the tree is kept whole and opened."""
    provider = {"error": err("StorageAccountAlreadyTaken", "The storage account\r\n is taken.")}
    tree = err(
        "DeploymentFailed",
        "At least one resource deployment operation failed.",
        err(
            "ResourceDeploymentFailure",
            "terminal",
            err("Conflict", json.dumps(provider)),
            target=ACCOUNT,
        ),
        target=NESTED,
    )
    problem = flatten({"error": tree})

    assert problem.code == "StorageAccountAlreadyTaken"
    assert problem.message == "storageAccounts logs: The storage account is taken."
    assert problem.hint is not None
    assert "uniqueString" in problem.hint
    assert problem.detail["details"][0]["details"][0]["message"] == provider


def test_a_resource_inside_a_nested_deployment_is_named() -> None:
    """Deployments are only the way to the resource; a child is named with its parents."""
    inner = err("DeploymentFailed", "x", err("InUse", "busy", target=SUBNET), target=NESTED)
    problem = flatten(err("DeploymentFailed", "x", inner))
    assert problem.message == "virtualNetworks/subnets v/web: busy"


def test_the_first_permanent_error_is_told_and_the_others_are_counted() -> None:
    """A throttled sibling is not the news."""
    problem = flatten(
        err(
            "DeploymentFailed",
            "x",
            err("TooManyRequests"),
            err("SkuNotAvailable", "none left"),
            err("Conflict"),
        )
    )
    assert problem.code == "SkuNotAvailable"
    assert problem.message == "none left (and 2 more: see detail)"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (err("DeploymentFailed", "At least one"), "DeploymentFailed", "At least one"),
        (err("DeploymentFailed", "x", "text", None, 3), "DeploymentFailed", "x"),
        (err("A", "x", target=f"{GROUP}"), "A", "rg: x"),
        (err("A", "about logs", target=ACCOUNT), "A", "storageAccounts logs: about logs"),
        ({"Code": "BadRequest", "Message": "odd casing"}, "BadRequest", "odd casing"),
        ({"message": json.dumps({"Code": "X", "Message": "inside"})}, "X", "inside"),
        (err("A", json.dumps({"error": err("A", "said twice")})), "A", "said twice"),
        (err("A", "{not json"), "A", "{not json"),
        (err("A", '{"other": 1}'), "A", '{"other": 1}'),
        ({"code": 429, "message": {"lang": "en", "value": "odata"}}, "429", "odata"),
        ({"odata.error": err("B", "older")}, "B", "older"),
        (err("A", "x", additionalInfo=["text", {"type": "T", "info": 1}]), "A", "x"),
        (err("A", ""), "A", "Azure gave no message."),
        ({"target": "x"}, "UnknownError", "Azure gave no message."),
        ({}, "UnknownError", "Azure gave no message."),
        ({"code": None, "message": 7, "details": {"a": 1}}, "UnknownError", "7"),
    ],
)
def test_odd_answers_are_read(error: Mapping[str, Any], code: str, message: str) -> None:
    """Whatever comes, there is a code and a line."""
    problem = flatten(error)
    assert (problem.code, problem.message) == (code, message)


@pytest.mark.parametrize(
    ("info", "path", "line"),
    [
        (
            {"lineNumber": 1, "linePosition": 90, "path": "properties.template.resources[0]"},
            "properties.template.resources[0]",
            None,
        ),
        ({"lineNumber": 12, "linePosition": 9, "path": ""}, None, 12),
        ({"lineNumber": "x"}, None, None),
        ("text", None, None),
    ],
)
def test_template_violation_says_where(info: Any, path: str | None, line: int | None) -> None:
    """The JSON path is kept; line 1 of what was posted as one line is not."""
    problem = flatten(
        err(
            "InvalidTemplate",
            "failed",
            additionalInfo=[{"type": "TemplateViolation", "info": info}],
        )
    )
    assert (problem.path, problem.line) == (path, line)


AUTHORIZATION = (
    "The client 'O'Neil' with object id '0aa' does not have authorization to perform action "
    f"'Microsoft.Storage/storageAccounts/write' over scope '{ACCOUNT}' or the scope is invalid."
)
LINKED = (
    "The client 'x' with object id 'y' has permission to perform action "
    f"'Microsoft.Network/networkInterfaces/write' on scope '{GROUP}'; however, it does not have permission "
    f"to perform action(s) 'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '{SUBNET}'."
)


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (
            err("AuthorizationFailed", AUTHORIZATION),
            ["Microsoft.Storage/storageAccounts/write", f"on {ACCOUNT},"],
        ),
        (err("LinkedAuthorizationFailed", LINKED), ["subnets/join/action", SUBNET]),
        (
            err("AuthorizationFailed", "action 'Microsoft.A/b/read' is missing"),
            ["Microsoft.A/b/read, then"],
        ),
        (err("AuthorizationFailed", "no"), ["role that this needs"]),
        (err("MissingSubscriptionRegistration"), ["register/action"]),
        (err("DeploymentQuotaExceeded"), ["800"]),
        (err("ScopeLocked"), ["lock"]),
        (err("SkuNotAvailable"), ["size"]),
        (err("ResourceGroupNotFound"), ["createResourceGroup"]),
        (err("StorageAccountAlreadyTaken"), ["uniqueString"]),
        (err("RequestDisallowedByPolicy"), ["An Azure Policy"]),
        (
            err(
                "RequestDisallowedByPolicy",
                "no",
                additionalInfo=[
                    {
                        "type": "PolicyViolation",
                        "info": {
                            "policyDefinitionDisplayName": "Allowed locations",
                            "policyAssignmentName": "eu-only",
                        },
                    },
                    {"type": "PolicyViolation", "info": {"policyDefinitionName": "tags"}},
                    {"type": "PolicyViolation", "info": {}},
                    {"type": "PolicyViolation", "info": None},
                ],
            ),
            ["'Allowed locations' (assigned as 'eu-only'), 'tags'", "exemption"],
        ),
    ],
)
def test_hints_say_how_to_mend_it(error: Mapping[str, Any], parts: list[str]) -> None:
    """The codes that users meet come with what to do, the missing action and scope named."""
    found = flatten(error).hint or ""
    assert [part for part in parts if part not in found] == []


def test_endless_envelopes_end() -> None:
    """An answer that is nothing but envelopes says nothing."""
    body: dict[str, Any] = err("A")
    for _ in range(40):
        body = {"error": body}
    assert error_of(body) is None
    assert flatten(body).code == "UnknownError"


def test_codes_without_a_hint_have_none() -> None:
    """No advice is better than a wrong one."""
    assert flatten(err("SomethingNew")).hint is None


# ---- secrets and size ----------------------------------------------------------------------

CANARY = "c4n4ry-0451"


@pytest.mark.parametrize(
    "error",
    [
        err("A", f"cannot open AccountKey={CANARY};"),
        err("A", "x", err("B", json.dumps({"error": {**err("C"), "adminPassword": CANARY}}))),
        err("A", json.dumps([{"password": CANARY}])),
        err("A", "x", additionalInfo=[{"type": "T", "info": {"clientSecret": CANARY}}]),
    ],
)
def test_no_secret_is_kept(error: Mapping[str, Any]) -> None:
    """Neither the line nor the tree holds what has the form or the name of a secret."""
    problem = flatten(error)
    assert CANARY not in problem.message
    assert CANARY not in json.dumps(problem.detail)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=40)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["error", "code", "message", "details", "target", "additionalInfo", "info", "type"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=30,
)
bodies = st.dictionaries(
    st.sampled_from(["error", "code", "message", "details"]), json_values, max_size=4
)


@settings(deadline=None)
@given(bodies)
def test_any_json_can_be_flattened(body: dict[str, Any]) -> None:
    """No answer breaks the reader; the line stays one line and short, the detail small."""
    problem = flatten(body)
    assert problem.code
    assert 0 < len(problem.message) <= MAX_MESSAGE
    assert "\n" not in problem.message
    assert len(json.dumps(problem.detail, ensure_ascii=False)) <= MAX_DETAIL
    assert isinstance(is_transient_failure(error_of(body)), bool)
    assert isinstance(classify(400, error_of(body), put=True), Kind)


def _deep(levels: int) -> dict[str, Any]:
    error = err("Innermost", "x" * 50)
    for _ in range(levels):
        error = err("DeploymentFailed", "x", error)
    return error


def _wide(depth: int) -> Any:
    return {f"{i}{'k' * 119}": _wide(depth - 1) for i in range(5)} if depth else "v" * 120


def _chain(depth: int) -> Any:
    return {"text": "v" * 9000, "below": _chain(depth - 1)} if depth else None


def _folded(levels: int) -> dict[str, Any]:
    error = err("Innermost", "x")
    for _ in range(levels):
        error = err("Conflict", json.dumps({"error": error}))
    return error


@pytest.mark.parametrize(
    "error",
    [
        err("A", "long " * 20_000),
        err("A", "x", *(err("B", "y" * 3000) for _ in range(800))),
        err("A", "x", **{f"k{i}": "v" * 4000 for i in range(3000)}),
        err("A", "x", **{"k" * 50_000: 1}),
        _deep(300),
        _folded(9),
        err(
            "A",
            "x",
            **{f"{i}{'k' * 119}": ["v" * 120] * 9 for i in range(5)},
            **{"é" * 9000: "é" * 9000},
        ),
        err("A", "x", info=_wide(7)),
        err("A", "x", info=_chain(20)),
        err("A", "{" * 50_000),
        err("A", "[" * 50_000),
    ],
    ids=[
        "long",
        "many",
        "wide",
        "long key",
        "deep",
        "folded",
        "keys",
        "bush",
        "chain",
        "braces",
        "brackets",
    ],
)
def test_huge_answers_are_bounded(error: Mapping[str, Any]) -> None:
    """A record stays small whatever a provider says."""
    problem = flatten(error)
    assert len(problem.message) <= MAX_MESSAGE
    assert len(json.dumps(problem.detail, ensure_ascii=False)) <= MAX_DETAIL


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, False),
        ({"code": "scopelocked", "message": "m"}, True),
        ({"code": "Conflict", "message": "m"}, False),
        ({"code": "DeploymentFailed", "details": [{"code": "ScopeLocked"}]}, True),
        ({"message": "m"}, False),
    ],
)
def test_a_code_is_known_by_its_name_or_only_by_its_status(
    error: Mapping[str, Any] | None, *, expected: bool
) -> None:
    """A conflict without such a code is somebody else at work, and passes."""
    assert is_named(error) is expected
