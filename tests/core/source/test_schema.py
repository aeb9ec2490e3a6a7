"""The generated docs are up to date, and the schema says what the parser does."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from shared.core.source import codes, schema
from shared.core.source.manifest import parse_manifest
from tests.core.source.test_manifest_problems import HEAD, STACK_CASES
from tests.core.source.test_shop import SHOP

DOCS = Path(__file__).resolve().parents[3] / "docs"
SCHEMA = json.loads(schema.manifest_schema())


def accepts(document: Any) -> bool:
    """Tell whether the schema takes a manifest."""
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(document))


def test_the_committed_schema_is_up_to_date() -> None:
    """Run the docs generator when this fails."""
    assert (DOCS / "manifest.schema.json").read_text() == schema.manifest_schema()


def test_the_committed_reference_is_up_to_date() -> None:
    """Run the docs generator when this fails."""
    page = (DOCS / "manifest.md").read_text()

    assert page == schema.manifest_reference(page)
    assert all(f"| `{code}` |" in page for code in codes.PROBLEM_CODES)


def test_a_page_without_its_markers_is_refused() -> None:
    """A generator that silently writes a table nowhere, or over text, would be worse."""
    with pytest.raises(ValueError, match="generated:defaults"):
        schema.manifest_reference("# The manifest\n")


def test_the_schema_is_a_schema_and_takes_the_example() -> None:
    """Editors check against it."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert accepts(yaml.safe_load((SHOP / "plumbline.yaml").read_text()))


@pytest.mark.parametrize(
    "entry",
    [entry for entry, code, _, _ in STACK_CASES if code in {"UnknownKey", "TemplateMissing"}],
)
def test_the_schema_refuses_keys_that_the_parser_refuses(entry: str) -> None:
    """Keys and what is required are the same in both."""
    assert not accepts(yaml.safe_load(f"{HEAD}  bad: {entry}\n"))


@pytest.mark.parametrize(
    "text",
    ["version: 2\nstacks: {a: {template: t}}", "version: 1", "version: 1\nstacks: {}",
     "version: 1\nstacks: {A: {template: t}}", "version: 1\nstacks: {a: {template: 5}}",
     "version: 1\nstacks: {a: {template: t, scope: null}}", "version: 1\ndefaults: {template: t}"],
)  # fmt: skip
def test_the_schema_refuses_what_the_parser_refuses(text: str) -> None:
    """Version, names and types."""
    manifest = parse_manifest(text.encode(), "plumbline.yaml")

    assert manifest.problems or manifest.broken
    assert not accepts(yaml.safe_load(text))
