"""Input made to do harm: each ends in ARM's code and sentence, within bounds of time and memory."""

import resource as process
import time
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from local.arm.engine import NotJsonError, TemplateError, parse_request, parse_template, plan
from tests.engine.world import Answers, context, planned, resource, template, value_of

_MEGABYTE = 1024 * 1024
_SECONDS = 5.0
_GROWTH_KB = 300 * 1024


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    """Fail a test that takes long or makes the process grow."""
    started, peak = time.process_time(), process.getrusage(process.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - started < _SECONDS
    assert process.getrusage(process.RUSAGE_SELF).ru_maxrss - peak < _GROWTH_KB


def _copied(count: Any, **loop: Any) -> dict[str, Any]:
    return resource("[string(copyIndex())]", copy={"name": "l", "count": count, **loop})


@pytest.mark.parametrize(
    ("count", "error"),
    [
        (801, "The copy count '801' of 'l' is not valid: it must be from 0 to '800'"),
        (-1, "The copy count '-1' of 'l' is not valid"),
        ("8", "must be an integer: it is of type 'String'"),
        ("[length(range(0, 10000))]", "The copy count '10000'"),
        (2**40, "The copy count '1099511627776'"),
        (None, "must be an integer: it is of type 'Null'"),
    ],
)
def test_copy_counts_go_from_nothing_to_eight_hundred(count: Any, error: str) -> None:
    """The ends are allowed; one more, one less or no integer at all is refused by name."""
    assert len(planned(resources=[_copied(0)]).resources) == 0
    assert len(planned(resources=[_copied(800)]).resources) == 800
    with pytest.raises(TemplateError) as caught:
        planned(resources=[_copied(count)])

    assert caught.value.code == "InvalidTemplate"
    assert error in caught.value.message
    assert caught.value.path is not None
    assert caught.value.path.startswith("resources[0]")


def _loops(depth: int, count: int) -> Any:
    value: Any = "x"
    for level in range(depth):
        value = {"copy": [{"name": f"c{level}", "count": count, "input": value}]}
    return value


@pytest.mark.parametrize(
    ("sections", "error"),
    [
        ({"resources": [resource("a", properties=_loops(8, 800))]}, "too complex|larger than"),
        ({"variables": _loops(6, 800)}, "too complex|larger than"),
        ({"outputs": {"o": {"type": "array", "copy": {"count": 800, "input": _loops(4, 800)}}}},
         "too complex|larger than"),
        ({"resources": [_copied(800, mode="serial", batchSize=0)]}, "must be a positive integer"),
    ],
)  # fmt: skip
def test_loops_inside_loops_do_not_multiply_without_end(
    sections: dict[str, Any], error: str
) -> None:
    """Eight hundred to the eighth power is refused, not tried."""
    with pytest.raises(TemplateError, match=error):
        planned(**sections)


@pytest.mark.parametrize(
    "expression",
    [
        "range(0, 10001)",
        "range(2147483640, 100)",
        "map(range(0, 10000), lambda('i', range(0, 10000)))",
        "string(map(range(0, 10000), lambda('i', padLeft('', 10000, 'x'))))",
        "reduce(range(0, 100), 'x', lambda('a', 'b', concat(lambdaVariables('a'), lambdaVariables('a'))))",
        "reduce(range(0, 100), 'x', lambda('a', 'b', replace(lambdaVariables('a'), 'x', 'xx')))",
        "reduce(range(0, 100), 'x', lambda('a', 'b', format('{0}{0}', lambdaVariables('a'))))",
        "reduce(range(0, 100), 'x', lambda('a', 'b', join(createArray(lambdaVariables('a'), lambdaVariables('a')), '')))",
        "reduce(range(0, 100), 'x', lambda('a', 'b', uriComponent(concat('%', lambdaVariables('a')))))",
        "reduce(range(0, 99), createArray(1), lambda('a', 'b', concat(lambdaVariables('a'), lambdaVariables('a'))))",
        "reduce(range(0, 100), createObject('a', 1), lambda('a', 'b', createObject('a', lambdaVariables('a'), 'b', lambdaVariables('a'))))",
        "padLeft('x', 2147483647)",
        "format('{0,2147483647}', 'x')",
        "format('{0:D2147483647}', 1)",
        "format('{0:N999999999}', 1)",
        "dateTimeAdd('2026-01-01', 'P999999999Y')",
        "cidrSubnet('::/0', 128, 999999999999999999)",
        "split(padLeft('', 100000, ','), createArray(',', ',,', ',,,'))",
        "mul(9223372036854775807, 2)",
        "json(concat(padLeft('', 3000, '['), padLeft('', 3000, ']')))",
    ],
)  # fmt: skip
def test_values_cannot_grow_without_end(expression: str) -> None:
    """Whatever a function makes of little, it is bounded; what is harmless comes to a value."""
    with suppress(TemplateError):
        value = value_of(f"[{expression}]")

        assert len(str(value)) < 10 * _MEGABYTE


@pytest.mark.parametrize("wrong", [24_577, 100_000])
def test_an_expression_has_at_most_24576_characters(wrong: int) -> None:
    """The limit counts the brackets; the longest that ARM takes is evaluated."""
    frame = len("[length('')]")

    assert value_of(f"[length('{'x' * (24_576 - frame)}')]") == 24_576 - frame
    with pytest.raises(
        TemplateError, match=f"maximum length of '24576' characters: it has '{wrong}'"
    ):
        value_of(f"[length('{'x' * (wrong - frame)}')]")


@pytest.mark.parametrize(
    "deep",
    [
        {"variables": {"v": eval("[" * 100 + "]" * 100)}},  # noqa: S307 - a literal of brackets
        {"outputs": {"o": {"type": "string", "value": "[" + "concat(" * 100 + "'x'" + ")" * 100 + "]"}}},
        {"outputs": {"o": {"type": "string", "value": "[parameters('p')" + "[0]" * 100 + "]"}}},
        {"resources": [resource("a", properties=eval("{'a':" * 100 + "1" + "}" * 100))]},  # noqa: S307
    ],
    ids=["json", "calls", "accesses", "properties"],
)  # fmt: skip
def test_what_nests_a_hundred_deep_is_refused(deep: dict[str, Any]) -> None:
    """JSON, calls and accesses alike, without touching Python's own limit."""
    with pytest.raises(TemplateError, match="nest"):
        planned(**deep)


_CIRCLES: list[tuple[dict[str, Any], str]] = [
    ({"variables": {"a": "[variables('b')]", "b": "[variables('A')]"}}, "circular reference detected"),
    ({"parameters": {"a": {"type": "string", "defaultValue": "[parameters('a')]"}}}, "circular reference"),
    ({"resources": [resource("a", dependsOn=["b"]), resource("b", dependsOn=["a"])]}, "Circular dependency detected on resource"),
    ({"resources": [resource("a", properties={"x": "[reference('b').y]"}), resource("b", properties={"x": "[reference('a').y]"})]},
     "Circular dependency detected"),
    ({"functions": [{"namespace": "n", "members": {"f": {"output": {"type": "int", "value": "[n.f()]"}}}}],
      "outputs": {"o": {"type": "int", "value": "[n.f()]"}}}, "nest deeper"),
    ({"languageVersion": "2.0", "resources": {}, "definitions": {"t": {"$ref": "#/definitions/t"}},
      "parameters": {"p": {"$ref": "#/definitions/t"}}}, "refers to itself"),
]  # fmt: skip


@pytest.mark.parametrize(("sections", "error"), _CIRCLES)
def test_circles_are_found(sections: dict[str, Any], error: str) -> None:
    """Variables, defaults, resources, functions and types that lead back to themselves."""
    with pytest.raises(TemplateError, match=error) as caught:
        planned(**sections)

    assert caught.value.code == "InvalidTemplate"


def test_a_template_has_at_most_four_megabytes() -> None:
    """One byte more than 4 MB is refused; 4 MB sharp are read."""
    head, tail = '{"a": "', '"}'
    room = 4 * _MEGABYTE - len(head) - len(tail)

    assert len(parse_template(head + "x" * room + tail)["a"]) == room
    with pytest.raises(TemplateError, match="larger than the maximum of '4194304' bytes"):
        parse_template(head + "x" * (room + 1) + tail)


def test_parameters_of_four_megabytes_are_planned_and_larger_values_refused() -> None:
    """A parameter may be large; what an expression makes of it may not be larger still."""
    sections = template(
        parameters={"p": {"type": "string"}},
        outputs={"o": {"type": "int", "value": "[length(parameters('p'))]"}},
    )
    large = {"p": {"value": "x" * (3 * _MEGABYTE)}}

    assert plan(sections, large, context()).outputs(Answers())["o"]["value"] == 3 * _MEGABYTE
    sections["outputs"]["o"] = {
        "type": "string",
        "value": "[concat(parameters('p'), parameters('p'))]",
    }
    with pytest.raises(TemplateError, match=r"larger than|too complex"):
        plan(sections, large, context()).outputs(Answers())


def test_a_resource_has_at_most_one_megabyte_when_compressed() -> None:
    """Text that compresses well is small to ARM; noise of more than 1 MB is refused by code."""
    noise = "".join(chr(0x4E00 + digit) for digit in Random(1).choices(range(20_000), k=700_000))

    assert planned(resources=[resource("a", properties={"x": "y" * (2 * _MEGABYTE)})]).resources
    with pytest.raises(TemplateError) as caught:
        planned(resources=[resource("a", properties={"x": noise})])
    assert caught.value.code == "JobSizeExceeded"


@pytest.mark.parametrize(
    "body",
    [
        b'{"properties": {"template": ' + b"[" * 200_000,
        b'{"properties": {"template": {"a": ' + b"9" * 5_000 + b"}}}",
        b"/" + b"*" * 500_000,
        b"/*" * 250_000,
        b'"' + b"\\" * 500_001,
        b'"' + b'\\"' * 250_000,
        b"//" * 250_000 + b"\n{",
        b"," * 500_000,
        b'{"a":' * 20_000,
        b'{"a' + b" " * 500_000 + b'" 1',
    ],
    ids=range(10),
)
def test_requests_made_to_choke_the_reader_are_refused(body: bytes) -> None:
    """Each is told to be no JSON, at once."""
    with pytest.raises(NotJsonError):
        parse_request(body)
