"""The one-call form, with and without a runtime."""

from typing import Any

import pytest

from local.arm.engine import evaluate
from tests.engine.test_nested import deployment
from tests.engine.world import PREFIX, Answers, context, resource, template, thing_id

_A = thing_id("a")
_LEFT: list[tuple[Any, Any]] = [
    ("[reference('a').url]", f"[reference('{_A}', '2024-01-01').url]"),
    (
        "[concat(toUpper('x'), reference('a', '2020-01-01', 'full').location)]",
        f"[concat('X', reference('{_A}', '2020-01-01', 'Full').location)]",
    ),
    (
        "[listKeys('a', '2020-01-01').keys[add(0, 1)].value]",
        f"[listKeys('{_A}', '2020-01-01').keys[1].value]",
    ),
    ("[if(true(), 'known', reference('a').x)]", "known"),
    ("[if(false(), 'known', reference('a').x)]", f"[reference('{_A}', '2024-01-01').x]"),
    (
        "[if(reference('a').on, fail('later'), 'no')]",
        f"[if(reference('{_A}', '2024-01-01').on, fail('later'), 'no')]",
    ),
    (
        "[coalesce(tryGet(reference('a'), 'x'), parameters('o'))]",
        f"[coalesce(tryGet(reference('{_A}', '2024-01-01'), 'x'), createObject('k', createArray(true(), null(), 1)))]",
    ),
    ("[[literal]", "[literal]"),
    ({"k": ["[reference('a')['b c']]"]}, {"k": [f"[reference('{_A}', '2024-01-01')['b c']]"]}),
]


@pytest.mark.parametrize(("value", "left"), _LEFT)
def test_without_a_runtime_what_is_left_of_an_expression_is_shown(value: Any, left: Any) -> None:
    """Known parts are computed, the question to Azure stays, with id and api version."""
    parameters = {"o": {"type": "object", "defaultValue": {"k": [True, None, 1]}}}
    whole = template(
        parameters=parameters, resources=[resource("a"), resource("z", properties={"v": value})]
    )
    result = evaluate(whole, {}, context())

    assert result.resources[1].body["properties"]["v"] == left


def test_nested_deployments_are_expanded_with_what_is_left_of_their_parameters() -> None:
    """A parameter that needs a runtime goes on as an expression into the nested bodies."""
    nested = template(
        parameters={"p": {"type": "string"}, "o": {"type": "object"}},
        variables={"v": "[concat('<', parameters('p'), '>')]"},
        resources=[resource("n", tags={"t": "[variables('v')]", "u": "[parameters('o').x]"})],
        outputs={"p": {"type": "string", "value": "[parameters('p')]"}},
    )
    whole = template(
        resources=[
            resource("a"),
            deployment(
                "d",
                nested,
                parameters={"p": "[reference('a').x]", "o": {"x": "[reference('a').y]"}},
            ),
        ],
        outputs={"o": {"type": "string", "value": "[reference('d').outputs.p.value]"}},
    )
    result = evaluate(whole, {}, context())

    inside = result.resources[1].nested
    assert inside is not None
    assert inside.resources[0].body["tags"] == {
        "t": f"[concat('<', reference('{_A}', '2024-01-01').x, '>')]",
        "u": f"[reference('{_A}', '2024-01-01').y]",
    }
    assert inside.outputs["p"]["value"] == f"[reference('{_A}', '2024-01-01').x]"
    assert inside.parameters["p"].value == f"[reference('{_A}', '2024-01-01').x]"
    assert result.outputs["o"]["value"] == (
        f"[reference('{PREFIX}/providers/Microsoft.Resources/deployments/d', '2022-09-01')"
        ".outputs.p.value]"
    )


def test_resources_that_cannot_be_named_yet_leave_their_deployment_closed() -> None:
    """Without a runtime a nested deployment whose names need one has no expansion."""
    nested = template(
        parameters={"p": {"type": "string"}}, resources=[resource("[parameters('p')]")]
    )
    whole = template(
        resources=[resource("a"), deployment("d", nested, parameters={"p": "[reference('a').x]"})]
    )

    assert evaluate(whole, {}, context()).resources[1].nested is None
    answered = evaluate(whole, {}, context(), Answers(properties={_A: {"x": "named"}}))
    assert answered.resources[1].nested is not None
    assert answered.resources[1].nested.resources[0].name == "named"
