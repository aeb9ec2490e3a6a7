"""Reading template text: comments, duplicates, places; and hashing."""

import json

import pytest

from local.arm.engine import (
    NotJsonError,
    TemplateError,
    parse_request,
    parse_template,
    template_hash,
)
from local.arm.engine.documents import place_of

_TEXT = """{
  // line comment with "quotes" and {
  "a": { /* block
  comment */ "b c": [1, {"it's": "x // no comment"}] },
  "n": 12,
}"""


def test_comments_and_trailing_commas_are_allowed() -> None:
    """What ARM tolerates in a template is read; strings stay untouched."""
    assert parse_template(_TEXT) == {"a": {"b c": [1, {"it's": "x // no comment"}]}, "n": 12}
    assert parse_template(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("a", (3, 8)),
        ("a['b c']", (4, 21)),
        ("a['b c'][0]", (4, 22)),
        ("a['b c'][1]['it''s']", (4, 50)),
        ("n", (5, 9)),
        ("a.nothing.below", (3, 8)),
        ("", (1, 1)),
    ],
)
def test_places_are_found_in_the_text(path: str, place: tuple[int, int]) -> None:
    """Line and position are where the value's first token ends, which is what the service counts.

    (A type of 57 letters, indented by 6, is at position 73 in public error reports.) What is
    absent is at its nearest parent.
    """
    assert place_of(parse_template(_TEXT), path) == (*place, path)


def test_without_text_places_count_in_the_compact_form() -> None:
    """A template that came as values has a text all the same: the shortest."""
    assert place_of({"a": {"b": 1}}, "a.b") == (1, 11, "a.b")


def test_a_template_in_a_request_is_placed_in_the_request() -> None:
    """Line, position and path are those of the whole body, as in replies of the service."""
    body = b'{"properties": {"mode": "Incremental",\n "template": {"a": [1, {"b": "x"}]}}}'
    template = parse_request(body)["properties"]["template"]

    assert template == {"a": [1, {"b": "x"}]}
    assert place_of(template, "a[1].b") == (2, 32, "properties.template.a[1].b")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"properties": {"template": {"a": 1, "a": 2}}}', "Path 'properties.template.a', line 1"),
        (
            b'{"properties": {"template": {"a": {"b": 1, "B": 2}}}}',
            "Property with name 'B' already",
        ),
        (b'{"properties": {"template": {"a": 1,}, /* c */ "properties": 1}', "Line 1, position 64"),
        (b'{"properties"', "Line 1, position 14"),
        (b"[" * 100_000, "MaxDepth|cannot be read"),
        (b"\xff{}", "not UTF-8: byte 0"),
    ],
)
def test_a_request_that_is_no_json_is_refused(body: bytes, reason: str) -> None:
    """Broken text and names given twice, in whatever casing, are told with their place."""
    with pytest.raises(NotJsonError, match=reason):
        parse_request(body)


def test_what_only_looks_like_a_name_given_twice_is_read() -> None:
    """Quotes and colons inside texts send the reader the slow way, to the same values."""
    body = json.dumps({"properties": {"template": {"a": '"b": 1, "b": 2', "c\\": 1}}}).encode()

    assert parse_request(body) == json.loads(body)


@pytest.mark.parametrize(
    ("text", "error", "place"),
    [
        ('{"a": 1,\n "A": 2}', "Property with name 'A' already exists", (2, 7)),
        ('{"a": {"x": 1, "x": 2}}', "Path 'a.x', line 1, position 21", (1, 21)),
        ('{"a": 1\n "b": 2}', "line 2, position 2", (2, 2)),
        ('{"a": NaN}', "'NaN' is not a JSON value", (None, None)),
        ("", "Line 1, position 1", (1, 1)),
        (b"\xff", "not UTF-8", (None, None)),
        ("[" * 5_000, "cannot be read", (None, None)),
        ("[" * 100 + "]" * 100, "nests deeper than '64'", (None, None)),
        ('"' + "x" * (4 * 1024 * 1024) + '"', "larger than the maximum", (None, None)),
    ],
)
def test_text_that_is_no_template_is_refused_with_its_place(
    text: str | bytes, error: str, place: tuple[int | None, int | None]
) -> None:
    """The error says what is wrong and where."""
    with pytest.raises(TemplateError) as caught:
        parse_template(text)

    assert error.lower() in str(caught.value).lower()
    assert (caught.value.line, caught.value.position) == place


def test_template_hash_matches_the_service() -> None:
    """A reply of the real service pins the hash; comments and blanks do not count."""
    text = """{ // comment
      "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentParameters.json#",
      "contentVersion": "1.0.0.0", "resources": [] }"""

    assert template_hash(parse_template(text)) == "3965660584125802942"
    assert template_hash(json.loads(json.dumps(parse_template(text)))) == "3965660584125802942"
