"""From the text of an ARM expression to its syntax tree.

    expression = primary { "." identifier | "[" expression "]" }
    primary    = string | integer | identifier { "." identifier } "(" [ expression { "," } ] ")"

A JSON string is an expression when it starts with `[` and ends with `]`; `[[` escapes.
"""

from functools import lru_cache

from local.arm.engine.errors import ExpressionError
from local.arm.engine.lexer import Token, TokenKind, tokenize
from local.arm.engine.limits import MAX_EXPRESSION_CHARS, MAX_EXPRESSION_DEPTH
from local.arm.engine.syntax import Access, Call, Literal, Node


def is_expression(text: str) -> bool:
    """Tell whether a JSON string is an ARM expression rather than plain text. Pure."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def unescape(text: str) -> str:
    """Return plain text with the escape `[[` undone. Pure."""
    return text[1:] if text.startswith("[[") else text


def parse_expression(text: str) -> Node:
    """Return the tree of an expression given with its brackets. Raises ExpressionError."""
    # A template is read twice, once to check it, and most of its expressions are short: as many
    # as a large module has are remembered, which long ones would make too many bytes of.
    return _remembered(text) if len(text) <= _SHORT else _remembered_long(text)


def _parse(text: str) -> Node:
    if len(text) > MAX_EXPRESSION_CHARS:
        raise ExpressionError(
            f"The language expression exceeds the maximum length of '{MAX_EXPRESSION_CHARS}' "
            f"characters: it has '{len(text)}'."
        )
    source = text[1:-1]
    parser = _Parser(source, tokenize(source))
    node = parser.expression(0)
    parser.take("EndOfData")
    return node


_SHORT = 400
_remembered = lru_cache(maxsize=16_384)(_parse)
_remembered_long = lru_cache(maxsize=256)(_parse)


class _Parser:
    """Reads tokens from left to right; `_kind` is that of the next one."""

    def __init__(self, source: str, tokens: list[Token]) -> None:
        self._source = source
        self._tokens = tokens
        self._next = 0
        self._kind: TokenKind = tokens[0].kind

    def take(self, expected: TokenKind) -> str | int:
        """Return the value of the next token and step over it; raises ExpressionError."""
        if self._kind != expected:
            raise ExpressionError(
                f"Unable to parse language expression '{self._source}': expected token "
                f"'{expected}' and actual '{self._kind}'."
            )
        value = self._tokens[self._next].value
        self._next += 1
        if self._next < len(self._tokens):
            self._kind = self._tokens[self._next].kind
        return value

    def expression(self, depth: int) -> Node:
        """Return the tree of an expression; raises ExpressionError."""
        _refuse_depth(depth)
        node = self._primary(depth)
        links = 0
        while self._kind in ("Dot", "LeftSquareBracket"):
            links += 1
            _refuse_depth(depth + links)
            node = Access(node, self._key(depth))
        return node

    def _key(self, depth: int) -> Node:
        if self._kind == "Dot":
            self.take("Dot")
            return Literal(self.take("Identifier"))
        self.take("LeftSquareBracket")
        key = self.expression(depth + 1)
        self.take("RightSquareBracket")
        return key

    def _primary(self, depth: int) -> Node:
        if self._kind in ("LiteralString", "Integer"):
            return Literal(self.take(self._kind))
        name = str(self.take("Identifier"))
        while self._kind == "Dot":
            self.take("Dot")
            name = f"{name}.{self.take('Identifier')}"
        self.take("LeftParenthesis")
        return Call(name, self._arguments(depth))

    def _arguments(self, depth: int) -> tuple[Node, ...]:
        arguments: list[Node] = []
        while self._kind != "RightParenthesis":
            if arguments:
                self.take("Comma")
            arguments.append(self.expression(depth + 1))
        self.take("RightParenthesis")
        return tuple(arguments)


def _refuse_depth(depth: int) -> None:
    if depth > MAX_EXPRESSION_DEPTH:
        raise ExpressionError(
            f"The language expression is nested deeper than '{MAX_EXPRESSION_DEPTH}' levels."
        )
