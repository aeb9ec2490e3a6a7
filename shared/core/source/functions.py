"""The functions of ARM's expressions that can be told before a deployment runs.

Each takes values that may be unknown, or texts known in part, and never guesses.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from shared.core.source.known import HOLE, UNKNOWN, Scope

_PLACEHOLDER = re.compile(r"\{(\d{1,3})\}", re.ASCII)
_MOST_LEADING = 2
_MAX_FILLED = 1024 * 1024
"""Characters that a format may hold before it is given up."""
_JSON: Mapping[str, Any] = {"null": None, "{}": {}, "[]": []}


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

    longest = max((len(each) for each in values if isinstance(each, str)), default=0)
    if pattern.count("{") * longest > _MAX_FILLED:
        return UNKNOWN

    def filled(match: re.Match[str]) -> str:
        index = int(match.group(1))
        return _part(values[index]) if index < len(values) else HOLE

    return _PLACEHOLDER.sub(filled, pattern)


def _cased(change: Callable[[str], str]) -> Callable[[list[Any]], Any]:
    def function(arguments: list[Any]) -> Any:
        # What Azure makes of other letters' cases is not ours to guess.
        one = len(arguments) == 1 and isinstance(arguments[0], str) and arguments[0].isascii()
        return change(arguments[0]) if one else UNKNOWN

    return function


def _take(arguments: list[Any]) -> Any:
    match arguments:
        case [str(text), int(count)] if count >= 0:
            known, hole, _ = text[:count].partition(HOLE)
            return known + hole
    return UNKNOWN


def _create_object(arguments: list[Any]) -> Any:
    names = arguments[::2]
    if len(arguments) % 2 or not all(isinstance(each, str) and HOLE not in each for each in names):
        return UNKNOWN
    return dict(zip(names, arguments[1::2], strict=True))


def _json(arguments: list[Any]) -> Any:
    """Return the three values that compilers write this way."""
    text = arguments[0] if len(arguments) == 1 else None
    return _JSON.get(text, UNKNOWN) if isinstance(text, str) else UNKNOWN


FUNCTIONS: Mapping[str, Callable[[list[Any]], Any]] = {
    "concat": _concat,
    "format": _format,
    "tolower": _cased(str.lower),
    "toupper": _cased(str.upper),
    "take": _take,
    "createobject": _create_object,
    "createarray": list,
    "json": _json,
    "null": lambda _: None,
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


OF_SCOPE: Mapping[str, Callable[[Scope, list[Any]], Any]] = {
    "resourcegroup": _resource_group,
    "subscription": _subscription,
    "resourceid": _resource_id,
    "subscriptionresourceid": _subscription_resource_id,
    "tenantresourceid": _tenant_resource_id,
    "extensionresourceid": _extension_resource_id,
}
