"""Variables and user functions."""

from typing import Any

import pytest

from local.arm.engine import TemplateError
from tests.engine.world import value_of


def test_variables_may_use_each_other_in_any_order_and_casing() -> None:
    """A variable that is asked for may use others, declared before it or after."""
    variables = {
        "full": "[concat(variables('base').name, string(variables('BASE').KEY1))]",
        "base": {"name": "shop", "[concat('key', '1')]": 1},
    }

    assert value_of("[variables('full')]", variables=variables) == "shop1"


def test_a_variable_that_fails_refuses_the_template_though_nobody_asks_for_it() -> None:
    """ARM evaluates all variables; only what an if() does not choose is left alone."""
    with pytest.raises(TemplateError) as caught:
        value_of("[variables('kept')]", variables={"kept": 1, "wrong": "[fail('no')]"})

    assert caught.value.message == (
        "Deployment template validation failed: 'The template variable 'wrong' is not valid: no. "
        "Please see https://aka.ms/arm-template-expressions for usage details.'."
    )
    assert caught.value.path == "variables.wrong"
    assert value_of("[variables('kept')]", variables={"kept": "[if(true(), 1, fail('no'))]"}) == 1


def test_a_bare_copyindex_in_a_variable_copy_means_that_copy() -> None:
    """Public templates leave the name of the loop out where there is no other."""
    copies = [{"name": "v", "count": 3, "input": "[mul(copyIndex(), 2)]"}]

    assert value_of("[variables('v')]", variables={"copy": copies}) == [0, 2, 4]


def test_variable_copies_make_arrays_at_the_root_and_inside_objects() -> None:
    """`copy` in variables names the array it makes; copyIndex takes that name and an offset."""
    variables: dict[str, Any] = {
        "copy": [
            {"name": "top", "count": 2, "input": "[concat('t', string(copyIndex('top', 1)))]"}
        ],
        "inner": {
            "kept": True,
            "copy": [
                {"name": "a", "count": 2, "input": {"i": "[copyIndex('a')]"}},
                {"name": "none", "count": 0, "input": 1},
            ],
        },
    }

    assert value_of("[variables('top')]", variables=variables) == ["t1", "t2"]
    assert value_of("[variables('inner')]", variables=variables) == {
        "kept": True,
        "a": [{"i": 0}, {"i": 1}],
        "none": [],
    }


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"v": "[variables('v')]"}, "circular reference"),
        ({"v": "[reference('x')]"}, "The template function 'reference' is not expected at this"),
        ({"v": {"copy": [{"name": "a", "count": 801, "input": 1}]}}, "must be from 0 to '800'"),
        ({"v": {"copy": [{"name": "a", "count": -1, "input": 1}]}}, "must be from 0 to '800'"),
        ({"v": {"copy": [{"name": "a", "count": "x", "input": 1}]}}, "must be an integer"),
        ({"v": {"a": 1, "copy": [{"name": "A", "count": 1, "input": 1}]}}, "more than once"),
    ],
)
def test_wrong_variables_are_refused(variables: dict[str, Any], error: str) -> None:
    """The error reaches whoever used the variable."""
    with pytest.raises(TemplateError) as caught:
        value_of("[variables('v')]", variables=variables)

    assert error in str(caught.value)


def test_user_functions_see_their_own_parameters_and_each_other() -> None:
    """Functions are found by namespace and name, in any casing."""
    functions = [
        {
            "namespace": "__bicep",
            "members": {
                "twice": {
                    "parameters": [{"name": "x", "type": "string"}],
                    "output": {
                        "type": "string",
                        "value": "[concat(parameters('x'), parameters('X'))]",
                    },
                },
                "four": {
                    "parameters": [{"name": "y", "type": "string"}],
                    "output": {
                        "type": "object",
                        "value": {"it": "[__bicep.twice(__bicep.twice(parameters('y')))]"},
                    },
                },
            },
        }
    ]

    assert value_of("[__BICEP.Four('ab').it]", functions=functions) == "abababab"
    with pytest.raises(TemplateError, match=r"expects '1' argument\(s\) while '2' were provided"):
        value_of("[__bicep.twice('a', 'b')]", functions=functions)
    with pytest.raises(TemplateError, match=r"The template function '__bicep.nope' is not valid"):
        value_of("[__bicep.nope()]", functions=functions)


def test_an_error_inside_a_function_is_placed_at_its_call() -> None:
    """The path leads to the expression that calls, not into the function's own output."""
    member = {"parameters": [], "output": {"type": "object", "value": {"deep": ["[int('x')]"]}}}
    with pytest.raises(TemplateError) as caught:
        value_of("[ns.f()]", functions=[{"namespace": "ns", "members": {"f": member}}])

    assert caught.value.path == "outputs.it.value[0]"


def test_a_function_that_calls_itself_ends_in_an_error() -> None:
    """Endless recursion is refused by depth, not by a crash."""
    again = {"parameters": [], "output": {"type": "int", "value": "[ns.f()]"}}
    with pytest.raises(TemplateError, match="nest deeper"):
        value_of("[ns.f()]", functions=[{"namespace": "ns", "members": {"f": again}}])
