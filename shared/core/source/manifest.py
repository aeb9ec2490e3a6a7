"""From the bytes of plumbline.yaml to the stacks of a repository, with every problem found.

It collects problems instead of stopping at the first, and an invalid entry does not take the others
with it. Called for every new tip, so it must not raise, whatever the bytes are.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.core.policy import Policy
from shared.core.problem import Problem
from shared.core.source.defaults import DEFAULT_READERS, Inherited, Reader
from shared.core.source.faults import (
    MAX_PROBLEMS,
    Place,
    Problems,
    SourceError,
    shown,
)
from shared.core.source.fields import (
    read_location,
    read_name,
    read_names,
    read_path,
    read_paths,
    read_takings,
    read_values,
)
from shared.core.source.files import Files, clean_path
from shared.core.source.nodes import key_text, note_repeated, read_mapping, read_members
from shared.core.source.policy import Asked, read_removed
from shared.core.source.spec import (
    MAX_MANIFEST_BYTES,
    MAX_NAME,
    Manifest,
    Origin,
    StackSpec,
    is_stack_name,
    is_subscription,
)
from shared.core.source.tree import SourceTree
from shared.core.source.yaml_text import Entries, Items, Node, Scalar, kind_of, parse_yaml

__all__ = ["MAX_MANIFEST_BYTES", "Manifest", "StackSpec", "parse_manifest", "read_manifest"]

STACK_READERS: Mapping[str, Reader] = {
    "template": read_path,
    "parameters": read_paths,
    "values": read_values,
    "valuesFrom": read_takings,
    "dependsOn": read_names,
    "renamedFrom": read_name,
    "location": read_location,
    **DEFAULT_READERS,
}
ROOT_KEYS = ("version", "defaults", "stacks", "removed")
_VERSION_HINT = "Write version: 1 in the first line."


def read_manifest(tree: SourceTree, path: str) -> Manifest:
    """Read the manifest at ``path`` of a revision. Never raises for what the repository holds.

    A manifest that is missing, too large or not a plain file is one that cannot be read.
    """
    place = Place(path)
    try:
        data = Files(tree).read(clean_path(path, place), place)
    except SourceError as error:
        return Manifest(problems=error.problems)
    return parse_manifest(data, path)


def parse_manifest(data: bytes, file: str) -> Manifest:
    """Understand a manifest. Never raises, whatever the bytes. Pure.

    ``file`` is the manifest's path, for the problems.
    """
    place = Place(file)
    try:
        root = _root(data, place)
    except SourceError as error:
        return Manifest(problems=error.problems)
    problems: Problems = []
    note_repeated(root, place, problems)
    members = read_members(root, ROOT_KEYS, place, problems)
    if not _version_is_known(root, members, place, problems):
        return Manifest(problems=tuple(problems))
    defaults = Inherited(members.get("defaults"), place.key("defaults"), problems)
    if any(key.text == "stacks" for key in root.repeated) or "stacks" not in members:
        if "stacks" not in members:
            problems.append(_no_stacks(place))
        return Manifest(problems=tuple(problems))
    manifest = _stacks(members["stacks"], defaults, place.key("stacks"), problems)
    prunes = defaults.values.get("prune") is True and "prune" not in defaults.broken
    manifest = msgspec.structs.replace(manifest, prunes=prunes)
    return _with_removed(manifest, root, members, place)


def _with_removed(
    manifest: Manifest, root: Entries, members: Mapping[str, Node], place: Place
) -> Manifest:
    """Add what is to be deleted: nothing while it is in doubt what that is."""
    node = members.get("removed")
    if node is None or not manifest.readable or any(k.text == "removed" for k in root.repeated):
        return manifest
    problems: Problems = []
    here = place.key("removed", node.line)
    here_still = manifest.names | _former_names(members["stacks"])
    removed = read_removed(node, here_still, here, problems)
    return msgspec.structs.replace(
        manifest, removed=removed, problems=manifest.problems + tuple(problems)
    )


def _root(data: bytes, place: Place) -> Entries:
    if len(data) > MAX_MANIFEST_BYTES:
        raise place.error(
            "ManifestTooLarge",
            f"The manifest is larger than {MAX_MANIFEST_BYTES >> 10} KiB.",
            "Move values into parameter files.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Place(place.file, "", line).error(
            "NotText", "The manifest is not UTF-8 text.", "Save the file as UTF-8."
        ) from None
    root = parse_yaml(text, place.file)
    if root is None:
        raise place.error(
            "ManifestEmpty",
            "The manifest is empty.",
            "Write version: 1 and stacks. To give up a stack, remove its entry and keep the others.",
        )
    if not isinstance(root, Entries) or root.tag is not None:
        raise Place(place.file, "", root.line).error(
            "WrongType",
            f"The manifest must be a mapping without a tag, and it is {kind_of(root)}.",
            "Start it with version: 1 and stacks:.",
        )
    return root


def _version_is_known(
    root: Entries, members: Mapping[str, Node], place: Place, problems: Problems
) -> bool:
    node = members.get("version")
    if node is None:
        problems.append(
            Place(place.file, "version", root.line).problem(
                "VersionMissing", "The manifest does not say its version.", _VERSION_HINT
            )
        )
        return False
    if isinstance(node, Scalar) and node.value == 1 and type(node.value) is int:
        return True
    said = shown(node.text) if isinstance(node, Scalar) else kind_of(node)
    problems.append(
        place.key("version", node.line).problem(
            "VersionUnknown",
            f"This Plumbline reads version 1 of the manifest, and it says {said}.",
            f"{_VERSION_HINT} A newer version needs a newer Plumbline.",
        )
    )
    return False


def _no_stacks(place: Place) -> Problem:
    return place.key("stacks", place.line).problem(
        "NoStacks",
        "The manifest names no stacks.",
        "Write stacks: and below it a name and its template. Nothing is removed meanwhile.",
    )


def _former_names(stacks: Node) -> frozenset[str]:
    """Return the names that stacks say they take over, those of broken entries included."""
    entries = [value for _, value in stacks.pairs] if isinstance(stacks, Entries) else []
    return frozenset(
        value.text
        for entry in entries
        if isinstance(entry, Entries)
        for key, value in entry.pairs
        if key.text == "renamedFrom" and isinstance(value, Scalar)
    )


def _stacks(node: Node, defaults: Inherited, place: Place, problems: Problems) -> Manifest:
    here = Place(place.file, place.path, node.line)
    if _is_nothing(node):
        problems.append(_no_stacks(Place(place.file, "", node.line)))
        return Manifest(problems=tuple(problems))
    if not isinstance(node, Entries) or node.tag is not None:
        read_mapping(node, here, problems)
        return Manifest(problems=tuple(problems))
    stacks: dict[str, StackSpec] = {}
    broken: dict[str, tuple[Problem, ...]] = {}
    repeated = {key.text: key for key in node.repeated}
    for key, value in node.pairs:
        found: Problems = []
        if key.text in repeated:
            found.append(_duplicate_stack(key, repeated[key.text], here))
        spec = _stack(key, value, defaults, here, found)
        if spec is None:
            broken[key.text] = tuple(found[:MAX_PROBLEMS])
        else:
            stacks[key.text] = spec
    return Manifest(stacks=stacks, broken=broken, problems=tuple(problems), readable=True)


def _is_nothing(node: Node) -> bool:
    if node.tag is not None:
        return False
    return (isinstance(node, Entries) and not node.pairs) or (
        isinstance(node, Scalar) and node.value is None
    )


def _duplicate_stack(first: Scalar, again: Scalar, place: Place) -> Problem:
    return place.key(first.text, again.line).problem(
        "DuplicateStack",
        f"Two stacks are called {shown(first.text)}, the first in line {first.line}.",
        "Give one of them another name.",
    )


def _stack(
    key: Scalar, node: Node, defaults: Inherited, place: Place, problems: Problems
) -> StackSpec | None:
    here = place.key(key.text, key.line)
    name = key_text(key, place, problems)
    if name is not None and not is_stack_name(name):
        problems.append(
            here.problem(
                "BadName",
                f"{shown(name)} is no name for a stack.",
                f"Use lower-case letters, digits and single hyphens between them, at most {MAX_NAME}.",
            )
        )
    entries = read_mapping(node, here, problems)
    if entries is None:
        return None
    members = read_members(entries, STACK_READERS, here, problems)
    found = {
        field: STACK_READERS[field](each, here.key(field, each.line), problems)
        for field, each in members.items()
    }
    for field in DEFAULT_READERS:
        if field not in members:
            found[field] = defaults.get(field, here, problems)
    if "template" not in members:
        problems.append(
            here.problem(
                "TemplateMissing",
                "The stack names no template.",
                "Write template: stacks/<name>/main.json.",
            )
        )
    if found["scope"] is None and "scope" not in members and "scope" not in defaults.broken:
        problems.append(
            here.problem(
                "ScopeMissing",
                "Neither the stack nor defaults say where to deploy.",
                "Write scope: and a resource group on the stack, or under defaults.",
            )
        )
    elif found["scope"] is not None:
        _check_location(found, members, here, problems)
    if problems:
        return None
    return StackSpec(
        template=found["template"],
        parameters=found.get("parameters", ()),
        values=found.get("values", {}),
        values_from=found.get("valuesFrom", {}),
        depends_on=found.get("dependsOn", ()),
        renamed_from=found.get("renamedFrom"),
        scope=found["scope"],
        create_resource_group=found["createResourceGroup"],
        location=found.get("location"),
        timeout=found["timeout"],
        policy=_policy(found, defaults),
        origin=Origin(here.file, here.path, _lines(members, here)),
    )


def _policy(found: Mapping[str, Any], defaults: Inherited) -> Policy:
    """Return how the stack is treated; what is ignored for all is ignored for it, too."""
    own, common = found["drift"] or Asked(), defaults.values.get("drift") or Asked()
    ignore = common.ignore if own is common else common.ignore + own.ignore
    return Policy(
        drift=own.mode or common.mode or "report",
        ignore=ignore,
        adopt=found["adopt"] or "confirm",
        prune=bool(found["prune"]),
    )


def _check_location(
    found: dict[str, Any], members: Mapping[str, Node], place: Place, problems: Problems
) -> None:
    """Hold scope, location and group against each other; a default that does not fit is let go."""
    whole = is_subscription(found["scope"])
    if whole and "location" not in members:
        problems.append(
            place.problem(
                "LocationMissing",
                "A deployment to a subscription is kept in a region, and the stack names none.",
                "Write location: westeurope on the stack.",
            )
        )
    if not whole and "location" in members:
        problems.append(
            place.key("location", members["location"].line).problem(
                "LocationUnused",
                "Only a stack whose scope is a subscription has a location of its own.",
                "Take it out; resources have theirs in the template.",
            )
        )
    if whole and "createResourceGroup" in members:
        problems.append(
            place.key("createResourceGroup", members["createResourceGroup"].line).problem(
                "GroupNotInScope",
                "The stack's scope is a subscription: there is no resource group to create.",
                "Take it out; a template for a subscription can create groups itself.",
            )
        )
    if whole:
        found["createResourceGroup"] = None


def _lines(members: Mapping[str, Node], place: Place) -> dict[str, int]:
    lines = {place.path: place.line or 1}
    for field, node in members.items():
        at = place.key(field, node.line)
        lines[at.path] = node.line
        if isinstance(node, Items):
            for index, each in enumerate(node.nodes):
                lines[at.item(index).path] = each.line
        elif isinstance(node, Entries):
            for key, _ in node.pairs:
                lines[at.key(key.text).path] = key.line
    return lines
