"""The way of every request: known path, known caller, tokens left, script, handler, headers.

The gateway knows no HTTP library; `server` hands it requests and sends its answers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial

import msgspec

from local.arm import errors, groups, ids, tokens
from local.arm.activity import Witness
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.faults import lag, operations, wire
from local.arm.faults.course import Course, DropError
from local.arm.messages import Answer, Caller, Request, refusal
from local.arm.providers import reads, versions
from local.arm.request_log import Entry, counted_as
from local.arm.routes.all import PUBLIC
from local.arm.routes.table import Found, Route, find
from local.arm.rules import Call
from local.arm.state.records import Group
from local.arm.throttle import Asked, kind_of
from local.arm.tokens import LOGIN

__all__ = ["DropError", "Gateway", "encode", "refusal"]

_LONGEST_PATH = 8192
_LONGEST_NOTE = 2000


@dataclass(slots=True)
class _Visit:
    """What the log wants to know about a request."""

    route: str = "none"
    scripted: bool = False
    limits: dict[str, str] = field(default_factory=dict)

    def mark(self) -> None:
        """Note that a rule of the script applied."""
        self.scripted = True


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
        return _finished(cloud, request, visit, answer)

    async def _guarded(self, request: Request, token: str | None, visit: _Visit) -> Answer:
        try:
            return await self._answer(request, token, visit)
        except ArmError as error:
            return refusal(error)

    async def _answer(self, request: Request, token: str | None, visit: _Visit) -> Answer:
        cloud = self.cloud
        cloud.settle()
        if len(request.path) > _LONGEST_PATH or request.path.count("/") > ids.MOST_SEGMENTS:
            raise errors.uri_too_long()
        found = find(self.routes, request.path)
        if found is None:
            raise errors.route_not_found(request.method, request.path)
        request.route = visit.route = found.route.name
        if found.route.name not in PUBLIC:
            request.caller = _caller(cloud, token)
        if found.route.name not in PUBLIC and found.route.is_arm:
            visit.limits = _count(cloud, request)
        call = Call(
            request.method,
            request.path,
            found.route.name,
            "client",
            request.api_version,
            request.caller.oid,
            request.caller.appid,
        )
        witness = Witness(cloud, request)
        effect = partial(_true_answer, cloud, request, found)
        course = Course(
            cloud,
            call,
            partial(witness.watch, effect),
            request.json,
            request=request,
            scripted=visit.mark,
        )
        try:
            answer = await course.run()
        except ArmError as error:
            witness.note(error)
            raise
        except DropError:
            witness.note(None)
            raise
        witness.note(answer)
        return answer


async def _true_answer(cloud: Cloud, request: Request, found: Found) -> Answer:
    method = "GET" if request.method == "HEAD" else request.method
    handler = found.route.methods.get(request.method) or found.route.methods.get(method)
    if handler is None:
        raise errors.method_not_allowed(request.method, request.path)
    if not found.route.is_arm:
        return await handler(cloud, request, found.words)
    version = request.query.get("api-version")
    if not version:
        raise errors.missing_api_version(request.path)
    if not versions.is_version(version):
        raise errors.invalid_api_version(version)
    subscription = found.words.get("sub")
    if subscription is not None:
        cloud.check_subscription(subscription)
    if request.method in ("GET", "HEAD"):
        told = operations.poll(cloud, request.path) or _shadowed(cloud, request, found)
        if told is not None:
            return told
    return await handler(cloud, request, found.words)


def _shadowed(cloud: Cloud, request: Request, found: Found) -> Answer | None:
    """Return what a read by id still sees while it lags, or None for the truth."""
    if found.route.name not in ("resource", "resource-group"):
        return None
    shadow = lag.is_shadowed(cloud, request.path)
    if shadow is None:
        return None
    if isinstance(shadow.record, Group):
        return Answer(200 if request.method == "GET" else 204, groups.shown(shadow.record))
    if shadow.record is None:
        if found.route.name == "resource-group":
            raise errors.group_not_found(found.words["group"])
        rid = ids.parse(request.path)
        kind, name, group = (rid.type, rid.name, rid.group) if rid else ("", "", None)
        raise errors.resource_not_found(kind, name, group)
    return Answer(
        200 if request.method == "GET" else 204,
        reads.shown(cloud, shadow.record, request.api_version),
    )


def _count(cloud: Cloud, request: Request) -> dict[str, str]:
    """Take the call's tokens and return the headers that say what is left; raises 429."""
    identity, path = cloud.identity, request.path
    prefix = f"/subscriptions/{identity.subscription}"
    tenant = path[: len(prefix)].lower() != prefix.lower() or path[len(prefix) :][:1] not in (
        "",
        "/",
    )
    at = path.lower().rfind("/providers/")
    asked = Asked(
        identity.tenant if tenant else identity.subscription,
        request.caller.oid,
        kind_of(request.method),
        request.headers.get("x-ms-client-request-id", ""),
        path[at + len("/providers/") :].partition("/")[0] if at >= 0 else "",
        tenant,
    )
    limits, now = cloud.knobs.throttle, cloud.clock.seconds()
    left = cloud.buckets.take(asked, limits, now)
    return {**left, **cloud.buckets.take_from_provider(asked, limits, now)}


def _finished(cloud: Cloud, request: Request, visit: _Visit, answer: Answer) -> Answer:
    """Return an answer with ARM's headers, as it travels."""
    headers = {**usual_headers(cloud, request.correlation_id), **visit.limits, **answer.headers}
    if answer.long_urls or cloud.knobs.long_urls:
        headers = wire.lengthen(headers)
    if "Retry-After" in headers and (answer.dated or cloud.knobs.retry_after_as == "date"):
        headers["Retry-After"] = wire.date_of(headers["Retry-After"], cloud.clock.now())
    lost = {name.lower() for name in answer.omit}
    answer.headers = {key: value for key, value in headers.items() if key.lower() not in lost}
    return answer


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


def usual_headers(cloud: Cloud, correlation_id: str) -> dict[str, str]:
    """Return the headers that every answer of ARM's has."""
    request_id = new_guid()
    moment = cloud.clock.now().strftime("%Y%m%dT%H%M%SZ")
    return {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": correlation_id,
        "x-ms-routing-request-id": f"WESTEUROPE:{moment}:{request_id}",
        "x-ms-throttling-version": "v2",
    }


def _entry(cloud: Cloud, request: Request, visit: _Visit, status: int, elapsed: float) -> Entry:
    return Entry(
        at=stamp(cloud.clock.now()),
        method=request.method,
        path=_readable(request.path),
        api_version=_readable(request.api_version),
        route=visit.route,
        kind=counted_as(request.method, visit.route),
        status=status,
        milliseconds=round(elapsed, 3),
        scripted=visit.scripted,
        user_agent=_readable(request.headers.get("User-Agent", "")),
        client_request_id=_readable(request.headers.get("x-ms-client-request-id", "")),
        correlation_id=request.correlation_id,
    )


def _readable(text: str) -> str:
    """Return a text that can be kept: not too long, question marks for no UTF-8. Pure."""
    text = text[:_LONGEST_NOTE]
    return text if text.isascii() else text.encode(errors="replace").decode()


def encode(body: object) -> bytes:
    """Return a body as JSON. Pure."""
    return msgspec.json.encode(body)
