"""Reads scalar expressions: from words to a tree, the strongest operators deepest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from local.arm.logs import lexer
from local.arm.logs.faults import Place, SyntaxFault
from local.arm.logs.lexer import Token
from local.arm.logs.syntax import (
    Between,
    Binary,
    Call,
    Expression,
    InList,
    Item,
    Literal,
    Logic,
    Member,
    Name,
    Star,
)

Part = TypeVar("Part")

_LITERALS = frozenset({"string", "long", "real", "timespan", "datetime", "guid", "dynamic"})
_EQUALITIES = frozenset({"==", "!=", "<>", "=~", "!~", "<", ">", "<=", ">="})
TEXT_OPERATORS = frozenset(
    name + case
    for name in ("has", "contains", "startswith", "endswith", "hasprefix", "hassuffix")
    for case in ("", "_cs")
)
_LISTS = frozenset({"in", "in~", "!in", "!in~", "has_any", "has_all"})
_DEEPEST = 60
_LONGEST = 150


class Reader:
    """The words of a query, read from left to right. Raises `SyntaxFault`."""

    def __init__(self, query: str) -> None:
        self._tokens = lexer.read(query)
        self._at = 0
        self._depth = 0

    # -------------------------------------------------------------- words

    @property
    def next(self) -> Token:
        """The word that comes next."""
        return self._tokens[self._at]

    def ahead(self, count: int) -> Token:
        """Return the word `count` words after the next."""
        return self._tokens[min(self._at + count, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Return the next word and go on."""
        token = self.next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def fault(self, hint: str = "") -> SyntaxFault:
        """Return the error for the next word."""
        return SyntaxFault(self.next.place, hint)

    def sees(self, *texts: str) -> bool:
        """Return whether the next word is one of these (and no literal)."""
        return self.next.kind in ("name", "sign") and self.next.text in texts

    def skip(self, *texts: str) -> Token | None:
        """Take the next word if it is one of these."""
        return self.take() if self.sees(*texts) else None

    def expect(self, text: str) -> Token:
        """Take the next word, which must be this."""
        if not self.sees(text):
            raise self.fault(f"Expected: {text}")
        return self.take()

    def name(self) -> Token:
        """Take a name; one with other signs in it stands in ['...']."""
        if self.sees("[") and self.ahead(1).kind == "string":
            self.take()
            token = self.take()
            self.expect("]")
            return Token("name", str(token.value), token.place)
        if self.next.kind != "name":
            raise self.fault("Expected: a name")
        return self.take()

    def several(self, one: Callable[[], Part]) -> tuple[Part, ...]:
        """Read one and more, with commas between them."""
        found = [one()]
        while self.skip(","):
            found.append(one())
        return tuple(found)

    # -------------------------------------------------------------- expressions

    def expression(self) -> Expression:
        """Read an expression."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.fault("The expression is nested too deeply")
        found = self._any("or", lambda: self._any("and", self._comparison))
        self._depth -= 1
        return found

    def item(self) -> Item:
        """Read `name = expression` or an expression."""
        named = self.next.kind == "name" and self.ahead(1).text == "="
        bracketed = self.sees("[") and self.ahead(3).text == "="
        if not named and not bracketed:
            return Item(None, self.expression())
        name = self.name().text
        self.expect("=")
        return Item(name, self.expression())

    def _any(self, word: str, term: Callable[[], Expression]) -> Expression:
        place = self.next.place
        terms = [term()]
        while self.skip(word):
            terms.append(term())
        return terms[0] if len(terms) == 1 else Logic(word, tuple(terms), place)

    def _comparison(self) -> Expression:
        left = self._sum()
        token = self.next
        if token.kind not in ("name", "sign"):
            return left
        text = token.text
        if text in _EQUALITIES:
            self.take()
            return Binary({"<>": "!="}.get(text, text), left, self._sum(), token.place)
        if text.lstrip("!") in TEXT_OPERATORS:
            self.take()
            return Binary(text, left, self._sum(), token.place)
        if text in _LISTS:
            self.take()
            return InList(text, left, self._list(), token.place)
        if text in ("between", "!between"):
            self.take()
            return self._between(left, text.startswith("!"), token.place)
        if text == "matches":
            raise self.fault("The simulator does not have 'matches regex'")
        return left

    def _list(self) -> tuple[Expression, ...]:
        self.expect("(")
        items = self.several(self.expression)
        self.expect(")")
        return items

    def _between(self, value: Expression, negated: bool, place: Place) -> Between:  # noqa: FBT001 - the operator's own yes and no
        self.expect("(")
        low = self._sum()
        self.expect("..")
        high = self._sum()
        self.expect(")")
        return Between(negated, value, low, high, place)

    def _sum(self) -> Expression:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Expression:
        return self._chain(("*", "/", "%"), self._unary)

    def _chain(self, signs: tuple[str, ...], term: Callable[[], Expression]) -> Expression:
        left, length = term(), 1
        while token := self.skip(*signs):
            length += 1
            if length > _LONGEST:
                raise self.fault("The expression is too long")
            left = Binary(token.text, left, term(), token.place)
        return left

    def _unary(self) -> Expression:
        token = self.skip("-", "+")
        if token is None:
            return self._postfix()
        value = self._postfix()
        if token.text == "+":
            return value
        return Binary("-", Literal("long", 0, token.place), value, token.place)

    def _postfix(self) -> Expression:
        found, length = self._primary(), 0
        while self.sees(".", "["):
            length += 1
            if length > _LONGEST:
                raise self.fault("The expression is too long")
            token = self.take()
            if token.text == ".":
                key: Expression = self._key()
            else:
                key = self.expression()
                self.expect("]")
            found = Member(found, key, token.place)
        return found

    def _key(self) -> Literal:
        token = self.name()
        return Literal("string", token.text, token.place)

    def _primary(self) -> Expression:
        token = self.next
        if token.kind in _LITERALS:
            self.take()
            return Literal(token.kind, token.value, token.place)
        if self.skip("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if self.skip("*"):
            return Star(token.place)
        if token.kind == "name" and token.text in ("true", "false"):
            self.take()
            return Literal("bool", token.text == "true", token.place)
        name = self.name()
        return self._call(name) if self.sees("(") else Name(name.text, name.place)

    def _call(self, name: Token) -> Call:
        self.expect("(")
        arguments: tuple[Expression, ...] = ()
        if not self.sees(")"):
            arguments = self.several(self.expression)
        self.expect(")")
        return Call(name.text, arguments, name.place)
