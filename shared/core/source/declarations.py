"""The parameters that a template declares: their types, defaults, and which of them are secret."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.core.source.arm_json import Json, fold, member

_MAX_SCHEMA_DEPTH = 32
_PARTS = ("properties", "additionalproperties", "items", "prefixitems")
_WORDS = (
    "type",
    "defaultvalue",
    "nullable",
    *_PARTS,
)
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


@dataclass(slots=True)
class Shapes:
    """A template's definitions, with what was looked up in them once: templates can be large."""

    definitions: Json
    seen: dict[int, tuple[Json, dict[str, Any]]] = field(default_factory=dict)
    known: dict[str, Json] = field(default_factory=dict)

    def folded(self, holder: Json) -> dict[str, Any]:
        """Return an object's members by their names in lower case."""
        kept = self.seen.get(id(holder))
        if kept is None or kept[0] is not holder:
            found = {fold(key): each for key, each in holder.items()}
            kept = self.seen[id(holder)] = (holder, found)
        return kept[1]

    def followed(self, shape: Any) -> Json:
        """Return a declaration's words, with what its ``$ref`` says below what it says itself."""
        merged, name = self._said(shape)
        chain: list[tuple[str, Json]] = []
        met: set[str] = set()
        while name is not None and name not in self.known and name not in met:
            met.add(name)
            words, following = self._said(self.folded(self.definitions).get(name))
            chain.append((name, words))
            name = following
        below: Json = {} if name is None else self.known.get(name, {})
        for each, words in reversed(chain):
            below = self.known[each] = {**below, **words}
        return {**below, **merged}

    def _said(self, shape: Any) -> tuple[Json, str | None]:
        """Return a declaration's own words, and the definition that it refers to."""
        said = self.folded(shape) if isinstance(shape, dict) else {}
        reference = said.get("$ref")
        name = fold(reference.rsplit("/", 1)[-1]) if isinstance(reference, str) else None
        return {word: said[word] for word in _WORDS if word in said}, name


@dataclass(frozen=True, slots=True)
class Declared:
    """One parameter of a template. ``shape`` has its words in lower case, ``$ref`` followed."""

    name: str
    shape: Json
    shapes: Shapes

    @property
    def type(self) -> str:
        """The declared type in lower case; empty when there is none."""
        found = self.shape.get("type")
        return fold(found) if isinstance(found, str) else ""

    @property
    def secure(self) -> bool:
        """Whether the whole value is a secret."""
        return self.type in _SECURE

    @property
    def may_hold_secrets(self) -> bool:
        """Whether the value or a part of it may be declared as a secret."""
        return self.secure or any(word in self.shape for word in _PARTS)

    @property
    def has_default(self) -> bool:
        """Whether the template says a default."""
        return "defaultvalue" in self.shape

    @property
    def default(self) -> Any:
        """The default; None when there is none."""
        return self.shape.get("defaultvalue")

    @property
    def nullable(self) -> bool:
        """Whether null, and so leaving it out, is allowed."""
        return self.shape.get("nullable") is True


def declared(template: Json) -> dict[str, Declared]:
    """Return a template's parameters by name in lower case. Pure."""
    parameters = member(template, "parameters")
    definitions = member(template, "definitions")
    shapes = Shapes(definitions if isinstance(definitions, dict) else {})
    return {
        fold(name): Declared(name, shapes.followed(shape), shapes)
        for name, shape in (parameters.items() if isinstance(parameters, dict) else ())
    }


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


def written_secret(
    parameter: Declared, value: Any, gives_away: Callable[[Any], bool]
) -> str | None:
    """Return the JSON path inside ``value`` of a secret that is written out, or None. Pure.

    The path is empty for the whole value. ``gives_away`` tells it of a value that must be secret.
    """
    return _written_secret(parameter.shapes, parameter.shape, value, gives_away, _MAX_SCHEMA_DEPTH)


def _written_secret(
    shapes: Shapes, shape: Json, value: Any, gives_away: Callable[[Any], bool], depth: int
) -> str | None:
    if value is None or value in ("", {}, []) or depth == 0:
        return None
    kind = shape.get("type")
    if isinstance(kind, str) and fold(kind) in _SECURE:
        return "" if gives_away(value) else None
    for key, inner, each in _inner_shapes(shapes, shape, value):
        found = _written_secret(shapes, shapes.followed(inner), each, gives_away, depth - 1)
        if found is not None:
            return f"{key}{found}"
    return None


def _inner_shapes(shapes: Shapes, shape: Json, value: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(value, dict):
        known = shape.get("properties")
        named = shapes.folded(known) if isinstance(known, dict) else {}
        other = shape.get("additionalproperties")
        for name, each in value.items():
            inner = named.get(fold(name), other)
            if inner is not None:
                yield f".{name}", inner, each
    if isinstance(value, list):
        first = shape.get("prefixitems")
        first = first if isinstance(first, list) else []
        rest = shape.get("items")
        for index, each in enumerate(value):
            inner = first[index] if index < len(first) else rest
            if inner is not None:
                yield f"[{index}]", inner, each
