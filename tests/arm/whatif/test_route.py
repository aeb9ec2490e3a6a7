"""What-if through the real SDK and over plain HTTP: four scopes, polling, refusals, failures."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resource.deployments.models import WhatIfOperationResult

from tests.arm.azure import Azure, Reply, ask, network, plain, storage

VERSION = "2026-06-01"
WHAT_IF = "/providers/Microsoft.Resources/deployments/w/whatIf?api-version=2026-06-01"


def _poll(azure: Azure, reply: Reply) -> Reply:
    place = urlsplit(reply.headers["location"])
    return azure.call("GET", f"{place.path}?{place.query}")


def _what_if(azure: Azure, resources: Any, scope: str, **more: Any) -> Any:
    reply = azure.call("POST", scope + WHAT_IF, ask(resources, **more))
    assert reply.status == 202, reply
    return _poll(azure, reply).body


def test_the_sdk_reads_a_what_if_of_a_group(azure: Azure) -> None:
    """The poller ends with changes that the SDK's own models hold."""
    azure.group()
    azure.deploy("d", [network(subnets=("web", "db")), storage()]).result()
    smaller = network(subnets=("web", "db"))
    del smaller["properties"]["subnets"][0]

    found = azure.deployments.deployments.begin_what_if(
        "rg-shop", "w", ask([smaller, storage()])
    ).result()

    assert isinstance(found, WhatIfOperationResult)
    assert found.status == "Succeeded"
    vnet, account = found.changes
    assert (vnet.change_type, account.change_type) == ("Modify", "NoChange")
    assert vnet.resource_type == "Microsoft.Network/virtualNetworks"
    [subnets] = vnet.delta
    assert (subnets.path, subnets.property_change_type) == ("properties.subnets", "Array")
    assert [(one.path, one.property_change_type) for one in subnets.children] == [("0", "Delete")]
    assert subnets.children[0].before["name"] == "web"
    assert found.potential_changes == []
    assert found.diagnostics == []


GROUP = {
    "type": "Microsoft.Resources/resourceGroups",
    "apiVersion": "2025-04-01",
    "name": "rg-new",
    "location": "westeurope",
}
MANAGEMENT_GROUP = {
    "type": "Microsoft.Management/managementGroups",
    "apiVersion": "2021-04-01",
    "name": "mg-new",
    "properties": {"displayName": "New"},
}
POLICY = {
    "type": "Microsoft.Authorization/policyDefinitions",
    "apiVersion": "2023-04-01",
    "name": "deny-all",
    "properties": {"policyType": "Custom", "mode": "All", "policyRule": {"then": {}}},
}


def test_the_sdk_reads_a_what_if_of_a_subscription(azure: Azure) -> None:
    """At subscription scope a group to be made is a change."""
    body = {"location": "westeurope", **ask([GROUP])}

    found = azure.deployments.deployments.begin_what_if_at_subscription_scope("w", body).result()

    assert [one.resource_id for one in found.changes] == [
        f"{azure.subscription}/resourceGroups/rg-new"
    ]


def test_the_sdk_reads_a_what_if_of_a_management_group(azure: Azure) -> None:
    """At management-group scope a policy of the group is a change."""
    azure.call(
        "PUT",
        "/providers/Microsoft.Management/managementGroups/mg?api-version=2021-04-01",
        {"properties": {"displayName": "Mine"}},
    )
    body = {"location": "westeurope", **ask([POLICY])}

    found = azure.deployments.deployments.begin_what_if_at_management_group_scope(
        "mg", "w", body
    ).result()

    assert [one.resource_id for one in found.changes] == [
        (
            "/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Authorization"
            "/policyDefinitions/deny-all"
        )
    ]


def test_the_sdk_reads_a_what_if_of_the_tenant(azure: Azure) -> None:
    """At tenant scope a management group to be made is a change."""
    body = {"location": "westeurope", **ask([MANAGEMENT_GROUP])}

    found = azure.deployments.deployments.begin_what_if_at_tenant_scope("w", body).result()

    assert [one.change_type for one in found.changes] == ["Create"]


def test_a_failed_what_if_is_no_exception(azure: Azure) -> None:
    """T4: what fails after the acceptance comes as a result whose status is Failed."""
    azure.group()
    azure.turn(registered=["Microsoft.Network"])

    found = azure.deployments.deployments.begin_what_if("rg-shop", "w", ask([storage()])).result()

    assert isinstance(found, WhatIfOperationResult)
    assert found.status == "Failed"
    assert found.error is not None
    assert found.error.code == "MissingSubscriptionRegistration"
    assert found.changes is None


def test_level_template_asks_no_provider(azure: Azure) -> None:
    """With validationLevel Template the same template is foretold."""
    azure.group()
    azure.turn(registered=["Microsoft.Network"])
    body = ask([storage()])
    body["properties"]["validationLevel"] = "Template"

    found = azure.deployments.deployments.begin_what_if("rg-shop", "w", body).result()

    assert [one.change_type for one in found.changes] == ["Create"]


@pytest.mark.parametrize(
    ("level", "status"),
    [("Template", "Succeeded"), ("Provider", "Failed"), ("ProviderNoRbac", "Succeeded")],
)
def test_levels_decide_about_permissions(azure: Azure, level: str, status: str) -> None:
    """Only Provider asks whether the caller may write what is declared."""
    azure.group()
    azure.script({"kind": "authorization_failed"}, None, origin="deployment", path="/s$")
    body = ask([plain("s")])
    body["properties"]["validationLevel"] = level

    found = azure.deployments.deployments.begin_what_if("rg-shop", "w", body).result()

    assert found.status == status
    if found.error is not None:
        assert [one.code for one in found.error.details or []] == ["AuthorizationFailed"]


@pytest.mark.parametrize(
    ("level", "status"),
    [("Template", "Succeeded"), ("Provider", "Failed"), ("ProviderNoRbac", "Failed")],
)
def test_policies_that_deny_are_evaluated(azure: Azure, level: str, status: str) -> None:
    """Providers being asked, what-if fails as the deployment would."""
    azure.group()
    azure.script({"kind": "policy"}, None, origin="deployment", path="/s$")
    body = ask([plain("s")])
    body["properties"]["validationLevel"] = level

    found = azure.deployments.deployments.begin_what_if("rg-shop", "w", body).result()

    assert found.status == status
    if found.error is not None:
        assert found.error.code == "InvalidTemplateDeployment"
        assert [one.code for one in found.error.details or []] == ["RequestDisallowedByPolicy"]


def test_what_is_no_template_is_refused_at_once(azure: Azure) -> None:
    """A template that cannot be planned is a 400 in the reply to the POST itself."""
    azure.group()

    with pytest.raises(HttpResponseError) as refusal:
        azure.deployments.deployments.begin_what_if("rg-shop", "w", ask([plain("[nonsense()]")]))

    assert refusal.value.status_code == 400
    assert refusal.value.error is not None
    assert refusal.value.error.code == "InvalidTemplate"


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"whatIfSettings": {"resultFormat": "Everything"}}, "InvalidRequestContent", "resultFormat"),
        ({"whatIfSettings": 3}, "InvalidRequestContent", "resultFormat"),
        ({"validationLevel": "Strict"}, "InvalidRequestContent", "validationLevel"),
        ({"resourcePredictions": [{}]}, "InvalidRequestContent", "symbolicNamePath"),
        ({"mode": "Sometimes"}, "InvalidRequestContent", "mode"),
    ],
)  # fmt: skip
def test_a_wrong_wish_is_refused(azure: Azure, change: Any, code: str, word: str) -> None:
    """Each says which member is wrong."""
    scope = azure.group()
    body = ask([plain("s")])
    body["properties"].update(change)

    reply = azure.call("POST", scope + WHAT_IF, body)

    assert (reply.status, reply.code) == (400, code)
    assert word in reply.message


def test_above_groups_a_location_is_needed(azure: Azure) -> None:
    """Subscription, management group and tenant want to know where the deployment is kept."""
    reply = azure.call("POST", azure.subscription + WHAT_IF, ask([GROUP]))

    assert (reply.status, reply.code) == (400, "LocationRequired")


def test_a_group_that_is_not_there_is_not_found(azure: Azure) -> None:
    """404 at once."""
    reply = azure.call("POST", f"{azure.subscription}/resourceGroups/nowhere{WHAT_IF}", ask([]))

    assert (reply.status, reply.code) == (404, "ResourceGroupNotFound")


def test_the_result_is_polled_for(azure: Azure) -> None:
    """202 without a body; the Location names a job; 202 again until it is done, then 200."""
    scope = azure.group()
    azure.turn(whatif_seconds=0.4)

    accepted = azure.call("POST", scope + WHAT_IF, ask([plain("s")]))
    early = _poll(azure, accepted)

    assert (accepted.status, accepted.body) == (202, None)
    place = urlsplit(accepted.headers["location"])
    head, _, ticket = place.path.rpartition("/")
    assert head == f"{azure.subscription}/operationresults"
    assert place.query == f"api-version={VERSION}"
    named = json.loads(base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4)))
    assert set(named) == {"jobId", "jobLocation"}
    assert early.status == 202
    assert early.headers["location"] == accepted.headers["location"]
    found = azure.deployments.deployments.begin_what_if("rg-shop", "w", ask([plain("s")])).result()
    assert found.status == "Succeeded"


def test_a_what_if_leaves_nothing_in_the_history(azure: Azure) -> None:
    """No deployment, no resource, no operation comes of it."""
    scope = azure.group()

    _what_if(azure, [plain("s")], scope)

    assert azure.call("GET", f"{scope}/resources?api-version={VERSION}").body["value"] == []
    listed = f"{scope}/providers/Microsoft.Resources/deployments?api-version={VERSION}"
    assert azure.call("GET", listed).body["value"] == []


def test_the_side_channel_has_the_labels(azure: Azure) -> None:
    """Noise and truth are told by correlation id there, and nowhere in ARM's own answers."""
    scope = azure.group()
    azure.deploy("d", [plain("s")]).result()
    azure.turn(noise={"*": ["N11"]})

    body = _what_if(azure, [plain("s", properties={"depth": 4})], scope)
    labels = azure.control("GET", f"/noise?correlationId={body['properties']['correlationId']}")

    shelf = f"{scope}/providers/Contoso.Shop/shelves/s"
    assert labels["true"] == [{"resourceId": shelf, "path": "properties.depth", "kind": "Modify"}]
    assert [one["class"] for one in labels["value"]] == ["N11", "N11"]
    assert "N11" not in json.dumps(body)
    missing = azure.call("GET", "/_control/noise?correlationId=x", token=None)
    assert (missing.status, missing.code) == (404, "NotFound")
