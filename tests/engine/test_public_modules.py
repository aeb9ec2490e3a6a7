"""What the public modules rely on, each found in one of them."""

from typing import Any

import pytest

from local.arm.engine import TemplateError, evaluate, plan
from tests.engine.test_nested import deployment
from tests.engine.world import (
    PREFIX,
    Answers,
    context,
    planned,
    resource,
    template,
    thing_id,
)

_SYMBOLIC: dict[str, Any] = {"languageVersion": "2.0"}


@pytest.mark.parametrize(
    "name", ["[split(null(), '/')[8]]", "[parameters('no').name]", "", "[format('a/{0}', null())]"]
)
def test_a_resource_whose_condition_is_false_needs_no_name(name: str) -> None:
    """It may be named by parts of what was not given; others may wait for it all the same."""
    key = resource(name, condition="[not(empty(parameters('no')))]", existing=True)
    plan_ = planned(
        **_SYMBOLIC,
        parameters={"no": {"type": "object", "nullable": True}},
        resources={"key": key, "vault": resource("v", dependsOn=["key"])},
    )

    assert [(item.id, item.depends_on) for item in plan_.resources] == [(thing_id("v"), ())]
    with pytest.raises(TemplateError):
        planned(**_SYMBOLIC, resources={"key": resource("[split(null(), '/')[8]]")})


def test_an_untyped_parameter_takes_anything_in_language_version_2() -> None:
    """Types taken from resources may be no type at all; version 1.0 wants one."""
    sections = {
        "parameters": {"any": {"nullable": True}},
        "outputs": {"o": {"value": "[parameters('any')]"}},
    }
    for value, kind in (
        (1, "Int"),
        ("a", "String"),
        ([1], "Array"),
        ({}, "Object"),
        (True, "Bool"),
    ):
        plan_ = planned({"any": value}, **_SYMBOLIC, resources={}, **sections)

        assert plan_.parameters["any"].type == kind
        assert plan_.outputs(Answers())["o"] == {"type": kind, "value": value}
    with pytest.raises(TemplateError, match="The type 'None' is not valid"):
        planned({"any": 1}, **sections)


def test_a_nested_template_may_be_a_variable_with_its_expressions_escaped() -> None:
    """The parent's expressions are done with it then: it sees its own parameters."""
    inner = template(
        parameters={"who": {"type": "string"}},
        resources=[resource("[[parameters('who')]")],
    )
    nested = deployment("n", template(), evaluation="outer", parameters={"who": "me"})
    nested["properties"]["template"] = "[variables('inner')]"
    plan_ = planned(variables={"inner": inner}, resources=[nested])
    made = plan_.resources[0].nested

    assert made is not None
    assert [item.id for item in made.plan(Answers()).resources] == [thing_id("me")]
    body = plan_.resources[0].body(Answers())
    assert body["properties"]["template"]["resources"][0]["name"] == "[parameters('who')]"


def test_a_parameter_may_be_chosen_as_a_whole_by_what_only_the_running_deployment_knows() -> None:
    """Bicep hands optional values on as `[if(..., createObject('value', ...), ...)]`."""
    inner = template(
        parameters={"id": {"type": "string", "nullable": True}},
        outputs={"o": {"type": "string", "value": "[parameters('id')]"}},
    )
    nested = deployment("n", inner)
    nested["properties"]["parameters"] = {
        "id": "[if(true(), createObject('value', reference('x').id), createObject('value', null()))]"
    }
    plan_ = planned(resources=[resource("x"), nested])
    made = plan_.resources[1].nested
    runtime = Answers({thing_id("x"): {"id": "here"}})

    assert plan_.resources[1].depends_on == (thing_id("x"),)
    assert made is not None
    assert made.plan(runtime).outputs(runtime)["o"]["value"] == "here"


def test_static_outputs_of_nested_deployments_are_known_before_anything_runs() -> None:
    """Other resources, nested ones too, are named by them; the rest stays an expression."""
    outputs = {
        "known": {"type": "string", "value": "foo"},
        "unknown": {"type": "string", "value": f"[reference('{thing_id('r')}', '1').x]"},
    }
    where = f"{PREFIX}/providers/Microsoft.Resources/deployments/n"
    asked = {name: f"[reference('{where}', '2022-09-01').outputs.{name}.value]" for name in outputs}
    evaluated = evaluate(
        template(
            resources=[
                resource("late", properties=asked),
                deployment("n", template(outputs=outputs)),
            ]
        ),
        {},
        context(),
    )

    assert evaluated.resources[0].body["properties"] == {
        "known": "foo",
        "unknown": f"[reference('{where}', '2022-09-01').outputs.unknown.value]",
    }


@pytest.mark.parametrize(
    ("sections", "error"),
    [
        ({"languageVersion": "3.0"}, "language version '3.0' is not supported"),
        ({"languageVersion": 2}, "language version '2' is not supported"),
        ({**_SYMBOLIC, "resources": {}, "asserts": {"a": True}}, "'asserts' needs an experimental"),
        ({**_SYMBOLIC, "resources": {"r": resource("r", **{"@options": {}})}}, "needs an experimental"),
        ({**_SYMBOLIC, "resources": {}, "extensions": {"k8s": {}}}, "'extensions' are not supported"),
        ({**_SYMBOLIC, "resources": {}, "imports": {"k8s": {}}}, "'imports' are not supported"),
        ({"languageVersion": "2.1-experimental", "resources": {}, "asserts": {"a": "[equals(1, 2)]"}},
         r"assertion\(s\) 'a' failed"),
        ({"languageVersion": "2.1-experimental", "resources": {}, "asserts": {"a": 1}},
         "assertion 'a' is not valid: it is of type 'Integer'"),
    ],
)  # fmt: skip
def test_what_a_language_version_does_not_have_is_refused(
    sections: dict[str, Any], error: str
) -> None:
    """Experiments need an experimental version, and other systems' resources a real Azure."""
    with pytest.raises(TemplateError, match=error) as caught:
        planned(**sections)

    assert caught.value.code == "InvalidTemplate"


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (
            {"expression": "[externalInputs('nowhere')]"},
            "The external input 'nowhere' is not found",
        ),
        ({"expression": "plain"}, "must be a template language expression"),
        ({"expression": "[parameters('q')]"}, "The template parameter 'q' is not found"),
        ({"value": "a", "reference": None}, ""),
    ],
)
def test_parameters_given_as_expressions_see_external_inputs_only(
    entry: dict[str, Any], error: str
) -> None:
    """What else they name is refused; so is an external input that nobody gave."""
    declared = {"p": {"type": "string"}, "q": {"type": "string", "defaultValue": "x"}}
    if not error:
        assert plan(template(parameters=declared), {"p": entry}, context()).parameters["p"].value
        return
    with pytest.raises(TemplateError, match=error):
        plan(template(parameters=declared), {"p": entry}, context())
