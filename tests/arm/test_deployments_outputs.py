"""Secure outputs, and what `debugSetting` keeps with the operations."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.arm.azure import API, Azure, ask, plain, template

SECRET = "hush-hush-7"
KEY = {"key": {"type": "securestring"}}
GIVEN = {"key": {"value": SECRET}}


def path(azure: Azure, name: str = "main") -> str:
    """Return the path of a deployment."""
    group = f"{azure.subscription}/resourceGroups/rg-shop"
    return f"{group}/providers/Microsoft.Resources/deployments/{name}"


def test_secure_outputs_are_shown_to_who_asks_for_them_only(azure: Azure) -> None:
    """GET has their type alone, listOutputsWithSecureValues their values, templates too."""
    azure.group()
    outputs = {
        "secret": {"type": "securestring", "value": "[parameters('key')]"},
        "plain": {"type": "string", "value": "open"},
    }
    inner = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2025-04-01",
        "name": "inner",
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"key": {"value": "[parameters('key')]"}},
            "template": template([], KEY, outputs),
        },
    }
    text = "[listOutputsWithSecureValues('inner', '2025-04-01').secret]"
    shelf = plain("s1", properties={"size": f"[length({text[1:-1]})]"}, dependsOn=["inner"])
    done = azure.deploy("main", [inner, shelf], parameters=KEY, given=GIVEN).result()
    shown = azure.call("GET", f"{path(azure, 'inner')}?api-version={API}").body
    verb = "listOutputsWithSecureValues"
    listed = azure.call("POST", f"{path(azure, 'inner')}/{verb}?api-version={API}").body
    made = azure.resources.resources.get_by_id(
        done.properties.output_resources[-1].id, api_version="2024-01-01"
    )

    assert shown["properties"]["outputs"] == {
        "secret": {"type": "SecureString"},
        "plain": {"type": "String", "value": "open"},
    }
    assert listed == {"secret": SECRET, "plain": "open"}
    assert made.properties["size"] == len(SECRET)


def debug(azure: Azure, level: str | None, resources: Any) -> list[dict[str, Any]]:
    """Deploy with a detail level and return the operations."""
    body = ask(resources, parameters=KEY, given=GIVEN)
    if level is not None:
        body["properties"]["debugSetting"] = {"detailLevel": level}
    put = azure.deployments.deployments.begin_create_or_update
    put("rg-shop", "main", body).result()
    found = azure.call("GET", f"{path(azure)}/operations?api-version={API}").body["value"]
    return [one["properties"] for one in found]


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        (None, set()),
        ("none", set()),
        ("requestContent", {"request"}),
        ("responseContent", {"response"}),
        ("requestContent, ResponseContent", {"request", "response"}),
    ],
)
def test_debugging_keeps_what_was_asked_and_answered(
    azure: Azure, level: str | None, kept: set[str]
) -> None:
    """With the values of secure parameters masked."""
    azure.group()
    shelf = plain("s1", properties={"open": 3, "secret": "[concat('a-', parameters('key'))]"})
    [step] = debug(azure, level, [shelf])

    assert {"request", "response"} & step.keys() == kept
    for part in kept:
        properties = step[part]["content"]["properties"]
        assert properties["open"] == 3
        assert properties["secret"] == "a-*******"
    assert SECRET not in str(step)


def test_a_nested_deployment_has_its_own_setting(azure: Azure) -> None:
    """The parent's does not reach down; what it passes on secretly stays secret."""
    azure.group()
    shelf = plain("s1", properties={"secret": "[parameters('key')]"})
    inner = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2025-04-01",
        "name": "inner",
        "properties": {
            "mode": "Incremental",
            "debugSetting": {"detailLevel": "requestContent"},
            "template": template([shelf]),
        },
    }
    debug(azure, None, [inner])
    steps = azure.call("GET", f"{path(azure, 'inner')}/operations?api-version={API}").body["value"]

    assert steps[0]["properties"]["request"]["content"]["properties"]["secret"] == "*******"


def test_parameters_are_computed_from_external_inputs(azure: Azure) -> None:
    """An expression sees what the request brings along, also after it was kept."""
    azure.group()
    body = ask(
        [],
        parameters={"name": {"type": "string"}},
        given={"name": {"expression": "[concat('a-', externalInputs('x'))]"}},
        outputs={"name": {"type": "string", "value": "[parameters('name')]"}},
    )
    body["properties"]["externalInputs"] = {"x": {"value": "b"}}
    put = azure.deployments.deployments.begin_create_or_update
    done = put("rg-shop", "main", body).result()
    body["properties"]["externalInputs"] = [1]
    with pytest.raises(HttpResponseError, match="InvalidRequestContent"):
        put("rg-shop", "main", body)

    assert done.properties.outputs["name"]["value"] == "a-b"


def test_a_template_asks_for_a_provider(azure: Azure) -> None:
    """Its types with their versions; an unknown namespace is refused."""
    azure.group()

    def versions(namespace: str) -> Any:
        value = f"[providers('{namespace}', 'storageAccounts').apiVersions]"
        return azure.deploy("main", [], outputs={"x": {"type": "array", "value": value}}).result()

    with pytest.raises(HttpResponseError, match="InvalidResourceNamespace"):
        versions("Microsoft.Nothing")

    assert "2024-01-01" in versions("Microsoft.Storage").properties.outputs["x"]["value"]


def test_what_exists_is_read_and_nothing_else(azure: Azure) -> None:
    """Existing resources, groups and management groups are operations of kind Read."""
    group = azure.group()
    azure.group("rg-other")
    azure.deploy("before", [plain("s1")]).result()
    mg = "/providers/Microsoft.Management/managementGroups/mg"
    azure.call("PUT", f"{mg}?api-version=2021-04-01", {})
    template_ = template({})
    template_["languageVersion"] = "2.0"
    template_["resources"] = {
        "shelf": {**plain("s1"), "existing": True},
        "other": {
            "type": "Microsoft.Resources/resourceGroups",
            "apiVersion": "2024-11-01",
            "name": "rg-other",
            "existing": True,
            "scope": "[subscription().id]",
        },
        "top": {
            "type": "Microsoft.Management/managementGroups",
            "apiVersion": "2021-04-01",
            "name": "mg",
            "existing": True,
            "scope": "/",
        },
    }
    body = {"properties": {"mode": "Incremental", "template": template_}}
    put = azure.deployments.deployments.begin_create_or_update
    done = put("rg-shop", "main", body).result()
    steps = list(azure.deployments.deployment_operations.list("rg-shop", "main"))
    kinds = {one.properties.provisioning_operation for one in steps}
    ids = {one.properties.target_resource.id for one in steps}
    for name, code in (("shelf", "ResourceNotFound"), ("other", "ResourceGroupNotFound")):
        missing = {**template_["resources"][name], "name": "none"}
        template_["resources"] = {**template_["resources"], name: missing}
        with pytest.raises(HttpResponseError, match=code):
            put("rg-shop", "main", body).result()

    assert kinds == {"Read"}
    assert ids == {
        f"{group}/providers/Contoso.Shop/shelves/s1",
        f"{azure.subscription}/resourceGroups/rg-other",
        mg,
    }
    assert done.properties.output_resources == []
