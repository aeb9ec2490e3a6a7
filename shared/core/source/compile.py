"""Compiles a stack: from files at a revision to exactly what ARM would receive, and its digest."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from shared.core.problem import Problem
from shared.core.source.declarations import declared
from shared.core.source.faults import MAX_PROBLEMS, Place, Problems, SourceError
from shared.core.source.fields import group_id
from shared.core.source.files import Files
from shared.core.source.json_file import with_lines
from shared.core.source.parameters import (
    Given,
    check_parameters,
    exposed_secrets,
    given_parameters,
    restless_defaults,
)
from shared.core.source.spec import StackSpec
from shared.core.source.takings import output_types, taken_parameters
from shared.core.source.template import MAX_TEMPLATE_BYTES, Template, read_template
from shared.core.source.tree import SourceTree
from shared.core.taken import Taken

__all__ = [
    "COMPILER_VERSION",
    "Compiled",
    "SourceError",
    "canonical_json",
    "compile_stack",
    "is_unchanged",
    "spec_digest",
]

COMPILER_VERSION = 2
"""Raised when the same files would compile to something else: every stack is then compiled anew."""


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """What a stack is at a revision.

    ``content`` is the canonical JSON of ``source``, ``digest`` its SHA-256 in hex; ``files`` maps
    every file that was read to its object id. ``takes`` are the parameters whose values are another
    stack's outputs, ``outputs`` the template's own with their types in lower case. ``create_resource_group`` is a location or None; it
    is policy, so the digest does not know it. ``warnings`` stop nothing.
    """

    source: Mapping[str, Any]
    digest: str
    content: bytes
    files: dict[str, str]
    takes: dict[str, Taken] = {}
    outputs: dict[str, str] = {}
    create_resource_group: str | None = None
    warnings: tuple[Problem, ...] = ()


def compile_stack(
    tree: SourceTree, name: str, spec: StackSpec, *, default_subscription: str
) -> Compiled:
    """Compile one stack of a revision. Pure but for reading ``tree``; same files, same bytes.

    ``default_subscription`` is the id that a bare resource group name belongs to. Raises SourceError
    with every problem found in the stack's files (the first fifty).
    """
    files = Files(tree)
    try:
        return _compiled(files, name, spec, default_subscription)
    except SourceError as error:
        raise SourceError(with_lines(error.problems[:MAX_PROBLEMS], files.contents)) from None


def _compiled(files: Files, name: str, spec: StackSpec, default_subscription: str) -> Compiled:
    template, given = _read(files, spec)
    source = {
        "engine": "deployment",
        "scope": _scope(spec, default_subscription),
        "location": spec.location,
        "template": template.content,
        "parameters": _arm_parameters(template, given),
    }
    takes = taken_parameters(template, spec)
    if takes:
        source["takes"] = {name: f"{one.stack}.outputs.{one.output}" for name, one in takes.items()}
    content = _checked_content(source, name, spec.place("template"))
    problems = check_parameters(template, given)
    if problems:
        raise SourceError(problems)
    warnings = restless_defaults(template, given) + exposed_secrets(template, given)
    return Compiled(
        source=source,
        digest=hashlib.sha256(content).hexdigest(),
        content=content,
        files=files.ids,
        takes=takes,
        outputs=output_types(template.content),
        create_resource_group=spec.create_resource_group,
        warnings=with_lines(warnings, files.contents),
    )


def _read(files: Files, spec: StackSpec) -> tuple[Template, dict[str, Given]]:
    """Read template and parameters; a problem in one does not hide those in the other."""
    problems: Problems = []
    template: Template | None = None
    given: dict[str, Given] | None = None
    try:
        kind = "a subscription" if spec.is_subscription else "a resource group"
        template = read_template(files, spec.template, spec.place("template"), scope_kind=kind)
    except SourceError as error:
        problems.extend(error.problems)
    try:
        given = given_parameters(files, spec)
    except SourceError as error:
        problems.extend(error.problems)
    if template is None or given is None:
        raise SourceError(problems)
    return template, given


def canonical_json(value: Any) -> bytes:
    """Return the one spelling of a JSON value: sorted keys, no spaces, UTF-8. Pure.

    Numbers keep their kind (``1`` is not ``1.0``, as ARM's types differ), a fraction has one
    spelling (``1.50`` is ``1.5``); keys keep their case, because ARM echoes it. Raises ValueError
    for what is nested too deep.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def spec_digest(spec: StackSpec, *, default_subscription: str) -> str:
    """Return the SHA-256 (hex) of all that may change what ``compile_stack`` returns but files. Pure.

    With ``is_unchanged`` it makes the cheap check: both the same means that the stored digest,
    content and warnings still hold.
    """
    return hashlib.sha256(
        canonical_json(
            [
                COMPILER_VERSION,
                default_subscription.lower(),
                spec.template,
                spec.parameters,
                spec.values,
                {name: str(taking) for name, taking in spec.values_from.items()},
                spec.depends_on,
                spec.scope,
                spec.create_resource_group,
                spec.location,
                spec.renamed_from,
                None if spec.timeout is None else int(spec.timeout.total_seconds()),
                msgspec.to_builtins(spec.policy),
            ]
        )
    ).hexdigest()


def is_unchanged(tree: SourceTree, files: Mapping[str, str]) -> bool:
    """Tell whether every file is what it was, by object ids; nothing is read. Pure."""
    for path, known in files.items():
        entry = tree.entry(path)
        if entry is None or entry.kind != "file" or entry.id != known:
            return False
    return True


def _scope(spec: StackSpec, default_subscription: str) -> str:
    if spec.scope.startswith("/"):
        return spec.scope
    return group_id(default_subscription, spec.scope)


def _arm_parameters(template: Template, given: Mapping[str, Given]) -> dict[str, Any]:
    known = declared(template.content)
    return {
        (known[lower].name if lower in known else each.name): dict(each.entry)
        for lower, each in given.items()
        if not each.is_taken
    }


def _checked_content(source: Mapping[str, Any], name: str, place: Place) -> bytes:
    try:
        content = canonical_json(source)
    except orjson.JSONEncodeError:
        raise place.error(
            "TooDeep",
            f"With its links inlined the template of {name} is nested too deep.",
            "Link flatter, or split the stack into several.",
        ) from None
    if len(canonical_json(source["parameters"])) > MAX_TEMPLATE_BYTES:
        raise place.error(
            "ParametersTooLarge",
            f"The parameters of {name} are larger than 4 MiB, which ARM does not take.",
            "Split the stack into several.",
        )
    return content
