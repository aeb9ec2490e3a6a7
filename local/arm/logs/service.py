"""One call of the query API: which workspaces, which time, how long, and the reply.

The Activity Log of the subscription is routed to every workspace: the diagnostic setting that Azure
wants for that is taken for granted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.arm import ids
from local.arm.clock import new_guid
from local.arm.cloud import Cloud
from local.arm.logs import values
from local.arm.logs.bounds import Budget
from local.arm.logs.faults import QueryError, TooMuchError, TooSlowError
from local.arm.logs.running import Result, run
from local.arm.logs.tables import View, sources
from local.arm.messages import Answer
from local.arm.state.records import Resource

_WORKSPACES = "/providers/microsoft.operationalinsights/workspaces/"
_WAIT_SECONDS = 180
_WAIT_AT_MOST = 600
_QUERY_AT_MOST = 100_000
_BATCH_AT_MOST = 100
_TABLE_NAMES = ("PrimaryResult", "SecondaryResult")


@dataclass(frozen=True, slots=True)
class Ask:
    """What a call asks for, as it came."""

    query: str
    timespan: str | None
    workspaces: list[str]
    prefer: Mapping[str, str]


def _refused(status: int, code: str, message: str, inner: Any = None) -> Answer:
    error: dict[str, Any] = {"message": message, "code": code, "correlationId": new_guid()}
    if inner is not None:
        error["innererror"] = inner
    return Answer(status, {"error": error})


def _bad(code: str, message: str) -> Answer:
    inner = {"code": code, "message": message}
    return _refused(400, "BadArgumentError", "The request had some invalid properties", inner)


def read_prefer(header: str) -> dict[str, str]:
    """Return the preferences in a Prefer header: wait, include-statistics, include-render. Pure."""
    found = {}
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name:
            found[name.strip().lower()] = value.strip().lower()
    return found


def read_body(body: Any, prefer: str) -> Ask | Answer:
    """Return what a body asks for, or the refusal of one that cannot be read. Pure."""
    if not isinstance(body, dict):
        return _bad("InvalidJsonBody", "The body must be a JSON object")
    query, timespan = body.get("query"), body.get("timespan")
    others = body.get("workspaces") or []
    if not isinstance(query, str) or not query.strip():
        return _bad("QueryMissing", "The property 'query' must be a text")
    if len(query) > _QUERY_AT_MOST:
        return _bad("QueryTooLong", f"The query is longer than {_QUERY_AT_MOST} characters")
    if timespan is not None and not isinstance(timespan, str):
        return _bad("InvalidTimespan", "The property 'timespan' must be a text")
    if not isinstance(others, list) or not all(isinstance(one, str) for one in others):
        return _bad("InvalidWorkspaces", "The property 'workspaces' must be a list of texts")
    return Ask(query, timespan, others, read_prefer(prefer))


# ------------------------------------------------------------------ workspaces and resources


def _all_workspaces(cloud: Cloud) -> list[Resource]:
    return cloud.store.resources.below(
        f"/subscriptions/{cloud.identity.subscription}",
        lambda key: _WORKSPACES in key and "/" not in key.rpartition(_WORKSPACES)[2],
    )


def _customer_id(record: Resource) -> str:
    properties = record.got.get("properties") or {}
    return str(properties.get("customerId", "")).lower()


def find_workspace(cloud: Cloud, name: str) -> str | None:
    """Return the customer id of a workspace by that id, its resource id or its name."""
    wanted = name.lower().rstrip("/")
    for record in _all_workspaces(cloud):
        names = (_customer_id(record), record.id.lower(), record.name.lower())
        if wanted in names:
            return names[0]
    return None


def _workspace_missing(name: str) -> Answer:
    message = f"The workspace '{name}' could not be found"
    return _refused(404, "WorkspaceNotFoundError", message)


def query_workspace(cloud: Cloud, workspace: str, ask: Ask) -> Answer:
    """Answer a query on a workspace (its customer id) and those that it names besides."""
    wanted = {_customer_id(record) for record in _all_workspaces(cloud)}
    if workspace.lower() not in wanted:
        return _workspace_missing(workspace)
    found = [workspace.lower()]
    for name in ask.workspaces:
        other = find_workspace(cloud, name)
        if other is None:
            return _workspace_missing(name)
        found.append(other)
    return _answer(cloud, list(dict.fromkeys(found)), "", ask)


def query_resource(cloud: Cloud, scope: str, ask: Ask) -> Answer:
    """Answer a query on what is at and below a subscription, a group or a resource."""
    below = ids.key_of(scope)
    parts = below.split("/")
    if parts[2:3] != [cloud.identity.subscription.lower()]:
        return _path_missing(scope)
    rid, pair = ids.parse(scope), ids.group_of(scope)
    exists = len(parts) == 3 or (  # noqa: PLR2004 - "", word, value
        scope in cloud.store.resources
        if rid is not None
        else pair is not None and len(parts) == 5 and scope in cloud.store.groups  # noqa: PLR2004 - two pairs
    )
    if not exists:
        return _path_missing(scope)
    return _answer(cloud, [new_guid()], below, ask)


def _path_missing(scope: str) -> Answer:
    return _refused(404, "PathNotFoundError", f"The resource {scope} does not exist")


# ------------------------------------------------------------------ time


def read_timespan(text: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return (from, to) of an ISO 8601 period. Pure. Raises ValueError."""
    if not text:
        return None, None
    first, slash, second = text.partition("/")
    if not slash:
        return now - _duration(first), now
    if second.startswith("P"):
        start = _moment(first)
        return start, start + _duration(second)
    end = _moment(second)
    return (end - _duration(first) if first.startswith("P") else _moment(first)), end


def _duration(text: str) -> timedelta:
    found = values.iso_duration(text)
    if found is None:
        raise ValueError(f"'{text}' is no duration in ISO 8601")
    return found


def _moment(text: str) -> datetime:
    found = values.parse("datetime", text)
    if not isinstance(found, datetime):
        raise ValueError(f"'{text}' is no date and time in ISO 8601")  # noqa: TRY004 - the text is wrong
    return found


# ------------------------------------------------------------------ the reply


def _answer(cloud: Cloud, workspaces: list[str], below: str, ask: Ask) -> Answer:
    now = cloud.clock.now()
    try:
        since, until = read_timespan(ask.timespan, now)
    except (ValueError, OverflowError) as error:
        return _bad("InvalidTimespan", f"The timespan cannot be read: {error}")
    wait = ask.prefer.get("wait", "")
    seconds = int(wait) if wait.isdecimal() and len(wait) < 5 else _WAIT_SECONDS  # noqa: PLR2004 - 600 at most
    budget = Budget(min(max(seconds, 1), _WAIT_AT_MOST))
    views = [View(cloud, workspace, below, since, until) for workspace in workspaces]
    limit = cloud.knobs.logs_row_limit
    started = time.perf_counter()
    try:
        results = run(ask.query, sources(views), now, budget, limit)
    except QueryError as error:
        return Answer(400, {"error": {**error.error(), "correlationId": new_guid()}})
    except TooMuchError as error:
        return Answer(200, {"tables": [], "error": _partial(error.code, error.message)})
    except TooSlowError:
        inner = {"code": "GatewayTimeout", "message": f"The query took longer than {seconds} s"}
        return _refused(504, "GatewayTimeout", "The request timed out", inner)
    return Answer(200, _reply(results, ask, limit, (time.perf_counter() - started, budget)))


def _partial(code: str, message: str) -> dict[str, Any]:
    return {
        "code": "PartialError",
        "message": "There were some errors when processing your query.",
        "details": [
            {
                "code": "EngineError",
                "message": "Something went wrong processing your query on the server.",
                "innererror": {
                    "code": code,
                    "message": message,
                    "severity": 2,
                    "severityName": "Error",
                },
            }
        ],
    }


def _reply(
    results: list[Result], ask: Ask, limit: int, spent: tuple[float, Budget]
) -> dict[str, Any]:
    body: dict[str, Any] = {"tables": [_table(at, one) for at, one in enumerate(results)]}
    if ask.prefer.get("include-statistics") == "true":
        body["statistics"] = _statistics(results, *spent)
    if ask.prefer.get("include-render") == "true":
        drawn = next((one.render for one in results if one.render), None)
        body["render"] = {"visualization": drawn, "title": None, "xColumn": None, "ySplit": None}
    if any(one.cut for one in results):
        message = (
            f"The results of this query exceed the set limit of {limit} records, so not all"
            " records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003)."
        )
        body["error"] = _partial("-2133196797", message)
    return body


def _table(at: int, result: Result) -> dict[str, Any]:
    return {
        "name": _TABLE_NAMES[at] if at < len(_TABLE_NAMES) else f"Table_{at}",
        "columns": [{"name": column.name, "type": column.kind} for column in result.columns],
        "rows": result.rows,
    }


def _statistics(results: list[Result], seconds: float, budget: Budget) -> dict[str, Any]:
    return {
        "query": {
            "executionTime": round(seconds, 7),
            "resourceUsage": {"cpu": {"totalCpu": values.span_text(timedelta(seconds=seconds))}},
            "inputDatasetStatistics": {"extents": {"total": 1}, "rows": {"scanned": budget.steps}},
            "datasetStatistics": [{"tableRowCount": len(one.rows)} for one in results],
        }
    }


def batch(cloud: Cloud, body: Any) -> Answer:
    """Answer several queries in one; each has its own status."""
    asked = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(asked, list) or not asked or len(asked) > _BATCH_AT_MOST:
        return _bad("InvalidBatch", f"The body needs 1 to {_BATCH_AT_MOST} 'requests'")
    responses = []
    for one in asked:
        if not isinstance(one, dict) or not isinstance(one.get("id"), str):
            return _bad("InvalidBatch", "Each request needs an 'id', which is a text")
        answer = _one_of_batch(cloud, one)
        responses.append(
            {
                "id": one["id"],
                "status": answer.status,
                "headers": {"Content-Type": "application/json; charset=utf-8"},
                "body": answer.body,
            }
        )
    return Answer(200, {"responses": responses})


def _one_of_batch(cloud: Cloud, one: dict[str, Any]) -> Answer:
    headers = one.get("headers") or {}
    prefer = next((str(headers[name]) for name in headers if name.lower() == "prefer"), "")
    ask = read_body(one.get("body"), prefer)
    if isinstance(ask, Answer):
        return ask
    return query_workspace(cloud, str(one.get("workspace", "")), ask)
