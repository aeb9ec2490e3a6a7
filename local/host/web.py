"""The HTTP side: routes, keys, body limit, and translation between aiohttp and functions."""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from aiohttp import web

from local.host import expressions, wire
from local.host.bindings import Function, HttpTrigger
from local.host.invocation import Call, Invoker

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
CHUNK_BYTES = 256 * 1024
DEFAULT_BODY_LIMIT = 100 * 1024 * 1024
# aiohttp writes these itself, for the connection that it has.
_OWN_HEADERS = {"content-length", "transfer-encoding", "connection", "date", "server"}


@dataclass(frozen=True)
class Keys:
    """The host's keys: `function` opens functions, `master` opens functions, admin and /admin."""

    function: str
    master: str

    def open(self, level: str, given: str | None) -> bool:
        """Tell whether a key is good enough for a level. Pure."""
        if level == "anonymous":
            return True
        wanted = [self.master] if level == "admin" else [self.function, self.master]
        offered = (given or "").encode("utf-8", "surrogateescape")
        return any(hmac.compare_digest(key.encode(), offered) for key in wanted if key)


class BodyTooLargeError(Exception):
    """The request's body passed the limit."""


async def read_body(request: web.BaseRequest, limit: int) -> bytes:
    """Read a body, counting; raises BodyTooLargeError as soon as the limit is passed."""
    if request.content_length is not None and request.content_length > limit:
        raise BodyTooLargeError
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_chunked(CHUNK_BYTES):
        size += len(chunk)
        if size > limit:
            raise BodyTooLargeError
        chunks.append(chunk)
    return b"".join(chunks)


def key_of(request: web.BaseRequest) -> str | None:
    """Return the key that a request carries: header `x-functions-key`, or `code` in the query."""
    return request.headers.get("x-functions-key") or request.query.get("code")


class Endpoint:
    """Answers requests for the HTTP functions of an app."""

    def __init__(
        self,
        functions: Sequence[Function],
        invoker: Invoker,
        keys: Keys,
        *,
        body_limit: int,
        max_outstanding: int | None,
    ) -> None:
        served = [
            (function, function.trigger)
            for function in functions
            if isinstance(function.trigger, HttpTrigger) and not function.disabled
        ]
        self._routes = sorted(served, key=lambda entry: entry[1].template.precedence)
        self._invoker = invoker
        self._keys = keys
        self._body_limit = body_limit
        self._max_outstanding = max_outstanding
        self._outstanding = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Find the function, check the key, read the body, run it."""
        found = self._find(request)
        if isinstance(found, int):
            return web.Response(status=found)
        function, trigger, params = found
        if not self._keys.open(trigger.level, key_of(request)):
            return web.Response(status=401)
        if self._max_outstanding is not None and self._outstanding >= self._max_outstanding:
            return web.Response(status=429, headers={"Retry-After": "1"})
        self._outstanding += 1
        try:
            body = await read_body(request, self._body_limit)
            incoming = translated(request, params, body)
            reason = f"{request.method} {request.path}"
            call = call_of(incoming, reason, names=function.has_names)
            result = await self._invoker.invoke(function, call)
        except BodyTooLargeError:
            # The rest of the body is not wanted, so the connection cannot be used again.
            refused = web.Response(status=413)
            refused.force_close()
            return refused
        except UnicodeEncodeError:
            return web.Response(status=400, text="the request is not valid UTF-8")
        except (ConnectionError, web.RequestPayloadError):
            return web.Response(status=400, text="the body ended early")
        finally:
            self._outstanding -= 1
        headers = {"x-ms-invocation-id": result.invocation_id}
        if not result.succeeded:
            return web.Response(status=500, headers=headers)
        return response_of(result.answer, headers)

    def _find(
        self, request: web.BaseRequest
    ) -> tuple[Function, HttpTrigger, Mapping[str, str]] | int:
        status = 404
        for function, trigger in self._routes:
            params = trigger.template.match(request.rel_url.raw_path)
            if params is None:
                continue
            if trigger.methods and request.method not in trigger.methods:
                status = 405
                continue
            return function, trigger, params
        return status


def _text(value: str) -> str:
    """Return a header's value as text: bytes that are no UTF-8 are read as Latin-1, as HTTP says."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


def translated(
    request: web.BaseRequest, params: Mapping[str, str], body: bytes
) -> wire.HttpRequest:
    """Return the request as the real host hands it over; raises UnicodeEncodeError if it cannot.

    Names are lower case, repeated ones joined by a comma; query parameters without a value are
    not there.
    """
    query = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=False)
    incoming = wire.HttpRequest(
        method=request.method,
        url=f"{request.scheme}://{request.host}{request.rel_url.raw_path_qs}",
        headers=wire.joined((name.lower(), _text(v)) for name, v in request.headers.items()),
        query=wire.joined(query),
        params=dict(params),
        body=body,
    )
    for text in (incoming.url, *incoming.headers.values(), *incoming.params.values()):
        text.encode()
    return incoming


def call_of(request: wire.HttpRequest, reason: str, *, names: bool) -> Call:
    """Return what the function receives, and its binding expressions if it has `names`. Pure."""
    return Call(
        value=request,
        reason=reason,
        data=_named(request) if names else {},
        trace_parent=request.headers.get("traceparent", ""),
        trace_state=request.headers.get("tracestate", ""),
    )


def _named(request: wire.HttpRequest) -> dict[str, Any]:
    body = request.body.decode("utf-8", "replace") if _may_name(request.body) else ""
    return {
        **expressions.json_properties(body),
        **request.query,
        "query": request.query,
        "headers": request.headers,
        **request.params,
    }


def _may_name(body: bytes) -> bool:
    return body[:1] == b"{" and len(body) <= 4 * expressions.LONGEST_BODY


def response_of(answer: wire.Value | None, extra: Mapping[str, str]) -> web.Response:
    """Return the answer of a function that succeeded: 204 if it gave none."""
    match answer:
        case None:
            return web.Response(status=204, headers=extra)
        case wire.HttpAnswer(status, headers, cookies, body):
            kept = {
                name: value for name, value in headers.items() if name.lower() not in _OWN_HEADERS
            }
            response = web.Response(status=status, body=body, headers={**kept, **extra})
            for cookie in cookies:
                response.headers.add("Set-Cookie", cookie)
            return response
        case wire.Text(text) | wire.Json(text):
            return web.Response(text=text, headers=extra)
        case wire.Binary(content):
            return web.Response(body=content, headers=extra)
        case _:
            return web.Response(text=json.dumps(getattr(answer, "value", None)), headers=extra)


class Server:
    """One listening socket on 127.0.0.1."""

    def __init__(self, runner: web.ServerRunner, port: int) -> None:
        self._runner = runner
        self.port = port

    @classmethod
    async def start(cls, handler: Handler, port: int, *, shared: bool, grace_s: float) -> "Server":
        """Listen; on a `shared` port the other hosts of the app may listen as well.

        Raises OSError if the port is taken. `grace_s` is what running requests get at the end.
        """
        runner = web.ServerRunner(web.Server(handler), shutdown_timeout=grace_s)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port, reuse_port=shared).start()
        except OSError:
            await runner.cleanup()
            raise
        return cls(runner, int(runner.addresses[0][1]))

    async def stop(self) -> None:
        """Take no more connections, give the requests that are running some time, close."""
        await self._runner.cleanup()
