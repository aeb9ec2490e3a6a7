"""From the bytes of the operator's configuration to what it says, or what is wrong with it, and where."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared.core.configuration.checks import check
from shared.core.configuration.fault import invalid
from shared.core.configuration.model import Configuration, Repository
from shared.core.decoding import decoder

_SEE: Final = "See docs/configuration.md for every field."
_NAMED: Final = (
    "Write the name of an app setting that starts with PLUMBLINE_SECRET_, never a secret."
)
_HINTS: Final[Mapping[str, str]] = {
    "installation": "Use lower-case letters, digits and hyphens, at most 63.",
    "hook": "Use 8 to 64 lower-case letters, digits and hyphens; plain random text will do.",
    "hook_secrets": _NAMED,
    "token": _NAMED,
    "scopes": "Give /subscriptions/<id> or /subscriptions/<id>/resourceGroups/<name>, at least one.",
    "until": "Write a moment with an offset or Z: 2026-01-31T18:00:00Z.",
    "stacks": "Write *, <repository>.* or <repository>.<stack>, at least one.",
    "by": "Write who froze them.",
    "why": "Write the reason; it is shown with the stack.",
    "release": "Give a whole number from 0 to 150.",
    "create_resource_groups": "Write true or false.",
    "timeout_minutes": "Give a whole number of minutes from 5 to 1440.",
    "workspaces": 'Write {"<subscription id>": "<Workspace ID>"}, both GUIDs.',
    "snapshot": "Give a whole number from 0 to 150.",
}


def parse_configuration(data: bytes) -> Configuration:
    """Read and check the operator's configuration.

    Raises Stalled (``ConfigurationInvalid``) with the path and how to mend it.
    """
    try:
        configuration = decoder(Configuration).decode(data)
    except msgspec.ValidationError as e:
        message, path = _named(e, data)
        raise invalid(path, message, _hint(path, message)) from e
    except (msgspec.DecodeError, RecursionError) as e:
        raise invalid("$", f"not valid JSON: {e}", "Check it with any JSON tool.") from e
    json.loads(data, object_pairs_hook=_once)
    check(configuration)
    return configuration


def _named(error: msgspec.ValidationError, data: bytes) -> tuple[str, str]:
    """Return what is wrong and where; of a repository with its key, which msgspec leaves out."""
    message, path = _parts(error)
    if path == "$.activity.workspaces[...]":
        return message, _workspace(data) or path
    if not path.startswith("$.repositories[...]"):
        return message, path
    for key, value in _repositories(data).items():
        try:
            msgspec.convert(value, Repository)
        except msgspec.ValidationError as e:
            message, path = _parts(e)
            return message, f"$.repositories.{key[:40]}{path[1:]}"
    return message, path


def _workspace(data: bytes) -> str | None:
    """Return the path of the first workspace that is no text."""
    try:
        told = msgspec.json.decode(data)["activity"]["workspaces"]
    except (msgspec.DecodeError, RecursionError):
        return None
    wrong = (key for key, one in told.items() if not isinstance(one, str))
    return next((f"$.activity.workspaces.{key[:40]}" for key in wrong), None)


def _repositories(data: bytes) -> Mapping[str, Any]:
    """Return what is written of each repository, whatever it is; nothing where that is no JSON."""
    try:
        found = msgspec.json.decode(data)["repositories"]
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _parts(error: msgspec.ValidationError) -> tuple[str, str]:
    message, _, path = str(error).partition(" - at ")
    return message, path.strip("`") or "$"


def _hint(path: str, message: str) -> str:
    if "unknown field" in message or "missing required" in message:
        return _SEE
    if path.startswith("$.activity.workspaces."):
        return _HINTS["workspaces"]
    field = path.rpartition(".")[2].partition("[")[0]
    return _HINTS.get(field, _SEE)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is there twice: one of the two would be lost, a freeze for example."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise invalid("$", f"the key {key[:40]!r} is there twice", "Keep one of the two.")
        found[key] = value
    return found
