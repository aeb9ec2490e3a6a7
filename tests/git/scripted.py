"""An HTTP server that answers as a test says: what a broken or hostile Git server may do."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADVERTISED = "application/x-git-upload-pack-advertisement"
RESULT = "application/x-git-upload-pack-result"


@dataclass(frozen=True)
class Asked:
    """One request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One answer; ``pieces`` are sent one by one, ``promised`` is a false Content-Length."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Callable[[], Iterator[bytes]] = lambda: iter(())
    promised: int | None = None


@dataclass
class Scripted:
    """A running server: its repository's URL, and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


def plain(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
    """Return an answer that comes in one piece."""
    return Answer(status, {"Content-Type": "text/html", **(headers or {})}, lambda: iter([body]))


def git(body: bytes, content_type: str = ADVERTISED) -> Answer:
    """Return an answer of Git's content type."""
    return plain(200, {"Content-Type": content_type}, body)


def line(text: bytes) -> bytes:
    """Return a pkt-line."""
    return b"%04x" % (len(text) + 4) + text


@contextmanager
def answering(
    script: Callable[[Asked], Answer], context: ssl.SSLContext | None = None
) -> Iterator[Scripted]:
    """Serve until the block ends; an answer under way when it ends is cut off."""
    scripted = Scripted("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            asked = Asked(self.command, self.path, headers, body)
            scripted.asked.append(asked)
            answer = script(asked)
            self.send_response_only(answer.status)  # no Date of its own
            for key, value in answer.headers.items():
                self.send_header(key, value)
            if answer.promised is not None:
                self.send_header("Content-Length", str(answer.promised))
            self.end_headers()
            try:
                for piece in answer.pieces():
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                pass  # the client has had enough

        do_POST = do_GET  # noqa: N815 - the name that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that breaks off is part of the test

    server = Server(("127.0.0.1", 0), Handler)
    scheme = "http"
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    scripted.url = f"{scheme}://127.0.0.1:{server.server_port}/team/example.git"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
