"""The traps of the real SDK, each shown against the simulator over TLS."""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.mgmt.resource.resources.operations import ResourcesOperations

from tests.arm.azure import (
    API,
    Azure,
    StaticCredential,
    ask,
    clients,
    eventually,
    plain,
    storage,
)

SLOW = {"deployment_seconds": 5.0}


def test_t1_clients_live_in_packages_of_their_own() -> None:
    """The old import is gone; the clients come from .resources and .deployments."""
    package = importlib.import_module("azure.mgmt.resource")

    assert hasattr(
        importlib.import_module("azure.mgmt.resource.resources"), "ResourceManagementClient"
    )
    assert hasattr(
        importlib.import_module("azure.mgmt.resource.deployments"), "DeploymentsMgmtClient"
    )
    assert not hasattr(package, "ResourceManagementClient")


def test_t2_api_version_is_keyword_only(azure: Azure) -> None:
    """get_by_id takes its api-version by name, and the simulator answers in that version."""
    signature = inspect.signature(ResourcesOperations.get_by_id)
    group = azure.group()
    azure.deploy("d", [plain("s1")]).result()
    found = azure.resources.resources.get_by_id(
        f"{group}/providers/Contoso.Shop/shelves/s1", api_version="2024-01-01"
    )

    assert signature.parameters["api_version"].kind is inspect.Parameter.KEYWORD_ONLY
    assert found.name == "s1"


def test_t3_plain_http_is_refused_and_https_with_the_ca_file_works(azure: Azure) -> None:
    """A bearer token does not travel without TLS; with the simulator's certificate it does."""
    insecure = azure.address.endpoint.replace("https://", "http://")
    with (
        clients(azure.address, base_url=insecure, retry_total=0) as other,
        pytest.raises(ServiceRequestError, match="non-TLS"),
    ):
        list(other.resources.resource_groups.list())

    assert list(azure.resources.resource_groups.list()) == []


def test_t4_a_failed_what_if_is_no_exception(azure: Azure) -> None:
    """HTTP 200 with status Failed comes back as a result: who does not look sees no changes."""
    azure.group()
    azure.deploy("d", [storage()]).result()
    azure.turn(noise={"Microsoft.Storage/storageAccounts": ["N17"]})
    result = azure.deployments.deployments.begin_what_if("rg-shop", "d", ask([storage()])).result()
    azure.turn(noise={})
    healthy = azure.deployments.deployments.begin_what_if("rg-shop", "d", ask([storage()])).result()

    assert (result.status, result.changes) == ("Failed", None)
    assert result.error.code == "DeploymentWhatIfResourceError"
    assert "'MethodNotAllowed'" in result.error.details[0].message
    assert (healthy.status, healthy.error) == ("Succeeded", None)


def test_t4_a_template_that_is_none_is_an_exception_even_in_what_if(azure: Azure) -> None:
    """What is refused before anything is foretold raises, as it does for a deployment."""
    azure.group()
    with pytest.raises(HttpResponseError) as caught:
        azure.deployments.deployments.begin_what_if("rg-shop", "d", ask([plain("[nope()]")]))

    assert caught.value.error is not None
    assert caught.value.error.code == "InvalidTemplate"


def test_t6_a_refused_validate_raises_though_400_is_in_its_contract(azure: Azure) -> None:
    """The call is answered 400 with an error body; the SDK's poller turns that into an exception."""
    group = azure.group()
    body = ask([plain("[nope()]")])
    path = f"{group}/providers/Microsoft.Resources/deployments/d/validate?api-version={API}"
    reply = azure.call("POST", path, body)
    with pytest.raises(HttpResponseError) as caught:
        azure.deployments.deployments.begin_validate("rg-shop", "d", body).result()
    good = azure.deployments.deployments.begin_validate("rg-shop", "d", ask([plain("s1")])).result()

    assert (reply.status, reply.code) == (400, "InvalidTemplate")
    assert caught.value.status_code == 400
    assert caught.value.error is not None
    assert caught.value.error.code == "InvalidTemplate"
    assert good.properties.provisioning_state == "Succeeded"


def test_t5_operations_answer_under_both_spellings(azure: Azure) -> None:
    """The SDK's path without the provider segment and the documented one show the same steps."""
    group = azure.group()
    azure.deploy("d", [plain("s1")]).result()
    [step] = azure.deployments.deployment_operations.list("rg-shop", "d")
    one = azure.deployments.deployment_operations.get("rg-shop", "d", step.operation_id)
    short = azure.call("GET", f"{group}/deployments/d/operations?api-version={API}")
    full = azure.call(
        "GET", f"{group}/providers/Microsoft.Resources/deployments/d/operations?api-version={API}"
    )

    assert one.as_dict() == step.as_dict()
    assert short.status == 200
    assert short.body == full.body


def test_t7_status_codes_are_those_the_sdk_takes(azure: Azure) -> None:
    """PUT is 201 then 200, HEAD 204 or 404, DELETE 202 and at last 204."""
    path = f"{azure.group()}/providers/Microsoft.Resources/deployments/d?api-version={API}"
    first = azure.call("PUT", path, ask([]))
    eventually(
        lambda: azure.call("GET", path).body["properties"]["provisioningState"] == "Succeeded"
    )
    second = azure.call("PUT", path, ask([]))
    eventually(
        lambda: azure.call("GET", path).body["properties"]["provisioningState"] == "Succeeded"
    )
    found = azure.call("HEAD", path)
    gone = azure.call("DELETE", path)
    after = azure.call("HEAD", path)
    last = azure.call("GET", gone.headers["location"].removeprefix(azure.address.endpoint))

    assert [reply.status for reply in (first, second, found, gone, after, last)] == [
        201,
        200,
        204,
        202,
        404,
        204,
    ]
    assert "location" not in first.headers
    assert first.body["properties"]["provisioningState"] == "Accepted"


@pytest.mark.parametrize(("method", "status"), [("PUT", 202), ("DELETE", 200)])
def test_t7_another_good_status_raises(azure: Azure, method: str, status: int) -> None:
    """A PUT answered 202 or a DELETE answered 200 is a failure to this SDK."""
    azure.group()
    azure.deploy("d", []).result()
    azure.script({"status": status, "body": {}}, method=method, route="deployment")
    found = azure.deployments.deployments
    begin = found.begin_delete if method == "DELETE" else found.begin_create_or_update
    given = () if method == "DELETE" else (ask([]),)
    with pytest.raises(HttpResponseError) as caught:
        begin("rg-shop", "d", *given)

    assert caught.value.status_code == status


def test_t8_deployment_active_carries_no_retry_after(azure: Azure) -> None:
    """A second PUT while the first runs is one 409 that the SDK does not try again."""
    azure.turn(**SLOW)
    azure.group()
    azure.begin("d", [])
    azure.control("DELETE", "/requests")
    with pytest.raises(ResourceExistsError) as caught:
        azure.deploy("d", [])
    response: Any = caught.value.response

    assert caught.value.error is not None
    assert caught.value.error.code == "DeploymentActive"
    assert "Retry-After" not in response.headers
    assert azure.counts()["PUT deployment"] == 1


def test_t8_a_lost_reply_makes_the_sdk_meet_its_own_deployment(azure: Azure) -> None:
    """The effect happened, the reply was lost, the SDK tried again: DeploymentActive."""
    azure.turn(**SLOW)
    azure.group()
    azure.script({"drop": True, "when": "after"}, method="PUT", route="deployment")
    with (
        clients(azure.address, retry_backoff_factor=0.01) as eager,
        pytest.raises(ResourceExistsError, match="DeploymentActive"),
    ):
        eager.deploy("d", [])

    assert azure.deployments.deployments.get("rg-shop", "d").properties.provisioning_state in (
        "Accepted",
        "Running",
    )


def test_t8_a_retry_after_is_obeyed_even_on_a_409(azure: Azure) -> None:
    """With the header any refusal is tried again, which is why DeploymentActive must not have it."""
    azure.script(
        {
            "status": 409,
            "headers": {"Retry-After": "1"},
            "error": {"code": "Conflict", "message": "x"},
        },
        method="PUT",
        route="resource-group",
    )
    azure.group()

    assert azure.counts()["PUT resource-group"] == 2


@pytest.mark.parametrize(
    ("method", "status", "tries"),
    [("GET", 500, 2), ("GET", 502, 2), ("GET", 409, 1), ("POST", 503, 2), ("POST", 502, 1)],
)
def test_t8_which_failures_are_tried_again_without_retry_after(
    azure: Azure, method: str, status: int, tries: int
) -> None:
    """All 5xx on GET, 503 but not every 5xx on POST, and no conflict."""
    error = {"code": "Whim", "message": "because"}
    azure.script({"status": status, "error": error}, method=method)
    with clients(azure.address, retry_backoff_factor=0.01) as patient:
        found = patient.deployments.deployments
        with contextlib.ExitStack() as stack:
            if tries == 1:
                stack.enter_context(pytest.raises(HttpResponseError, match="Whim"))
            if method == "GET":
                list(found.list_at_subscription_scope())
            else:
                found.calculate_template_hash({"resources": []})

    assert sum(azure.counts().values()) == tries


def test_t9_a_script_can_say_that_a_provider_is_not_registered(azure: Azure) -> None:
    """Code, text and detail are those that registration policies parse."""
    azure.group()
    azure.script({"kind": "not_registered", "detail": "Microsoft.Web"}, route="deployment")
    with pytest.raises(ResourceExistsError) as caught:
        azure.begin("d", [])
    error: Any = caught.value.error

    assert error.code == "MissingSubscriptionRegistration"
    assert "not registered to use namespace 'Microsoft.Web'" in error.message
    assert error.details[0].target == "Microsoft.Web"


def test_t9_the_sdk_does_not_register_providers_for_a_deployment(azure: Azure) -> None:
    """MissingSubscriptionRegistration reaches the caller: no registration was asked for."""
    azure.turn(registered=[])
    azure.group()
    with pytest.raises(ResourceExistsError) as caught:
        azure.deploy("d", [plain("s1")])

    assert caught.value.error is not None
    assert caught.value.error.code == "MissingSubscriptionRegistration"
    assert "POST provider-registration" not in azure.counts()


def test_t10_statuses_map_to_the_sdks_exceptions_with_the_arm_code(azure: Azure) -> None:
    """409, 404, 401 and 400 come as their classes, and `.error.code` is ARM's."""
    azure.group()
    with clients(azure.address, StaticCredential("rubbish")) as stranger:
        cases: list[tuple[type[HttpResponseError], str, Callable[[], Any]]] = [
            (
                ResourceNotFoundError,
                "ResourceGroupNotFound",
                lambda: azure.resources.resource_groups.get("x"),
            ),
            (
                ResourceNotFoundError,
                "DeploymentNotFound",
                lambda: azure.deployments.deployments.get("rg-shop", "x"),
            ),
            (
                ClientAuthenticationError,
                "InvalidAuthenticationToken",
                lambda: stranger.resources.resource_groups.get("x"),
            ),
            (HttpResponseError, "InvalidTemplate", lambda: azure.deploy("d", [plain("[nope()]")])),
            (
                ResourceExistsError,
                "InvalidResourceGroupLocation",
                lambda: azure.group("rg-shop", "eastus"),
            ),
        ]
        for expected, code, action in cases:
            with pytest.raises(HttpResponseError) as caught:
                action()

            assert type(caught.value) is expected
            assert caught.value.error is not None
            assert caught.value.error.code == code
