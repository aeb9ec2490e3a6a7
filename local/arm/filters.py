"""`$filter`, `$top` and `$skiptoken`, as far as ARM's lists know them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload
from urllib.parse import quote, urlencode

from local.arm.errors import ArmError
from local.arm.messages import Request
from local.arm.providers.model import find

_PAGE = 1000
_TERM = re.compile(
    r"\s*(?:(?P<field>[\w./]+)\s+(?P<op>eq|ne)\s+'(?P<value>(?:[^']|'')*)'"
    r"|(?P<fn>substringof|startswith)\(\s*(?P<a>'[^']*'|[\w./]+)\s*,\s*(?P<b>'[^']*'|[\w./]+)\s*\))",
    re.IGNORECASE,
)
_JOIN = re.compile(r"\s+(and|or)\s+|\s*$", re.IGNORECASE)

Test = Callable[[dict[str, Any]], bool]


def read(expression: str | None) -> Test:
    """Return the test that a `$filter` stands for. Pure. Raises InvalidFilterInQueryString.

    Known: `field eq|ne 'value'`, `substringof('x', field)`, `startswith(field, 'x')`, joined by
    `and` (first) and `or`; fields resourceType, resourceGroup, tagName, tagValue and the body's.
    """
    ways: list[list[re.Match[str]]] = [[]]
    rest, at = expression or "", 0
    while rest.strip() and at < len(rest):
        term = _TERM.match(rest, at)
        join = _JOIN.match(rest, term.end()) if term else None
        if term is None or join is None:
            raise ArmError(
                400,
                "InvalidFilterInQueryString",
                f"Invalid $filter '{expression}' specified in the query string.",
            )
        ways[-1].append(term)
        if join[1] and join[1].lower() == "or":
            ways.append([])
        at = join.end()
    return lambda body: any(_way_holds(way, body) for way in ways)


def _way_holds(way: list[re.Match[str]], body: dict[str, Any]) -> bool:
    """Return whether all terms hold; a tag's name and value are those of one tag."""
    name, value = (_equals(way, field) for field in ("tagname", "tagvalue"))
    if name is not None and value is not None:
        tags: dict[str, Any] = body.get("tags") or {}
        pairs = {(key.lower(), str(item).lower()) for key, item in tags.items()}
        if (name, value) not in pairs:
            return False
    return all(_holds(term, body) for term in way)


def _equals(way: list[re.Match[str]], field: str) -> str | None:
    """Return what a field must be equal to; None if the terms do not say. Pure."""
    for term in way:
        if term["field"] and term["field"].lower() == field and term["op"].lower() == "eq":
            return term["value"].replace("''", "'").lower()
    return None


def _holds(term: re.Match[str], body: dict[str, Any]) -> bool:
    if term["fn"]:
        return _function_holds(term, body)
    value = term["value"].replace("''", "'").lower()
    equal = value in _values(term["field"], body)
    return equal == (term["op"].lower() == "eq")


def _function_holds(term: re.Match[str], body: dict[str, Any]) -> bool:
    a, b = term["a"], term["b"]
    text, field = (a, b) if a.startswith("'") else (b, a)
    wanted = text.strip("'").lower()
    found = _values(field, body)
    if term["fn"].lower() == "startswith":
        return any(value.startswith(wanted) for value in found)
    return any(wanted in value for value in found)


def _values(field: str, body: dict[str, Any]) -> list[str]:
    """Return what a filter field may be compared with, in lower case."""
    tags: dict[str, Any] = body.get("tags") or {}
    match field.lower():
        case "tagname":
            return [name.lower() for name in tags]
        case "tagvalue":
            return [str(value).lower() for value in tags.values()]
        case "resourcetype":
            return [str(body.get("type", "")).lower()]
        case "resourcegroup":
            parts = str(body.get("id", "")).split("/")
            return [parts[4].lower()] if len(parts) > 4 else []  # noqa: PLR2004 - two pairs
        case "provisioningstate":
            found = find(body, "properties.provisioningState") or body.get("provisioningState")
            return [str(found).lower()]
        case name:
            return [str(find(body, name.replace("/", "."))).lower()]


Made = TypeVar("Made")


class Shown(Sequence[dict[str, Any]]):
    """Things as their bodies, each made when it is looked at: a page makes no more than it shows."""

    def __init__(self, found: Sequence[Made], show: Callable[[Made], dict[str, Any]]) -> None:
        self._found: Sequence[Any] = found
        self._show: Callable[[Any], dict[str, Any]] = show

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, at: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, at: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(at, slice):
            return [self._show(one) for one in self._found[at]]
        return self._show(self._found[at])


def page(
    request: Request, found: Sequence[dict[str, Any]], expression: str | None = None
) -> dict[str, Any]:
    """Return one page of what passes the request's `$filter`, and the link to the next. Pure.

    `expression` stands in for a filter of which the caller has already read a part. Raises
    `ArmError` for a filter or number that cannot be read.
    """
    wanted = request.query.get("$filter") if expression is None else expression
    test = read(wanted)
    if wanted and wanted.strip():
        found = [one for one in found if test(one)]
    start = _number(request, "$skiptoken", 0, least=0)
    size = min(_number(request, "$top", _PAGE, least=1), _PAGE)
    body: dict[str, Any] = {"value": list(found[start : start + size])}
    if start + size < len(found):
        query = {**request.query, "$skiptoken": str(start + size)}
        link = urlencode(query, quote_via=quote, safe="$")
        body["nextLink"] = f"{request.base}{quote(request.path)}?{link}"
    return body


def _number(request: Request, name: str, default: int, *, least: int) -> int:
    text = request.query.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
        raise ArmError(
            400,
            "InvalidQueryParameter",
            f"The value '{text}' of the query parameter {name} is invalid: it must be a whole"
            f" number, {least} or more.",
        )
    return int(text)
