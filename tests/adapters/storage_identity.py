"""Azurite over https with OAuth, and a managed-identity endpoint that gives tokens for it."""

import json
import shutil
import ssl
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme

from local import ports, processes, storage

HEADER = "identity-header"
_AZURITE = storage.ROOT / "local" / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_TENANT = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True)
class SecureAzurite:
    """Where it listens, and the authority to trust."""

    blob_uri: str
    queue_uri: str
    ca_file: str


@contextmanager
def secure_azurite(folder: Path) -> Iterator[SecureAzurite]:
    """Run the stock Azurite with a certificate of its own authority; bearer tokens are accepted."""
    ca = trustme.CA()
    certificate = ca.issue_cert(ports.LOOPBACK)
    ca.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    blob, queue, table = ports.free_ports(3)
    node = shutil.which("node") or "node"
    options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry"]
    command: list[str | Path] = [node, _AZURITE, *options, "--disableProductStyleUrl"]
    command += ["--oauth", "basic", "--cert", folder / "cert.pem", "--key", folder / "key.pem"]
    command += ["--blobPort", str(blob), "--queuePort", str(queue), "--tablePort", str(table)]
    process = processes.start(
        command,
        log=folder / "azurite.log",
        cwd=folder,
        environment={"PATH": str(Path(node).parent)},
        mark=str(folder),
    )
    try:
        base = f"https://{ports.LOOPBACK}"
        processes.wait_until_answering(
            process,
            lambda: all(_answers(port, folder / "ca.pem") for port in (blob, queue)),
            name="Azurite",
            limit_s=30,
        )
        account = storage.ACCOUNT
        yield SecureAzurite(
            f"{base}:{blob}/{account}", f"{base}:{queue}/{account}", str(folder / "ca.pem")
        )
    finally:
        processes.stop(process, mark=str(folder))


def _answers(port: int, ca_file: Path) -> bool:
    trust = ssl.create_default_context(cafile=ca_file)
    connection = HTTPSConnection(ports.LOOPBACK, port, timeout=2, context=trust)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    else:
        return True
    finally:
        connection.close()


class IdentityEndpoint(ThreadingHTTPServer):
    """The App Service managed-identity protocol; ``failures`` are answered first."""

    def __init__(self) -> None:
        super().__init__((ports.LOOPBACK, 0), _Handler)
        self.asked: list[dict[str, str]] = []
        self.failures: list[int] = []

    @property
    def url(self) -> str:
        """What ``IDENTITY_ENDPOINT`` holds."""
        return f"http://{ports.LOOPBACK}:{self.server_port}/msi/token"


class _Handler(BaseHTTPRequestHandler):
    server: IdentityEndpoint

    def do_GET(self) -> None:
        """Answer a failure that is due, or a token."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.server.asked.append({**query, "header": self.headers.get("X-IDENTITY-HEADER", "")})
        status = self.server.failures.pop(0) if self.server.failures else 200
        now = int(time.time())
        body: dict[str, Any] = {"statusCode": status, "message": "not now"}
        if status == 200:
            token = _token(query["resource"], now)
            body = {"access_token": token, "expires_on": str(now + 3600), "token_type": "Bearer"}
            body["resource"] = query["resource"]
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — http.server's name
        """Say nothing."""


def _token(resource: str, now: int) -> str:
    claims = {
        "aud": resource,
        "iss": f"https://sts.windows.net/{_TENANT}/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 3600,
        "tid": _TENANT,
        "oid": _TENANT,
        "ver": "1.0",
    }
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    texts = (urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join([*texts, "c2lnbmF0dXJl"])


@contextmanager
def identity_endpoint() -> Iterator[IdentityEndpoint]:
    """Serve on a free port until the end of the block."""
    with IdentityEndpoint() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
