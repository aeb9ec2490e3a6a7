"""Evaluates as much of an expression as can be known before a deployment runs.

What cannot be known leaves a hole: a text may be known in part (``'rg-' + ?``), and often the known
part decides. Never guesses: a wrong answer here would let a write pass the choke point.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.core.source.arm_json import Json, is_expression, member
from shared.core.source.declarations import declared
from shared.core.source.expression import (
    Access,
    Call,
    Expression,
    Literal,
    NotAnExpressionError,
    parse_expression,
)

HOLE: Final = "\0"
"""Stands in a text for a part that is not known; no text of ARM has this character."""
MAX_TEXT = 8192
_MAX_DEPTH = 100
_MOST_LEADING = 2
_PLACEHOLDER = re.compile(r"\{(\d{1,3})\}")


class Unknown:
    """A value that only ARM will know."""


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Scope:
    """A place that ARM writes to: the tenant, a management group, a subscription or a group.

    A part that is not known is None for "there is none", and holds HOLE for "somewhere".
    """

    subscription: str | None = None
    group: str | None = None
    management_group: str | None = None

    @property
    def id(self) -> str | None:
        """The canonical id; None when a part of it is not known."""
        parts = (self.subscription, self.group, self.management_group)
        if any(part is not None and HOLE in part for part in parts):
            return None
        if self.management_group is not None:
            return f"/providers/Microsoft.Management/managementGroups/{self.management_group}"
        if self.subscription is None:
            return "/"
        if self.group is None:
            return f"/subscriptions/{self.subscription}"
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"


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
    folded: dict[int, tuple[Json, dict[str, str]]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)

    def value(self, written: Any, depth: int = 0) -> Any:
        """Return a JSON value with its expressions evaluated as far as they can be."""
        if depth > _MAX_DEPTH:
            return UNKNOWN
        if isinstance(written, dict):
            if any(key.lower() == "copy" or is_expression(key) for key in written):
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
        first = arguments[0].lower() if arguments and isinstance(arguments[0], str) else ""
        if tree.name == "parameters":
            return (
                self.given[first]
                if first in self.given
                else self._lazy(self.defaults, first, depth)
            )
        if tree.name == "variables":
            return self._lazy(self.variables, first, depth)
        if tree.name in _IDS:
            return _IDS[tree.name](self.scope, arguments)
        function = _FUNCTIONS.get(tree.name)
        found = UNKNOWN if function is None else function(arguments)
        return UNKNOWN if isinstance(found, str) and len(found) > MAX_TEXT else found

    def _picked(self, of: Any, key: Any) -> Any:
        if isinstance(of, dict) and isinstance(key, str):
            found = of.get(key) if key in of else of.get(self._names(of).get(key.lower(), key))
            return UNKNOWN if found is None else found
        if isinstance(of, list) and isinstance(key, int) and 0 <= key < len(of):
            return of[key]
        return UNKNOWN

    def _names(self, holder: Json) -> dict[str, str]:
        """Return the keys of an object by their lower case, made once for each object."""
        kept = self.folded.get(id(holder))
        if kept is None or kept[0] is not holder:
            names: dict[str, str] = {}
            for key in holder:
                names.setdefault(key.lower(), key)
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
    known = variables.items() if isinstance(variables, dict) else ()
    return Frame(scope, given, defaults, {name.lower(): each for name, each in known})


def _part(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return HOLE
    return str(value)


def _concat(arguments: list[Any]) -> Any:
    if any(isinstance(each, list) for each in arguments):
        return UNKNOWN
    return "".join(_part(each) for each in arguments)


def _format(arguments: list[Any]) -> Any:
    if not arguments or not isinstance(arguments[0], str):
        return UNKNOWN
    pattern, values = arguments[0], arguments[1:]
    plain = _PLACEHOLDER.sub("", pattern)
    if "{" in plain or "}" in plain:
        return UNKNOWN

    def filled(match: re.Match[str]) -> str:
        index = int(match.group(1))
        return _part(values[index]) if index < len(values) else HOLE

    return _PLACEHOLDER.sub(filled, pattern)


def _cased(change: Callable[[str], str]) -> Callable[[list[Any]], Any]:
    def function(arguments: list[Any]) -> Any:
        one = len(arguments) == 1 and isinstance(arguments[0], str)
        return change(arguments[0]) if one else UNKNOWN

    return function


_FUNCTIONS: Mapping[str, Callable[[list[Any]], Any]] = {
    "concat": _concat,
    "format": _format,
    "tolower": _cased(str.lower),
    "toupper": _cased(str.upper),
    "createobject": lambda arguments: {} if not arguments else UNKNOWN,
}


def _resource_group(scope: Scope, arguments: list[Any]) -> Any:
    if arguments or scope.group is None or scope.subscription is None:
        return UNKNOWN
    identity = f"/subscriptions/{scope.subscription}/resourceGroups/{scope.group}"
    return {"name": scope.group, "id": identity}


def _subscription(scope: Scope, arguments: list[Any]) -> Any:
    if arguments or scope.subscription is None:
        return UNKNOWN
    identity = f"/subscriptions/{scope.subscription}"
    return {"subscriptionId": scope.subscription, "id": identity}


def _resource_id(scope: Scope, arguments: list[Any]) -> Any:
    """``resourceId([[subscription,] group,] type, names...)``: the first with a slash is the type."""
    texts = [_part(each) for each in arguments]
    at = next((index for index, each in enumerate(texts) if "/" in each), len(texts))
    if at > _MOST_LEADING or at == len(texts):
        return UNKNOWN
    rest = _typed(texts[at], texts[at + 1 :])
    if at == 0 and scope.group is None:
        return f"/subscriptions/{scope.subscription or HOLE}/providers/{rest}"
    own = [scope.subscription or HOLE, scope.group or HOLE]
    subscription, group = own[: _MOST_LEADING - at] + texts[:at]
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{rest}"


def _subscription_resource_id(scope: Scope, arguments: list[Any]) -> Any:
    texts = [_part(each) for each in arguments]
    at = next((index for index, each in enumerate(texts) if "/" in each), len(texts))
    if at > 1 or at == len(texts):
        return UNKNOWN
    subscription = texts[0] if at else scope.subscription or HOLE
    return f"/subscriptions/{subscription}/providers/{_typed(texts[at], texts[at + 1 :])}"


def _tenant_resource_id(_scope: Scope, arguments: list[Any]) -> Any:
    texts = [_part(each) for each in arguments]
    return f"/providers/{_typed(texts[0], texts[1:])}" if texts and "/" in texts[0] else UNKNOWN


def _extension_resource_id(_scope: Scope, arguments: list[Any]) -> Any:
    texts = [_part(each) for each in arguments]
    if len(texts) < _MOST_LEADING:
        return UNKNOWN
    return f"{texts[0]}/providers/{_typed(texts[1], texts[2:])}"


def _typed(kind: str, names: list[str]) -> str:
    provider, *types = kind.split("/")
    pairs = [f"{each}/{name}" for each, name in zip(types, names, strict=False)]
    return "/".join([provider, *pairs])


_IDS: Mapping[str, Callable[[Scope, list[Any]], Any]] = {
    "resourcegroup": _resource_group,
    "subscription": _subscription,
    "resourceid": _resource_id,
    "subscriptionresourceid": _subscription_resource_id,
    "tenantresourceid": _tenant_resource_id,
    "extensionresourceid": _extension_resource_id,
}
