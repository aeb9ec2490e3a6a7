"""Evaluates as much of an expression as can be known before a deployment runs.

What cannot be known leaves a hole: a text may be known in part (``'rg-' + ?``), and often the known
part decides. Never guesses: a wrong answer here would let a write pass the choke point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.core.source.arm_json import Json, fold, is_expression, member
from shared.core.source.declarations import declared
from shared.core.source.expression import (
    Access,
    Call,
    Expression,
    Literal,
    NotAnExpressionError,
    parse_expression,
)
from shared.core.source.functions import FUNCTIONS, OF_SCOPE
from shared.core.source.known import HOLE, UNKNOWN, Scope

__all__ = ["HOLE", "UNKNOWN", "Frame", "Scope", "frame_of", "given_to", "inner_frame"]

MAX_TEXT = 8192
_MAX_DEPTH = 100


@dataclass(slots=True)
class Frame:
    """What expressions in one template see, by names in lower case.

    ``given`` are parameters with their values (UNKNOWN for references), ``defaults`` are as written
    in the template, and so are ``variables``.
    """

    scope: Scope
    given: Mapping[str, Any]
    defaults: Mapping[str, Any]
    variables: Mapping[str, Any]
    known: dict[str, Any] = field(default_factory=dict)
    folded: dict[int, tuple[Json, dict[str, str | None]]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)

    def value(self, written: Any, depth: int = 0) -> Any:
        """Return a JSON value with its expressions evaluated as far as they can be."""
        if depth > _MAX_DEPTH:
            return UNKNOWN
        if isinstance(written, dict):
            if any(fold(key) == "copy" or is_expression(key) for key in written):
                return UNKNOWN
            return {key: self.value(each, depth + 1) for key, each in written.items()}
        if isinstance(written, list):
            return [self.value(each, depth + 1) for each in written]
        if not isinstance(written, str):
            return written
        if not is_expression(written):
            return written[1:] if written.startswith("[[") else written
        try:
            return self._run(parse_expression(written), depth + 1)
        except NotAnExpressionError:
            return UNKNOWN

    def text(self, written: Any) -> str:
        """Return a text with HOLE for what is not known; anything but a text is not known."""
        found = self.value(written)
        return found if isinstance(found, str) else HOLE

    def _run(self, tree: Expression, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            return UNKNOWN
        if isinstance(tree, Literal):
            return tree.value
        if isinstance(tree, Access):
            return self._picked(self._run(tree.of, depth + 1), self._run(tree.key, depth + 1))
        arguments = [self._run(each, depth + 1) for each in tree.arguments]
        return self._call(tree, arguments, depth)

    def _call(self, tree: Call, arguments: list[Any], depth: int) -> Any:
        first = fold(arguments[0]) if arguments and isinstance(arguments[0], str) else ""
        if tree.name in ("parameters", "variables") and not first.isascii():
            return UNKNOWN  # Which letters are one but for their case only Azure knows.
        if tree.name == "parameters":
            return (
                self.given[first]
                if first in self.given
                else self._lazy(self.defaults, first, depth)
            )
        if tree.name == "variables":
            return self._lazy(self.variables, first, depth)
        if tree.name in OF_SCOPE:
            return OF_SCOPE[tree.name](self.scope, arguments)
        function = FUNCTIONS.get(tree.name)
        found = UNKNOWN if function is None else function(arguments)
        return UNKNOWN if isinstance(found, str) and len(found) > MAX_TEXT else found

    def _picked(self, of: Any, key: Any) -> Any:
        if isinstance(of, dict) and isinstance(key, str):
            name = self._names(of).get(fold(key)) if key.isascii() else None
            return UNKNOWN if name is None or of[name] is None else of[name]
        if isinstance(of, list) and isinstance(key, int) and 0 <= key < len(of):
            return of[key]
        return UNKNOWN

    def _names(self, holder: Json) -> dict[str, str | None]:
        """Return an object's keys by their lower case, made once; None for what is there twice."""
        kept = self.folded.get(id(holder))
        if kept is None or kept[0] is not holder:
            names: dict[str, str | None] = {}
            for key in holder:
                names[fold(key)] = None if fold(key) in names else key
            kept = self.folded[id(holder)] = (holder, names)
        return kept[1]

    def _lazy(self, written: Mapping[str, Any], name: str, depth: int) -> Any:
        """Return a variable or a default, evaluated once; a circle is not known."""
        key = f"{'variable' if written is self.variables else 'default'} {name}"
        if key in self.known:
            return self.known[key]
        if key in self.busy or name not in written:
            return UNKNOWN
        self.busy.add(key)
        found = self.value(written[name], depth + 1)
        self.busy.discard(key)
        self.known[key] = found
        return found


def frame_of(template: Json, scope: Scope, given: Mapping[str, Any]) -> Frame:
    """Return what expressions of a template see that is deployed to ``scope``. Pure."""
    defaults = {name: each.default for name, each in declared(template).items() if each.has_default}
    variables = member(template, "variables")
    variables = variables if isinstance(variables, dict) else {}
    loops = member(variables, "copy")
    looped = {
        fold(str(member(each, "name")))
        for each in (loops if isinstance(loops, list) else ())
        if isinstance(each, dict)
    }
    known = {fold(name): each for name, each in variables.items() if fold(name) not in looped}
    return Frame(scope, given, defaults, known)


def inner_frame(properties: Json, template: Json, frame: Frame, scope: Scope) -> Frame:
    """Return what expressions of a nested template see: what its parent does, or its own. Pure.

    Nothing is known where an expression would decide which of the two.
    """
    options = member(properties, "expressionEvaluationOptions")
    said = member(options, "scope") if isinstance(options, dict) else options
    how = "outer" if said is None else fold(said) if isinstance(said, str) else ""
    if how in ("outer", "notspecified"):
        return frame
    if how == "inner":
        return frame_of(template, scope, given_to(properties, frame))
    return Frame(Scope(HOLE, HOLE), {}, {}, {})


def given_to(properties: Json, frame: Frame) -> dict[str, Any]:
    """Return what a nested deployment gives its template, evaluated, by names in lower case. Pure."""
    parameters = member(properties, "parameters")
    entries = parameters.items() if isinstance(parameters, dict) else ()
    return {
        fold(name): frame.value(entry["value"])
        if isinstance(entry, dict) and "value" in entry
        else UNKNOWN
        for name, entry in entries
    }
