"""Reads parameter files: each entry is a plain value or a reference to a Key Vault secret."""

import re
from typing import Any

from shared.core.source.arm_json import Json, member, member_key
from shared.core.source.faults import Place, Problems, SourceError, shown
from shared.core.source.json_file import JsonFile

_SCHEMA_HINT = (
    '{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#", '
    '"contentVersion": "1.0.0.0", "parameters": {"name": {"value": ...}}}'
)
_VAULT_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.KeyVault/vaults/[^/]+",
    re.IGNORECASE,
)
_REFERENCE_HINT = (
    'Write {"reference": {"keyVault": {"id": "<full id of the vault>"}, "secretName": "<name>"}}.'
)
_ENTRY_HINT = 'Write {"value": ...}, or {"reference": {"keyVault": ..., "secretName": ...}}.'


def entries_of(file: JsonFile) -> dict[str, dict[str, Any]]:
    """Return a parameter file's entries, name -> {"value"} or {"reference"}.

    Raises SourceError (InvalidParameters) for a file or entries of another shape.
    """
    content = file.value
    if not isinstance(content, dict):
        raise file.place("").error("InvalidParameters", "This is not a JSON object.", _SCHEMA_HINT)
    if member_key(content, "resources") is not None:
        raise file.place("").error(
            "InvalidParameters",
            "This is a template, not a parameter file.",
            "Name templates under template, and parameter files under parameters.",
        )
    schema = member(content, "$schema")
    if schema is not None and "deploymentparameters.json" not in str(schema).lower():
        raise file.place("$schema").error(
            "InvalidParameters", "$schema does not name deployment parameters.", _SCHEMA_HINT
        )
    key = member_key(content, "parameters")
    parameters = content[key] if key is not None else None
    if not isinstance(parameters, dict):
        raise file.place(key or "").error(
            "InvalidParameters", "The file has no object called parameters.", _SCHEMA_HINT
        )
    problems: Problems = []
    found: dict[str, dict[str, Any]] = {}
    for name, entry in parameters.items():
        read = _entry(name, entry, file.place(f"{key}.{name}"), problems)
        if read is not None:
            found[name] = read
    if problems:
        raise SourceError(problems)
    return found


def _entry(name: str, entry: Any, place: Place, problems: Problems) -> dict[str, Any] | None:
    if not isinstance(entry, dict):
        fault = "is not an object"
    elif member_key(entry, "expression") is not None:
        fault = "is an expression, which Plumbline cannot send yet"
    elif (member_key(entry, "value") is None) == (member_key(entry, "reference") is None):
        fault = "has neither or both of value and reference"
    elif member_key(entry, "reference") is None:
        return {"value": member(entry, "value")}
    else:
        reference = member(entry, "reference")
        if check_reference(reference, place, problems):
            return {"reference": reference}
        return None
    problems.append(
        place.problem("InvalidParameters", f"The entry {shown(name)} {fault}.", _ENTRY_HINT)
    )
    return None


def looks_like_reference(value: Any) -> bool:
    """Tell whether a manifest's value is meant as a Key Vault reference. Pure."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and isinstance(member(value, "reference"), dict)
        and member_key(member(value, "reference"), "keyVault") is not None
    )


def check_reference(reference: Any, place: Place, problems: Problems) -> bool:
    """Note what is wrong with a Key Vault reference; True when nothing is."""
    fault = _reference_fault(reference)
    if fault is None:
        return True
    problems.append(
        place.problem("BadReference", f"This Key Vault reference {fault}.", _REFERENCE_HINT)
    )
    return False


def _reference_fault(reference: Any) -> str | None:
    if not isinstance(reference, dict):
        return "is not an object"
    vault: Json | Any = member(reference, "keyVault")
    vault_id = member(vault, "id") if isinstance(vault, dict) else None
    if not isinstance(vault_id, str) or not _VAULT_ID.fullmatch(vault_id):
        return "has no full id of a vault under keyVault.id"
    secret = member(reference, "secretName")
    if not isinstance(secret, str) or not secret:
        return "has no secretName"
    if not isinstance(member(reference, "secretVersion"), str | None):
        return "has a secretVersion that is not text"
    return None
