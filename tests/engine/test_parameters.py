"""Parameters: types, limits, defaults, secrets, definitions."""

import traceback
from typing import Any

import pytest

from local.arm.engine import TemplateError, plan
from tests.engine.world import Answers, context, planned, resource, template, thing_id

_CHECKS: list[tuple[dict[str, Any], Any, str | None]] = [
    ({"type": "string"}, "a", None),
    (
        {"type": "String"},
        1,
        "Expected a value of type 'String', but received a value of type 'Integer'",
    ),
    ({"type": "int"}, True, "Expected a value of type 'Integer'"),
    ({"type": "bool"}, "true", "Expected a value of type 'Boolean'"),
    ({"type": "array"}, {}, "Expected a value of type 'Array'"),
    ({"type": "object"}, [], "Expected a value of type 'Object'"),
    ({"type": "string"}, None, "received a value of type 'Null'"),
    ({"type": "string", "nullable": True}, None, None),
    ({"type": "string", "allowedValues": ["a", "b"]}, "A", None),
    ({"type": "string", "allowedValues": ["a", "b"]}, "c", "allowed value(s): 'a,b'"),
    ({"type": "array", "allowedValues": ["a", "b"]}, ["b", "a"], None),
    ({"type": "array", "allowedValues": ["a", "b"]}, ["c"], "not part of the allowed"),
    ({"type": "string", "minLength": 3}, "ab", "greater than or equal to '3'"),
    ({"type": "string", "maxLength": 3}, "abcd", "less than or equal to '3'"),
    ({"type": "array", "minLength": 1}, [], "greater than or equal to '1'"),
    ({"type": "int", "minValue": 3}, 2, "greater than or equal to '3'"),
    ({"type": "int", "maxValue": 3}, 4, "less than or equal to '3'"),
    ({"type": "int", "minValue": 1, "maxValue": 3}, 3, None),
    ({"$ref": "#/definitions/port"}, 80, None),
    ({"$ref": "#/definitions/port"}, 0, "greater than or equal to '1'"),
    ({"$ref": "#/definitions/nowhere"}, 0, "must name one of the template's definitions"),
    ({"$ref": "#/definitions/loop"}, 0, "refers to itself"),
    ({"type": "array", "items": {"type": "int"}}, [1, "x"], "At '[1]': Expected a value of type"),
    ({"type": "array", "prefixItems": [{"type": "int"}], "items": False}, [1, 2], "At most '1'"),
    ({"$ref": "#/definitions/site"}, {"name": "x"}, None),
    ({"$ref": "#/definitions/site"}, {}, "The property 'name' is required"),
    ({"$ref": "#/definitions/site"}, {"name": "x", "z": 1}, "not permitted: 'z'"),
    ({"$ref": "#/definitions/site"}, {"name": "x", "ports": [0]}, "At 'ports[0]'"),
    ({"type": "object", "additionalProperties": {"type": "int"}}, {"a": "b"}, "At 'a'"),
    ({"$ref": "#/definitions/shape"}, {"kind": "circle", "radius": 1}, None),
    ({"$ref": "#/definitions/shape"}, {"kind": "circle"}, "The property 'radius' is required"),
    ({"$ref": "#/definitions/shape"}, {"kind": "cube"}, "must be one of 'circle, dot'"),
    ({"type": "wrong"}, 1, "The type 'wrong' is not valid"),
]
_DEFINITIONS: dict[str, Any] = {
    "port": {"type": "int", "minValue": 1},
    "loop": {"$ref": "#/definitions/loop"},
    "site": {
        "type": "object",
        "sealed": True,
        "properties": {
            "name": {"type": "string"},
            "ports": {"type": "array", "items": {"$ref": "#/definitions/port"}, "nullable": True},
        },
    },
    "shape": {
        "type": "object",
        "discriminator": {
            "propertyName": "kind",
            "mapping": {
                "circle": {"type": "object", "properties": {"radius": {"type": "int"}}},
                "dot": {"type": "object"},
            },
        },
    },
}


@pytest.mark.parametrize(("schema", "value", "error"), _CHECKS)
def test_a_value_is_held_against_its_declaration(
    schema: dict[str, Any], value: Any, error: str | None
) -> None:
    """A value passes as it is, or the error says which parameter and what was expected."""
    if error is None:
        plan_ = planned({"p": value}, parameters={"p": schema}, definitions=_DEFINITIONS)

        assert plan_.parameters["p"].value == value
    else:
        with pytest.raises(TemplateError) as caught:
            planned({"p": value}, parameters={"p": schema}, definitions=_DEFINITIONS)

        assert error in str(caught.value)
        assert "'p'" in str(caught.value)
        assert caught.value.path == "parameters.p"


def test_defaults_see_other_parameters_the_clock_and_fresh_guids() -> None:
    """Defaults are evaluated in any order, with utcNow and newGuid from the surroundings."""
    plan_ = planned(
        {"name": "shop"},
        parameters={
            "full": {"type": "string", "defaultValue": "[concat(parameters('short'), '-prod')]"},
            "short": {"type": "string", "defaultValue": "[toUpper(parameters('NAME'))]"},
            "name": {"type": "string"},
            "now": {"type": "string", "defaultValue": "[utcNow('yyyy-MM-dd')]"},
            "stamp": {"type": "string", "defaultValue": "[utcNow()]"},
            "id": {"type": "string", "defaultValue": "[newGuid()]"},
            "absent": {"type": "string", "nullable": True},
        },
    )

    assert {name: item.value for name, item in plan_.parameters.items()} == {
        "full": "SHOP-prod",
        "short": "SHOP",
        "name": "shop",
        "now": "2026-05-04",
        "stamp": "20260504T102030Z",
        "id": "00000000-0000-0000-0000-000000000001",
        "absent": None,
    }


def test_types_show_in_arms_casing_and_secrets_are_marked() -> None:
    """Whoever shows a deployment knows which values to leave out."""
    plan_ = planned(
        {"a": "x", "b": {}, "c": True},
        parameters={
            "a": {"type": "securestring"},
            "b": {"type": "SECUREOBJECT"},
            "c": {"type": "bool"},
        },
    )

    assert [(item.type, item.secure) for item in plan_.parameters.values()] == [
        ("SecureString", True),
        ("SecureObject", True),
        ("Bool", False),
    ]


def test_a_refused_secret_is_not_repeated_in_the_error() -> None:
    """An error about a secret names the parameter, never the value nor what is allowed."""
    schema = {"type": "securestring", "allowedValues": ["good-secret"]}
    with pytest.raises(TemplateError) as caught:
        planned({"p": "bad-secret"}, parameters={"p": schema})

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "sections",
    [
        {"variables": {"v": "[int(parameters('p'))]"}, "outputs": {"o": {"type": "int", "value": "[variables('v')]"}}},
        {"outputs": {"o": {"type": "int", "value": "[int(parameters('q').deep[0])]"}}},
        {"resources": [resource("a", properties={"x": "[json(concat(parameters('p'), '{'))]"}), resource("b", dependsOn=["[parameters('p')]"])]},
        {"resources": [resource("[concat(parameters('p'), '/x')]")]},
    ],
)  # fmt: skip
def test_an_expression_that_fails_over_a_secret_does_not_quote_it(
    sections: dict[str, Any],
) -> None:
    """Errors quote arguments, but never the text of a secure parameter."""
    with pytest.raises(TemplateError) as caught:
        planned(
            {"p": "swordfish", "q": {"deep": ["swordfish"]}},
            parameters={"p": {"type": "secureString"}, "q": {"type": "secureObject"}},
            **sections,
        )

    assert "swordfish" not in str(caught.value)
    assert "swordfish" not in str(caught.value.body())


def test_a_secret_is_masked_at_run_time_too() -> None:
    """Bodies and outputs that fail while the deployment runs keep the secret as well."""
    plan_ = planned(
        {"p": "swordfish"},
        parameters={"p": {"type": "secureString"}},
        resources=[
            resource("a"),
            resource("b", properties={"x": "[int(concat(parameters('p'), reference('a').x))]"}),
        ],
        outputs={"o": {"type": "int", "value": "[int(concat(parameters('p'), reference('a').x))]"}},
    )
    answers = Answers(properties={thing_id("a"): {"x": "!"}})
    for fails in (plan_.resources[1].body, plan_.outputs):
        with pytest.raises(TemplateError) as caught:
            fails(answers)

        assert "'*******!'" in str(caught.value.body())
        assert "swordfish" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "The value for the template parameter 'p' at line '1' and column"),
        (
            {"p": {"value": "a"}, "q": {"value": 1}},
            "The template parameters 'q' in the parameters file",
        ),
        ({"p": "a"}, "must be an object with a 'value'"),
        ({"p": {}}, "neither a 'value' nor a 'reference'"),
        ({"p": {"reference": {"keyVault": {"id": "x"}, "secretName": "s"}}}, "was not resolved"),
    ],
)
def test_what_is_given_must_fit_what_is_declared(given: dict[str, Any], error: str) -> None:
    """Missing, unknown and malformed parameters are refused by name."""
    with pytest.raises(TemplateError) as caught:
        plan(template(parameters={"p": {"type": "string"}}), given, context())

    assert error in str(caught.value)


def test_a_circle_of_defaults_is_an_error() -> None:
    """Parameters whose defaults need each other are refused, not followed for ever."""
    with pytest.raises(TemplateError, match="circular reference"):
        planned(
            parameters={
                "a": {"type": "string", "defaultValue": "[parameters('b')]"},
                "b": {"type": "string", "defaultValue": "[parameters('a')]"},
            }
        )
