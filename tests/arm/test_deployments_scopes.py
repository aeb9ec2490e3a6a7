"""Deployments at every scope, through every call that the SDK has for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.resource.deployments import models

from tests.arm.azure import API, Azure, ask, eventually, plain, storage

MG = "/providers/Microsoft.Management/managementGroups"
KINDS = ("group", "subscription", "management group", "tenant", "at scope", "at tenant as scope")
SUFFIX = {
    "group": "",
    "subscription": "_at_subscription_scope",
    "management group": "_at_management_group_scope",
    "tenant": "_at_tenant_scope",
    "at scope": "_at_scope",
    "at tenant as scope": "_at_scope",
}


@dataclass(frozen=True)
class Place:
    """One scope as a test uses it: its id, and the SDK's calls with their leading arguments."""

    id: str
    suffix: str
    lead: tuple[str, ...]
    needs_location: bool
    azure: Azure

    def call(self, name: str, *arguments: Any, **more: Any) -> Any:
        """Call `name` of the SDK's deployments for this scope."""
        method = getattr(self.azure.deployments.deployments, name + self.suffix)
        return method(*self.lead, *arguments, **more)

    def steps(self, name: str, *arguments: Any, **more: Any) -> Any:
        """Call `name` of the SDK's deployment operations for this scope."""
        method = getattr(self.azure.deployments.deployment_operations, name + self.suffix)
        return method(*self.lead, *arguments, **more)

    def body(self, resources: Any, **more: Any) -> dict[str, Any]:
        """Return the body of a deployment here."""
        asked = ask(resources, **more)
        return {**asked, "location": "westeurope"} if self.needs_location else asked


def management_group(azure: Azure, name: str = "mg-shop", **details: Any) -> str:
    """Create a management group; return its id."""
    body = {"properties": {"displayName": "Shop", "details": details}}
    reply = azure.call("PUT", f"{MG}/{name}?api-version=2021-04-01", body)
    assert reply.status == 202, reply
    return f"{MG}/{name}"


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, azure: Azure) -> Iterator[Place]:
    """Return one scope after the other."""
    kind = request.param
    if kind in ("group", "at scope"):
        group = azure.group()
        first = "rg-shop" if kind == "group" else group
        yield Place(group, SUFFIX[kind], (first,), needs_location=False, azure=azure)
        return
    if kind == "management group":
        found = management_group(azure)
        yield Place(found, SUFFIX[kind], ("mg-shop",), needs_location=True, azure=azure)
        return
    scope = azure.subscription if kind == "subscription" else ""
    lead: tuple[str, ...] = ("",) if kind == "at tenant as scope" else ()
    yield Place(scope, SUFFIX[kind], lead, needs_location=True, azure=azure)


OUTPUTS = {"where": {"type": "string", "value": "[deployment().name]"}}


def test_a_deployment_lives_and_leaves_at_every_scope(place: Place) -> None:
    """PUT, GET, HEAD, list, export, validate and DELETE do the same everywhere."""
    body = place.body([], outputs=OUTPUTS)
    valid = place.call("begin_validate", "main", body).result()
    done = place.call("begin_create_or_update", "main", body).result()
    found = place.call("get", "main")
    is_there = place.call("check_existence", "main")
    lister = "list_by_resource_group" if place.suffix == "" else "list"
    listed = list(place.call(lister))
    exported = place.call("export_template", "main").template
    [step] = list(place.steps("list", "main"))
    one = place.steps("get", "main", step.operation_id)
    place.call("begin_delete", "main").result()

    assert valid.properties.provisioning_state == "Succeeded"
    assert done.id == f"{place.id}/providers/Microsoft.Resources/deployments/main"
    assert done.properties.outputs["where"]["value"] == "main"
    assert found.as_dict() == done.as_dict()
    assert is_there
    assert [record.name for record in listed] == ["main"]
    assert exported == body["properties"]["template"]
    assert step.properties.provisioning_operation == "EvaluateDeploymentOutput"
    assert one.as_dict() == step.as_dict()
    assert not place.call("check_existence", "main")


def test_a_running_deployment_is_cancelled_at_every_scope(place: Place) -> None:
    """204 while it runs, 409 with a code when it has ended."""
    place.azure.turn(deployment_seconds=0.6)
    place.call("begin_create_or_update", "main", place.body([]), polling=False)
    place.call("cancel", "main")
    eventually(lambda: bool(place.call("get", "main").properties.provisioning_state == "Canceled"))
    with pytest.raises(ResourceExistsError, match="DeploymentCannotBeCancelled"):
        place.call("cancel", "main")


def test_a_name_stays_in_its_location(place: Place) -> None:
    """Above resource groups a location is needed, and a name keeps the one it has."""
    if not place.needs_location:
        with pytest.raises(HttpResponseError, match="InvalidDeployment"):
            place.call("begin_create_or_update", "main", {**ask([]), "location": "westeurope"})
        return
    with pytest.raises(HttpResponseError, match="LocationRequired"):
        place.call("begin_create_or_update", "main", ask([]))
    place.call("begin_create_or_update", "main", place.body([])).result()
    moved = {**ask([]), "location": "eastus"}
    with pytest.raises(ResourceExistsError, match="InvalidDeploymentLocation"):
        place.call("begin_create_or_update", "main", moved)
    with pytest.raises(ResourceExistsError, match="InvalidDeploymentLocation"):
        place.call("begin_validate", "main", moved)


@pytest.mark.parametrize("spelling", ["", "/providers/Microsoft.Resources"])
def test_steps_answer_under_both_spellings_at_every_scope(place: Place, spelling: str) -> None:
    """With the provider segment and without it (T5); $top makes pages."""
    place.call("begin_create_or_update", "main", place.body([], outputs=OUTPUTS)).result()
    path = f"{place.id}{spelling}/deployments/main/operations"
    reply = place.azure.call("GET", f"{path}?api-version={API}&$top=1")

    assert reply.status == 200
    assert len(reply.body["value"]) == 1


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{MG}/nowhere", "ManagementGroupNotFound"),
        ("/subscriptions/00000000-0000-0000-0000-000000000000", "SubscriptionNotFound"),
        ("/subscriptions/{}/resourceGroups/nowhere", "ResourceGroupNotFound"),
    ],
)
def test_a_scope_that_is_not_there_is_refused(azure: Azure, path: str, code: str) -> None:
    """404 with the code of what is missing, through the SDK too."""
    scope = path.format(azure.address.subscription_id)
    with pytest.raises(ResourceNotFoundError, match=code):
        azure.deployments.deployments.begin_create_or_update_at_scope(
            scope, "main", {**ask([]), "location": "westeurope"}
        )


def policy(name: str = "only-here") -> dict[str, Any]:
    """Return a policy definition for a template."""
    return {
        "type": "Microsoft.Authorization/policyDefinitions",
        "apiVersion": "2023-04-01",
        "name": name,
        "properties": {"policyType": "Custom", "mode": "All", "policyRule": {}},
    }


def test_a_management_group_holds_definitions(azure: Azure) -> None:
    """A deployment writes extension resources to its management group, and what reads them."""
    group = management_group(azure)
    outputs = {
        "id": {"type": "string", "value": "[reference('only-here', '2023-04-01', 'Full').id]"},
        "name": {"type": "string", "value": "[managementGroup().properties.displayName]"},
    }
    done = azure.deployments.deployments.begin_create_or_update_at_management_group_scope(
        "MG-SHOP", "main", {**ask([policy()], outputs=outputs), "location": "westeurope"}
    ).result()
    definition = f"{group}/providers/Microsoft.Authorization/policyDefinitions/only-here"

    assert done.properties.outputs["name"]["value"] == "Shop"
    assert [one.id for one in done.properties.output_resources] == [definition]
    assert done.properties.outputs["id"]["value"] == definition
    assert azure.call("GET", f"{definition}?api-version=2023-04-01").status == 200
    azure.call("DELETE", f"{group}?api-version=2021-04-01")
    assert azure.call("GET", f"{definition}?api-version=2023-04-01").status == 404


def test_the_tenant_makes_management_groups(azure: Azure) -> None:
    """A template at the tenant's scope makes a group, places the subscription, deploys into both."""
    group = {
        "type": "Microsoft.Management/managementGroups",
        "apiVersion": "2021-04-01",
        "name": "mg-new",
        "properties": {"displayName": "New"},
    }
    place = {
        "type": "Microsoft.Management/managementGroups/subscriptions",
        "apiVersion": "2021-04-01",
        "name": f"mg-new/{azure.address.subscription_id}",
        "dependsOn": ["mg-new"],
    }
    inner = nested("inner", [policy()], scope="Microsoft.Management/managementGroups/mg-new")
    inner["dependsOn"] = ["mg-new"]
    body = {**ask([group, place, inner]), "location": "westeurope"}
    azure.deployments.deployments.begin_create_or_update_at_tenant_scope("main", body).result()
    shown = azure.call("GET", f"{MG}/mg-new?api-version=2021-04-01&$expand=children").body

    assert shown["properties"]["displayName"] == "New"
    [child] = shown["properties"]["children"]
    assert child["name"] == azure.address.subscription_id
    assert azure.deployments.deployments.check_existence_at_management_group_scope(
        "mg-new", "inner"
    )


def nested(name: str, resources: Any, **more: Any) -> dict[str, Any]:
    """Return a nested deployment with a location."""
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": name,
        "location": "westeurope",
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "template": ask(resources)["properties"]["template"],
        },
        **more,
    }


def test_a_group_reaches_its_subscription_and_the_tenant(azure: Azure) -> None:
    """Nested deployments go up from a resource group, each with its own row in the history."""
    azure.group()
    up = nested("up", [], subscriptionId="[subscription().subscriptionId]")
    top = nested("top", [policy()], scope="/")
    azure.deploy("main", [up, top]).result()
    deployments = azure.deployments.deployments

    assert deployments.get_at_subscription_scope("up").location == "westeurope"
    assert deployments.get_at_tenant_scope("top").properties.provisioning_state == "Succeeded"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"scope": "Microsoft.Management/managementGroups/mg-shop"}, "InvalidDeploymentScope"),
        ({"scope": "/", "location": None}, "LocationRequired"),
    ],
)
def test_what_a_group_does_not_reach_is_refused_before_anything_runs(
    azure: Azure, more: dict[str, Any], code: str
) -> None:
    """A management group is out of reach, and above groups a location is needed."""
    azure.group()
    management_group(azure)
    inner = {key: one for key, one in nested("inner", [], **more).items() if one is not None}
    with pytest.raises(HttpResponseError, match=code):
        azure.deploy("main", [inner])


def test_the_operations_of_the_sdk_are_all_routed(azure: Azure) -> None:
    """Every public call of the SDK's two groups of deployment operations is tried above."""

    def names(operations: Any) -> set[str]:
        public: Callable[[str], bool] = lambda name: not name.startswith("_")  # noqa: E731
        return {name for name in dir(operations) if public(name) and name != "models"}

    suffixes = sorted(set(SUFFIX.values()), key=len, reverse=True)
    found = set()
    for name in names(azure.deployments.deployments):
        suffix = next(one for one in suffixes if name.endswith(one))
        found.add(name.removesuffix(suffix) if suffix else name)

    assert found == {
        "begin_create_or_update",
        "begin_delete",
        "begin_validate",
        "begin_what_if",
        "calculate_template_hash",
        "cancel",
        "check_existence",
        "export_template",
        "get",
        "list",
        "list_by_resource_group",
    }


def test_nested_deployments_go_down_through_all_scopes(azure: Azure) -> None:
    """Tenant to management group to subscription to group, each with its own row."""
    azure.group("rg-deep")
    management_group(azure)
    subscription = azure.address.subscription_id
    shelf = plain("s1")
    deep = nested("deep", [shelf], resourceGroup="rg-deep", subscriptionId=subscription)
    del deep["location"]
    middle = nested("middle", [deep], subscriptionId=subscription)
    top = nested("top", [middle], scope="Microsoft.Management/managementGroups/mg-shop")
    body = {**ask([top]), "location": "westeurope"}
    deployments = azure.deployments.deployments
    done = deployments.begin_create_or_update_at_tenant_scope("main", body).result()
    rows = [
        deployments.get_at_tenant_scope("main"),
        deployments.get_at_management_group_scope("mg-shop", "top"),
        deployments.get_at_subscription_scope("middle"),
        deployments.get("rg-deep", "deep"),
    ]

    assert [one.properties.provisioning_state for one in rows] == ["Succeeded"] * 4
    assert len({one.properties.correlation_id for one in rows}) == 1
    assert [one.id for one in done.properties.output_resources] == [
        f"{azure.subscription}/resourceGroups/rg-deep/providers/Contoso.Shop/shelves/s1"
    ]


def test_another_subscription_is_not_there(azure: Azure) -> None:
    """A nested deployment to a subscription that the simulator does not hold is found early."""
    azure.group()
    other = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(HttpResponseError) as caught:
        azure.deploy("main", [nested("inner", [], subscriptionId=other)])

    assert caught.value.error is not None
    assert [one.code for one in caught.value.error.details] == ["SubscriptionNotFound"]


def test_the_sdks_own_models_are_understood(azure: Azure) -> None:
    """What a typed client sends: every member of DeploymentProperties that is not about templates."""
    azure.group()
    azure.deploy("good", [plain("a")]).result()
    body = models.Deployment(
        tags={"release": "7"},
        properties=models.DeploymentProperties(
            mode=models.DeploymentMode.INCREMENTAL,
            template=ask([storage()], parameters={"p": {"type": "int"}})["properties"]["template"],
            parameters={"p": models.DeploymentParameter(value=3)},
            debug_setting=models.DebugSetting(detail_level="requestContent"),
            on_error_deployment=models.OnErrorDeployment(
                type=models.OnErrorDeploymentType.SPECIFIC_DEPLOYMENT, deployment_name="good"
            ),
            expression_evaluation_options=models.ExpressionEvaluationOptions(scope="Inner"),
            validation_level=models.ValidationLevel.PROVIDER_NO_RBAC,
            external_inputs={"x": models.DeploymentExternalInput(value=1)},
            external_input_definitions={
                "x": models.DeploymentExternalInputDefinition(kind="sys.cli")
            },
        ),
    )
    azure.turn(strict=True)
    valid = azure.deployments.deployments.begin_validate("rg-shop", "main", body).result()
    done = azure.deployments.deployments.begin_create_or_update("rg-shop", "main", body).result()
    [step] = azure.deployments.deployment_operations.list("rg-shop", "main")

    assert valid.properties.on_error_deployment.deployment_name == "good"
    assert done.tags == {"release": "7"}
    assert done.properties.validation_level == "ProviderNoRbac"
    assert done.properties.debug_setting.detail_level == "requestContent"
    assert step.properties.request.content["kind"] == "StorageV2"


ROLE = "8d3b5a10-2f4c-4d1e-9b0a-7c6d5e4f3a21"


@pytest.mark.parametrize("kind", ["management group", "tenant", "subscription"])
def test_roles_and_policies_are_written_above_groups(azure: Azure, kind: str) -> None:
    """Definitions and assignments hang on the scope that the template is deployed to."""
    lead: tuple[str, ...] = ()
    scope = azure.subscription if kind == "subscription" else ""
    if kind == "management group":
        scope, lead = management_group(azure), ("mg-shop",)
    place = Place(scope, SUFFIX[kind], lead, needs_location=True, azure=azure)
    space = f"{scope}/providers/Microsoft.Authorization"
    role = {
        "type": "Microsoft.Authorization/roleDefinitions",
        "apiVersion": "2022-04-01",
        "name": ROLE,
        "properties": {
            "roleName": "Reader of shelves",
            "type": "CustomRole",
            "permissions": [{"actions": ["*/read"], "notActions": []}],
            "assignableScopes": [scope or "/"],
        },
    }
    grant = {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "name": "1c5a8d7e-0b2f-4e61-8a9d-3f4b5c6d7e80",
        "dependsOn": [ROLE],
        "properties": {
            "roleDefinitionId": f"{space}/roleDefinitions/{ROLE}",
            "principalId": "5e4d3c2b-1a09-4f8e-9d7c-6b5a49382716",
            "principalType": "ServicePrincipal",
        },
    }
    assignment = {
        "type": "Microsoft.Authorization/policyAssignments",
        "apiVersion": "2024-04-01",
        "name": "assigned",
        "dependsOn": ["only-here"],
        "properties": {"policyDefinitionId": f"{space}/policyDefinitions/only-here"},
    }
    body = place.body([role, grant, policy(), assignment])
    done = place.call("begin_create_or_update", "main", body).result()

    assert {one.id.removeprefix(f"{space}/").partition("/")[0] for one in
            done.properties.output_resources} == {
        "roleDefinitions", "roleAssignments", "policyDefinitions", "policyAssignments"
    }  # fmt: skip
    assert {one.id.rpartition("/providers/")[0] for one in done.properties.output_resources} == {
        scope
    }
