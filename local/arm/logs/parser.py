"""Reads a whole query: `let` statements, sources and tabular operators.

What an operator's `arguments` are: where: an expression; project, extend: items; project-away and
project-keep: names (with * at either end); project-rename: pairs (new, old); summarize: (aggregates,
keys); sort: keys; top: (count, keys); take: a count; distinct: names or none for all; union: a
Union; join: a Join; render: a word; count: nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.arm.logs.arguments import Arguments
from local.arm.logs.faults import Place, SyntaxFault
from local.arm.logs.syntax import (
    Datatable,
    Expression,
    Join,
    Let,
    Name,
    Operator,
    Pipeline,
    Print,
    Query,
    Table,
    Union,
)

_SCALAR_TYPES = {
    "bool": "bool",
    "boolean": "bool",
    "datetime": "datetime",
    "date": "datetime",
    "dynamic": "dynamic",
    "guid": "guid",
    "int": "int",
    "long": "long",
    "real": "real",
    "double": "real",
    "string": "string",
    "timespan": "timespan",
    "time": "timespan",
}
_JOINS = frozenset(
    {"inner", "innerunique", "leftouter", "leftanti", "leftsemi", "anti", "semi", "leftantisemi"}
)
_JOIN_NAMES = {"anti": "leftanti", "leftantisemi": "leftanti", "semi": "leftsemi"}
_UNION_WORDS = frozenset({"kind", "withsource", "isfuzzy"})
_OPERATORS_AT_MOST = 100
_PIPELINES_AT_MOST = 10
_DEEPEST = 10


def parse(query: str) -> Query:
    """Return the tree of a query. Pure. Raises `SyntaxFault`."""
    return _Parser(query).query()


class _Parser(Arguments):
    def __init__(self, query: str) -> None:
        super().__init__(query)
        self._inside = 0

    def query(self) -> Query:
        lets: list[Let] = []
        pipelines: list[Pipeline] = []
        while self.next.kind != "end":
            if self.skip(";"):
                continue
            if self.sees("let"):
                lets.append(self._let())
            else:
                pipelines.append(self.pipeline())
            if self.next.kind != "end" and not self.sees(";"):
                raise self.fault()
        if not pipelines:
            raise self.fault("Expected: a tabular expression")
        if (
            len(lets) + len(pipelines) > _PIPELINES_AT_MOST * 5
            or len(pipelines) > _PIPELINES_AT_MOST
        ):
            raise self.fault("The query has too many statements")
        return Query(tuple(lets), tuple(pipelines))

    def _let(self) -> Let:
        self.take()
        name = self.name()
        self.expect("=")
        if self._is_source():
            return Let(name.text, self.pipeline(), name.place)
        value = self.expression()
        if self.sees("|") and isinstance(value, Name):
            table = Table(value.name, value.place)
            return Let(name.text, Pipeline(table, self._operators(), value.place), name.place)
        if self.sees("|", "{"):
            raise self.fault()
        return Let(name.text, value, name.place)

    def _is_source(self) -> bool:
        return self.sees("print", "datatable", "union") and self.ahead(1).text != ";"

    def pipeline(self) -> Pipeline:
        """Read a source and what is done to it."""
        self._inside += 1
        if self._inside > _DEEPEST:
            raise self.fault("The query is nested too deeply")
        place = self.next.place
        found = Pipeline(self._source(), self._operators(), place)
        self._inside -= 1
        return found

    def _source(self) -> Table | Datatable | Print | Union | Pipeline:
        token = self.next
        if self.skip("("):
            inner = self.pipeline()
            self.expect(")")
            return inner
        if self.sees("print"):
            self.take()
            return Print(self.several(self.item), token.place)
        if self.sees("datatable"):
            return self._datatable()
        if self.sees("union"):
            self.take()
            return self._union(token.place)
        name = self.name()
        if self.sees("("):
            raise SyntaxFault(name.place, "The simulator has no tabular functions")
        return Table(name.text, name.place)

    def _datatable(self) -> Datatable:
        place = self.take().place
        self.expect("(")
        columns = self.several(self._column)
        self.expect(")")
        self.expect("[")
        values: tuple[Expression, ...] = ()
        if not self.sees("]"):
            values = self.several(self.expression)
        self.expect("]")
        if len(values) % len(columns):
            raise SyntaxFault(place, "The values do not fill the rows of the datatable")
        return Datatable(columns, values, place)

    def _column(self) -> tuple[str, str]:
        name = self.name().text
        self.expect(":")
        kind = self.name()
        if kind.text not in _SCALAR_TYPES:
            raise SyntaxFault(kind.place, "Expected: a scalar type")
        return name, _SCALAR_TYPES[kind.text]

    def _union(self, place: Place) -> Union:
        words: dict[str, str] = {}
        while self.next.text in _UNION_WORDS and self.ahead(1).text == "=":
            word = self.take().text
            self.take()
            words[word] = self.name().text
        if words.get("kind", "outer") not in ("inner", "outer"):
            raise SyntaxFault(place, "Expected: kind=inner or kind=outer")
        sources = self.several(self._member)
        return Union(
            sources,
            inner=words.get("kind") == "inner",
            fuzzy=words.get("isfuzzy") == "true",
            with_source=words.get("withsource"),
            place=place,
        )

    def _member(self) -> Pipeline:
        place = self.next.place
        return Pipeline(self._source(), (), place)

    # -------------------------------------------------------------- operators

    def _operators(self) -> tuple[Operator, ...]:
        found: list[Operator] = []
        while self.skip("|"):
            token = self.next
            reads = _OPERATORS.get(token.text) if token.kind == "name" else None
            if reads is None:
                raise self.fault("The simulator does not have this operator")
            self.take()
            name, read = reads
            found.append(Operator(name, read(self), token.place))
            if len(found) > _OPERATORS_AT_MOST:
                raise self.fault("The query has too many operators")
        return tuple(found)

    def union(self) -> Union:
        return self._union(self.next.place)

    def join(self) -> Join:
        kind = "innerunique"
        if self.sees("kind"):
            self.take()
            self.expect("=")
            kind = self.name().text
            if kind not in _JOINS:
                raise self.fault(f"The simulator does not have join kind '{kind}'")
        right = self._member()
        self.expect("on")
        return Join(_JOIN_NAMES.get(kind, kind), right, self.several(self.pair))


_Reads = Callable[[_Parser], Any]
_OPERATORS: dict[str, tuple[str, _Reads]] = {
    "where": ("where", _Parser.expression),
    "filter": ("where", _Parser.expression),
    "project": ("project", _Parser.items),
    "project-away": ("project-away", _Parser.patterns),
    "project-keep": ("project-keep", _Parser.patterns),
    "project-rename": ("project-rename", _Parser.renames),
    "extend": ("extend", _Parser.items),
    "summarize": ("summarize", _Parser.summary),
    "sort": ("sort", _Parser.keys),
    "order": ("sort", _Parser.keys),
    "top": ("top", _Parser.top),
    "take": ("take", _Parser.expression),
    "limit": ("take", _Parser.expression),
    "distinct": ("distinct", _Parser.columns),
    "count": ("count", _Parser.nothing),
    "union": ("union", _Parser.union),
    "join": ("join", _Parser.join),
    "render": ("render", _Parser.render),
}
