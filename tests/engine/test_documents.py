"""Reading template text: comments, duplicates, places; and hashing."""

import json

import pytest

from local.arm.engine import TemplateError, parse_template, template_hash
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
        ("a['b c'][1]['it''s']", (4, 34)),
        ("n", (5, 8)),
        ("a.nothing.below", (3, 8)),
        ("", (1, 1)),
    ],
)
def test_places_are_found_in_the_text(path: str, place: tuple[int, int]) -> None:
    """Line and position point at the value; what is absent points at its nearest parent."""
    assert place_of(parse_template(_TEXT), path) == (*place, path)


def test_without_text_places_count_in_the_compact_form() -> None:
    """Templates that came inside a request body are counted as ARM counts them: on line 1."""
    assert place_of({"a": {"b": 1}}, "a.b") == (1, 11, "a.b")


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
