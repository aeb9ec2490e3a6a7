"""ARM's limits, and templates made to cost time or memory: all end in an error, soon."""

import time
from typing import Any

import pytest

from local.arm.engine import TemplateError
from tests.engine.world import planned, resource, value_of

_MANY_STRINGS = {f"p{n}": {"type": "string", "defaultValue": "x"} for n in range(257)}
_DOUBLING = {
    "v0": "x" * 64,
    **{f"v{n}": f"[concat(variables('v{n - 1}'), variables('v{n - 1}'))]" for n in range(1, 40)},
}
_LAUGHS: dict[str, Any] = {"v0": ["lol"] * 10}
_LAUGHS |= {f"v{n}": [f"[variables('v{n - 1}')]"] * 10 for n in range(1, 12)}
_CHAIN = {**{f"v{n}": f"[variables('v{n - 1}')]" for n in range(299, 0, -1)}, "v0": "end"}
_SHORT_CHAIN = {f"v{n}": _CHAIN[f"v{n}"] for n in range(40, -1, -1)}
_SLOW = "[length(map(range(0, 10000), lambda('i', map(range(0, 10000), lambda('j', 1)))))]"
_GROWING = "[reduce(range(0, 60), createArray(1), lambda('a', 'b', createArray(lambdaVariables('a'), lambdaVariables('a'))))]"


@pytest.mark.parametrize(
    ("sections", "error"),
    [
        (
            {"parameters": _MANY_STRINGS},
            "The number of template parameters limit exceeded. Limit: '256'",
        ),
        ({"variables": {f"v{n}": 1 for n in range(513)}}, "Limit: '512' and actual: '513'"),
        ({"outputs": {f"o{n}": {"type": "int", "value": 1} for n in range(65)}}, "Limit: '64'"),
        (
            {"resources": [resource(str(n)) for n in range(801)]},
            "resources limit exceeded. Limit: '800'",
        ),
        (
            {
                "resources": [
                    resource(
                        f"[concat('{letter}', copyIndex())]", copy={"name": letter, "count": 500}
                    )
                    for letter in "ab"
                ]
            },
            "resources limit exceeded",
        ),
    ],
)
def test_arms_own_limits_hold(sections: dict[str, Any], error: str) -> None:
    """One more than ARM allows is refused with ARM's numbers."""
    with pytest.raises(TemplateError) as caught:
        planned(**sections)

    assert error in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "variables"),
    [
        ("[length(variables('v39'))]", _DOUBLING),
        ("[variables('v11')]", _LAUGHS),
        ("[string(variables('v11'))]", _LAUGHS),
        ("[variables('v299')]", _CHAIN),
        (_SLOW, {}),
        (_GROWING, {}),
        (f"[string({_GROWING[1:-1]})]", {}),
        ("[" + "concat(" * 200 + "'x'" + ")" * 200 + "]", {}),
        ("[parameters('p')" + ".x" * 200 + "]", {}),
        ("[concat('" + "x" * 24_576 + "')]", {}),
        ("[padLeft('x', 2147483647)]", {}),
        ("[replace(padLeft('', 100000, 'a'), 'a', padLeft('', 100000, 'b'))]", {}),
        ("[json('" + "[" * 500 + "]" * 500 + "')]", {}),
        ("[format('{0,99999999}', 'x')]", {}),
    ],
    ids=range(14),
)
def test_costly_templates_are_refused_soon(expression: str, variables: dict[str, Any]) -> None:
    """Work and memory are bounded; the answer is an error within seconds, not an outage."""
    started = time.process_time()
    with pytest.raises(TemplateError):
        value_of(expression, variables=variables)

    assert time.process_time() - started < 5


def test_a_chain_of_variables_as_long_as_people_write_them_works() -> None:
    """Forty variables, each built on the one before, are no problem."""
    assert value_of("[variables('v40')]", variables=_SHORT_CHAIN) == "end"


def test_eight_hundred_resources_are_planned_in_seconds() -> None:
    """The largest template that ARM takes is planned in reasonable time."""
    started = time.process_time()
    plan_ = planned(
        resources=[
            resource(
                "[format('t{0}', copyIndex())]",
                copy={"name": "l", "count": 800},
                tags={"a": "[concat('x', copyIndex())]"},
                properties={
                    "x": "[reference(resourceId('Microsoft.Rp/things', 'z'), '2020-01-01').y]"
                },
            )
        ]
    )

    assert len(plan_.resources) == 800
    assert time.process_time() - started < 5
