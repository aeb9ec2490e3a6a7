"""The private protocol between the host and its worker child: length-prefixed MessagePack frames.

Both ends are this package, started by one another, so there is no version to negotiate. The host
speaks to the worker with `ToWorker` frames, the worker answers with `FromWorker` frames.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

LENGTH_BYTES = 4


class Text(msgspec.Struct, tag="text", frozen=True):
    """A string, as the library's converters know it."""

    value: str


class Binary(msgspec.Struct, tag="binary", frozen=True):
    """Bytes."""

    value: bytes


class Json(msgspec.Struct, tag="json", frozen=True):
    """A JSON document, still as text."""

    value: str


class Number(msgspec.Struct, tag="number", frozen=True):
    """An integer or a float."""

    value: int | float


class HttpRequest(msgspec.Struct, tag="request", frozen=True):
    """What an HTTP trigger receives; header names are lower case, `params` are the route's."""

    method: str
    url: str
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    params: dict[str, str] = {}
    body: bytes = b""


class HttpAnswer(msgspec.Struct, tag="answer", frozen=True):
    """What an HTTP function answered; `cookies` are ready Set-Cookie values."""

    status: int
    headers: dict[str, str] = {}
    cookies: list[str] = []
    body: bytes = b""


Value: TypeAlias = Text | Binary | Json | Number | HttpRequest | HttpAnswer


class Retry(msgspec.Struct, frozen=True):
    """A function's retry policy; `max_count` -1 means for ever, times are seconds."""

    max_count: int
    fixed_delay_s: float | None = None
    minimum_s: float = 0.0
    maximum_s: float = 0.0


class IndexedFunction(msgspec.Struct, frozen=True):
    """One function as Microsoft's library indexed it, its bindings as the host would read them."""

    name: str
    function_id: str
    bindings: list[dict[str, Any]]
    retry: Retry | None = None


class Load(msgspec.Struct, tag="load", frozen=True):
    """Host to worker, once: index the app in this directory."""

    app_dir: str
    log_level: int


class Invoke(msgspec.Struct, tag="invoke", frozen=True):
    """Host to worker: run a function. An input of None is a blob that is not there."""

    invocation_id: str
    function_id: str
    inputs: dict[str, Value | None]
    metadata: dict[str, Value] = {}
    trace_parent: str = ""
    trace_state: str = ""
    retry_count: int = 0
    max_retry_count: int = 0


class Indexed(msgspec.Struct, tag="indexed", frozen=True):
    """Worker to host: the app is ready."""

    functions: list[IndexedFunction]


class Refused(msgspec.Struct, tag="refused", frozen=True):
    """Worker to host: the library would not index the app."""

    message: str
    trace: str


class Outcome(msgspec.Struct, tag="outcome", frozen=True):
    """Worker to host: how an invocation ended; `error` is None when it succeeded."""

    invocation_id: str
    returned: Value | None = None
    outputs: dict[str, Value] = {}
    error: str | None = None
    trace: str = ""


class LogRecord(msgspec.Struct, tag="log", frozen=True):
    """Worker to host: something the app logged."""

    invocation_id: str | None
    logger: str
    level: int
    message: str


ToWorker: TypeAlias = Load | Invoke
FromWorker: TypeAlias = Indexed | Refused | Outcome | LogRecord

_encode = msgspec.msgpack.Encoder().encode
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


def frame(message: ToWorker | FromWorker) -> bytes:
    """Return the bytes of one frame. Pure."""
    body = _encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def read_to_worker(reader: asyncio.StreamReader) -> ToWorker | None:
    """Return the host's next frame; None when the host is gone."""
    body = await _read(reader)
    return None if body is None else _to_worker.decode(body)


async def read_from_worker(reader: asyncio.StreamReader) -> FromWorker | None:
    """Return the worker's next frame; None when the worker is gone."""
    body = await _read(reader)
    return None if body is None else _from_worker.decode(body)


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Fold repeated names as the host does: values joined by a comma, in order. Pure."""
    folded: dict[str, str] = {}
    for name, value in pairs:
        folded[name] = f"{folded[name]},{value}" if name in folded else value
    return folded


def lower(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return the mapping with lower-case names. Pure."""
    return {name.lower(): value for name, value in pairs.items()}
