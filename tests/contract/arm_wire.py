"""A server that answers exactly what a test says, over TLS, and an ARM adapter that talks to it."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import trustme
from azure.core.credentials import AccessToken

from shared.adapters.arm import ArmEndpoint, AzureArm
from shared.core.arm_model import DeploymentRequest
from shared.core.errors import PlumblineError

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-a"
DEPLOYMENT = f"{GROUP}/providers/Microsoft.Resources/deployments/plumbline.shop.web"
REQUEST = DeploymentRequest(
    id=DEPLOYMENT,
    scope=GROUP,
    template={"resources": [], "outputs": {}},
    parameters={"size": {"value": 3}},
    tags={"plumbline-release": "1.1"},
)
TOKEN = "token-canary-5e1b"


class Clock:
    """The wall, standing still; and this machine's seconds."""

    def now(self) -> datetime:
        """Return one moment."""
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return the seconds."""
        return time.monotonic()


class Ids:
    """Random names."""

    def new(self) -> str:
        """Return a name."""
        return str(uuid4())


@dataclass
class Credential:
    """A credential that gives one token, late or never if a test wants it."""

    error: Exception | None = None
    delay_s: float = 0.0

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Return the token."""
        threading.Event().wait(self.delay_s)
        if self.error is not None:
            raise self.error
        return AccessToken(TOKEN, int(time.time()) + 3600)


@dataclass
class Seen:
    """A request that the server got."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Handler = BaseHTTPRequestHandler
Act = Callable[[Handler], None]


@dataclass
class Wire:
    """A scripted HTTPS server: each request takes the next act of the script, the last one stays."""

    url: str
    ca_file: str
    script: list[Act] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def arm(self, **endpoint: Any) -> AzureArm:
        """Return an adapter for this server."""
        return connect(self, Credential(), **endpoint)


def connect(wire: Wire, credential: Any, on_call: Any = None, **endpoint: Any) -> AzureArm:
    """Return an adapter for a server, with a credential."""
    at = ArmEndpoint(
        url=wire.url,
        credential_scopes=("https://arm.test/.default",),
        ca_file=endpoint.pop("ca_file", wire.ca_file),
        **endpoint,
    )
    return AzureArm(at, credential, Clock(), Ids(), user_agent="plumbline/9.9", on_call=on_call)


def answer(status: int, body: Any = None, **headers: str) -> Act:
    """Answer with a status, a JSON body (or bytes), and headers (underscores for hyphens)."""

    def act(handler: Handler) -> None:
        data = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        if not any(name.lower() == "content_type" for name in headers):
            handler.send_header("Content-Type", "application/json; charset=utf-8")
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)

    return act


def failure(status: int, code: str, message: str = "said so", **headers: str) -> Act:
    """Answer with one of ARM's errors."""
    return answer(status, {"error": {"code": code, "message": message}}, **headers)


def deployment(state: str = "Accepted", **more: Any) -> dict[str, Any]:
    """Return a deployment's body as ARM writes it."""
    properties = {
        "provisioningState": state,
        "correlationId": "c-1",
        "duration": "PT1M2.5S",
        **more,
    }
    return {
        "id": DEPLOYMENT,
        "name": "plumbline.shop.web",
        "type": "Microsoft.Resources/deployments",
        "tags": {"plumbline-release": "1.1"},
        "properties": {"timestamp": "2026-10-07T08:00:00.1234567Z", **properties},
    }


@contextmanager
def served_wire(tmp_path: Path) -> Iterator[Wire]:
    """Serve on a free port, with a certificate that only ``ca_file`` vouches for."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    class Scripted(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            served.seen.append(Seen(self.command, self.path, dict(self.headers), body))
            act = served.script[0] if len(served.script) == 1 else served.script.pop(0)
            act(self)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815 - the library's names

        def handle(self) -> None:
            with suppress(OSError, ssl.SSLError):
                super().handle()

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            with suppress(OSError, ssl.SSLError):
                request.settimeout(10)
                with context.wrap_socket(request, server_side=True) as secured:
                    super().finish_request(secured, client_address)

    server = Server(("127.0.0.1", 0), Scripted)
    served = Wire(f"https://127.0.0.1:{server.server_port}", str(ca_file))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        served.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def raised(call: Callable[[], object]) -> PlumblineError:
    """Return what a call raises."""
    with pytest.raises(PlumblineError) as caught:
        call()
    return caught.value
