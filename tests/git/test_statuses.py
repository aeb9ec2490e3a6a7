"""Commit statuses: the product's client against the laptop's stand-in, and against hard answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.git.background import serving
from local.git.server import GitServer, GitServerSettings
from shared.adapters.github import GitHubStatuses
from shared.core.commit_status import CommitStatus, State, statuses
from shared.core.errors import Stalled, Transient
from shared.core.revision import Answer
from shared.core.secret import Secret
from shared.ports import GitHost

SHA = "a" * 40
TOKEN = "t0ken"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    """Serve one repository with a token."""
    settings = GitServerSettings(folder=tmp_path / "git", user="dev", token=TOKEN)
    with serving(settings) as running:
        yield running


def host(server: GitServer, token: str = TOKEN, repository: str = "example") -> GitHost:
    """Return the address of a repository's statuses."""
    return GitHost(api=server.api_of(repository), token=Secret(token))


def status(state: State, context: str = "plumbline/example") -> CommitStatus:
    """Return a status."""
    return CommitStatus(context=context, state=state, description="said")


def test_what_was_sent_is_there_and_the_newest_counts(server: GitServer) -> None:
    """Each context has the state that it was sent last, over more than a page of them."""
    client = GitHubStatuses()
    for n in range(120):
        client.send(host(server), SHA, status("pending", f"c{n}"))
    client.send(host(server), SHA, status("success", "c0"))

    found = client.sent(host(server), SHA)
    assert len(found) == 120
    assert (found["c0"], found["c1"]) == ("success", "pending")
    assert client.sent(host(server), "b" * 40) == {}


@pytest.mark.parametrize(
    ("token", "repository"), [("wrong", "example"), (TOKEN, "none")], ids=["token", "repository"]
)
def test_a_refusal_is_a_persons_affair(server: GitServer, token: str, repository: str) -> None:
    """The hint says what to check, and the token is not told."""
    with pytest.raises(Stalled) as caught:
        GitHubStatuses().send(host(server, token, repository), SHA, status("success"))

    assert caught.value.reason == "StatusRefused"
    assert "token" in (caught.value.hint or "")
    assert TOKEN not in str(caught.value)


@contextmanager
def _scripted(code: int, headers: dict[str, str], body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/repos/o/r"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("code", "headers", "wait_s"),
    [
        (500, {}, None),
        (502, {}, None),
        (429, {}, 60.0),
        (429, {"Retry-After": "7"}, 7.0),
        (403, {"Retry-After": "9"}, 9.0),
        (403, {"x-ratelimit-remaining": "0"}, 60.0),
    ],
)
def test_a_busy_host_is_asked_later(
    code: int, headers: dict[str, str], wait_s: float | None
) -> None:
    """A limit says how long to wait; it is no refusal."""
    with _scripted(code, headers, b"{}") as api, pytest.raises(Transient) as caught:
        GitHubStatuses().send(GitHost(api=api, token=Secret("x")), SHA, status("success"))

    assert caught.value.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("code", "headers"),
    [(403, {}), (404, {}), (422, {}), (301, {"Location": "https://evil.example/"})],
)
def test_other_answers_stall(code: int, headers: dict[str, str]) -> None:
    """Redirects are not followed either: the token is for one host."""
    with _scripted(code, headers, b"{}") as api, pytest.raises(Stalled):
        GitHubStatuses().send(GitHost(api=api, token=Secret("x")), SHA, status("success"))


def test_a_page_in_between_is_a_hiccup() -> None:
    """A proxy's page with 200 has sent nothing."""
    with _scripted(200, {}, b"<html>") as api, pytest.raises(Transient):
        GitHubStatuses().send(GitHost(api=api, token=Secret("x")), SHA, status("success"))


def test_nobody_there_is_a_hiccup() -> None:
    """An address where nobody listens is asked later."""
    with pytest.raises(Transient):
        GitHubStatuses().send(
            GitHost(api="http://127.0.0.1:9/repos/o/r", token=Secret("x")), SHA, status("success")
        )


def test_descriptions_fit_whatever_the_stacks_are_called() -> None:
    """GitHub takes 140 characters; what is left out is the end."""
    answer = Answer(
        revision=SHA,
        final=True,
        status="failed",
        stacks={f"stack-{n}-with-a-long-name": "failed" for n in range(40)},
    )
    found = statuses("example", answer)

    assert all(len(one.description) <= 140 for one in found)
    assert found[0].description.startswith("failed: stack-0")
    assert json.dumps(found[0].state) == '"failure"'
