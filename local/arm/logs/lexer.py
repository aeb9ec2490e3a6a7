"""A query in words: names, literals and signs, each with its place."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.arm.logs import values
from local.arm.logs.faults import Place, SyntaxFault

_UNITS = {
    "d": 86_400_000_000,
    "day": 86_400_000_000,
    "days": 86_400_000_000,
    "h": 3_600_000_000,
    "hr": 3_600_000_000,
    "hrs": 3_600_000_000,
    "hour": 3_600_000_000,
    "hours": 3_600_000_000,
    "m": 60_000_000,
    "min": 60_000_000,
    "minute": 60_000_000,
    "minutes": 60_000_000,
    "s": 1_000_000,
    "sec": 1_000_000,
    "second": 1_000_000,
    "seconds": 1_000_000,
    "ms": 1_000,
    "milli": 1_000,
    "millis": 1_000,
    "millisecond": 1_000,
    "milliseconds": 1_000,
    "micro": 1,
    "microsecond": 1,
    "microseconds": 1,
}
_TEXT = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |[hH]?@"(?P<verbatim>(?:[^"]|"")*)"|[hH]?@'(?P<verbatim1>(?:[^']|'')*)'
    |[hH]?"(?P<double>(?:[^"\\\n]|\\.)*)"|[hH]?'(?P<single>(?:[^'\\\n]|\\.)*)'
    |(?P<raw>(?:datetime|date|timespan|time|guid)\s*\()
    |(?P<dynamic>dynamic\s*\()
    |(?P<span>\d+(?:\.\d+)?(?:"""
    + "|".join(sorted(_UNITS, key=len, reverse=True))
    + r""")\b)
    |(?P<real>\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)
    |(?P<hex>0x[0-9a-fA-F]+)|(?P<long>\d+)
    |(?P<hyphened>project-(?:away|rename|keep|reorder)|(?:mv|make|parse|graph)-[a-z]+)
    |(?P<sign>!(?:in~|(?:in|has|has_cs|contains|contains_cs|startswith|startswith_cs|endswith
        |endswith_cs|between|hasprefix|hassuffix)\b)
        |has_any\b|in~|==|!=|<>|=~|!~|<=|>=|=>|\.\.|[-+*/%<>=()\[\]{},;:|.])
    |(?P<name>\$?[A-Za-z_][A-Za-z0-9_]*)""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_TOKENS_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Token:
    """One word. `kind` is name, sign, end, or the type of a literal with its `value`."""

    kind: str
    text: str
    place: Place
    value: Any = None


def read(query: str) -> list[Token]:
    """Return the words of a query, with an end. Pure. Raises `SyntaxFault`."""
    tokens: list[Token] = []
    at, lines = 0, _Lines(query)
    while at < len(query):
        match = _TEXT.match(query, at)
        if match is None:
            raise SyntaxFault(lines.place(at, query[at]))
        kind = str(match.lastgroup)
        end = match.end()
        if kind != "space":
            token, end = _token(kind, match, lines)
            tokens.append(token)
        if len(tokens) > _TOKENS_AT_MOST:
            raise SyntaxFault(lines.place(at, query[at]), "The query is too long")
        at = end
    tokens.append(Token("end", "", lines.place(len(query), "<EOF>")))
    return tokens


class _Lines:
    """Finds the line and column of an index into a text."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.text = text
        self._line = 0

    def place(self, at: int, token: str) -> Place:
        while self._line + 1 < len(self._starts) and self._starts[self._line + 1] <= at:
            self._line += 1
        return Place(self._line + 1, at - self._starts[self._line] + 1, token)


def _token(kind: str, match: re.Match[str], lines: _Lines) -> tuple[Token, int]:
    text, place = match[0], lines.place(match.start(), match[0])
    if kind in ("raw", "dynamic"):
        return (_raw if kind == "raw" else _dynamic)(match, lines)
    if kind in ("name", "sign", "hyphened"):
        return Token("sign" if kind == "sign" else "name", text, place), match.end()
    kind, value = _literal(kind, match[kind])
    return Token(kind, text, place, value), match.end()


def _literal(kind: str, text: str) -> tuple[str, Any]:
    match kind:
        case "verbatim" | "verbatim1":
            quote = '"' if kind == "verbatim" else "'"
            return "string", text.replace(quote * 2, quote)
        case "span":
            digits = re.match(r"[\d.]+", text)
            number = digits[0] if digits else ""
            return "timespan", timedelta(
                microseconds=round(float(number) * _UNITS[text[len(number) :]])
            )
        case "real":
            return "real", float(text)
        case "hex" | "long":
            return "long", int(text, 16 if kind == "hex" else 10)
    return "string", _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    word = match[1]
    if len(word) > 1:
        return chr(int(word[1:], 16))
    return _ESCAPES.get(word, word)


def _raw(match: re.Match[str], lines: _Lines) -> tuple[Token, int]:
    """Read datetime(...), timespan(...) and guid(...), whose inside follows no other rule."""
    end = lines.text.find(")", match.end())
    word = match[0].rstrip("(").strip().lower()
    kind = {"date": "datetime", "time": "timespan"}.get(word, word)
    inside = lines.text[match.end() : end if end >= 0 else len(lines.text)].strip()
    place = lines.place(match.start(), match[0] + inside[:40])
    if inside[:1] in ("'", '"') and inside[-1:] == inside[:1]:
        inside = inside[1:-1]
    value = values.parse(kind, inside)
    if end < 0 or (value is None and inside.lower() != "null"):
        raise SyntaxFault(place, f"'{inside[:40]}' is no {kind}")
    return Token(kind, match[0], place, value), end + 1


def _dynamic(match: re.Match[str], lines: _Lines) -> tuple[Token, int]:
    start = match.end()
    while lines.text[start : start + 1].isspace():
        start += 1
    place = lines.place(match.start(), match[0])
    try:
        value, end = json.JSONDecoder().raw_decode(lines.text, start)
    except (ValueError, RecursionError) as error:
        raise SyntaxFault(place, "dynamic() wants a JSON literal") from error
    while lines.text[end : end + 1].isspace():
        end += 1
    if lines.text[end : end + 1] != ")":
        raise SyntaxFault(place, "dynamic() wants one JSON literal")
    return Token("dynamic", match[0], place, value), end + 1
