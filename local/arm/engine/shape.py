"""The sections of a template, checked for their JSON types and limits."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.arm.engine.definitions import Definitions
from local.arm.engine.errors import (
    EXPRESSIONS_HELP,
    SYNTAX_HELP,
    ExpressionError,
    TemplateError,
    parse_failed,
    validation_failed,
)
from local.arm.engine.evaluator import check
from local.arm.engine.expansion import expand
from local.arm.engine.frame import UserFunction
from local.arm.engine.limits import MAX_ASSERTS, MAX_OUTPUTS, MAX_PARAMETERS, MAX_VARIABLES
from local.arm.engine.parser import is_expression, parse_expression
from local.arm.engine.places import join_path
from local.arm.engine.sources import Source, strings
from local.arm.engine.values import find_key, get, type_name

_EXPERIMENTAL = "-experimental"
_VERSION = re.compile(rf"1\.\d+(?:{_EXPERIMENTAL})?|2\.0|2\.\d+{_EXPERIMENTAL}")


@dataclass(frozen=True)
class Shape:
    """A template by its sections."""

    parameters: Mapping[str, Any]
    variables: Mapping[str, Any]
    functions: Mapping[str, UserFunction]
    definitions: Definitions
    resources: list[Any] | Mapping[str, Any]
    outputs: Mapping[str, Any]
    asserts: Mapping[str, Any]
    symbolic: bool


def read_shape(template: Any, source: Source) -> Shape:
    """Return the sections of a template. Raises TemplateError."""
    if not isinstance(template, Mapping):
        raise validation_failed(
            f"The template must be a JSON object: it is of type '{type_name(template)}'"
        )
    for name in ("$schema", "contentVersion", "resources"):
        if get(template, name) is None:
            line, position, path = place = source.place("")
            raise parse_failed(
                f"Required property '{name}' not found in JSON. Path '{path}', line {line}, "
                f"position {position}.",
                place,
            )
    resources = get(template, "resources")
    version = _version(template, source)
    symbolic = isinstance(resources, Mapping)
    if not isinstance(resources, Mapping | list) or (symbolic and version.startswith("1.")):
        raise validation_failed(
            "The template's 'resources' must be an array; as an object of symbolic names they "
            'need "languageVersion": "2.0". Please see https://aka.ms/arm-syntax-resources '
            "for usage details.",
            source.place("resources"),
        )
    shape = Shape(
        parameters=_section(template, "parameters", source, MAX_PARAMETERS),
        variables=_section(template, "variables", source, MAX_VARIABLES),
        functions=_functions(get(template, "functions") or [], source),
        definitions=Definitions(
            _section(template, "definitions", source, None), untyped=not version.startswith("1.")
        ),
        resources=resources,
        outputs=_section(template, "outputs", source, MAX_OUTPUTS),
        asserts=_section(template, "asserts", source, MAX_ASSERTS),
        symbolic=symbolic,
    )
    _refuse_extensions(template, source)
    if not version.endswith(_EXPERIMENTAL):
        _refuse_experiments(shape, version, source)
    return shape


def check_expressions(shape: Shape, source: Source) -> None:
    """Parse every variable, default and output; raises TemplateError for the first bad one."""
    sections = {
        "parameters": {
            name: get(item, "defaultValue")
            for name, item in shape.parameters.items()
            if isinstance(item, Mapping)
        },
        "variables": shape.variables,
        "outputs": shape.outputs,
        "asserts": shape.asserts,
    }
    for name, section in sections.items():
        check_texts(section, name, shape.functions.get, source)


def check_texts(
    value: Any,
    path: str,
    functions: Callable[[str], UserFunction | None],
    source: Source,
) -> None:
    """Parse every expression in JSON. Raises TemplateError."""
    for text, at in strings(value, path):
        if not is_expression(text):
            continue
        try:
            check(parse_expression(text), lambda name: functions(name.lower()))
        except ExpressionError as error:
            raise TemplateError(
                f"Deployment template language expression evaluation failed: '{error.message}'. "
                f"{EXPRESSIONS_HELP}",
                place=source.place(at),
            ) from error


def _section(
    template: Mapping[str, Any], name: str, source: Source, limit: int | None
) -> Mapping[str, Any]:
    section = get(template, name)
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        raise validation_failed(
            f"The template's '{name}' must be a JSON object: it is of type '{type_name(section)}'. "
            "Please see https://aka.ms/arm-syntax for usage details.",
            source.place(name),
        )
    if limit is not None and len(section) > limit:
        raise validation_failed(
            f"The number of template {name} limit exceeded. Limit: '{limit}' and actual: "
            f"'{len(section)}'. Please see https://aka.ms/arm-syntax for usage details.",
            source.place(name),
        )
    return section


def _functions(section: Any, source: Source) -> dict[str, UserFunction]:
    found: dict[str, UserFunction] = {}
    if not isinstance(section, list):
        raise validation_failed(
            "The template's 'functions' must be an array of namespaces.", source.place("functions")
        )
    for index, space in enumerate(section):
        path = join_path("functions", index)
        namespace = get(space, "namespace") if isinstance(space, Mapping) else None
        members = get(space, "members") if isinstance(space, Mapping) else None
        if not isinstance(namespace, str) or not isinstance(members, Mapping):
            raise validation_failed(
                "A template function needs a 'namespace' and its 'members'.", source.place(path)
            )
        for name, member in members.items():
            full = f"{namespace}.{name}"
            found[full.lower()] = _member(full, member, source, path)
    return found


def _member(name: str, member: Any, source: Source, path: str) -> UserFunction:
    output = get(member, "output") if isinstance(member, Mapping) else None
    declared = (get(member, "parameters") or []) if isinstance(member, Mapping) else None
    if (
        not isinstance(output, Mapping)
        or not isinstance(declared, list)
        or not all(isinstance(item, Mapping) for item in declared)
    ):
        raise validation_failed(
            f"The template function '{name}' needs 'parameters' (an array) and an 'output'.",
            source.place(path),
        )
    value = get(output, "value")
    return UserFunction(
        name,
        tuple(str(get(item, "name")) for item in declared),
        lambda frame: expand(value, frame),
    )


def _version(template: Mapping[str, Any], source: Source) -> str:
    version = get(template, "languageVersion", "1.0")
    if isinstance(version, str) and _VERSION.fullmatch(version):
        return version
    raise validation_failed(
        f"The template language version '{version}' is not supported: '1.0' and '2.0' are, and "
        f"experimental ones such as '2.1{_EXPERIMENTAL}'. {SYNTAX_HELP}",
        source.place("languageVersion"),
    )


def _refuse_experiments(shape: Shape, version: str, source: Source) -> None:
    found = "asserts" if shape.asserts else None
    if isinstance(shape.resources, Mapping):
        for name, item in shape.resources.items():
            if isinstance(item, Mapping) and find_key(item, "@options") is not None:
                found = join_path(join_path("resources", name), "@options")
    if found is not None:
        raise validation_failed(
            f"The template's '{found}' needs an experimental language version such as "
            f"'2.1{_EXPERIMENTAL}': it is not available in version '{version}'. {SYNTAX_HELP}",
            source.place(found),
        )


def _refuse_extensions(template: Mapping[str, Any], source: Source) -> None:
    for name in ("extensions", "imports"):
        if get(template, name):
            raise validation_failed(
                f"The template's '{name}' are not supported: only Azure's own resources are.",
                source.place(name),
            )
