"""The tokens of an ARM expression."""

import re
from typing import Literal, NamedTuple

from local.arm.engine.errors import ExpressionError

TokenKind = Literal[
    "Identifier",
    "LiteralString",
    "Integer",
    "LeftParenthesis",
    "RightParenthesis",
    "LeftSquareBracket",
    "RightSquareBracket",
    "Comma",
    "Dot",
    "EndOfData",
]

_PUNCTUATION: dict[str, TokenKind] = {
    "(": "LeftParenthesis",
    ")": "RightParenthesis",
    "[": "LeftSquareBracket",
    "]": "RightSquareBracket",
    ",": "Comma",
    ".": "Dot",
}
_TOKEN = re.compile(
    r"""
    \s*
  (?: (?P<string>'(?:[^']|'')*')
  | (?P<integer>[+-]?[0-9]+)
  | (?P<identifier>[A-Za-z_$][A-Za-z0-9_$]*)
  | (?P<mark>[()\[\],.])
  )
    """,
    re.VERBOSE,
)
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_MAX_DIGITS = 20


class Token(NamedTuple):
    """One token; `value` is the decoded text or number, `at` its offset in the expression."""

    kind: TokenKind
    value: str | int
    at: int


def tokenize(expression: str) -> list[Token]:
    """Return the tokens of an expression (without its brackets), ending with EndOfData.

    Pure. Raises ExpressionError for a character that no token starts with, an open string or an
    integer beyond 64 bits.
    """
    tokens: list[Token] = []
    end, match = 0, _TOKEN.match
    while found := match(expression, end):
        kind = found.lastgroup or ""
        text, at, end = found[kind], found.start(kind), found.end()
        if kind == "mark":
            tokens.append(Token(_PUNCTUATION[text], text, at))
        elif kind == "identifier":
            tokens.append(Token("Identifier", text, at))
        else:
            tokens.append(_literal(expression, text, at))
    rest = expression[end:].lstrip()
    if rest:
        raise _unexpected(expression, len(expression) - len(rest))
    tokens.append(Token("EndOfData", "", len(expression)))
    return tokens


def _literal(expression: str, text: str, at: int) -> Token:
    if text[0] == "'":
        return Token("LiteralString", text[1:-1].replace("''", "'"), at)
    return Token("Integer", _integer(expression, text), at)


def _integer(expression: str, text: str) -> int:
    if len(text) <= _MAX_DIGITS and _MIN_INT <= (value := int(text)) <= _MAX_INT:
        return value
    raise ExpressionError(
        f"The language expression '{expression}' is not valid: the integer '{text[:40]}' does not "
        "fit into 64 bits."
    )


def _unexpected(expression: str, at: int) -> ExpressionError:
    if expression[at] == "'":
        return ExpressionError(
            f"The language expression '{expression}' is not valid: the string literal that starts "
            f"at position '{at}' is not terminated."
        )
    return ExpressionError(
        f"The language expression '{expression}' is not valid: the string character "
        f"'{expression[at]}' at position '{at}' is not expected."
    )
