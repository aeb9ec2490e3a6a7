"""Whatever a client sends: a status below 500, ARM's error body, and no traceback in the log."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.arm.knobs import Knobs
from local.arm.routes.all import all_routes
from local.arm.routes.table import find
from local.arm.server import Address, Settings, start
from tests.arm.azure import API
from tests.arm.breakage import GROUP, SUB, TEXTS, Sample, broken, broken_request, samples

# The routes of a runner that runs nothing: only their names, methods and patterns are looked at.
ROUTES = all_routes(object())  # type: ignore[arg-type]
SAMPLES = samples(ROUTES)
WITH_BODY = [sample for sample in SAMPLES if sample.body is not None]


def light(count: int) -> settings:
    """Return settings for so many examples, the same ones in every run."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


class Tracebacks(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []

    def taken(self) -> list[str]:
        """Return what was kept and forget it: one fault is told once."""
        seen, self.seen = self.seen, []
        return seen

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.seen.append(logging.Formatter().format(record))


class Wire:
    """One connection to a simulator, opened again when it was closed."""

    def __init__(self, address: Address, log: Tracebacks) -> None:
        self.address, self.log = address, log
        self.changed = True
        place = urlsplit(address.endpoint)
        context = ssl.create_default_context(cafile=address.ca_file)
        self._connection = http.client.HTTPSConnection(
            place.hostname or "", place.port, context=context, timeout=10
        )

    def send(self, sample: Sample, *, token: bool = True) -> tuple[int, bytes]:
        """Send a request; return status and body."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {self.address.token}"
        try:
            self._connection.request(sample.method, sample.target, sample.payload, headers)
        except (http.client.CannotSendRequest, ConnectionError):
            self._connection.close()
            self._connection.request(sample.method, sample.target, sample.payload, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def check(self, sample: Sample) -> int:
        """Send a request that may be anything; hold the answer to the promise."""
        status, body = self.send(sample)
        seen = self.log.taken()
        assert status < 500 or status == 501, (status, body[:500], seen)  # 501: NotSimulated
        if status >= 400 and sample.method != "HEAD":
            error = json.loads(body)["error"]
            assert all(isinstance(error[name], str) and error[name] for name in ("code", "message"))
        assert seen == []
        self.changed = sample.method in ("DELETE", "POST") and status < 300
        return status


@contextmanager
def listening() -> Iterator[Wire]:
    """Start a simulator with one group in it."""
    log = Tracebacks()
    logging.getLogger().addHandler(log)
    try:
        with (
            start(Settings(knobs=Knobs(retry_after=0.0))) as address,
            closing(Wire(address, log)) as wire,
        ):
            yield wire
        assert log.taken() == []
    finally:
        logging.getLogger().removeHandler(log)


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """Share one simulator: what earlier requests left in it is part of the test."""
    with listening() as found:
        yield found


def prepare(wire: Wire) -> None:
    """Make what requests are about, if the last one may have removed it."""
    if not wire.changed:
        return
    query = f"api-version={API}"
    wire.send(Sample("PUT", GROUP, query, {"location": "westeurope"}))
    shelf = f"{GROUP}/providers/Contoso.Shop/shelves/s1"
    wire.send(Sample("PUT", shelf, query, {"location": "westeurope"}))


def test_every_route_has_a_valid_request() -> None:
    """The table that the rest starts from leads to the routes that it was made for."""
    lost = [
        sample
        for sample in SAMPLES
        if (found := find(ROUTES, sample.path)) is None or sample.method not in found.route.methods
    ]

    assert lost == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: f"{one.method} {one.path}"[:100])
def test_a_valid_request_is_answered(wire: Wire, sample: Sample) -> None:
    """None of them is refused for its form."""
    prepare(wire)

    assert wire.check(sample) not in (405, 415)


@light(300)
@given(data=st.data())
def test_a_broken_body_is_refused_in_arms_words(wire: Wire, data: st.DataObject) -> None:
    """Types, missing members, nulls, keys twice, depth, huge numbers, odd texts, anywhere."""
    prepare(wire)
    sample = data.draw(st.sampled_from(WITH_BODY))
    body = data.draw(broken(sample.body))

    wire.check(Sample(sample.method, sample.path, sample.query, body))


@light(400)
@given(data=st.data())
def test_a_broken_request_is_refused_in_arms_words(wire: Wire, data: st.DataObject) -> None:
    """Texts that are no JSON, percent-encodings, dot segments, 64 KB paths, strange queries."""
    prepare(wire)

    wire.check(data.draw(broken_request(data.draw(st.sampled_from(SAMPLES)))))


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/" + "providers/" * 6500,
        GROUP + "/providers/a/b/c" * 4000,
        GROUP + "/providers/a/b/c" * 40,
        "/" + "a/" * 32_000,
        "/" + "%2F" * 20_000,
        "/" + "../" * 20_000,
        "/" + "x" * 65_536,
        GROUP + "/deployments/x/operations" * 80,
    ],
    ids=lambda path: f"{path[:30]} {len(path)}",
)
def test_a_long_path_is_answered_at_once(wire: Wire, method: str, path: str) -> None:
    """However many segments it has: there is nothing, or it is more than a front door takes."""
    began = time.monotonic()
    status = wire.check(Sample(method, path, f"api-version={API}", None if method == "GET" else {}))

    assert status in (204, 400, 404, 405, 414)
    assert time.monotonic() - began < 2


CONTROL: list[tuple[str, str, Any]] = [
    ("PATCH", "/knobs", {"deployment_seconds": 1, "noise": {"*": ["N1"]}, "throttle": {"reads": [2, 1]}}),
    ("POST", "/answers", {"match": {"path": "x", "nth": 2}, "answer": {"status": 500, "headers": {"a": "b"}}, "count": 1}),
    ("POST", "/answers", {"seed": 1, "rules": [{"answer": {"kind": "conflict", "lro": {"end": "never"}}}]}),
    ("POST", "/change", {"id": f"{GROUP}/providers/Contoso.Shop/shelves/s1", "set": {"properties": {"a": 1}}}),
    ("POST", "/delete", {"id": f"{GROUP}/providers/Contoso.Shop/shelves/s1", "actor": "me"}),
]  # fmt: skip


@light(80)
@given(data=st.data())
def test_a_broken_call_on_the_side_channel_says_why(wire: Wire, data: st.DataObject) -> None:
    """400 with the reason, never a traceback; what was turned or scripted is taken back."""
    prepare(wire)
    method, verb, body = data.draw(st.sampled_from(CONTROL))
    body = data.draw(st.one_of(broken(body), TEXTS))
    wire.check(
        Sample(method, f"/_control{verb}", data.draw(st.sampled_from(["", "limit=x"])), body)
    )
    wire.send(Sample("POST", "/_control/reset", "", None))
    wire.changed = True


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PUT /subscriptions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{}",
        b"PUT /subscriptions HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n{}{}{}{}\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /subscriptions?a=\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET //// HTTP/1.1\r\n\r\n",
        b"BREW /subscriptions HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"GET /subscriptions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe.\x80.x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_or_cut_off(wire: Wire, text: bytes) -> None:
    """A 4xx or a closed connection, no traceback, and the server goes on."""
    place = urlsplit(wire.address.endpoint)
    context = ssl.create_default_context(cafile=wire.address.ca_file)
    with (
        socket.create_connection((place.hostname, place.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        line.sendall(text)
        line.settimeout(1 if b": 100" in text else 5)
        try:
            answer = line.recv(65536)
        except (TimeoutError, ConnectionError):
            answer = b""
    status, _ = wire.send(Sample("GET", f"/subscriptions/{SUB}", f"api-version={API}", None))

    assert answer == b"" or 400 <= int(answer.split()[1]) < 500
    assert status == 200
    assert wire.log.taken() == []
