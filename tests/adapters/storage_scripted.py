"""A storage service that answers by script, for answers that Azurite does not give."""

import sys
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

ACCOUNT = "acc"


@dataclass(frozen=True)
class Answer:
    """One answer; the body of an error carries ``secret``, which nobody may repeat."""

    status: int
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""


class ScriptedStorage(ThreadingHTTPServer):
    """Answers with ``answers`` in turn, the last one for ever; ``requests`` keeps methods and paths."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: deque[Answer] = deque()
        self.requests: list[tuple[str, str]] = []

    def connection_string(self, signature: str) -> str:
        """Return a connection string with a SAS whose signature is ``signature``."""
        base = f"http://127.0.0.1:{self.server_port}/{ACCOUNT}"
        return (
            f"BlobEndpoint={base};QueueEndpoint={base};"
            f"SharedAccessSignature=sv=2024-11-04&ss=bq&srt=sco&sp=rwdl&sig={signature}"
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client hangs up; any other error is a mistake in here."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def next_answer(self) -> Answer:
        """Return the answer for the next request."""
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScriptedStorage

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path.split("?")[0]))
        answer = self.server.next_answer()
        body = (
            f"<?xml version='1.0' encoding='utf-8'?><Error><Code>{answer.code or 'Odd'}</Code>"
            f"<Message>String to sign used was {answer.secret}</Message></Error>"
        ).encode()
        self.send_response(answer.status)
        if answer.code is not None:
            self.send_header("x-ms-error-code", answer.code)
        self.send_header("x-ms-request-id", "11111111-2222-3333-4444-555555555555")
        self.send_header("Content-Type", "application/xml")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815 — http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — http.server's name
        """Say nothing."""


@contextmanager
def scripted_storage() -> Iterator[ScriptedStorage]:
    """Serve on a free port until the end of the block."""
    with ScriptedStorage() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
