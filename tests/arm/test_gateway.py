"""The rules that hold for every request."""

from __future__ import annotations

import re

import pytest

from local.arm.tokens import Identity
from tests.arm.azure import API, Azure


def test_answers_carry_arms_headers(azure: Azure) -> None:
    """Every answer has the headers of the service and echoes the correlation id."""
    reply = azure.call(
        "GET",
        f"{azure.subscription}/resourcegroups?api-version={API}",
        headers={"x-ms-correlation-request-id": "4d5f7c0e-0000-4000-8000-000000000001"},
    )

    assert reply.headers["cache-control"] == "no-cache"
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["x-ms-correlation-request-id"] == "4d5f7c0e-0000-4000-8000-000000000001"
    assert re.fullmatch(
        r"[A-Z]+:\d{8}T\d{6}Z:[0-9a-f-]{36}", reply.headers["x-ms-routing-request-id"]
    )
    assert reply.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/subscriptions/{sub}/resourcegroups", 400, "MissingApiVersionParameter"),
        (
            "/subscriptions/{sub}/resourcegroups?api-version=latest",
            400,
            "InvalidApiVersionParameter",
        ),
        ("/nowhere?api-version=2025-04-01", 404, "NotFound"),
        ("/subscriptions/other/resourcegroups?api-version=2025-04-01", 404, "SubscriptionNotFound"),
        (
            "/subscriptions/{sub}/resourcegroups/x?api-version=2025-04-01",
            404,
            "ResourceGroupNotFound",
        ),
    ],
)
def test_bad_requests_get_arms_refusal(azure: Azure, path: str, status: int, code: str) -> None:
    """The error envelope, its code and the failure's origin are ARM's."""
    reply = azure.call("GET", path.format(sub=azure.address.subscription_id))

    assert (reply.status, reply.code) == (status, code)
    assert reply.headers["x-ms-failure-cause"] == "gateway"


def test_a_method_that_a_route_does_not_have_is_405(azure: Azure) -> None:
    """PATCH on the subscriptions is refused by name."""
    reply = azure.call("PATCH", f"/subscriptions?api-version={API}", {})

    assert (reply.status, reply.code) == (405, "HttpMethodNotAllowed")


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, "AuthenticationFailed"),
        ("rubbish", "InvalidAuthenticationToken"),
        ("a.b.c", "InvalidAuthenticationToken"),
        (Identity("s", "t").token("aud", 0, 1), "ExpiredAuthenticationToken"),
    ],
)
def test_a_request_without_a_good_token_is_challenged(
    azure: Azure, token: str | None, code: str
) -> None:
    """401 with the challenge that clients follow."""
    reply = azure.call("GET", f"/subscriptions?api-version={API}", token=token)

    assert (reply.status, reply.code) == (401, code)
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]


def test_paths_and_query_names_match_in_any_case(azure: Azure) -> None:
    """Ids are compared without case and answered in ARM's own spelling."""
    azure.group("rg-Shop")
    reply = azure.call(
        "GET", f"{azure.subscription.upper()}/ResourceGroups/RG-SHOP?Api-Version={API}"
    )

    assert reply.status == 200
    assert reply.body["id"] == f"{azure.subscription}/resourceGroups/rg-Shop"


def test_a_body_that_is_no_json_object_is_refused(azure: Azure) -> None:
    """400 InvalidRequestContent, never 500."""
    path = f"{azure.subscription}/resourcegroups/rg?api-version={API}"

    for body in ("{", "[]", "7", ""):
        reply = azure.call("PUT", path, body)
        assert (reply.status, reply.code) == (400, "InvalidRequestContent"), body


def test_comments_in_a_body_are_allowed(azure: Azure) -> None:
    """The service takes // comments inside a posted template."""
    azure.group()
    body = """{"properties": {"mode": "Incremental", // as always
        "template": {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "resources": [] /* none */}}}"""
    path = (
        f"{azure.subscription}/resourcegroups/rg-shop/providers/Microsoft.Resources/deployments/d"
    )

    assert azure.call("PUT", f"{path}?api-version={API}", body).status == 201
