"""`$filter`, `$top` and `$skiptoken`, as far as ARM's lists know them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

from local.arm.errors import ArmError
from local.arm.messages import Request
from local.arm.providers.model import find

_PAGE = 1000
_TERM = re.compile(
    r"\s*(?:(?P<not>not\s+)?(?P<field>[\w./]+)\s+(?P<op>eq|ne)\s+'(?P<value>(?:[^']|'')*)'"
    r"|(?P<fn>substringof|startswith)\(\s*(?P<a>'[^']*'|\w+)\s*,\s*(?P<b>'[^']*'|\w+)\s*\))\s*",
    re.IGNORECASE,
)


def matches(expression: str | None, body: dict[str, Any]) -> bool:
    """Return whether a body passes a `$filter`. Pure. Raises `ArmError` InvalidFilterInQueryString.

    Known: `field eq|ne 'value'`, `substringof('x', field)`, `startswith(field, 'x')`, joined by
    `and` or by `or`; fields resourceType, resourceGroup, tagName, tagValue and those of the body.
    """
    if not expression:
        return True
    ways = re.split(r"\s+or\s+", expression, flags=re.IGNORECASE)
    return any(
        all(
            _term(term, expression, body)
            for term in re.split(r"\s+and\s+", way, flags=re.IGNORECASE)
        )
        for way in ways
    )


def _term(term: str, expression: str, body: dict[str, Any]) -> bool:
    match = _TERM.fullmatch(
        term.strip().removeprefix("(").removesuffix(")") if not _TERM.fullmatch(term) else term
    )
    if match is None:
        raise ArmError(
            400,
            "InvalidFilterInQueryString",
            f"Invalid $filter '{expression}' specified in the query string.",
        )
    if match["fn"]:
        return _function(match, body)
    value = match["value"].replace("''", "'").lower()
    equal = value in _values(match["field"], body)
    return equal == (match["op"].lower() == "eq")


def _function(match: re.Match[str], body: dict[str, Any]) -> bool:
    a, b = match["a"], match["b"]
    text, field = (a, b) if a.startswith("'") else (b, a)
    wanted = text.strip("'").lower()
    found = _values(field, body)
    if match["fn"].lower() == "startswith":
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
            return [parts[4].lower()] if len(parts) > 4 else []  # noqa: PLR2004 - /subscriptions/s/resourceGroups/g
        case "provisioningstate":
            found = find(body, "properties.provisioningState") or body.get("provisioningState")
            return [str(found).lower()]
        case name:
            return [str(find(body, name.replace("/", "."))).lower()]


def page(request: Request, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one page of a list and, if there is more, the link to the next. Pure."""
    try:
        start = int(request.query.get("$skiptoken", "0"))
        size = min(int(request.query.get("$top", str(_PAGE))), _PAGE)
    except ValueError as error:
        raise ArmError(
            400, "InvalidQueryParameter", "$top and $skiptoken must be whole numbers."
        ) from error
    body: dict[str, Any] = {"value": found[start : start + size]}
    if 0 < start + size < len(found):
        query = {**request.query, "$skiptoken": str(start + size)}
        link = urlencode(query, quote_via=quote, safe="$")
        body["nextLink"] = f"{request.base}{quote(request.path)}?{link}"
    return body
