"""Binding expressions."""

import json
import re

import pytest

from local.host import expressions

DATA = {"name": "n", "Nested": {"Deep": {"x": 1}}, "list": [1, 2], "flag": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{name}", "n"),
        ("a/{NAME}.txt", "a/n.txt"),
        ("{nested.deep.X}", "1"),
        ("{list}", "[1, 2]"),
        ("{nested.deep}", '{"x": 1}'),
    ],
)
def test_fill(text: str, expected: str) -> None:
    """Names are found without regard to case, dots reach into objects."""
    assert expressions.fill(text, DATA) == expected


def test_built_in_names() -> None:
    """A new GUID each time, and the time in a form that is safe in a blob name."""
    one, other = (expressions.fill("{rand-guid}", {}) for _ in range(2))

    assert one != other
    assert re.fullmatch(r"[0-9a-f-]{36}", one)
    assert re.fullmatch(r"[0-9TZ-]{20}", expressions.fill("{DateTime}", {}))


@pytest.mark.parametrize("text", ["{missing}", "{name.deeper}", "{nested.missing}"])
def test_unknown_name(text: str) -> None:
    """A name without a value is an error that says so."""
    with pytest.raises(expressions.ExpressionError, match="no value for the named parameter"):
        expressions.fill(text, DATA)


def test_settings() -> None:
    """`%NAME%` is a setting; an unknown one is an error with its name."""
    assert expressions.resolve("x-%A%-%B%", {"A": "1", "B": "2"}) == "x-1-2"
    with pytest.raises(expressions.ExpressionError, match="%C%"):
        expressions.resolve("%C%", {})


@pytest.mark.parametrize(
    ("body", "expected"), [('{"a": 1}', {"a": 1}), ("[1]", {}), ("{broken", {}), ("text", {})]
)
def test_json_properties(body: str, expected: dict[str, int]) -> None:
    """Only a JSON object has properties."""
    assert expressions.json_properties(body) == expected


@pytest.mark.parametrize("depth", [990, 5_000, 500_000])
def test_a_body_nested_deep_has_no_properties(depth: int) -> None:
    """Anybody may send one: it is read for binding expressions before any signature is checked."""
    assert expressions.json_properties('{"a":' * depth) == {}
    assert isinstance(expressions.json_properties('{"a":' * depth + "1" + "}" * depth), dict)


def test_a_body_of_megabytes_is_not_read() -> None:
    """Names come from short bodies; a caller's large one costs nothing."""
    text = json.dumps({"a": "x" * expressions.LONGEST_BODY})

    assert expressions.json_properties(text) == {}
    assert expressions.json_properties(text.replace("x" * 100, "")) != {}


def test_a_value_that_cannot_be_written_is_an_error_with_its_name() -> None:
    """What is nested too deep to be written is the message's mistake, not the host's end."""
    deep: object = 1
    for _ in range(5000):
        deep = {"a": deep}

    with pytest.raises(expressions.ExpressionError, match="'deep' cannot be written"):
        expressions.fill("{deep}", {"deep": deep})
