"""A host as a program of its own, and an HTTP client that shows exactly what came back."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local import waiting

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = Path(__file__).parent / "apps" / "sample"
KEYS = ("--function-key", "fkey", "--master-key", "mkey")
REQUEST_LIMIT_S = 30
STOP_LIMIT_S = 20


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def send(
    url: str,
    method: str = "GET",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send one request; a body that is iterable goes out in chunks, without a length."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        str(parts.hostname), parts.port or 80, timeout=REQUEST_LIMIT_S
    )
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


@dataclass
class RunningHost:
    """A started host with its ready line and its log."""

    process: subprocess.Popen[str]
    log: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return where it answers."""
        return str(self.facts["url"])

    def api(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Reply:
        """Send a request below /api; underscores in header names become hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return send(f"{self.url}/api/{path}", method, body, named)

    def act(self, **order: Any) -> Reply:
        """Tell the sample app what to do."""
        return self.api("act", "POST", json.dumps(order).encode())

    def status(self) -> dict[str, Any]:
        """Return what /admin/host/status says."""
        document: dict[str, Any] = send(f"{self.url}/admin/host/status?code=mkey").json()
        return document

    def events(self, message: str | None = None, **fields: Any) -> list[dict[str, Any]]:
        """Return the events of the log that carry these values."""
        lines = self.log.read_text().splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [
            event
            for event in events
            if (message is None or event["message"] == message)
            and all(event.get(name) == value for name, value in fields.items())
        ]


def environment(connection_string: str, **settings: str) -> dict[str, str]:
    """Return the settings of the sample app; its timers are far away unless a test says more."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "Store": connection_string,
        "AzureWebJobsStorage": connection_string,
        "ORDERS": "orders",
        "SPARE": "spare",
        "BEAT": "0 0 0 1 1 *",
        "TICK": "0 0 0 1 1 *",
        **settings,
    }


@contextmanager
def running(
    folder: Path,
    settings: Mapping[str, str],
    *arguments: str,
    app: Path = SAMPLE,
) -> Iterator[RunningHost]:
    """Start a host, wait for its line, and stop it in the end."""
    log = folder / "host.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.host", str(app), "--json", *KEYS, *arguments],
            cwd=ROOT,
            env=dict(settings),
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
        )
    with process:
        host = RunningHost(process, log)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, log.read_text()
            host.facts = json.loads(line)
            yield host
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def refused(settings: Mapping[str, str], app: Path | None, *arguments: str) -> str:
    """Start a host (of the sample app, if none is given) that must refuse; return its words."""
    done = subprocess.run(
        [sys.executable, "-m", "local.host", str(app or SAMPLE), *KEYS, *arguments],
        cwd=ROOT,
        env=dict(settings),
        capture_output=True,
        text=True,
        timeout=STOP_LIMIT_S,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    return done.stderr


def is_alive(pid: int) -> bool:
    """Tell whether a process exists; a zombie without threads holds nothing any more."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" or threads > 1


def gone(pid: int, limit_s: float = 10) -> None:
    """Wait until a process is gone."""
    waiting.until(lambda: not is_alive(pid), limit_s=limit_s, what=f"the end of process {pid}")
