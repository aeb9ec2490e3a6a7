"""The manifest's JSON Schema and its reference page, generated from the structs that describe it.

Editors complete and check ``plumbline.yaml`` with the schema; the docs generator writes what these
functions return. Nothing is written here.
"""

import json
from typing import Any

import msgspec

from shared.core.source.codes import PROBLEM_CODES
from shared.core.source.written import Defaults, DriftEntry, IgnoreEntry, ManifestFile, StackEntry

_SCHEMA_URL = "https://json-schema.org/draft/2020-12/schema"
_END = "<!-- end -->"
_TITLE = "plumbline.yaml"


def manifest_schema() -> str:
    """Return the JSON Schema of the manifest, as text that ends with a line break. Pure."""
    found = msgspec.json.schema(ManifestFile)
    root = found["$defs"].pop(ManifestFile.__name__)
    schema = {"$schema": _SCHEMA_URL, **root, "title": _TITLE, "$defs": found["$defs"]}
    return json.dumps(schema, indent=2) + "\n"


def problem_table() -> str:
    """Return a Markdown table of the problem codes of this package. Pure."""
    rows = [f"| `{code}` | {meaning} |" for code, meaning in sorted(PROBLEM_CODES.items())]
    return "\n".join(["| code | meaning |", "|---|---|", *rows]) + "\n"


def field_table(kind: type[msgspec.Struct]) -> str:
    """Return a Markdown table of a struct's fields as users write them. Pure."""
    schema: dict[str, Any] = msgspec.json.schema(kind)["$defs"][kind.__name__]
    rows = [
        f"| `{name}` | {'yes' if name in schema.get('required', ()) else 'no'} | "
        f"{member['description']} |"
        for name, member in schema["properties"].items()
    ]
    return "\n".join(["| key | required | meaning |", "|---|---|---|", *rows]) + "\n"


def manifest_reference(page: str) -> str:
    """Return docs/manifest.md with its generated parts brought up to date. Pure.

    ``page`` is the page as it is; each part lies between ``<!-- generated:NAME -->`` and
    ``<!-- end -->``. Raises ValueError for a page without them.
    """
    for name, table in manifest_tables().items():
        start = f"<!-- generated:{name} -->\n"
        before, found, rest = page.partition(start)
        if not found or _END not in rest:
            raise ValueError(f"the page has no part between {start.strip()} and {_END}")
        page = f"{before}{start}\n{table}\n{_END}{rest.partition(_END)[2]}"
    return page


def manifest_tables() -> dict[str, str]:
    """Return the generated parts of docs/manifest.md by the name of their marker. Pure."""
    return {
        "defaults": field_table(Defaults),
        "stack": field_table(StackEntry),
        "drift": field_table(DriftEntry),
        "ignore": field_table(IgnoreEntry),
        "codes": problem_table(),
    }
