"""The HTTPS server: sockets, TLS and the translation between HTTP and the gateway.

`serve` runs inside an event loop; `start` runs the same in a thread, for tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import tempfile
import threading
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from local.arm import control, gateway, identity, knowledge, sockets, tls
from local.arm.clock import Clock, new_guid
from local.arm.cloud import Cloud
from local.arm.deploy.runner import Runner
from local.arm.errors import ArmError
from local.arm.knobs import Knobs
from local.arm.messages import Answer, Caller, Request
from local.arm.routes.all import all_routes
from local.arm.rules import Faults
from local.arm.state.lock import FolderLock
from local.arm.state.store import Store
from local.arm.tokens import FAR_FUTURE, Identity

HOST = "127.0.0.1"
SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
TENANT = "99999999-8888-4777-8666-555555555555"
_SLASHES = re.compile("/{2,}")
_DRIP_S = 0.05
_LONGEST_ID = 256
_LOGS = "/v1/"
_WORTH_COMPRESSING = 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """How to start: `folder` None keeps everything in memory; ports 0 take free ones.

    `knobs` replaces all knobs, `turn` some of them, as PATCH on the side channel does. `faults`
    are scripted from the start. Starting raises `FolderError` for a folder that cannot be used,
    `ArmError` for knobs and faults that cannot work, and OSError for a port that is taken.
    """

    folder: Path | None = None
    port: int = 0
    identity_port: int = 0
    subscription: str = SUBSCRIPTION
    tenant: str = TENANT
    knobs: Knobs | None = None
    turn: Mapping[str, Any] = field(default_factory=dict)
    faults: Faults | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the managed-identity endpoint listens, and the header that it wants."""

    endpoint: str
    header: str


@dataclass(frozen=True, slots=True)
class Address:
    """What a client needs to know; the line that `python -m local.arm --json` prints."""

    endpoint: str
    ca_file: str
    token: str
    control: str
    identity: Endpoint
    subscription_id: str
    tenant_id: str
    pid: int = field(default_factory=os.getpid)

    def line(self) -> str:
        """Return the address as one line of JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class _Doors:
    """Where a request can go: to the cloud, or past it to the side channel."""

    gateway: gateway.Gateway
    control: control.Channel


@contextlib.asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[tuple[Address, Cloud]]:
    """Serve until the block is left."""
    with contextlib.ExitStack() as stack:
        certificates = settings.folder
        if certificates is None:
            certificates = Path(stack.enter_context(tempfile.TemporaryDirectory("-arm")))
        else:
            stack.callback(FolderLock(certificates).close)
        ca_file, context = tls.ensure_certificate(certificates)
        store = Store(settings.folder)
        stack.callback(store.close)
        who = Identity(settings.subscription, settings.tenant)
        cloud = Cloud(store, Clock(), knowledge.load(), who)
        if settings.knobs is not None:
            cloud.turn(settings.knobs)
        if settings.turn:
            cloud.turn(control.turned(cloud.knobs, settings.turn))
        if settings.faults is not None:
            cloud.script.load(settings.faults)
        header = _identity_header(store)
        async with contextlib.AsyncExitStack() as services:
            runner = Runner(cloud)
            services.push_async_callback(runner.close)
            routes = all_routes(runner)
            doors = _Doors(gateway.Gateway(cloud, routes), control.Channel(cloud, runner, routes))
            msi = await _listen(services, identity.handler(who, header), settings.identity_port)
            wires: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()
            services.push_async_callback(_cut, wires)
            handler = _handler(doors, wires)
            listener = sockets.Listener(handler, lambda: gateway.usual_headers(cloud, new_guid()))
            port = await _listen(services, listener, settings.port, context)
            runner.resume()
            base = f"https://{HOST}:{port}"
            yield (
                Address(
                    endpoint=base,
                    ca_file=str(ca_file),
                    token=who.token("https://management.azure.com/", 0, FAR_FUTURE),
                    control=base + control.PREFIX,
                    identity=Endpoint(f"http://{HOST}:{msi}{identity.PATH}", header),
                    subscription_id=settings.subscription,
                    tenant_id=settings.tenant,
                ),
                cloud,
            )


def _identity_header(store: Store) -> str:
    found = store.settings.get("identity") or {"header": secrets.token_hex(16)}
    store.settings.put("identity", found)
    return str(found["header"])


async def _listen(
    services: contextlib.AsyncExitStack, server: web.Server, port: int, context: Any = None
) -> int:
    runner = web.ServerRunner(server, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    services.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, HOST, port, ssl_context=context)
    await site.start()
    return int(runner.addresses[0][1])


async def _cut(wires: weakref.WeakSet[asyncio.Transport]) -> None:
    """Abort the connections: a polite TLS goodbye would wait for clients that keep theirs open."""
    for wire in list(wires):
        wire.abort()
    # The loop closes an aborted socket in its next rounds.
    for _ in range(3):
        await asyncio.sleep(0)


def _handler(doors: _Doors, wires: weakref.WeakSet[asyncio.Transport]) -> Any:
    async def handle(raw: web.BaseRequest) -> web.StreamResponse:
        if raw.transport is not None:
            wires.add(raw.transport)
        try:
            body = await sockets.read_body(raw)
        except ArmError as error:
            answer = gateway.refusal(error)
            usual = gateway.usual_headers(doors.gateway.cloud, _correlation(raw))
            answer.headers = {**usual, **answer.headers}
            return _response(raw, answer)
        request = Request(
            method=raw.method,
            # The SDK leaves an empty segment where a resource has no parent.
            path=_SLASHES.sub("/", raw.path).rstrip("/") or "/",
            query={name.lower(): value for name, value in raw.query.items()},
            body=body,
            base=f"{raw.scheme}://{raw.host}",
            caller=Caller("", "", ""),
            correlation_id=_correlation(raw),
            headers=raw.headers,
        )
        try:
            answer = await _dispatch(doors, raw, request)
            if answer.bytes_per_second:
                return await _trickle(raw, answer)
            return _response(raw, answer)
        except gateway.DropError:
            if raw.transport is not None:
                raw.transport.abort()
            return web.Response(status=500)

    return handle


def _correlation(raw: web.BaseRequest) -> str:
    """Return the client's correlation id, or a new one where it sent none that can be echoed."""
    given = raw.headers.get("x-ms-correlation-request-id", "")
    fits = 0 < len(given) <= _LONGEST_ID and given.isascii() and given.isprintable()
    return given if fits else new_guid()


async def _dispatch(doors: _Doors, raw: web.BaseRequest, request: Request) -> Answer:
    if request.path == control.PREFIX or request.path.startswith(control.PREFIX + "/"):
        if raw.remote != HOST:
            return gateway.refusal(
                ArmError(403, "Forbidden", "The control channel is for this machine only.")
            )
        try:
            return doors.control.handle(request)
        except ArmError as error:
            return gateway.refusal(error)
    scheme, _, token = raw.headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" and token.strip() else None
    return await doors.gateway.handle(request, bearer)


def _response(raw: web.BaseRequest, answer: Answer) -> web.Response:
    body = b""
    headers = dict(answer.headers)
    if isinstance(answer.body, str):
        body = answer.body.encode()
    elif answer.body is not None:
        body = gateway.encode(answer.body)
        headers.setdefault("Content-Type", "application/json; charset=utf-8")
    if raw.method == "HEAD":
        body = b""
    response = web.Response(status=answer.status, body=body, headers=headers)
    if len(body) > _WORTH_COMPRESSING and raw.path.startswith(_LOGS):
        response.enable_compression()
    return response


async def _trickle(raw: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    """Send an answer's body little by little."""
    whole = _response(raw, answer)
    body = whole.body if isinstance(whole.body, bytes) else b""
    headers = {**whole.headers, "Content-Length": str(len(body))}
    slow = web.StreamResponse(status=whole.status, headers=headers)
    await slow.prepare(raw)
    step = max(int((answer.bytes_per_second or 1.0) * _DRIP_S), 1)
    for at in range(0, len(body), step):
        await slow.write(body[at : at + step])
        await asyncio.sleep(step / (answer.bytes_per_second or 1.0))
    await slow.write_eof()
    return slow


@contextlib.contextmanager
def start(settings: Settings | None = None) -> Iterator[Address]:
    """Run a simulator in a thread of this process until the block is left."""
    ready: threading.Event = threading.Event()
    state: dict[str, Any] = {}

    async def main() -> None:
        state["loop"], state["stop"] = asyncio.get_running_loop(), asyncio.Event()
        async with serve(settings or Settings()) as (address, _):
            state["address"] = address
            ready.set()
            await state["stop"].wait()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - handed to the starter, who raises it
            state["error"] = error
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="arm-simulator", daemon=True)
    thread.start()
    ready.wait()
    if "address" not in state:
        thread.join()
        raise state["error"]
    try:
        yield state["address"]
    finally:
        state["loop"].call_soon_threadsafe(state["stop"].set)
        thread.join()
