"""Reads YAML nodes as what a manifest may hold: mappings, their members, and texts.

Each returns the value, or None after it noted what is wrong.
"""

from collections.abc import Iterable

from shared.core.problem import Problem
from shared.core.source.faults import MAX_PROBLEMS, Place, Problems, choices_hint, shown
from shared.core.source.yaml_text import Entries, Node, Scalar, kind_of


def note_repeated(node: Entries, place: Place, problems: Problems) -> None:
    """Note the keys that a mapping holds more than once."""
    first = {key.text: key.line for key, _ in node.pairs} if node.repeated else {}
    problems.extend(
        place.key(key.text, key.line).problem(
            "DuplicateKey",
            f"The key {shown(key.text)} is here twice, first in line {first[key.text]}.",
            "Keep one of them.",
        )
        for key in node.repeated[:MAX_PROBLEMS]
    )


def key_text(key: Scalar, place: Place, problems: Problems) -> str | None:
    """Return a key that is text; a number, a boolean or a tagged key is noted instead."""
    here = place.key(key.text, key.line)
    if key.tag is not None:
        problems.append(tag_problem(key.tag, here))
    elif not isinstance(key.value, str) or key.surprise is not None:
        problems.append(
            here.problem(
                "KeyNotText",
                f"The key {shown(key.text)} is not text to every YAML reader.",
                f"Put it in quotes: '{key.text}'.",
            )
        )
    else:
        return key.value
    return None


def read_mapping(node: Node, place: Place, problems: Problems) -> Entries | None:
    """Return a mapping; its keys and values are not looked at yet, repeated keys are noted."""
    if node.tag is not None:
        problems.append(tag_problem(node.tag, place))
        return None
    if not isinstance(node, Entries):
        problems.append(wrong_type(node, "a mapping", "Write key: value lines, indented.", place))
        return None
    note_repeated(node, place, problems)
    return node


def read_members(
    node: Entries, known: Iterable[str], place: Place, problems: Problems
) -> dict[str, Node]:
    """Return the known members of a mapping; other keys are noted."""
    members: dict[str, Node] = {}
    for key, value in node.pairs:
        name = key_text(key, place, problems)
        if name is None:
            continue
        if name in known:
            members[name] = value
        else:
            problems.append(
                place.key(name, key.line).problem(
                    "UnknownKey",
                    f"The key {shown(name)} is not known here.",
                    choices_hint(name, known, ""),
                )
            )
    return members


def read_text(node: Node, place: Place, problems: Problems) -> str | None:
    """Return a text that no YAML reader takes for something else."""
    if node.tag is not None:
        problems.append(tag_problem(node.tag, place))
    elif not isinstance(node, Scalar):
        problems.append(wrong_type(node, "text", "Write one value behind the colon.", place))
    elif node.surprise is not None:
        problems.append(ambiguous(node, place))
    elif not isinstance(node.value, str):
        hint = (
            f"Put it in quotes: '{node.text}'." if node.text else "Write a value behind the colon."
        )
        problems.append(wrong_type(node, "text", hint, place))
    else:
        return node.value
    return None


def wrong_type(node: Node, wanted: str, hint: str, place: Place) -> Problem:
    """Return that a value is of another kind than its key takes. Pure."""
    return place.problem("WrongType", f"This must be {wanted}, and it is {kind_of(node)}.", hint)


def ambiguous(node: Scalar, place: Place) -> Problem:
    """Return that YAML readers differ about a word. Pure."""
    return place.problem(
        "AmbiguousValue",
        f"YAML readers do not agree on what {shown(node.text)} is.",
        node.surprise or "",
    )


def tag_problem(tag: str, place: Place) -> Problem:
    """Return that a YAML tag is refused. Pure."""
    return place.problem(
        "TagRefused",
        f"The YAML tag {shown(tag)} is not allowed.",
        "Remove it; put the value in quotes if it is text.",
    )
