"""HTTP: what clients send, what functions see, what comes back."""

import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from tests.host.running import RunningHost, send


def test_function_sees_the_request(host: RunningHost) -> None:
    """Method, url, headers, query and length arrive as the real host hands them over."""
    reply = host.api("echo?a=1&b=&a=2", "POST", b"x" * 70_000, X_Mixed="Kept")
    seen = reply.json()

    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert seen["url"] == f"{host.url}/api/echo?a=1&b=&a=2"
    assert seen["headers"]["x-mixed"] == "Kept"
    assert seen["headers"]["content-length"] == "70000"
    assert seen["query"] == {"a": "1,2"}
    assert seen["length"] == 70_000
    assert seen["invocation_id"] == reply.headers["x-ms-invocation-id"]


def test_repeated_headers_are_joined(host: RunningHost) -> None:
    """A header given twice reaches the function as one, joined by a comma."""
    parts = urlsplit(host.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=10)
    connection.putrequest("GET", "/api/echo")
    connection.putheader("X-Twice", "one")
    connection.putheader("x-twice", "two")
    connection.endheaders()
    seen = json.loads(connection.getresponse().read())
    connection.close()

    assert seen["headers"]["x-twice"] == "one,two"


@pytest.mark.parametrize(
    ("method", "path", "key", "status", "body"),
    [
        ("GET", "things/7", "fkey", 200, b"number 7"),
        ("GET", "things/seven", "fkey", 200, b"name seven"),
        ("GET", "Things/ALL", "mkey", 200, b"all 0"),
        ("GET", "things/all", "fkey", 401, b""),
        ("GET", "things/7", None, 401, b""),
        ("GET", "things/7", "wrong", 401, b""),
        ("GET", "things/7", "mkey", 200, b"number 7"),
        ("GET", "things/a%20b", "fkey", 200, b"name a b"),
        ("GET", "things/a%2Fb", "fkey", 200, b"name a/b"),
        ("GET", "things", "fkey", 404, b""),
        ("GET", "nothing", None, 404, b""),
        ("PUT", "echo", None, 405, b""),
    ],
)
def test_routes_and_keys(
    host: RunningHost, method: str, path: str, key: str | None, status: int, body: bytes
) -> None:
    """Literals win over parameters, constraints over none, and every level wants its key."""
    headers = {"x_functions_key": key} if key else {}
    reply = host.api(path, method, **headers)

    assert (reply.status, reply.body) == (status, body)


def test_key_in_the_query(host: RunningHost) -> None:
    """`?code=` is as good as the header."""
    assert host.api("things/7?code=fkey").status == 200


def test_failure_is_an_empty_500(host: RunningHost) -> None:
    """What a function raises is in the log with its traceback, not in the answer."""
    reply = host.act(do="raise")
    (event,) = host.events(
        "executed", function="act", invocation_id=reply.headers["x-ms-invocation-id"]
    )

    assert (reply.status, reply.body) == (500, b"")
    assert event["outcome"] == "failed"
    assert event["error"] == "RuntimeError: as ordered"
    assert "function_app.py" in event["trace"]
    assert event["elapsed_ms"] >= 0


def test_app_logs_carry_function_and_invocation(host: RunningHost) -> None:
    """A record that a sync function logs in its thread is tied to its invocation."""
    invocation = host.api("echo").headers["x-ms-invocation-id"]
    (event,) = host.events("echo GET", invocation_id=invocation)

    assert event["function"] == "echo"
    assert event["category"] == "Function.echo.User"
    assert event["level"] == "Information"


def test_cookies_and_status(host: RunningHost) -> None:
    """Cookies keep their attributes, one header each."""
    reply = host.act(
        do="answer",
        status=418,
        cookies=["a=1; Path=/x; HttpOnly; SameSite=Lax", "b=2; Max-Age=5; Secure; SameSite=None"],
    )

    assert reply.status == 418
    assert reply.headers.get_all("Set-Cookie") == [
        "a=1; HttpOnly; Path=/x; SameSite=Lax",
        "b=2; Max-Age=5; SameSite=None; Secure",
    ]


def test_trace_goes_on(host: RunningHost) -> None:
    """The function's span is a child of the caller's trace."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    seen = host.api("echo", traceparent=f"00-{trace}-b7ad6b7169203331-01").json()
    version, carried, span, flags = seen["trace_parent"].split("-")

    assert (version, carried, flags) == ("00", trace, "01")
    assert span != "b7ad6b7169203331"


def test_body_limit_with_a_length(host: RunningHost) -> None:
    """A body that says it is too long is refused."""
    assert host.api("echo", "POST", b"x" * 2_000_001).status == 413
    assert host.api("echo", "POST", b"x" * 2_000_000).json()["length"] == 2_000_000


def test_body_limit_without_a_length(host: RunningHost) -> None:
    """A chunked body is counted while it is read; a small one arrives whole."""

    def chunks(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield b"y" * 100_000

    assert host.api("echo", "POST", chunks(21)).status == 413
    assert host.api("echo", "POST", chunks(20)).json()["length"] == 2_000_000


@pytest.mark.parametrize("path", ["echo", "post/deep-bodies"])
def test_a_body_nested_deep_reaches_the_function(host: RunningHost, path: str) -> None:
    """With or without names in its bindings: what nobody has verified yet breaks nothing."""
    assert host.api(path, "POST", b'{"a":' * 5000).status in {200, 202}


def test_any_header_bytes_reach_the_function(host: RunningHost) -> None:
    """UTF-8 as text, other bytes as Latin-1: a signature of any bytes is the function's to refuse."""
    odd = host.api("echo", X_Text="\xff").json()
    seen = host.api("echo", X_Text="é".encode().decode("latin-1")).json()

    assert odd["headers"]["x-text"] == "\xff"
    assert seen["headers"]["x-text"] == "é"


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("host/status", None, 401),
        ("host/status", "fkey", 401),
        ("host/status", "mkey", 200),
        ("functions", "mkey", 200),
        ("functions/echo", "mkey", 200),
        ("functions/absent", "mkey", 404),
        ("else", "mkey", 404),
    ],
)
def test_admin_wants_the_master_key(
    host: RunningHost, path: str, key: str | None, status: int
) -> None:
    """Nothing below /admin is for function keys."""
    headers = {"x-functions-key": key} if key else {}

    assert send(f"{host.url}/admin/{path}", headers=headers).status == status


def test_admin_describes_functions(host: RunningHost) -> None:
    """The list names all functions with their bindings."""
    listed = send(f"{host.url}/admin/functions?code=mkey").json()

    assert sorted(entry["name"] for entry in listed) == sorted(host.facts["functions"])
    assert host.status()["state"] == "Running"
    assert host.status()["worker"]["pid"] in host.facts["workers"]


def test_client_that_hangs_up_does_no_harm(host: RunningHost) -> None:
    """A body that ends early runs no function and leaves no traceback."""
    parts = urlsplit(host.url)
    with socket.create_connection((str(parts.hostname), parts.port or 80), timeout=10) as client:
        client.sendall(b"POST /api/echo HTTP/1.1\r\nHost: x\r\nX-Mark: early\r\n")
        client.sendall(b"Content-Length: 20\r\n\r\nabc")

    assert host.api("echo").status == 200
    assert "Traceback" not in "\n".join(
        line for line in host.log.read_text().splitlines() if not line.startswith("{")
    )


def test_fifty_at_once(host: RunningHost) -> None:
    """Fifty concurrent requests are all answered, each with its own answer."""
    with ThreadPoolExecutor(50) as pool:
        numbers = list(pool.map(lambda n: host.api(f"echo?n={n}").json()["query"]["n"], range(200)))

    assert numbers == [str(n) for n in range(200)]
