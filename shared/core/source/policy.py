"""Reads how a stack is treated: ``drift``, ``adopt``, ``prune``, and ``removed`` of the manifest.

None of it is part of a stack's source digest: a change of it deploys nothing.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec

from shared.core import names
from shared.core.json_path import BadPathError, parse_path
from shared.core.policy import Adopt, Drift, Ignore
from shared.core.source.faults import Place, Problems, choices_hint, shown
from shared.core.source.nodes import (
    ambiguous,
    key_text,
    read_mapping,
    read_text,
    tag_problem,
    wrong_type,
)
from shared.core.source.spec import MOST_ITEMS, TYPE_PATTERN
from shared.core.source.yaml_text import Entries, Items, Node, Scalar

Word = TypeVar("Word", bound=str)

MODES: Final[tuple[Drift, ...]] = ("report", "heal")
ADOPTIONS: Final[tuple[Adopt, ...]] = ("confirm", "take")
_TYPE: Final = re.compile(TYPE_PATTERN[1:-1], re.ASCII)
_TYPE_HINT: Final = "Write it as in the template: Microsoft.Network/virtualNetworks/subnets."
_PATH_HINT: Final = (
    "Write members with full stops between them, ['odd.name'] for other names, and [*] for any one "
    "member or element: properties.rules[*].description."
)


class Asked(msgspec.Struct, frozen=True):
    """What ``drift`` says in one place of the manifest; ``mode`` is None where it says none."""

    mode: Drift | None = None
    ignore: tuple[Ignore, ...] = ()


def read_drift(node: Node, place: Place, problems: Problems) -> Asked | None:
    """Return what is done about drift: a mode alone, or a mapping of mode and ignore."""
    if not isinstance(node, Entries):
        mode = _read_word(node, place, problems, MODES)
        return None if mode is None else Asked(mode)
    before = len(problems)
    found: dict[str, Any] = {}
    for name, value, here in _members(node, ("mode", "ignore"), place, problems):
        if name == "mode":
            found[name] = _read_word(value, here, problems, MODES)
        else:
            found[name] = _read_ignores(value, here, problems)
    return Asked(**found) if len(problems) == before else None


def read_adopt(node: Node, place: Place, problems: Problems) -> Adopt | None:
    """Return what is done when the resources of a first release are there already."""
    return _read_word(node, place, problems, ADOPTIONS)


def read_prune(node: Node, place: Place, problems: Problems) -> bool | None:
    """Return whether what left the template is deleted."""
    if node.tag is not None:
        problems.append(tag_problem(node.tag, place))
    elif isinstance(node, Scalar) and node.surprise is not None:
        problems.append(ambiguous(node, place))
    elif isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    else:
        problems.append(wrong_type(node, "true or false", "Write true or false.", place))
    return None


def read_removed(
    node: Node, here_still: Collection[str], place: Place, problems: Problems
) -> tuple[str, ...]:
    """Return the names of what left the manifest and is to be deleted: those that are beyond doubt.

    ``here_still`` are the names that the manifest has, former ones included: what another stack takes
    over has not left.
    """
    found: dict[str, None] = {}
    for here, each in _items(node, "a list of stacks", "[old-name]", place, problems):
        name = read_text(each, here, problems)
        if name is None:
            continue
        if not names.is_record_name(name):
            problems.append(
                here.problem(
                    "BadName",
                    f"{shown(name)} is no name for a stack.",
                    "Write the name that the stack had in the manifest, or <stack>~<generation> for "
                    "what one left in another scope.",
                )
            )
        elif name in here_still:
            problems.append(
                here.problem(
                    "RemovedStillThere",
                    f"The stack {shown(name)} is under removed, and under stacks or renamedFrom, too.",
                    "Take it out of stacks to have its resources deleted, or out of removed to keep it.",
                )
            )
        else:
            found[name] = None
    return tuple(found)


def _read_word(
    node: Node, place: Place, problems: Problems, known: tuple[Word, ...]
) -> Word | None:
    written = read_text(node, place, problems)
    if written is None:
        return None
    for word in known:
        if word == written:
            return word
    problems.append(
        place.problem(
            "UnknownWord",
            f"{shown(written)} is none of the words that can be written here.",
            choices_hint(written, known, ""),
        )
    )
    return None


def _read_ignores(node: Node, place: Place, problems: Problems) -> tuple[Ignore, ...]:
    found = [
        _read_ignore(each, here, problems)
        for here, each in _items(
            node, "a list of mappings", "[{type: ..., path: ...}]", place, problems
        )
    ]
    return tuple(each for each in found if each is not None)


def _read_ignore(node: Node, place: Place, problems: Problems) -> Ignore | None:
    before = len(problems)
    found: dict[str, Any] = {}
    for name, value, here in _members(node, ("type", "path", "value"), place, problems):
        found[name] = _IGNORE_READERS[name](value, here, problems)
    if len(problems) > before:
        return None
    missing = [name for name in ("type", "path") if name not in found]
    if missing:
        problems.append(
            place.problem(
                "KeyMissing",
                f"This lacks {' and '.join(missing)}.",
                "Write the resource type and the path of what is no drift: "
                "{type: Microsoft.Web/sites, path: tags.owner}.",
            )
        )
        return None
    return Ignore(**found)


def _read_type(node: Node, place: Place, problems: Problems) -> str | None:
    written = read_text(node, place, problems)
    if written is None or _TYPE.fullmatch(written):
        return written
    problems.append(place.problem("BadType", f"{shown(written)} is no resource type.", _TYPE_HINT))
    return None


def _read_json_path(node: Node, place: Place, problems: Problems) -> str | None:
    written = read_text(node, place, problems)
    if written is None:
        return None
    try:
        parse_path(written)
    except BadPathError as e:
        problems.append(place.problem("BadJsonPath", f"The path {shown(written)} {e}.", _PATH_HINT))
        return None
    return written


def _read_plain(node: Node, place: Place, problems: Problems) -> str | int | float | bool | None:
    if node.tag is not None:
        problems.append(tag_problem(node.tag, place))
    elif not isinstance(node, Scalar):
        hint = "Write one value, or leave value out: what is below the path is ignored, too."
        problems.append(wrong_type(node, "one plain value", hint, place))
    elif node.surprise is not None:
        problems.append(ambiguous(node, place))
    else:
        return node.value
    return None


_IGNORE_READERS: Final = {"type": _read_type, "path": _read_json_path, "value": _read_plain}


def _members(
    node: Node, known: Sequence[str], place: Place, problems: Problems
) -> Iterator[tuple[str, Node, Place]]:
    """Yield the known members of a mapping with their places; others are noted."""
    entries = read_mapping(node, place, problems)
    for key, value in entries.pairs if entries is not None else ():
        name = key_text(key, place, problems)
        if name is None:
            continue
        here = place.key(name, key.line)
        if name in known:
            yield name, value, here
        else:
            problems.append(
                here.problem(
                    "UnknownKey",
                    f"The key {shown(name)} is not known here.",
                    choices_hint(name, known, ""),
                )
            )


def _items(
    node: Node, wanted: str, example: str, place: Place, problems: Problems
) -> Iterator[tuple[Place, Node]]:
    """Yield a list's items with their places; what is no list, or too long, is noted."""
    if node.tag is not None:
        problems.append(tag_problem(node.tag, place))
    elif not isinstance(node, Items):
        hint = f"Write {example}, or one line with - for each."
        problems.append(wrong_type(node, wanted, hint, place))
    elif len(node.nodes) > MOST_ITEMS:
        problems.append(
            place.problem(
                "TooManyItems",
                f"This list has {len(node.nodes)} items, and at most {MOST_ITEMS} are read.",
                "Write fewer: a path with [*] fits many members, and what is below a path is ignored, too.",
            )
        )
    else:
        for index, each in enumerate(node.nodes):
            yield place.item(index, each.line), each
