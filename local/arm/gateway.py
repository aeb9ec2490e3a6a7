"""The way of every request: known path, known caller, scripted answer, api-version, handler, headers.

The gateway knows no HTTP library; `server` hands it requests and sends its answers.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass

import msgspec

from local.arm import actions, errors, tokens
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.messages import Answer, Caller, Request
from local.arm.request_log import KINDS, Entry
from local.arm.routes.all import PUBLIC
from local.arm.routes.table import Found, Route, find
from local.arm.script import Reply
from local.arm.tokens import LOGIN

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[A-Za-z]+)?")
_NOBODY = Caller("", "", "")


class DropError(Exception):
    """The script wants the connection broken without an answer."""


@dataclass(slots=True)
class _Visit:
    """What the log wants to know about a request."""

    route: str = "none"
    scripted: bool = False


@dataclass(frozen=True, slots=True)
class Gateway:
    """The way into one cloud, by these routes."""

    cloud: Cloud
    routes: tuple[Route, ...]

    async def handle(self, request: Request, token: str | None) -> Answer:
        """Answer one request; `token` is the bearer token, None without one. Raises `DropError`."""
        cloud = self.cloud
        started = time.perf_counter()
        visit = _Visit()
        status = 0
        try:
            answer = await self._guarded(request, token, visit)
            status = answer.status
        finally:
            elapsed = (time.perf_counter() - started) * 1000
            cloud.requests.add(_entry(cloud, request, visit, status, elapsed))
        cloud.store.compact_if_long()
        answer.headers = {**_headers(cloud, request), **answer.headers}
        return answer

    async def _guarded(self, request: Request, token: str | None, visit: _Visit) -> Answer:
        try:
            return await self._answer(request, token, visit)
        except ArmError as error:
            return refusal(error)

    async def _answer(self, request: Request, token: str | None, visit: _Visit) -> Answer:
        cloud = self.cloud
        cloud.settle()
        found = find(self.routes, request.path)
        if found is None:
            raise errors.route_not_found(request.method, request.path)
        request.route = visit.route = found.route.name
        if found.route.name not in PUBLIC:
            request.caller = _caller(cloud, token)
        reply = cloud.script.take(request.method, request.path, found.route.name, "client")
        if reply is None:
            return await _true_answer(cloud, request, found)
        visit.scripted = True
        if reply.hang_seconds:
            await asyncio.sleep(reply.hang_seconds)
        if reply.when == "after" or not _speaks(reply):
            answer = await _true_answer(cloud, request, found)
            if not _speaks(reply):
                return answer
        return scripted(cloud, request, reply)


def refusal(error: ArmError) -> Answer:
    """Return the answer that carries an error. Pure."""
    headers = {**error.headers, "x-ms-failure-cause": "gateway" if error.gateway else "service"}
    return Answer(error.status, errors.envelope(error.body()), headers)


def _speaks(reply: Reply) -> bool:
    return reply.drop or reply.status is not None or reply.kind != "answer"


def scripted(cloud: Cloud, request: Request, reply: Reply) -> Answer:
    """Return what the script wants said. Raises `DropError`, `ArmError`."""
    if reply.drop:
        raise DropError
    if reply.kind == "authorization_failed":
        action, scope = actions.needed(request.method, request.path)
        raise errors.authorization_failed(request.caller.appid, request.caller.oid, action, scope)
    if reply.kind == "throttled":
        kind = KINDS.get(request.method, "writes").removesuffix("s")
        subscription = cloud.identity.subscription
        raise errors.throttled(subscription, request.caller.oid, kind, reply.retry_after)
    body = errors.envelope(reply.error) if reply.error is not None else reply.body
    return Answer(reply.status or 200, body, dict(reply.headers))


async def _true_answer(cloud: Cloud, request: Request, found: Found) -> Answer:
    method = "GET" if request.method == "HEAD" else request.method
    handler = found.route.methods.get(request.method) or found.route.methods.get(method)
    if handler is None:
        raise errors.method_not_allowed(request.method, request.path)
    version = request.query.get("api-version")
    if not version:
        raise errors.missing_api_version(request.path)
    if not _VERSION.fullmatch(version):
        raise errors.invalid_api_version(version)
    if "sub" in found.words:
        cloud.check_subscription(found.words["sub"])
    return await handler(cloud, request, found.words)


def _caller(cloud: Cloud, token: str | None) -> Caller:
    tenant = cloud.identity.tenant
    if token is None:
        raise errors.unauthenticated(
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
            LOGIN,
            tenant,
        )
    try:
        caller, expires = tokens.read(token)
    except tokens.BadTokenError as error:
        message = "The access token is invalid."
        raise errors.unauthenticated(
            "InvalidAuthenticationToken", message, LOGIN, tenant
        ) from error
    if expires <= time.time():
        message = "The access token expiry UTC time is earlier than current UTC time."
        raise errors.unauthenticated("ExpiredAuthenticationToken", message, LOGIN, tenant)
    return caller


def _headers(cloud: Cloud, request: Request) -> dict[str, str]:
    request_id = new_guid()
    moment = cloud.clock.now().strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": request.correlation_id,
        "x-ms-routing-request-id": f"WESTEUROPE:{moment}:{request_id}",
        "x-ms-throttling-version": "v2",
    }
    kind = KINDS.get(request.method, "writes")
    full = {"reads": (249, 3749), "writes": (199, 2999), "deletes": (199, 2999)}[kind]
    prefix = "x-ms-ratelimit-remaining-subscription"
    headers[f"{prefix}-{kind}"], headers[f"{prefix}-global-{kind}"] = map(str, full)
    return headers


def _entry(cloud: Cloud, request: Request, visit: _Visit, status: int, elapsed: float) -> Entry:
    return Entry(
        at=stamp(cloud.clock.now()),
        method=request.method,
        path=request.path,
        api_version=request.api_version,
        route=visit.route,
        kind=KINDS.get(request.method, "writes"),
        status=status,
        milliseconds=round(elapsed, 3),
        scripted=visit.scripted,
        user_agent=request.headers.get("User-Agent", ""),
        client_request_id=request.headers.get("x-ms-client-request-id", ""),
        correlation_id=request.correlation_id,
    )


def encode(body: object) -> bytes:
    """Return a body as JSON. Pure."""
    return msgspec.json.encode(body)
