"""Outputs: values, secrets, conditions, copies, failures."""

from typing import Any

import pytest

from local.arm.engine import TemplateError
from tests.engine.world import Answers, planned, resource, thing_id


def test_outputs_have_type_and_value_and_secrets_no_value() -> None:
    """Secure outputs are named but not shown; a false condition leaves an output out."""
    plan_ = planned(
        resources=[resource("a")],
        outputs={
            "text": {"type": "string", "value": "[reference('a').x]"},
            "list": {"type": "array", "copy": {"count": 2, "input": "[copyIndex()]"}},
            "secret": {"type": "SecureString", "value": "hush"},
            "left": {"type": "int", "condition": False, "value": 1},
            "none": {"type": "string", "nullable": True, "value": "[null()]"},
        },
    )

    assert plan_.outputs(Answers(properties={thing_id("a"): {"x": "X"}})) == {
        "text": {"type": "String", "value": "X"},
        "list": {"type": "Array", "value": [0, 1]},
        "secret": {"type": "SecureString"},
        "none": {"type": "String", "value": None},
    }


def test_every_output_that_fails_is_named() -> None:
    """The error lists all of them, with ARM's code and one detail each."""
    plan_ = planned(
        resources=[resource("a")],
        outputs={
            "good": {"type": "string", "value": "x"},
            "one": {"type": "string", "value": "[reference('a').missing]"},
            "two": {"type": "int", "value": "[reference('a').x]"},
        },
    )
    with pytest.raises(TemplateError) as caught:
        plan_.outputs(Answers(properties={thing_id("a"): {"x": "X"}}))

    error = caught.value
    assert error.code == "DeploymentOutputEvaluationFailed"
    assert [detail["target"] for detail in error.details] == ["one", "two"]
    assert "The template output 'one' is not valid: The language expression property" in str(
        error.details[0]["message"]
    )
    assert error.body()["details"][1]["code"] == "DeploymentOutputEvaluationFailed"


@pytest.mark.parametrize(
    ("output", "error"),
    [
        (
            {"type": "string", "value": "[parameters('p')]"},
            "The template parameter 'p' is not found",
        ),
        ({"type": "int", "value": "x"}, "Expected a value of type 'Integer'"),
        ({"value": "x"}, "The type 'None' is not valid"),
        ({"type": "string", "value": "[reference('b').x]"}, "could not find template resource"),
    ],
)
def test_outputs_that_cannot_succeed_are_refused_before_anything_runs(
    output: dict[str, Any], error: str
) -> None:
    """Planning finds what is wrong without a runtime, and says in which output."""
    with pytest.raises(TemplateError) as caught:
        planned(outputs={"it": output})

    assert error in str(caught.value)
    assert caught.value.path is not None
    assert caught.value.path.startswith("outputs.it")
