"""What a template may ask and where its resources go, at all four scopes and across them."""

from dataclasses import replace
from typing import Any

import pytest

from local.arm.engine import Plan, Scope, TemplateError, plan
from tests.engine.test_nested import deployment
from tests.engine.world import RESOURCE_GROUP_SCOPE, SUBSCRIPTION, Answers, context, template

_GROUP = RESOURCE_GROUP_SCOPE
_SUBSCRIPTION = Scope("subscription", subscription_id=SUBSCRIPTION)
_MANAGEMENT = Scope("managementGroup", management_group="mg")
_TENANT = Scope("tenant")
_SCOPES = (_GROUP, _SUBSCRIPTION, _MANAGEMENT, _TENANT)
_S, _RG, _MG = _SUBSCRIPTION.id, _GROUP.id, _MANAGEMENT.id
_ERROR = "is not expected at this location"
_NO_SUBSCRIPTION = "the deployment has no subscription"
_NO_GROUP = "the deployment has no management group"
_ROLE = "providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
_T = "'My.Rp/t'"


def _plan(scope: Scope, **sections: Any) -> Plan:
    place = replace(
        context(scope, None if scope.kind == "resourceGroup" else "westeurope"),
        provider=lambda namespace: {
            "namespace": namespace,
            "resourceTypes": [{"resourceType": "t", "locations": ["here"], "apiVersions": ["1"]}],
        },
    )
    return plan(template(**sections), {}, place)


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("resourceGroup().name", ("rg", _ERROR, _ERROR, _ERROR)),
        ("subscription().id", (_S, _S, _ERROR, _ERROR)),
        ("managementGroup().id", (_ERROR, _ERROR, _MG, _ERROR)),
        ("tenant().tenantId", ("11111111-1111-1111-1111-111111111111",) * 4),
        ("deployer().objectId", ("22222222-2222-2222-2222-222222222222",) * 4),
        ("deployment().name", ("main",) * 4),
        ("tryGet(deployment(), 'location')", (None, "westeurope", "westeurope", "westeurope")),
        ("environment().suffixes.storage", ("core.windows.net",) * 4),
        (f"resourceId({_T}, 'n')", (*(f"{at}/providers/My.Rp/t/n" for at in (_RG, _S)),
                                    "/providers/My.Rp/t/n", "/providers/My.Rp/t/n")),
        (f"resourceId('g', {_T}, 'n')", (*[f"{_S}/resourceGroups/g/providers/My.Rp/t/n"] * 2,
                                         "/providers/My.Rp/t/n", "/providers/My.Rp/t/n")),
        (f"resourceId('s', 'g', {_T}, 'n')",
         ("/subscriptions/s/resourceGroups/g/providers/My.Rp/t/n",) * 4),
        (f"subscriptionResourceId({_T}, 'n')",
         (*[f"{_S}/providers/My.Rp/t/n"] * 2, _NO_SUBSCRIPTION, _NO_SUBSCRIPTION)),
        (f"subscriptionResourceId('s', {_T}, 'n')", ("/subscriptions/s/providers/My.Rp/t/n",) * 4),
        (f"managementGroupResourceId({_T}, 'n')",
         (_NO_GROUP, _NO_GROUP, f"{_MG}/providers/My.Rp/t/n", _NO_GROUP)),
        (f"managementGroupResourceId('other', {_T}, 'n')",
         ("/providers/Microsoft.Management/managementGroups/other/providers/My.Rp/t/n",) * 4),
        (f"tenantResourceId({_T}, 'n')", ("/providers/My.Rp/t/n",) * 4),
        (f"extensionResourceId('/x', {_T}, 'n')", ("/x/providers/My.Rp/t/n",) * 4),
        ("roleDefinitions('Reader').id", (*[f"{_S}/{_ROLE}"] * 2, f"/{_ROLE}", f"/{_ROLE}")),
        ("providers('My.Rp', 't').locations[0]", ("here",) * 4),
        ("pickZones('My.Rp', 't', 'westeurope')[0]", ("1",) * 4),
        ("toLogicalZone('s', 'westus2', 'westus2-az1')", ("1",) * 4),
        ("toLogicalZones('s', 'westus2', createArray('westus2-az2'))[0]", ("2",) * 4),
        ("toPhysicalZone('s', 'westus2', '1')", ("westus2-az1",) * 4),
        ("toPhysicalZones('s', 'westus2', createArray('2'))[0]", ("westus2-az2",) * 4),
    ],
)  # fmt: skip
def test_functions_answer_by_the_scope_of_the_deployment(
    expression: str, values: tuple[str | None, ...]
) -> None:
    """Group, subscription, management group, tenant: each value, or ARM's refusal."""
    for scope, expected in zip(_SCOPES, values, strict=True):
        outputs = {"it": {"type": "array", "value": [f"[{expression}]"]}}
        if expected in (_ERROR, _NO_SUBSCRIPTION, _NO_GROUP):
            with pytest.raises(TemplateError, match=expected):
                _plan(scope, outputs=outputs)
        else:
            assert _plan(scope, outputs=outputs).outputs(Answers())["it"]["value"] == [expected]


_TARGETS: dict[str, tuple[dict[str, str], str]] = {
    "its own": ({}, ""),
    "a group": ({"resourceGroup": "g"}, f"{_S}/resourceGroups/g"),
    "no group": ({"resourceGroup": ""}, ""),
    "a subscription": ({"subscriptionId": "s"}, "/subscriptions/s"),
    "both": ({"subscriptionId": "s", "resourceGroup": "g"}, "/subscriptions/s/resourceGroups/g"),
    "a management group": ({"scope": "Microsoft.Management/managementGroups/x"},
                           "/providers/Microsoft.Management/managementGroups/x"),
    "the tenant": ({"scope": "/"}, ""),
}  # fmt: skip
_WHERE = {"where": {"type": "string", "value": "[resourceId('My.Rp/t', 'n')]"}}


@pytest.mark.parametrize("target", _TARGETS)
@pytest.mark.parametrize("scope", _SCOPES, ids=lambda scope: str(scope.kind))
def test_nested_deployments_go_to_any_scope_from_any_scope(scope: Scope, target: str) -> None:
    """The nested deployment is a resource of its target, and its functions answer from there."""
    members, wanted = _TARGETS[target]
    if target in ("its own", "no group"):
        wanted = scope.id
    resources = [deployment("n", template(outputs=_WHERE), **members)]
    if target == "a group" and scope.subscription_id is None:
        with pytest.raises(TemplateError, match="there must be a subscription"):
            _plan(scope, resources=resources)
        return
    planned = _plan(scope, resources=resources)
    nested = planned.resources[0].nested

    assert planned.resources[0].id == f"{wanted}/providers/Microsoft.Resources/deployments/n"
    assert nested is not None
    assert nested.scope.id == wanted
    inside = wanted if wanted.startswith("/subscriptions/") else ""
    assert nested.plan(Answers()).outputs(Answers())["where"]["value"] == (
        f"{inside}/providers/My.Rp/t/n"
    )


def test_in_a_management_group_resources_are_found_by_the_short_id_that_resourceid_makes() -> None:
    """resourceId() leaves the management group out; dependsOn and reference() mean it all the same."""
    short = "resourceId('Microsoft.Authorization/policyDefinitions', 'p')"
    policy = {
        "type": "Microsoft.Authorization/policyDefinitions",
        "apiVersion": "2023-04-01",
        "name": "p",
        "properties": {},
    }
    user = {
        **policy,
        "name": "q",
        "dependsOn": [f"[{short}]"],
        "properties": {"x": f"[reference({short}).y]"},
    }
    planned = _plan(_MANAGEMENT, resources=[user, policy])
    full = f"{_MG}/providers/Microsoft.Authorization/policyDefinitions/p"

    assert planned.resources[0].depends_on == (full,)
    assert planned.resources[0].body(Answers({full: {"y": 1}}))["properties"] == {"x": 1}
