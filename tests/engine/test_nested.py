"""Deployments inside deployments: inner, outer, retargeted, linked, too deep."""

from typing import Any

import pytest

from local.arm.engine import TemplateError
from tests.engine.world import (
    PREFIX,
    SUBSCRIPTION,
    Answers,
    planned,
    resource,
    template,
    thing_id,
)


def deployment(name: str, nested: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return an inner-scoped deployment; `parameters` are plain values or expressions."""
    parameters = {key: {"value": value} for key, value in members.pop("parameters", {}).items()}
    scope = members.pop("evaluation", "inner")
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": name,
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": scope},
            "parameters": parameters,
            "template": nested,
        },
        **members,
    }


_INNER = template(
    parameters={"who": {"type": "string"}},
    variables={"where": "inner"},
    resources=[
        resource(
            "[parameters('who')]",
            properties={
                "group": "[resourceGroup().name]",
                "deployment": "[deployment().name]",
                "where": "[variables('where')]",
                "id": "[resourceId('Microsoft.Rp/things', 'x')]",
            },
        )
    ],
    outputs={"who": {"type": "string", "value": "[parameters('who')]"}},
)


def test_an_inner_deployment_has_its_own_names_and_place() -> None:
    """Parameters come from the parent at run time; everything else is the nested template's."""
    plan_ = planned(
        variables={"where": "outer"},
        resources=[
            resource("a"),
            deployment(
                "n", _INNER, parameters={"who": "[reference('a').name]"}, resourceGroup="other"
            ),
        ],
    )
    nested = plan_.resources[1]
    answers = Answers(properties={thing_id("a"): {"name": "bob"}})

    assert nested.id == (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other/providers/"
        "Microsoft.Resources/deployments/n"
    )
    assert nested.depends_on == (thing_id("a"),)
    assert nested.nested is not None
    assert nested.nested.scope.resource_group == "other"
    assert nested.nested.parameters(answers) == {"who": {"value": "bob"}}
    inner = nested.nested.plan(answers)
    other = PREFIX.removesuffix("rg") + "other"
    assert inner.resources[0].id == f"{other}/providers/Microsoft.Rp/things/bob"
    assert inner.resources[0].body(answers)["properties"] == {
        "group": "other",
        "deployment": "n",
        "where": "inner",
        "id": f"{other}/providers/Microsoft.Rp/things/x",
    }
    assert inner.outputs(answers) == {"who": {"type": "String", "value": "bob"}}


def test_an_outer_deployment_sees_its_parents_names_and_place() -> None:
    """Only where the resources go is the nested deployment's own."""
    nested = template(
        variables={"where": "inner"},
        resources=[
            resource(
                "[parameters('name')]",
                properties={
                    "where": "[variables('where')]",
                    "group": "[resourceGroup().name]",
                    "deployment": "[deployment().name]",
                    "index": "[copyIndex('loop')]",
                    "state": "[reference('a').x]",
                },
            )
        ],
        outputs={"x": {"type": "string", "value": "[reference(parameters('name')).x]"}},
    )
    plan_ = planned(
        {"name": "n"},
        parameters={"name": {"type": "string"}},
        variables={"where": "outer"},
        resources=[
            resource("a"),
            deployment(
                "[concat('d', copyIndex())]",
                nested,
                evaluation="outer",
                resourceGroup="other",
                copy={"name": "loop", "count": 2},
            ),
        ],
    )
    second = plan_.resources[2]
    there = f"{PREFIX.removesuffix('rg')}other/providers/Microsoft.Rp/things/n"
    answers = Answers(properties={thing_id("a"): {"x": "A"}, there: {"x": "N"}})

    assert second.depends_on == (thing_id("a"),)
    assert second.nested is not None
    inner = second.nested.plan(answers)
    assert inner.resources[0].id == there
    assert inner.resources[0].body(answers)["properties"] == {
        "where": "outer",
        "group": "rg",
        "deployment": "main",
        "index": 1,
        "state": "A",
    }
    assert inner.outputs(answers) == {"x": {"type": "String", "value": "N"}}


@pytest.mark.parametrize(
    ("members", "prefix"),
    [
        ({}, PREFIX),
        ({"resourceGroup": "o"}, f"/subscriptions/{SUBSCRIPTION}/resourceGroups/o"),
        ({"subscriptionId": "s2", "resourceGroup": "o"}, "/subscriptions/s2/resourceGroups/o"),
        ({"subscriptionId": "s2"}, "/subscriptions/s2"),
        ({"scope": "/"}, ""),
        (
            {"scope": "Microsoft.Management/managementGroups/mg"},
            "/providers/Microsoft.Management/managementGroups/mg",
        ),
        ({"scope": "/subscriptions/s3"}, "/subscriptions/s3"),
    ],
)
def test_a_deployment_can_go_elsewhere(members: dict[str, Any], prefix: str) -> None:
    """resourceGroup, subscriptionId and scope say where it and its resources go."""
    plan_ = planned(resources=[deployment("n", template(resources=[resource("x")]), **members)])
    nested = plan_.resources[0]

    assert nested.id == f"{prefix}/providers/Microsoft.Resources/deployments/n"
    assert nested.nested is not None
    inner = nested.nested.plan(Answers())
    assert inner.resources[0].id == f"{prefix}/providers/Microsoft.Rp/things/x"


def test_outputs_of_a_deployment_are_read_through_reference() -> None:
    """A resource that uses a nested deployment's output waits for that deployment."""
    plan_ = planned(
        resources=[
            deployment("n", _INNER, parameters={"who": "x"}),
            resource(
                "z",
                properties={
                    "v": "[reference(resourceId('Microsoft.Resources/deployments', 'n'), "
                    "'2022-09-01').outputs.who.value]"
                },
            ),
        ]
    )
    deployment_id = f"{PREFIX}/providers/Microsoft.Resources/deployments/n"
    answers = Answers(properties={deployment_id: {"outputs": {"who": {"value": "bob"}}}})

    assert plan_.resources[1].depends_on == (deployment_id,)
    assert plan_.resources[1].body(answers) == {"properties": {"v": "bob"}}


def test_a_nested_template_is_sent_as_written() -> None:
    """The body of the deployment holds the nested template untouched, its parameters evaluated."""
    plan_ = planned(
        resources=[
            deployment("n", _INNER, parameters={"who": "[toUpper('x')]"}, location="westeurope")
        ]
    )

    assert plan_.resources[0].body(Answers()) == {
        "location": "westeurope",
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"who": {"value": "X"}},
            "template": _INNER,
        },
    }


def test_a_vault_reference_is_left_for_the_caller_to_resolve() -> None:
    """The caller reads the secret and hands the parameters in; planning does not need it before."""
    nested = deployment("n", _INNER)
    reference = {"reference": {"keyVault": {"id": "/v"}, "secretName": "s"}}
    nested["properties"]["parameters"] = {"who": reference}
    plan_ = planned(resources=[nested])
    inside = plan_.resources[0].nested

    assert inside is not None
    assert inside.parameters(Answers()) == {"who": reference}
    resolved = inside.plan(Answers(), {"who": {"value": "secret"}})
    assert resolved.resources[0].name == "secret"


def _link(properties: dict[str, Any]) -> dict[str, Any]:
    link = deployment("n", template())
    link["properties"] = properties
    return link


_WRONG: list[tuple[dict[str, Any], str]] = [
    (deployment("n", _INNER), "The value for the template parameter 'who'"),
    (deployment("n", _INNER, parameters={"who": 1}), "Expected a value of type 'String'"),
    (deployment("n", _INNER, parameters={"who": "a", "q": 1}), "The template parameters 'q'"),
    (deployment("n", template(resources=[resource("a/b")])), "incorrect segment lengths"),
    (deployment("n", template(), evaluation="sideways"), "must be inner or outer"),
    (
        _link({"mode": "Incremental", "templateLink": {"relativePath": "x.json"}}),
        "must be resolved",
    ),
    (_link({"mode": "Incremental"}), "must have a 'template'"),
    (_link({"mode": "Sometimes", "template": template()}), "must be Incremental or Complete"),
]


@pytest.mark.parametrize(("nested", "error"), _WRONG)
def test_wrong_nested_deployments_are_refused_before_anything_runs(
    nested: dict[str, Any], error: str
) -> None:
    """What is wrong inside is found when the outermost template is planned."""
    with pytest.raises(TemplateError) as caught:
        planned(resources=[nested])

    assert error in str(caught.value)


def test_a_place_inside_a_nested_template_counts_from_the_outermost() -> None:
    """The path leads from the root of the text through every nested template."""
    inner = template(resources=[resource("x", properties={"p": "[nope()]"})])
    with pytest.raises(TemplateError) as caught:
        planned(resources=[deployment("n", inner)])

    assert caught.value.path == "resources[0].properties.template.resources[0].properties.p"


def test_deployments_nest_only_so_deep() -> None:
    """A tower of deployments is refused with an error, however high."""
    tower: dict[str, Any] = template()
    for level in range(40):
        tower = template(resources=[deployment(f"n{level}", tower)])
    with pytest.raises(TemplateError, match="nest"):
        planned(resources=tower["resources"])


def test_a_key_that_only_the_running_deployment_knows_waits_for_it() -> None:
    """An identity from another deployment's output: planned before, filled in at run time."""
    expression = f"[reference('{thing_id('x')}', '2024-01-01').id]"
    runtime = Answers({thing_id("x"): {"id": "/the/id"}})
    plan_ = planned(
        resources=[
            resource("a", identity={"userAssignedIdentities": {expression: {}, "b": {}}}),
        ]
    )

    assert plan_.resources[0].preview()["identity"]["userAssignedIdentities"] == (
        f"[createObject('b', createObject(), {expression[1:-1]}, createObject())]"
    )
    assert plan_.resources[0].body(runtime)["identity"] == {
        "userAssignedIdentities": {"/the/id": {}, "b": {}}
    }
