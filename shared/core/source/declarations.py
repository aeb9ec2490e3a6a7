"""The parameters that a template declares: their types, defaults, and which of them are secret."""

from dataclasses import dataclass
from typing import Any

from shared.core.source.arm_json import Json, is_expression, member, member_key

_MAX_REFS = 20
_MAX_SCHEMA_DEPTH = 32
_SECURE = frozenset({"securestring", "secureobject"})
_PLAIN_TYPES: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "string": ("text", str),
    "securestring": ("text", str),
    "int": ("a whole number", int),
    "bool": ("true or false", bool),
    "array": ("a list", list),
    "object": ("an object", dict),
    "secureobject": ("an object", dict),
}


@dataclass(frozen=True, slots=True)
class Declared:
    """One parameter of a template. ``shape`` is its declaration with ``$ref`` followed."""

    name: str
    shape: Json
    definitions: Json

    @property
    def type(self) -> str:
        """The declared type in lower case; empty when there is none."""
        found = member(self.shape, "type")
        return found.lower() if isinstance(found, str) else ""

    @property
    def secure(self) -> bool:
        """Whether the whole value is a secret."""
        return self.type in _SECURE

    @property
    def has_default(self) -> bool:
        """Whether the template says a default."""
        return member_key(self.shape, "defaultValue") is not None

    @property
    def default(self) -> Any:
        """The default; None when there is none."""
        return member(self.shape, "defaultValue")

    @property
    def nullable(self) -> bool:
        """Whether null, and so leaving it out, is allowed."""
        return member(self.shape, "nullable") is True


def declared(template: Json) -> dict[str, Declared]:
    """Return a template's parameters by name in lower case. Pure."""
    parameters = member(template, "parameters")
    definitions = member(template, "definitions")
    found = {}
    for name, shape in parameters.items() if isinstance(parameters, dict) else ():
        known = definitions if isinstance(definitions, dict) else {}
        found[name.lower()] = Declared(name, _followed(shape, known), known)
    return found


def _followed(shape: Any, definitions: Json) -> Json:
    """Return a declaration with what its ``$ref`` says below what it says itself."""
    merged: dict[str, Any] = {}
    for _ in range(_MAX_REFS):
        if not isinstance(shape, dict):
            break
        merged = {**shape, **merged}
        reference = member(shape, "$ref")
        if not isinstance(reference, str):
            break
        shape = member(definitions, reference.rsplit("/", 1)[-1])
    return merged


def type_fault(parameter: Declared, value: Any) -> str | None:
    """Return what the value should be, if it is of another type than declared. Pure."""
    if value is None:
        return None if parameter.nullable else _PLAIN_TYPES.get(parameter.type, ("a value", str))[0]
    wanted = _PLAIN_TYPES.get(parameter.type)
    if wanted is None:
        return None
    name, kinds = wanted
    matches = isinstance(value, kinds) and (parameter.type == "bool" or not isinstance(value, bool))
    return None if matches else name


def literal_secret(parameter: Declared, value: Any) -> str | None:
    """Return the JSON path inside ``value`` of a secret that is written out, or None. Pure.

    The path is empty for the whole value. Empty values and null are no secrets.
    """
    return _literal_secret(parameter.shape, parameter.definitions, value, _MAX_SCHEMA_DEPTH)


def _literal_secret(shape: Json, definitions: Json, value: Any, depth: int) -> str | None:
    if value is None or value in ("", {}, []) or depth == 0:
        return None
    kind = member(shape, "type")
    if isinstance(kind, str) and kind.lower() in _SECURE:
        return ""
    for key, inner, each in _inner_shapes(shape, value):
        found = _literal_secret(_followed(inner, definitions), definitions, each, depth - 1)
        if found is not None:
            return f"{key}{found}"
    return None


def _inner_shapes(shape: Json, value: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(value, dict):
        known = member(shape, "properties")
        known = known if isinstance(known, dict) else {}
        other = member(shape, "additionalProperties")
        return [
            (f".{name}", inner if (inner := member(known, name)) is not None else other, each)
            for name, each in value.items()
        ]
    if isinstance(value, list):
        first = member(shape, "prefixItems")
        first = first if isinstance(first, list) else []
        rest = member(shape, "items")
        return [
            (f"[{index}]", first[index] if index < len(first) else rest, each)
            for index, each in enumerate(value)
        ]
    return []


def holds_expression(value: Any) -> bool:
    """Tell whether ARM evaluates anything in a value. Pure."""
    if isinstance(value, dict):
        return any(is_expression(key) or holds_expression(each) for key, each in value.items())
    if isinstance(value, list):
        return any(holds_expression(each) for each in value)
    return is_expression(value)
