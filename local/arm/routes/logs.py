"""The logs query API, which in Azure listens at api.loganalytics.io and here beside ARM.

azure-monitor-query's `LogsQueryClient(endpoint=...)` asks it. Queries run in a thread: one that
works hard holds up nobody.
"""

from __future__ import annotations

import asyncio
from typing import Any

from local.arm.cloud import Cloud
from local.arm.logs import service
from local.arm.messages import Answer, Request
from local.arm.routes.table import Words, route


def _ask(request: Request) -> service.Ask | Answer:
    prefer = request.headers.get("Prefer", "")
    if request.method == "GET":
        body: dict[str, Any] = {
            "query": request.query.get("query"),
            "timespan": request.query.get("timespan"),
        }
        return service.read_body(body, prefer)
    return service.read_body(request.json(), prefer)


async def query_workspace(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Answer a query on a workspace."""
    ask = _ask(request)
    if isinstance(ask, Answer):
        return ask
    return await asyncio.to_thread(service.query_workspace, cloud, words["workspace"], ask)


async def query_resource(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Answer a query on a resource, a group or a subscription."""
    ask = _ask(request)
    if isinstance(ask, Answer):
        return ask
    return await asyncio.to_thread(service.query_resource, cloud, words["scope"], ask)


async def query_batch(cloud: Cloud, request: Request, _: Words) -> Answer:
    """Answer several queries."""
    return await asyncio.to_thread(service.batch, cloud, request.json())


ROUTES = (
    route(
        "logs-query",
        "/v1/workspaces/{workspace}/query",
        {"POST": query_workspace, "GET": query_workspace},
        is_arm=False,
    ),
    route("logs-batch", r"/v1/\$batch", {"POST": query_batch}, is_arm=False),
    route(
        "logs-resource-query",
        "/v1/?(?P<scope>/subscriptions/.+)/query",
        {"POST": query_resource, "GET": query_resource},
        is_arm=False,
    ),
)
