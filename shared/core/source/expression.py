"""Reads ARM's expressions: ``[concat(parameters('a'), '-x')]`` to a small tree.

Only what the compiler must know of expressions before ARM evaluates them: which functions they call
and which scopes they name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_LENGTH = 24_576
"""Characters; ARM's own limit."""
MAX_DEPTH = 64

_WRAPPERS = frozenset({"concat", "tolower"})
_FIRST_PLACE = re.compile(r"\{(\d{1,3})\}", re.ASCII)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)(?!\.)|(?P<name>[A-Za-z_$][\w$]*)|(?P<mark>[()\[\].,]))"
)


class NotAnExpressionError(ValueError):
    """The text is not an expression that ARM could evaluate."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or a whole number."""

    value: str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; ``name`` is in lower case, with its namespace if it has one."""

    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Access:
    """``of.key`` or ``of[key]``."""

    of: "Expression"
    key: "Expression"


Expression = Literal | Call | Access


def parse_expression(text: str) -> Expression:
    """Return the tree of an expression in its brackets. Pure. Raises NotAnExpressionError."""
    return _parsed(text).tree


def called_functions(text: str) -> frozenset[str]:
    """Return the functions that an expression calls, in lower case; none if it cannot be read. Pure."""
    try:
        return frozenset(_parsed(text).calls)
    except NotAnExpressionError:
        return frozenset()


def leading_call(text: str, least: int) -> str | None:
    """Return the function whose result an expression's text begins with, in lower case. Pure.

    At least the first ``least`` characters are that result's, as far as it has so many. None when
    the function is not known, or when the text begins with something that is no call.
    """
    try:
        tree = parse_expression(text)
    except NotAnExpressionError:
        return None
    while isinstance(tree, Call) and (first := _leading(tree, least)) is not None:
        tree = first
    return tree.name if isinstance(tree, Call) else None


def _leading(call: Call, least: int) -> Expression | None:
    """Return the argument that a call's result begins with, if the call only passes it on."""
    match call:
        case Call("format", (Literal(str(pattern)), *values)):
            placed = _FIRST_PLACE.match(pattern)
            index = int(placed.group(1)) if placed else len(values)
            return values[index] if index < len(values) else None
        case Call("take", (text, Literal(int(count)))) if count >= least:
            return text
        case Call(name, (first, *_)) if name in _WRAPPERS:
            return first
    return None


def _parsed(text: str) -> "_Parser":
    if len(text) > MAX_LENGTH:
        raise NotAnExpressionError("too long")
    parser = _Parser(list(_tokens(text[1:-1])))
    parser.tree = parser.expression(0)
    if parser.at != len(parser.tokens):
        raise NotAnExpressionError("something follows the end")
    return parser


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise NotAnExpressionError("unknown character")
        yield match.lastgroup, match.group(match.lastgroup)
        at = match.end()


@dataclass(slots=True)
class _Parser:
    tokens: list[tuple[str, str]]
    at: int = 0
    tree: Expression = Literal("")
    calls: set[str] = field(default_factory=set)

    def expression(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise NotAnExpressionError("too deep")
        tree = self.primary(depth)
        for _ in range(MAX_DEPTH):
            if self.take("."):
                kind, name = self.next()
                if kind != "name":
                    raise NotAnExpressionError("a name is missing")
                tree = Access(tree, Literal(name))
            elif self.take("["):
                tree = Access(tree, self.expression(depth + 1))
                self.expect("]")
            else:
                return tree
        raise NotAnExpressionError("too deep")

    def primary(self, depth: int) -> Expression:
        kind, text = self.next()
        if kind == "text":
            return Literal(text[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(int(text[:20]))
        if kind != "name":
            raise NotAnExpressionError("a value is missing")
        name = text
        if self.take("."):
            name = f"{text}.{self.next()[1]}"
        self.expect("(")
        self.calls.add(name.lower())
        arguments: list[Expression] = []
        while not self.take(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.expression(depth + 1))
        return Call(name.lower(), tuple(arguments))

    def next(self) -> tuple[str, str]:
        if self.at == len(self.tokens):
            raise NotAnExpressionError("it ends in the middle")
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, mark: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == ("mark", mark)
        self.at += found
        return found

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            raise NotAnExpressionError(f"{mark} is missing")
