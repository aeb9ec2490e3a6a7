"""Route templates: parsing, precedence and matching, as ASP.NET routing does them for Functions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

LITERAL, CONSTRAINED, PARAMETER, CATCH_ALL = range(1, 5)
_PARAMETER = re.compile(
    r"\{(?P<stars>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[A-Za-z]+(?:\([^{}]*\))?)*)"
    r"(?:=(?P<default>[^}?]*))?(?P<optional>\?)?\}"
)
_CONSTRAINT = re.compile(r":([A-Za-z]+)(?:\(([^{}]*)\))?")
_PATTERNS = {
    "int": r"[+-]?\d{1,10}",
    "long": r"[+-]?\d{1,19}",
    "alpha": r"[A-Za-z]*",
    "bool": r"(?i:true|false)",
    "guid": r"(?i:\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?)",
    "decimal": r"[+-]?\d+(?:\.\d+)?",
    "double": r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "float": r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "datetime": r"\d{4}-\d{2}-\d{2}(?:[T ].+)?",
    "required": r".+",
}
_INT_BITS = {"int": 31, "long": 63}
_SIZED = {"length", "minlength", "maxlength", "min", "max", "range", "regex"}


class RouteError(ValueError):
    """A template that cannot be served."""


@dataclass(frozen=True)
class Constraint:
    """One `:name(argument)` of a parameter."""

    name: str
    argument: str = ""

    def allows(self, value: str) -> bool:
        """Tell whether a segment satisfies it. Pure."""
        if self.name == "regex":
            return re.search(self.argument, value, re.IGNORECASE) is not None
        if self.name in _SIZED:
            return self._sized(value)
        if re.fullmatch(_PATTERNS[self.name], value) is None:
            return False
        bits = _INT_BITS.get(self.name)
        return bits is None or -(2**bits) <= int(value) < 2**bits

    def _sized(self, value: str) -> bool:
        numbers = [int(part) for part in self.argument.split(",")]
        if self.name in {"min", "max", "range"}:
            if re.fullmatch(_PATTERNS["long"], value) is None:
                return False
            size = int(value)
        else:
            size = len(value)
        if self.name.startswith("min"):
            return size >= numbers[0]
        if self.name.startswith("max"):
            return size <= numbers[0]
        return numbers[0] <= size <= numbers[-1]


@dataclass(frozen=True)
class Segment:
    """One part of a template between slashes: a literal, or a parameter."""

    rank: int
    text: str  # the literal in lower case, or the parameter's name
    constraints: tuple[Constraint, ...] = ()
    optional: bool = False
    default: str | None = None


@dataclass(frozen=True)
class Template:
    """A parsed route."""

    text: str
    segments: tuple[Segment, ...] = field(default_factory=tuple)

    @property
    def precedence(self) -> tuple[int, ...]:
        """Return the sort key: literals before constraints before parameters before catch-alls."""
        return tuple(segment.rank for segment in self.segments)

    @property
    def shape(self) -> tuple[object, ...]:
        """Return what two templates share when they match the same paths with equal precedence."""
        return tuple(
            segment.text
            if segment.rank == LITERAL
            else (segment.rank, segment.constraints, segment.optional)
            for segment in self.segments
        )

    def match(self, path: str) -> dict[str, str] | None:
        """Return the route's parameters for a raw URL path; None if it is another route. Pure."""
        given = [unquote(part) for part in path.strip("/").split("/")] if path.strip("/") else []
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if segment.rank == CATCH_ALL:
                rest = "/".join(given[index:])
                value: str | None = rest or segment.default
                given = given[:index]
            else:
                value = given[index] if index < len(given) else segment.default
            if not _take(segment, value, values):
                return None
        return values if len(given) <= len(self.segments) else None


def _take(segment: Segment, value: str | None, values: dict[str, str]) -> bool:
    if segment.rank == LITERAL:
        return value is not None and value.lower() == segment.text
    if value is None or value == "":
        return segment.optional or segment.rank == CATCH_ALL
    if not all(constraint.allows(value) for constraint in segment.constraints):
        return False
    values[segment.text] = value
    return True


def parse(text: str) -> Template:
    """Parse a route template; raises RouteError with the segment that is wrong. Pure."""
    segments = [_segment(part) for part in text.strip("/").split("/") if part]
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment.rank == CATCH_ALL and not last:
            raise RouteError(f"the catch-all {{*{segment.text}}} must be the last segment")
        if segment.optional and not all(later.optional for later in segments[index:]):
            raise RouteError(f"optional {{{segment.text}?}} may only be followed by optional ones")
    names = [segment.text.lower() for segment in segments if segment.rank != LITERAL]
    if len(names) != len(set(names)):
        raise RouteError("a parameter name is used twice")
    return Template(text, tuple(segments))


def _segment(part: str) -> Segment:
    if "{" not in part and "}" not in part:
        return Segment(LITERAL, part.lower())
    match = _PARAMETER.fullmatch(part)
    if match is None:
        raise RouteError(f"segment {part!r} is neither a literal nor one {{parameter}}")
    constraints = tuple(
        _constraint(name.lower(), argument)
        for name, argument in _CONSTRAINT.findall(match["constraints"])
    )
    rank = CONSTRAINED if constraints else PARAMETER
    if match["stars"]:
        rank = CATCH_ALL
    return Segment(rank, match["name"], constraints, bool(match["optional"]), match["default"])


def _constraint(name: str, argument: str) -> Constraint:
    if name == "regex":
        try:
            re.compile(argument)
        except re.error as error:
            raise RouteError(f"the expression of regex({argument}) is wrong: {error}") from None
        return Constraint(name, argument)
    if name in _SIZED:
        if not re.fullmatch(r"-?\d+(,-?\d+)?", argument):
            raise RouteError(f"constraint {name}({argument}) needs one or two whole numbers")
        return Constraint(name, argument)
    if name not in _PATTERNS or argument:
        raise RouteError(f"constraint {name!r} does not exist")
    return Constraint(name)


def in_order(templates: Iterable[Template]) -> list[Template]:
    """Return templates in the order in which they are tried. Pure."""
    return sorted(templates, key=lambda template: template.precedence)


def methods_overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether two sets of methods share one; the empty set stands for all. Pure."""
    return not one or not other or bool(one & other)
