"""Reads the fields of a manifest: from YAML nodes to values that the rest may rely on.

Each reader returns the value, or None after it noted what is wrong, so that one bad field hides
nothing about the next.
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.core.source.faults import Place, Problems, SourceError, shown
from shared.core.source.files import clean_path
from shared.core.source.nodes import (
    ambiguous,
    key_text,
    note_repeated,
    read_mapping,
    read_text,
    tag_problem,
    wrong_type,
)
from shared.core.source.spec import Taking, is_stack_name
from shared.core.source.yaml_text import Items, Node, Scalar

_GROUP_NAME = re.compile(r"[\w().-]{0,89}[\w()-]")
_SUBSCRIPTION_ID = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE | re.ASCII)
_GROUP_ID = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)", re.IGNORECASE | re.ASCII)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_OUTPUT = re.compile(r"([a-z0-9](?:-?[a-z0-9])*)\.outputs\.([^.\s]{1,255})", re.ASCII)
_LOCATION = re.compile(r"[A-Za-z0-9 ]+", re.ASCII)
_SCOPE_HINT = (
    "Write the name of a resource group (rg-shop), or "
    "/subscriptions/<id>/resourceGroups/<name> for one of another subscription."
)


def read_path(node: Node, place: Place, problems: Problems) -> str | None:
    """Return a clean path to a JSON file of the repository."""
    written = read_text(node, place, problems)
    if written is None:
        return None
    try:
        path = clean_path(written, place)
    except SourceError as error:
        problems.extend(error.problems)
        return None
    if path.lower().endswith((".bicep", ".bicepparam")):
        problems.append(
            place.problem(
                "BicepNotSupported",
                f"{shown(path)} is Bicep, and Plumbline reads JSON.",
                "Compile it (az bicep build, az bicep build-params) and commit the JSON beside it.",
            )
        )
        return None
    return path


def read_paths(node: Node, place: Place, problems: Problems) -> tuple[str, ...] | None:
    """Return a list of clean paths, all of them or none."""
    if node.tag is not None:
        problems.append(tag_problem(node.tag, place))
        return None
    if not isinstance(node, Items):
        hint = "Write [a.json, b.json], or one line with - for each."
        problems.append(wrong_type(node, "a list of files", hint, place))
        return None
    paths = [
        read_path(each, place.item(index, each.line), problems)
        for index, each in enumerate(node.nodes)
    ]
    return tuple(path for path in paths if path is not None) if None not in paths else None


def read_name(node: Node, place: Place, problems: Problems) -> str | None:
    """Return a name that a stack may have."""
    written = read_text(node, place, problems)
    if written is None or is_stack_name(written):
        return written
    problems.append(
        place.problem(
            "BadName", f"{shown(written)} is no name for a stack.", "Write the stack's old name."
        )
    )
    return None


def read_names(node: Node, place: Place, problems: Problems) -> tuple[str, ...] | None:
    """Return a list of stacks' names, each once, all of them or none."""
    if node.tag is not None:
        problems.append(tag_problem(node.tag, place))
        return None
    if not isinstance(node, Items):
        hint = "Write [a, b], or one line with - for each."
        problems.append(wrong_type(node, "a list of stacks", hint, place))
        return None
    names = [
        read_text(each, place.item(index, each.line), problems)
        for index, each in enumerate(node.nodes)
    ]
    found = tuple(dict.fromkeys(name for name in names if name is not None))
    return found if None not in names else None


def read_takings(node: Node, place: Place, problems: Problems) -> Mapping[str, Taking] | None:
    """Return a mapping of parameter names to outputs of other stacks."""
    entries = read_mapping(node, place, problems)
    if entries is None:
        return None
    before = len(problems)
    found: dict[str, Taking] = {}
    lower: dict[str, str] = {}
    for key, value in entries.pairs:
        name = key_text(key, place, problems)
        if name is None:
            continue
        here = place.key(name, key.line)
        _note_same_parameter(name, lower, here, problems)
        written = read_text(value, here, problems)
        match = _OUTPUT.fullmatch(written) if written is not None else None
        if match is not None:
            found[name] = Taking(match[1], match[2])
        elif written is not None:
            problems.append(
                here.problem(
                    "BadOutput",
                    f"{shown(written)} is not the name of another stack's output.",
                    "Write <stack>.outputs.<name>, as in network.outputs.subnetId.",
                )
            )
    return found if len(problems) == before else None


def _note_same_parameter(
    name: str, lower: dict[str, str], place: Place, problems: Problems
) -> None:
    if name.lower() in lower:
        problems.append(
            place.problem(
                "DuplicateKey",
                f"{shown(name)} and {shown(lower[name.lower()])} are one parameter to ARM.",
                "Keep one of them.",
            )
        )
    lower[name.lower()] = name


def read_scope(node: Node, place: Place, problems: Problems) -> str | None:
    """Return a resource group's name, or the canonical id of one or of a subscription."""
    written = read_text(node, place, problems)
    if written is None:
        return None
    if not written.startswith("/"):
        fault = _group_name_fault(written)
        scope = written
    else:
        fault, scope = _group_id(written)
    if fault is not None:
        problems.append(
            place.problem("BadScope", f"The scope {shown(written)} {fault}.", _SCOPE_HINT)
        )
        return None
    return scope


def _group_id(written: str) -> tuple[str | None, str]:
    whole = _SUBSCRIPTION_ID.fullmatch(written.rstrip("/"))
    match = _GROUP_ID.fullmatch(written.rstrip("/"))
    if match is None and whole is None:
        return "is not the id of a resource group or subscription", written
    subscription, group = match.groups() if match else ((whole or [""])[1], None)
    if not _GUID.fullmatch(subscription):
        return (
            "names a subscription that is not an id like 00000000-0000-0000-0000-000000000000",
            "",
        )
    if group is None:
        return None, f"/subscriptions/{subscription.lower()}"
    return _group_name_fault(group), group_id(subscription, group)


def group_id(subscription: str, group: str) -> str:
    """Return the id of a resource group with ARM's casing of the segments. Pure."""
    return f"/subscriptions/{subscription.lower()}/resourceGroups/{group}"


def _group_name_fault(name: str) -> str | None:
    if _GROUP_NAME.fullmatch(name):
        return None
    return (
        "is no name for a resource group (1 to 90 letters, digits, - _ . and parentheses, "
        "no full stop at the end)"
    )


def read_location(node: Node, place: Place, problems: Problems) -> str | None:
    """Return a location as ARM's ids have it: lower case, no spaces."""
    written = read_text(node, place, problems)
    if written is None:
        return None
    if not written.strip() or not _LOCATION.fullmatch(written):
        problems.append(
            place.problem(
                "BadLocation",
                f"{shown(written)} is not the name of an Azure region.",
                "Write it as az account list-locations does: westeurope.",
            )
        )
        return None
    return written.replace(" ", "").lower()


def read_values(node: Node, place: Place, problems: Problems) -> Mapping[str, Any] | None:
    """Return a mapping of parameter names to JSON values."""
    entries = read_mapping(node, place, problems)
    if entries is None:
        return None
    before = len(problems)
    found: dict[str, Any] = {}
    lower: dict[str, str] = {}
    for key, value in entries.pairs:
        name = key_text(key, place, problems)
        if name is None:
            continue
        here = place.key(name, key.line)
        _note_same_parameter(name, lower, here, problems)
        found[name] = _json_value(value, here, problems)
    return found if len(problems) == before else None


def _json_value(node: Node, place: Place, problems: Problems) -> Any:
    if node.tag is not None:
        problems.append(tag_problem(node.tag, place))
        return None
    if isinstance(node, Scalar):
        if node.surprise is not None:
            problems.append(ambiguous(node, place))
        return node.value
    if isinstance(node, Items):
        return [
            _json_value(each, place.item(index, each.line), problems)
            for index, each in enumerate(node.nodes)
        ]
    note_repeated(node, place, problems)
    found = {}
    for key, value in node.pairs:
        name = key_text(key, place, problems)
        if name is not None:
            found[name] = _json_value(value, place.key(name, key.line), problems)
    return found
