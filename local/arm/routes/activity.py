"""The Activity Log's management routes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from local.arm import ids
from local.arm.activity import view
from local.arm.activity.names import NAMES
from local.arm.activity.view import Entry
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.messages import Answer, Request
from local.arm.routes.table import Words, route

_PAGE = 200
_KEPT = timedelta(days=90)
# A client's clock may be a little behind or before the service's.
_GRACE = timedelta(minutes=5)
_TERM = re.compile(
    r"\s*(?P<field>[\w/.]+)\s+(?P<op>eq|ge|le|gt|lt)"
    r"\s+(?:'(?P<value>(?:[^']|'')*)'|(?P<bare>[^\s']+))\s*(?:and\b|$)",
    re.IGNORECASE,
)
_FRACTION = re.compile(r"(\.\d{6})\d+")
_CATEGORIES = (
    "Administrative",
    "Security",
    "ServiceHealth",
    "Alert",
    "Recommendation",
    "Policy",
    "Autoscale",
    "ResourceHealth",
)

_BY_NAME = {name.lower(): name for name in view.FIELDS}

_Test = Callable[[Entry], bool]


def _bad(message: str) -> ArmError:
    return ArmError(400, "BadRequest", message, gateway=False)


def _list_of(value: str) -> frozenset[str]:
    return frozenset(part.strip().lower() for part in value.split(","))


# What a field of $filter is compared with; channels are all one and let everything through.
_FIELDS: dict[str, Callable[[Entry], Iterable[str]]] = {
    "resourcegroupname": lambda entry: [entry.group],
    "resourceuri": lambda entry: [entry.event.scope],
    "resourceid": lambda entry: [entry.event.scope],
    "resourceprovider": lambda entry: [entry.provider],
    "resourcetype": lambda entry: [entry.resource_type],
    "correlationid": lambda entry: [entry.event.correlation_id],
    "operationid": lambda entry: [entry.operation_id],
    "operationname": lambda entry: [entry.event.action],
    "operationname/value": lambda entry: [entry.event.action],
    "caller": lambda entry: [entry.caller],
    "status": lambda entry: [entry.event.status],
    "status/value": lambda entry: [entry.event.status],
    "levels": lambda entry: [entry.level],
    "level": lambda entry: [entry.level],
    "category": lambda _: ["Administrative"],
    "eventchannels": lambda _: ["Admin", "Operation", "Admin, Operation"],
}
_LISTS = frozenset({"levels", "eventchannels", "status", "category"})


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    except ValueError as error:
        raise _bad(f"The time '{text}' in $filter is no date and time in ISO 8601.") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _value(term: re.Match[str]) -> str:
    """Return what a term compares with; times may stand without quotes, as az writes them. Pure."""
    return str(term["bare"] or term["value"].replace("''", "'"))


def _read(expression: str, now: datetime) -> tuple[datetime, datetime, list[_Test]]:
    """Return (from, to, tests) of a `$filter`. Raises BadRequest."""
    since, until, tests, at = None, now, [], 0
    while at < len(expression):
        term = _TERM.match(expression, at)
        if term is None:
            raise _bad(
                f"The $filter '{expression}' cannot be read: only comparisons of a field with a"
                " text, joined by 'and', are allowed."
            )
        at = term.end()
        field, value = term["field"].lower(), _value(term)
        if field == "eventtimestamp":
            if term["op"].lower() in ("ge", "gt"):
                since = _moment(value)
            elif term["op"].lower() in ("le", "lt"):
                until = _moment(value)
        elif field in _FIELDS and term["op"].lower() == "eq":
            tests.append(_test(field, value))
        else:
            raise _bad(
                f"The field '{term['field']}' is not supported with '{term['op']}' in $filter."
            )
    if since is None:
        raise _bad("The $filter must say from when on: eventTimestamp ge '<time>'.")
    return since, until, tests


def _test(field: str, value: str) -> _Test:
    wanted = _list_of(value) if field in _LISTS else frozenset({value.lower().rstrip("/")})
    get = _FIELDS[field]
    return lambda entry: any(one.lower() in wanted for one in get(entry))


def _range(request: Request, now: datetime) -> tuple[datetime, datetime, list[_Test]]:
    expression = request.query.get("$filter", "").strip()
    if not expression:
        raise _bad("The query parameter $filter is required.")
    since, until, tests = _read(expression, now)
    if since < now - _KEPT - _GRACE:
        raise _bad("The start time cannot be more than 90 days in the past.")
    if until < since:
        raise _bad("The end time cannot be before the start time.")
    return since, until, tests


def _page(request: Request, found: list[Entry]) -> Answer:
    """Answer one page, newest first; the token is the key of the last entry on the page before."""
    fields = [one.strip() for one in request.query.get("$select", "").split(",") if one.strip()]
    unknown = [name for name in fields if name.lower() not in _BY_NAME]
    if unknown:
        raise _bad(f"The $select names '{unknown[0]}', which an event does not have.")
    if token := request.query.get("$skiptoken"):
        last = _token(token)
        found = [entry for entry in found if _order(entry) < last]
    found.sort(key=_order, reverse=True)
    shown = found[:_PAGE]
    body: dict[str, Any] = {"value": [_selected(view.shown(entry), fields) for entry in shown]}
    if len(found) > _PAGE:
        at, key = _order(shown[-1])
        query = {**request.query, "$skiptoken": f"{at!r}_{key}"}
        link = urlencode(query, quote_via=quote, safe="$")
        body["nextLink"] = f"{request.base}{quote(request.path)}?{link}"
    return Answer(200, body)


def _order(entry: Entry) -> tuple[float, str]:
    return entry.event.at, entry.key


def _token(text: str) -> tuple[float, str]:
    at, _, key = text.partition("_")
    try:
        return float(at), key
    except ValueError as error:
        raise _bad(f"The $skipToken '{text}' is not valid.") from error


def _selected(body: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    if not fields:
        return body
    wanted = [_BY_NAME[name.lower()] for name in fields]
    return {name: body[name] for name in wanted if name in body}


async def list_events(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List what was done in a subscription, newest first."""
    since, until, tests = _range(request, cloud.clock.now())
    wanted = words["sub"].lower()
    found = [
        entry
        for entry in view.entries(cloud)
        if since <= entry.at <= until
        and entry.subscription.lower() == wanted
        and all(test(entry) for test in tests)
    ]
    return _page(request, found)


async def list_tenant_events(cloud: Cloud, request: Request, _: Words) -> Answer:
    """List what was done above the subscriptions: in the tenant and its management groups."""
    since, until, tests = _range(request, cloud.clock.now())
    found = [
        entry
        for entry in view.entries(cloud)
        if since <= entry.at <= until and not entry.subscription and all(t(entry) for t in tests)
    ]
    return _page(request, found)


async def list_categories(_: Cloud, __: Request, ___: Words) -> Answer:
    """List the categories of events."""
    return Answer(200, {"value": [{"value": one, "localizedValue": one} for one in _CATEGORIES]})


async def list_operations(cloud: Cloud, _: Request, __: Words) -> Answer:
    """List the operations of Microsoft.Insights."""
    mine = [name for name in NAMES if name.lower().startswith("microsoft.insights/")]
    mine += [
        f"Microsoft.Insights/{name}/read"
        for name in cloud.knowledge.providers["microsoft.insights"].types
    ]
    shown = [
        {
            "name": action,
            "display": {
                "provider": "Microsoft Monitoring Insights",
                "resource": action.split("/")[1],
                "operation": NAMES.get(action, "Read"),
            },
        }
        for action in mine
    ]
    return Answer(200, {"value": shown})


_INSIGHTS = f"/{ids.PROVIDERS}/Microsoft.Insights"
ROUTES = (
    route(
        "activity-log",
        "/subscriptions/{sub}" + _INSIGHTS + "/eventtypes/management/values",
        {"GET": list_events},
    ),
    route(
        "activity-log-tenant",
        _INSIGHTS + "/eventtypes/management/values",
        {"GET": list_tenant_events},
    ),
    route("event-categories", _INSIGHTS + "/eventcategories", {"GET": list_categories}),
    route("insights-operations", _INSIGHTS + "/operations", {"GET": list_operations}),
)
