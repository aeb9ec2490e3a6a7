"""What stays unknown until the deployment is under way, and how what-if says so."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm.knobs import Knobs
from local.arm.whatif.limits import Limits
from tests.arm.azure import plain, template
from tests.arm.whatif.world import GROUP, World, kinds, leaves, nested

IDENTITY = {
    "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
    "apiVersion": "2023-01-31",
    "name": "worker",
    "location": "westeurope",
}
WORKER = "resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'worker')"
PRINCIPAL = f"[reference({WORKER}, '2023-01-31').principalId]"
TEXT = {"p": {"type": "string"}}
FED = {"p": {"value": PRINCIPAL}}
ROLE = {
    "type": "Microsoft.Authorization/roleAssignments",
    "apiVersion": "2022-04-01",
    "name": "[guid(parameters('p'), 'reader')]",
    "properties": {
        "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions',"
        " 'acdd72a7-3385-48ef-bd42-f606fba81ae7')]",
        "principalId": "[parameters('p')]",
        "principalType": "ServicePrincipal",
    },
}
LOCK = {
    "type": "Microsoft.Authorization/locks",
    "apiVersion": "2020-05-01",
    "name": "[parameters('p')]",
    "scope": "[resourceId('Contoso.Shop/shelves', 's')]",
    "properties": {"level": "CanNotDelete"},
}


def fed(name: str, *resources: Any, **more: Any) -> dict[str, Any]:
    """Return a nested deployment whose parameter p is known when the identity exists."""
    return nested(name, template(list(resources), TEXT), given=FED, **more)


def test_a_name_that_needs_the_deployment_is_unsupported() -> None:
    """ARM's sentence and what is left of the id's expression; once deployed, still."""
    world, resources = World(), [IDENTITY, fed("roles", ROLE)]
    world.deploy(resources)

    found = world.what_if(resources)["changes"]

    assert [one["changeType"] for one in found] == ["NoChange", "Unsupported"]
    assert found[1]["resourceId"] == (
        f"[format('{GROUP}/providers/Microsoft.Authorization/roleAssignments/{{0}}',"
        f" guid(reference('{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
        "/worker', '2023-01-31').principalId, 'reader'))]"
    )
    reason = found[1]["unsupportedReason"]
    assert reason.startswith(
        "Changes to the resource declared at"
        " 'properties.template.resources[1].properties.template.resources[0]' on line 1 and column "
    )
    assert reason.endswith(
        " cannot be analyzed because its resource ID or API version cannot be calculated until the"
        " deployment is under way. Please see https://aka.ms/WhatIfUnidentifiableResource for more"
        " guidance."
    )
    assert found[1]["deploymentId"] == f"{GROUP}/providers/Microsoft.Resources/deployments/roles"
    assert "before" not in found[1]
    assert "after" not in found[1]
    assert "delta" not in found[1]


def test_an_extension_without_a_name_shows_what_it_extends() -> None:
    """The id of a resource on a resource is an extensionResourceId() expression."""
    found = World().changes([IDENTITY, plain("s"), fed("locks", LOCK, dependsOn=["s"])])

    assert found[-1]["resourceId"].startswith(
        f"[extensionResourceId('{GROUP}/providers/Contoso.Shop/shelves/s',"
        " 'Microsoft.Authorization/locks', reference("
    )


def test_an_api_version_that_needs_the_deployment_is_unsupported() -> None:
    """The id is known then, and shown plainly."""
    shelf = plain("s", apiVersion="[if(equals(parameters('p'), 'x'), '2024-01-01', '2025-01-01')]")

    found = World().changes([IDENTITY, fed("shelves", shelf)])

    assert found[-1]["changeType"] == "Unsupported"
    assert found[-1]["resourceId"] == f"{GROUP}/providers/Contoso.Shop/shelves/s"


def test_a_loop_of_unknown_length_is_one_unsupported_resource() -> None:
    """As many resources as nobody knows are one entry with the loop's expression."""
    loop = plain(
        "[concat('s', copyIndex())]", copy={"name": "l", "count": "[length(parameters('p'))]"}
    )

    found = World().changes([IDENTITY, fed("shelves", loop)])

    assert [one["changeType"] for one in found] == ["Create", "Unsupported"]
    assert found[1]["resourceId"].endswith("/shelves/{0}', concat('s', copyIndex()))]")


def test_children_of_the_unidentified_are_unidentified() -> None:
    """A child declared inside a parent without a name has none either."""
    parent = plain(
        "[parameters('p')]",
        resources=[{"type": "items", "apiVersion": "2024-01-01", "name": "i", "properties": {}}],
    )

    found = World().changes([IDENTITY, fed("shelves", parent)])

    assert [one["changeType"] for one in found] == ["Create", "Unsupported", "Unsupported"]
    assert "Contoso.Shop/shelves/items" in found[2]["resourceId"]


def test_other_resources_of_that_template_are_shown() -> None:
    """One resource without a name hides none of its neighbours."""
    found = World().changes([IDENTITY, fed("mixed", ROLE, plain("s"))])

    assert [one["changeType"] for one in found] == ["Create", "Unsupported", "Create"]


def test_a_condition_that_needs_the_deployment_makes_a_change_potential() -> None:
    """Both ways of an undecided condition are potential changes, never sure ones."""
    world = World()
    yes = plain("yes", condition="[greater(length(parameters('p')), 3)]")
    no = plain("no", condition="[less(length(parameters('p')), 3)]")
    resources = [IDENTITY, fed("either", yes, no, plain("sure"))]
    before = world.what_if(resources)
    world.deploy(resources)
    after = world.what_if(resources)

    assert kinds(before["potentialChanges"]) == {"yes": "Create", "no": "Create"}
    assert kinds(before["changes"]) == {"worker": "Create", "sure": "Create"}
    assert kinds(after["potentialChanges"]) == {"yes": "NoChange", "no": "Create"}
    assert kinds(after["changes"]) == {"worker": "NoChange", "sure": "NoChange"}


def test_a_nested_deployment_with_an_undecided_condition_is_potential_as_a_whole() -> None:
    """All that it declares may or may not come."""
    inner = nested("deeper", template([plain("deep")]), condition="[equals(parameters('p'), 'x')]")

    found = World().what_if([IDENTITY, fed("outer", inner)])

    assert kinds(found["potentialChanges"]) == {"deep": "Create"}
    assert kinds(found["changes"]) == {"worker": "Create"}


def test_runtime_values_are_the_true_ones_without_noise() -> None:
    """Deployed, a body with reference() in it is no change."""
    world = World()
    resources = [IDENTITY, plain("s", properties={"who": "[reference('worker').principalId]"})]
    world.deploy(resources)

    assert kinds(world.changes(resources)) == {"worker": "NoChange", "s": "NoChange"}


def test_slow_providers_and_stale_reads_do_not_reach_what_is_foretold() -> None:
    """Neither the time that writes take nor the lag of reads makes a value unknown."""
    world = World()
    world.deploy([IDENTITY])
    world.cloud.turn(Knobs(resource_seconds=60.0, read_lag_seconds=60.0))
    shelf = plain("s", properties={"who": "[reference('worker').principalId]"})

    found = world.changes([{**IDENTITY, "tags": {"a": "1"}}, shelf])

    assert [one["changeType"] for one in found] == ["Modify", "Create"]
    assert not found[1]["after"]["properties"]["who"].startswith("[")


def test_runtime_values_stay_expressions_with_that_noise() -> None:
    """With N9 they are what ARM shows: literal text, a Modify on every run."""
    world = World()
    resources = [IDENTITY, plain("s", properties={"who": "[reference('worker').principalId]"})]
    world.deploy(resources)
    world.cloud.turn(Knobs(noise={"*": ["N9"]}))

    delta = world.changes(resources)[1]["delta"]

    assert [one["path"] for one in delta] == ["properties.who"]
    assert delta[0]["after"] == (
        f"[reference('{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/worker',"
        " '2023-01-31').principalId]"
    )


def test_what_cannot_be_asked_stays_an_expression() -> None:
    """A reference to what is nowhere is text: the deployment would fail of it."""
    nowhere = "[reference(resourceId('Contoso.Shop/shelves', 'nowhere'), '2024-01-01').depth]"

    found = World().changes([plain("s", properties={"depth": nowhere})])

    assert found[0]["after"]["properties"]["depth"] == (
        f"[reference('{GROUP}/providers/Contoso.Shop/shelves/nowhere', '2024-01-01').depth]"
    )


STATIC = nested(
    "one",
    template([plain("first")], outputs={"n": {"type": "string", "value": "second"}}),
)
USER = nested(
    "two",
    template([plain("[parameters('p')]")], TEXT),
    given={"p": {"value": "[reference('one').outputs.n.value]"}},
)


def test_static_outputs_of_nested_deployments_are_known() -> None:
    """A name that comes from another nested deployment's static output is a name."""
    found = World().what_if([STATIC, USER])

    assert kinds(found["changes"]) == {"first": "Create", "second": "Create"}
    assert found["diagnostics"] == []


def test_outputs_that_need_the_deployment_are_not() -> None:
    """A name from an output that asks a resource is no name."""
    asking = nested(
        "one",
        template(
            [plain("first")], outputs={"n": {"type": "string", "value": "[reference('first').x]"}}
        ),
    )

    found = World().changes([asking, USER])

    assert [one["changeType"] for one in found] == ["Create", "Unsupported"]
    assert "deployments/one', '2025-04-01').outputs.n.value" in found[1]["resourceId"]


def test_the_classic_evaluator_gives_up_on_parameters_it_does_not_know() -> None:
    """It skips the whole nested deployment, warns, and ignores what exists of it."""
    world = World()
    world.deploy([STATIC, USER])
    world.cloud.turn(Knobs(whatif_evaluator="classic"))

    found = world.what_if([STATIC, USER])

    assert kinds(found["changes"]) == {"first": "NoChange", "second": "Ignore"}
    [warning] = found["diagnostics"]
    assert warning["code"] == "NestedDeploymentShortCircuited"
    assert warning["level"] == "Warning"
    assert warning["target"] == f"{GROUP}/providers/Microsoft.Resources/deployments/two"
    assert warning["message"].startswith(
        "A nested deployment got short-circuited and all its resources got skipped from validation."
    )


def test_an_outer_template_that_cannot_be_evaluated_is_skipped_whole() -> None:
    """It sees its parent's parameters, so nothing of it can be taken apart."""
    outer = nested(
        "out", template([plain("[parameters('p')]"), plain("o")]), scope_of_evaluation="outer"
    )

    found = World().what_if([IDENTITY, fed("mid", outer)])

    assert kinds(found["changes"]) == {"worker": "Create"}
    assert [one["code"] for one in found["diagnostics"]] == ["NestedDeploymentShortCircuited"]
    assert "it uses outer-mode evaluation" in found["diagnostics"][0]["message"]


def test_mode_complete_deletes_nothing_that_what_if_only_failed_to_see() -> None:
    """What a skipped nested deployment will write is ignored, not deleted."""
    world = World()
    world.deploy([STATIC, USER, plain("old")])
    world.cloud.turn(Knobs(whatif_evaluator="classic"))

    found = world.changes([STATIC, USER], mode="Complete")

    assert kinds(found) == {"first": "NoChange", "second": "Ignore", "old": "Delete"}


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(Limits(templates=2), id="templates"),
        pytest.param(Limits(groups=2), id="groups"),
        pytest.param(Limits(seconds=2.5, now=iter(range(100)).__next__), id="time"),
    ],
)
def test_beyond_the_limits_nested_deployments_are_skipped(limits: Limits) -> None:
    """Each limit leaves out what comes after it, with a warning that names it."""
    world = World()
    for index in range(3):
        world.group(f"rg{index}")
    resources = [
        nested(f"n{index}", template([plain(f"s{index}")]), resourceGroup=f"rg{index}")
        for index in range(3)
    ]

    body = world.foretell(resources, limits=limits).body["properties"]

    assert kinds(body["changes"]) == {"s0": "Create", "s1": "Create"}
    [warning] = body["diagnostics"]
    assert warning["code"] == "NestedDeploymentSkippedFromInternalExpansion"
    assert warning["target"].endswith("/rg2/providers/Microsoft.Resources/deployments/n2")


def test_predictions_of_the_client_identify_resources() -> None:
    """A resource that the client names is a potential change instead of an unsupported one."""
    world = World()
    inner = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "languageVersion": "2.0",
        "contentVersion": "1.0.0.0",
        "parameters": TEXT,
        "resources": {"shelf": plain("[parameters('p')]")},
    }
    whole = {
        **inner,
        "parameters": {},
        "resources": {"worker": IDENTITY, "mod": nested("mod", inner, given=FED)},
    }
    resource_id = f"{GROUP}/providers/Contoso.Shop/shelves/guessed"
    prediction = {"symbolicNamePath": ["mod", "shelf"], "resourceId": resource_id}

    found = world.what_if(whole, properties={"resourcePredictions": [prediction]})

    assert kinds(found["changes"]) == {"worker": "Create"}
    assert [one["resourceId"] for one in found["potentialChanges"]] == [resource_id]
    assert found["potentialChanges"][0]["symbolicName"] == "shelf"


def test_groups_that_the_deployment_makes_are_known_as_far_as_they_are() -> None:
    """A nested deployment into a group of the same template sees its location and id."""
    world = World()
    whole = template(
        [
            {
                "type": "Microsoft.Resources/resourceGroups",
                "apiVersion": "2025-04-01",
                "name": "rg-new",
                "location": "northeurope",
            },
            nested(
                "inside",
                template(
                    [
                        plain(
                            "[uniqueString(resourceGroup().id)]",
                            location="[resourceGroup().location]",
                        )
                    ]
                ),
                resourceGroup="rg-new",
                dependsOn=["rg-new"],
            ),
        ]
    )
    scope = GROUP.partition("/resourceGroups")[0]
    before = world.what_if(whole, scope)
    world.deploy(whole, scope)
    after = world.what_if(whole, scope)

    assert [one["changeType"] for one in before["changes"]] == ["Create", "Create"]
    assert before["changes"][1]["after"]["location"] == "northeurope"
    assert [one["changeType"] for one in after["changes"]] == ["NoChange", "NoChange"]
    assert not [*leaves(after["changes"][1]["delta"])]
