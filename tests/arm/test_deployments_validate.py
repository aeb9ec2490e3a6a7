"""validate and the preflight of a PUT: what is refused before anything runs, and how."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.arm.azure import API, Azure, ask, nested, plain, storage, template


def refusal(azure: Azure, resources: Any, verb: str = "/validate", **properties: Any) -> Any:
    """Return the error that a deployment is refused with, by validate or by PUT."""
    body = ask(resources)
    body["properties"].update(properties)
    path = f"{azure.subscription}/resourceGroups/rg-shop/providers/Microsoft.Resources"
    reply = azure.call(
        "POST" if verb else "PUT", f"{path}/deployments/main{verb}?api-version={API}", body
    )
    assert reply.status == 400, reply
    return reply.body["error"]


@pytest.mark.parametrize("verb", ["/validate", ""])
def test_a_bad_name_is_refused_before_anything_runs(azure: Azure, verb: str) -> None:
    """InvalidTemplateDeployment with the provider's own code two levels down, nested ones too."""
    azure.group()
    error = refusal(azure, [storage("Bad_Name"), nested("inner", [storage("X")])], verb)
    codes = [detail["details"][0]["code"] for detail in error["details"]]

    assert error["code"] == "InvalidTemplateDeployment"
    assert "The tracking id is" in error["message"]
    assert [detail["code"] for detail in error["details"]] == ["ValidationForResourceFailed"] * 2
    assert codes == ["AccountNameInvalid"] * 2
    assert not azure.deployments.deployments.check_existence("rg-shop", "main")


def test_the_sdk_raises_a_refused_validate(azure: Azure) -> None:
    """400 is in the contract of the call, and comes as an exception all the same (T6)."""
    azure.group()
    with pytest.raises(HttpResponseError) as caught:
        azure.deployments.deployments.begin_validate("rg-shop", "main", ask([storage("X")]))

    assert caught.value.error is not None
    assert caught.value.error.code == "InvalidTemplateDeployment"
    assert caught.value.error.details[0].code == "ValidationForResourceFailed"


def test_what_is_fixed_for_life_passes_a_put_and_not_validate(azure: Azure) -> None:
    """A PUT is accepted, and the provider refuses while it runs."""
    azure.group()
    azure.deploy("one", [storage(properties={"isHnsEnabled": True})]).result()
    changed = [storage(properties={"isHnsEnabled": False})]
    error = refusal(azure, changed)
    with pytest.raises(HttpResponseError) as caught:
        azure.deploy("two", changed).result()

    assert error["details"][0]["details"][0]["code"] == "PropertyChangeNotAllowed"
    assert caught.value.error is not None
    assert caught.value.error.code == "DeploymentFailed"
    assert caught.value.error.details[0].code == "PropertyChangeNotAllowed"


def test_a_missing_group_of_a_nested_deployment_is_found_early(azure: Azure) -> None:
    """Unless the template itself makes the group."""
    azure.group()
    inner = nested("inner", [plain("s1")], resourceGroup="rg-none")
    error = refusal(azure, [nested("outer", [inner])])
    group = {
        "type": "Microsoft.Resources/resourceGroups",
        "apiVersion": "2024-11-01",
        "name": "rg-none",
        "location": "westeurope",
    }
    body = {**ask([group, {**inner, "dependsOn": ["rg-none"]}]), "location": "westeurope"}
    deployments = azure.deployments.deployments
    valid = deployments.begin_validate_at_subscription_scope("main", body).result()

    assert [detail["code"] for detail in error["details"]] == ["ResourceGroupNotFound"]
    assert valid.error is None


def test_the_resources_of_nested_deployments_are_validated(azure: Azure) -> None:
    """The list has what would be written at every depth, not the deployments."""
    group = azure.group()
    inner = nested("inner", [plain("b")])
    valid = azure.deployments.deployments.begin_validate(
        "rg-shop", "main", ask([plain("a"), inner])
    ).result()

    assert [one.id for one in valid.properties.validated_resources] == [
        f"{group}/providers/Contoso.Shop/shelves/{name}" for name in "ab"
    ]
    assert valid.properties.diagnostics is None


def test_what_could_not_be_looked_into_is_told(azure: Azure) -> None:
    """A nested template that waits for an answer of Azure is a diagnostic."""
    azure.group()
    parameters = {"name": {"type": "string"}}
    inner = nested(
        "inner",
        [],
        properties={
            "template": template([plain("[parameters('name')]")], parameters),
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"name": {"value": "[reference('a').depth]"}},
        },
    )
    valid = azure.deployments.deployments.begin_validate(
        "rg-shop", "main", ask([plain("a"), inner])
    ).result()
    [diagnostic] = valid.properties.diagnostics

    assert diagnostic.code == "NestedDeploymentShortCircuited"
    assert diagnostic.target.endswith("/deployments/inner")


def test_validation_takes_its_time_when_it_should(azure: Azure) -> None:
    """202 with a Location, then the result, good or bad."""
    azure.turn(validate_seconds=0.1)
    azure.group()
    path = f"{azure.subscription}/resourceGroups/rg-shop/providers/Microsoft.Resources"
    url = f"{path}/deployments/main/validate?api-version={API}"
    first = azure.call("POST", url, ask([]))
    validate = azure.deployments.deployments.begin_validate
    good = validate("rg-shop", "main", ask([plain("a")])).result()
    poller = validate("rg-shop", "main", ask([storage("X")]))
    with pytest.raises(HttpResponseError, match="InvalidTemplateDeployment"):
        poller.result()

    assert first.status == 202
    assert "/operationresults/" in first.headers["location"]
    assert good.properties.provisioning_state == "Succeeded"


@pytest.mark.parametrize("level", ["Template", "template"])
def test_the_level_template_asks_no_provider(azure: Azure, level: str) -> None:
    """Only the template is looked at; a deployment then fails while it runs."""
    azure.group()
    body = ask([storage("X")])
    body["properties"]["validationLevel"] = level
    deployments = azure.deployments.deployments
    valid = deployments.begin_validate("rg-shop", "main", body).result()
    with pytest.raises(HttpResponseError, match="DeploymentFailed"):
        deployments.begin_create_or_update("rg-shop", "main", body).result()

    assert valid.properties.validation_level == "Template"


@pytest.mark.parametrize("level", ["Provider", "ProviderNoRbac"])
def test_the_other_levels_ask_providers(azure: Azure, level: str) -> None:
    """Provider is also the default."""
    azure.group()

    assert refusal(azure, [storage("X")], validationLevel=level)["code"] == (
        "InvalidTemplateDeployment"
    )


@pytest.mark.parametrize(
    "properties",
    [{"validationLevel": "Much"}, {"debugSetting": "all"}, {"templateLink": {"uri": "x"}}],
)
def test_bad_settings_are_refused(azure: Azure, properties: dict[str, Any]) -> None:
    """Each member is read or refused, never ignored."""
    azure.group()

    assert refusal(azure, [], **properties)["code"] == "InvalidRequestContent"


def test_strictly_unknown_members_are_refused(azure: Azure) -> None:
    """As the service does, when the knob says so."""
    azure.group()
    azure.turn(strict=True)
    error = refusal(azure, [], onErrorDeployent={})

    assert "Could not find member 'onErrorDeployent'" in error["message"]


def test_a_nested_deployment_is_never_complete(azure: Azure) -> None:
    """Mode Complete is for the deployment itself."""
    azure.group()
    error = refusal(azure, [nested("inner", [], properties={"mode": "Complete"})])

    assert error["code"] == "InvalidTemplate"
    assert "must be in mode 'Incremental'" in error["message"]


def test_a_quota_that_nested_names_would_exceed_is_found_early(azure: Azure) -> None:
    """The other scope's history counts."""
    azure.group()
    azure.group("rg-full")
    azure.deploy("old", [], group="rg-full").result()
    azure.turn(history_limit=1)
    error = refusal(azure, [nested("inner", [], resourceGroup="rg-full")])

    assert [detail["code"] for detail in error["details"]] == ["DeploymentQuotaExceeded"]


def test_an_unregistered_provider_of_a_nested_template_is_refused(azure: Azure) -> None:
    """409 MissingSubscriptionRegistration at the PUT, however deep it stands."""
    azure.turn(registered=[])
    azure.group()
    with pytest.raises(HttpResponseError, match="MissingSubscriptionRegistration"):
        azure.deploy("main", [nested("inner", [plain("a")])])


def test_more_than_800_groups_are_too_many(azure: Azure) -> None:
    """TooManyTargetResourceGroups counts the nested ones of nested ones."""
    azure.group()
    loop = {"copy": {"name": "loop", "count": 201}}
    outer = [
        nested(
            f"outer{part}",
            [
                nested(
                    "[format('inner{0}', copyIndex())]",
                    [],
                    resourceGroup=f"[format('rg-{part}-{{0}}', copyIndex())]",
                    **loop,
                )
            ],
        )
        for part in range(4)
    ]

    assert refusal(azure, outer)["code"] == "TooManyTargetResourceGroups"


def noise(size: int) -> str:
    """Return text that does not compress, always the same."""
    return random.Random(7).randbytes(size // 2).hex()


@pytest.mark.parametrize(
    ("padding", "code"),
    [
        (noise(2_500_000), "JobSizeExceeded"),
        ("x" * (4 * 1024 * 1024 + 1), "DeploymentSizeExceeded"),
    ],
    ids=["incompressible", "larger than 4 MB"],
)
def test_a_deployment_that_is_too_large_is_refused(azure: Azure, padding: str, code: str) -> None:
    """1 MB for the job, compressed; 4 MB for the template."""
    group = azure.group()
    body = ask([])
    body["properties"]["template"]["metadata"] = {"padding": padding}
    path = f"{group}/providers/Microsoft.Resources/deployments/main?api-version={API}"
    reply = azure.call("PUT", path, json.dumps(body))

    assert (reply.status, reply.code) == (400, code)


@pytest.mark.parametrize(
    ("level", "status"), [("Provider", 403), ("ProviderNoRbac", 200), ("Template", 200)]
)
def test_a_missing_permission_is_told_at_the_level_provider(
    azure: Azure, level: str, status: int
) -> None:
    """The sentence names the resource and the action; the other levels do not ask."""
    group = azure.group()
    azure.script(
        {"kind": "authorization_failed"}, None, origin="deployment", type="Contoso.Shop/shelves"
    )
    body = ask([plain("s1"), storage()])
    body["properties"]["validationLevel"] = level
    path = f"{group}/providers/Microsoft.Resources/deployments/main/validate"
    reply = azure.call("POST", f"{path}?api-version={API}", body)

    assert reply.status == status
    if status == 403:
        assert reply.code == "InvalidTemplateDeployment"
        assert "Authorization failed for template resource 's1'" in reply.message
        assert "Contoso.Shop/shelves/write" in reply.message
        assert [one["code"] for one in reply.body["error"]["details"]] == ["AuthorizationFailed"]


@pytest.mark.parametrize("level", ["Provider", "ProviderNoRbac"])
def test_a_policy_that_denies_is_told(azure: Azure, level: str) -> None:
    """RequestDisallowedByPolicy among the details."""
    azure.group()
    azure.script({"kind": "policy"}, None, origin="deployment", path="/s1$")
    error = refusal(azure, [plain("s1"), plain("s2")], validationLevel=level)

    assert [one["code"] for one in error["details"]] == ["RequestDisallowedByPolicy"]


def test_a_refusal_that_passes_is_not_foretold(azure: Azure) -> None:
    """What is scripted once is found by running only, and is not used up by asking."""
    azure.group()
    azure.script({"kind": "authorization_failed"}, 1, origin="deployment")
    azure.deployments.deployments.begin_validate("rg-shop", "main", ask([plain("s1")])).result()
    with pytest.raises(HttpResponseError) as caught:
        azure.deploy("main", [plain("s1")]).result()

    assert caught.value.error is not None
    assert [one.code for one in caught.value.error.details] == ["AuthorizationFailed"]
