"""The types that parameters and outputs declare, and whether a value has them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.frame import Deferred
from local.arm.engine.values import equal, find_key, get, to_text, type_name

TYPES: Mapping[str, str] = {
    "string": "String",
    "int": "Int",
    "bool": "Bool",
    "object": "Object",
    "array": "Array",
    "securestring": "SecureString",
    "secureobject": "SecureObject",
}
SECURE = frozenset({"securestring", "secureobject"})
ANY = "any"
"""What a schema without a type declares; only languageVersion 2.0 has such."""
_JSON_TYPE: Mapping[str, str] = {
    "string": "String",
    "securestring": "String",
    "int": "Integer",
    "bool": "Boolean",
    "object": "Object",
    "secureobject": "Object",
    "array": "Array",
}
_PREFIX = "#/definitions/"
_MAX_REFERENCES = 64


@dataclass(frozen=True)
class Definitions:
    """The `definitions` of a template; `untyped` tells whether a schema may lack a type."""

    members: Mapping[str, Any]
    untyped: bool = False

    def resolve(self, schema: Any) -> dict[str, Any]:
        """Return a schema with its $ref followed; its own members win. Raises ExpressionError."""
        merged: dict[str, Any] = {}
        current = schema
        for _ in range(_MAX_REFERENCES):
            if not isinstance(current, Mapping):
                raise ExpressionError("A type definition must be a JSON object.")
            for key, item in current.items():
                if key != "$ref":
                    merged.setdefault(key, item)
            reference = current.get("$ref")
            if reference is None:
                return merged
            current = self._find(reference)
        raise ExpressionError(f"The type definition '{schema['$ref']}' refers to itself.")

    def _find(self, reference: Any) -> Any:
        if isinstance(reference, str) and reference.startswith(_PREFIX):
            name = find_key(self.members, reference.removeprefix(_PREFIX))
            if name is not None:
                return self.members[name]
        raise ExpressionError(
            f"The type reference '{reference}' is not valid: it must name one of the template's "
            f"definitions, '{', '.join(self.members)}'."
        )


def type_of(schema: Mapping[str, Any], definitions: Definitions) -> str:
    """Return the folded type of a resolved schema. Raises ExpressionError."""
    declared = get(schema, "type")
    if isinstance(declared, str) and declared.lower() in TYPES:
        return declared.lower()
    if declared is None and definitions.untyped:
        return ANY
    raise ExpressionError(
        f"The type '{declared}' is not valid: it must be one of '{', '.join(TYPES.values())}'."
    )


def shown_type(kind: str, value: Any) -> str:
    """Return the type that a deployment shows for a parameter or an output. Pure."""
    if kind != ANY:
        return TYPES[kind]
    return {"Integer": "Int", "Boolean": "Bool", "String": "String", "Array": "Array"}.get(
        type_name(value), "Object"
    )


def check(value: Any, schema: Any, definitions: Definitions, path: str = "") -> None:
    """Raise ExpressionError unless the value has the type and keeps all its limits.

    What is deferred to run time is taken as right.
    """
    if isinstance(value, Deferred):
        return
    resolved = definitions.resolve(schema)
    kind = type_of(resolved, definitions)
    if kind == ANY:
        _check_allowed(value, resolved, kind, path)
        return
    if value is None and get(resolved, "nullable") is True:
        return
    expected = _JSON_TYPE[kind]
    if type_name(value) != expected:
        raise ExpressionError(
            f"{_where(path)}Expected a value of type '{expected}', but received a value of type "
            f"'{type_name(value)}'."
        )
    _check_allowed(value, resolved, kind, path)
    _check_limits(value, resolved, path)
    if expected == "Array":
        _check_items(value, resolved, definitions, path)
    elif expected == "Object":
        _check_properties(value, resolved, definitions, path)


def _where(path: str) -> str:
    return f"At '{path}': " if path else ""


def _check_allowed(value: Any, schema: Mapping[str, Any], kind: str, path: str) -> None:
    allowed = get(schema, "allowedValues")
    if allowed is None:
        return
    if not isinstance(allowed, list):
        raise ExpressionError("'allowedValues' must be an array.")
    choices = [*allowed]
    found = any(_allows(value, choice) for choice in choices)
    if not found and kind == "array" and isinstance(value, list):
        found = all(any(_allows(item, choice) for choice in choices) for item in value)
    if not found:
        shown = "" if kind in SECURE else ",".join(to_text(choice) for choice in choices)
        raise ExpressionError(
            f"{_where(path)}The parameter value is not part of the allowed value(s): '{shown}'."
        )


def _allows(value: Any, choice: Any) -> bool:
    if isinstance(value, str) and isinstance(choice, str):
        return value.lower() == choice.lower()
    return equal(value, choice)


def _check_limits(value: Any, schema: Mapping[str, Any], path: str) -> None:
    limits: tuple[tuple[str, Callable[[Any], int], str], ...] = (
        ("minLength", len, "Length of the value should be greater than or equal to"),
        ("maxLength", len, "Length of the value should be less than or equal to"),
        ("minValue", int, "The value should be greater than or equal to"),
        ("maxValue", int, "The value should be less than or equal to"),
    )
    for name, measure, sentence in limits:
        limit = get(schema, name)
        if limit is None:
            continue
        if isinstance(limit, bool) or not isinstance(limit, int):
            raise ExpressionError(f"{_where(path)}'{name}' must be an integer.")
        if name.endswith("Value") != (isinstance(value, int) and not isinstance(value, bool)):
            continue
        size = measure(value)
        if size < limit if name.startswith("min") else size > limit:
            raise ExpressionError(f"{_where(path)}{sentence} '{limit}'.")


def _check_items(
    value: list[Any], schema: Mapping[str, Any], definitions: Definitions, path: str
) -> None:
    prefix = get(schema, "prefixItems") or []
    rest = get(schema, "items")
    for index, item in enumerate(value):
        if index < len(prefix):
            check(item, prefix[index], definitions, f"{path}[{index}]")
        elif rest is False:
            raise ExpressionError(f"{_where(path)}At most '{len(prefix)}' elements are permitted.")
        elif isinstance(rest, Mapping):
            check(item, rest, definitions, f"{path}[{index}]")


def _check_properties(
    value: Mapping[str, Any], schema: Mapping[str, Any], definitions: Definitions, path: str
) -> None:
    chosen = _discriminated(value, schema, definitions, path)
    known = get(chosen, "properties") or {}
    for name, below in known.items():
        found = find_key(value, name)
        if found is not None:
            check(value[found], below, definitions, f"{path}.{name}".lstrip("."))
        elif get(definitions.resolve(below), "nullable") is not True:
            raise ExpressionError(f"{_where(path)}The property '{name}' is required.")
    others = get(chosen, "additionalProperties")
    extra = [name for name in value if find_key(known, name) is None]
    if isinstance(others, Mapping):
        for name in extra:
            check(value[name], others, definitions, f"{path}.{name}".lstrip("."))
    elif extra and (others is False or get(chosen, "sealed") is True):
        raise ExpressionError(
            f"{_where(path)}The following properties are not permitted: '{', '.join(extra)}'."
        )


def _discriminated(
    value: Mapping[str, Any], schema: Mapping[str, Any], definitions: Definitions, path: str
) -> Mapping[str, Any]:
    discriminator = get(schema, "discriminator")
    if not isinstance(discriminator, Mapping):
        return schema
    name = get(discriminator, "propertyName", "type")
    mapping = get(discriminator, "mapping", {})
    tag = get(value, name)
    if isinstance(tag, Deferred):
        return {}
    if not isinstance(tag, str) or tag not in mapping:
        raise ExpressionError(
            f"{_where(path)}The property '{name}' must be one of '{', '.join(mapping)}'."
        )
    variant = definitions.resolve(mapping[tag])
    properties = {**(get(schema, "properties") or {}), **(get(variant, "properties") or {})}
    properties.setdefault(name, {"type": "string"})
    return {**schema, **variant, "properties": properties}
