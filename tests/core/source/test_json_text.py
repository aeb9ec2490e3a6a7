"""JSON as ARM's tools take it, and a line and column for everything else."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.source.codes import PROBLEM_CODES
from shared.core.source.faults import SourceError
from shared.core.source.json_text import lines_of, parse_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        ("\ufeff [ ] ", []),
        ('// first\n{"a": /* in the middle */ 1 // last\n}\n// end', {"a": 1}),
        ("/**/[/***/1/* * / **/]", [1]),
        ('{"url": "https://x/*y*/"}', {"url": "https://x/*y*/"}),
        ('["one\n      two"]', ["one two"]),
        ('["one  \r\n\r\n two"]', ["one two"]),
        ("[\"[concat(\n  'a',\n  'b')]\"]", ["[concat( 'a', 'b')]"]),
        (r'["\"\\\/\b\f\n\r\tA\ud83d\ude00"]', ['"\\/\b\f\n\r\tA😀']),
        ('["a\tb"]', ["a\tb"]),
        ("[-0, 10, -9223372036854775808, 1.50, 1e2, 1E-2]", [0, 10, -(2**63), 1.5, 100.0, 0.01]),
        ("[true, false, null]", [True, False, None]),
        ('"text"', "text"),
    ],
)
def test_what_is_taken(text: str, value: Any) -> None:
    """Comments, several lines, and JSON."""
    found = parse_json(text.encode(), "a.json")

    assert found == value
    assert json.dumps(found) == json.dumps(value)


@pytest.mark.parametrize(
    ("text", "says", "line", "column"),
    [
        ("", "is empty", 1, 1),
        ("// only a comment", "is empty", 1, 18),
        ("{} {}", "follows", 1, 4),
        ("{", "key in double quotes", 1, 2),
        ('{"a" 1}', "colon", 1, 6),
        ('{"a": }', "value is missing", 1, 7),
        ('{"a": 1 "b": 2}', "comma or }", 1, 9),
        ('{\n "a": 1,\n}', "behind the last", 3, 1),
        ("[1,]", "behind the last", 1, 4),
        ("[,]", "value is missing", 1, 2),
        ("[1", "comma or ]", 1, 3),
        ("[", "ends in the middle", 1, 2),
        ("{a: 1}", "key in double quotes", 1, 2),
        ("['a']", "single quotes", 1, 2),
        ('["a', "not closed", 1, 2),
        ('["a\\"]', "not closed", 1, 2),
        ("[1 /* ]", "comment is not closed", 1, 4),
        ("[1 / 2]", "comment is not closed", 1, 4),
        (r'["\x"]', "escape", 1, 2),
        (r'["\u12"]', "escape", 1, 2),
        (r'["\ud800"]', "half a character", 1, 2),
        ('["\x01"]', "control character", 1, 2),
        ("[01]", "not a number", 1, 2),
        ("[-]", "not a number", 1, 2),
        ("[1.]", "not a number", 1, 2),
        ("[1a]", "not a number", 1, 2),
        ("[٣]", "not a number", 1, 2),
        ("[9223372036854775808]", "64 bits", 1, 2),
        (f"[{'9' * 5000}]", "64 bits", 1, 2),
        ("[1e999]", "64 bits", 1, 2),
        ("[NaN]", "value is missing", 1, 2),
        ("[Infinity]", "value is missing", 1, 2),
        ("[True]", "value is missing", 1, 2),
        ("[.5]", "value is missing", 1, 2),
        ("[+5]", "value is missing", 1, 2),
    ],
)
def test_what_is_refused(text: str, says: str, line: int, column: int) -> None:
    """The message says what is wrong, and in which line and column."""
    with pytest.raises(SourceError) as caught:
        parse_json(text.encode(), "a.json")

    (problem,) = caught.value.problems
    assert problem.code == "NotJson"
    assert says in problem.message
    assert problem.message.endswith(f"(line {line}, column {column}).")
    assert (problem.file, problem.line) == ("a.json", line)
    assert problem.hint


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"{\n\xff", "NotText", 2),
        (b"[" * 101 + b"]" * 101, "TooDeep", 1),
        (b"[" * 1_000_000, "TooDeep", 1),
        (b'{"a":' * 200_000, "TooDeep", 1),
        (b" " * (4 * 1024 * 1024 + 1), "FileTooLarge", None),
    ],
)
def test_limits(data: bytes, code: str, line: int | None) -> None:
    """Bombs end early, with a problem."""
    with pytest.raises(SourceError) as caught:
        parse_json(data, "a.json")

    (problem,) = caught.value.problems
    assert (problem.code, problem.line) == (code, line)
    assert problem.code in PROBLEM_CODES
    assert problem.hint


def test_keys_that_are_one_to_arm() -> None:
    """Every repeated key is told, also if only upper and lower case differ."""
    with pytest.raises(SourceError) as caught:
        parse_json(b'{"a": 1,\n"A": 2,\n"b": {"c": [{"d": 1, "d": 2}]}}', "a.json")

    assert [(each.code, each.path, each.line) for each in caught.value.problems] == [
        ("DuplicateKey", "A", 2),
        ("DuplicateKey", "b.c[0].d", 3),
    ]


def test_messages_hold_no_content() -> None:
    """A syntax error beside a secret does not print the secret."""
    with pytest.raises(SourceError) as caught:
        parse_json(b'{"adminPassword": "hunter2" "x": "hunter2\\x"}', "a.json")

    assert "hunter2" not in repr(caught.value.problems)


def test_lines_of_every_path() -> None:
    """Problems found later still know their lines."""
    assert lines_of(b'{\n"a": [\n1,\n{"b c": 2}],\n"d":\n3}') == {
        "a": 2,
        "a[0]": 3,
        "a[1]": 4,
        "a[1]['b c']": 4,
        "d": 5,
    }


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from([{}, {"ensure_ascii": False}, {"indent": 2}]))
def test_reads_what_the_standard_library_writes(value: Any, style: dict[str, Any]) -> None:
    """All of JSON, with its kinds of numbers."""
    text = json.dumps(value, **style)

    assert json.dumps(parse_json(text.encode(), "a.json")) == json.dumps(value)


@given(st.binary(max_size=60) | st.text('{}[]",:/*\\ \n1eE.-tfnu', max_size=60).map(str.encode))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Whatever a file holds is read or refused."""
    with contextlib.suppress(SourceError):
        parse_json(data, "a.json")
