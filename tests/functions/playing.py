"""The other end of ``player``: invokes functions by name and tells what came of it."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
ANSWER_LIMIT_S = 60.0


@dataclass(frozen=True)
class Played:
    """What an invocation did; ``error`` is what the function raised, ``logs`` all that was logged."""

    error: str | None
    trace: str
    status: int | None
    headers: Mapping[str, str]
    body: bytes
    logs: tuple[str, ...]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read the player's line."""
        return cls(
            error=told["error"],
            trace=told["trace"],
            status=told["status"],
            headers={name.lower(): value for name, value in told["headers"].items()},
            body=base64.b64decode(told["body"]),
            logs=tuple(told["logs"]),
        )

    def json(self) -> Any:
        """Return the answer's JSON."""
        return json.loads(self.body)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return Plumbline's own log events of this name."""
        mark = " plumbline "
        found = (json.loads(line.partition(mark)[2]) for line in self.logs if mark in line)
        return [event for event in found if event["event"] == name]

    def seen(self) -> str:
        """Return everything that anybody could read of this invocation."""
        return "\n".join([*self.logs, self.error or "", self.trace, repr(self.headers)]) + (
            self.body.decode("utf-8", "replace")
        )


@dataclass
class Player:
    """A worker process with the app in it."""

    process: "subprocess.Popen[str]"
    errors: Path
    functions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def http(
        self,
        function: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        **params: str,
    ) -> Played:
        """Run an HTTP function; ``params`` are the route's."""
        return self._ask(
            kind="http",
            function=function,
            method=method,
            url=f"http://127.0.0.1/api/{'/'.join(params.values())}",
            headers=dict(headers or {}),
            params=params,
            body=base64.b64encode(body).decode(),
        )

    def queue(self, function: str, body: bytes) -> Played:
        """Run a queue function with a message of this body."""
        return self._ask(kind="queue", function=function, body=base64.b64encode(body).decode())

    def timer(self, function: str, *, past_due: bool = False) -> Played:
        """Run a timer function."""
        return self._ask(kind="timer", function=function, past_due=past_due)

    def api(self, path: str) -> Any:
        """Ask ``status``; returns the JSON of a 200 answer."""
        played = self.http("status", path=path)
        assert played.status == 200, (path, played)
        return played.json()

    def _ask(self, **call: Any) -> Played:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(call) + "\n")
        self.process.stdin.flush()
        return Played.of(self.line())

    def line(self) -> dict[str, Any]:
        """Return the player's next line; raises AssertionError if it died or is silent."""
        assert self.process.stdout is not None
        guard = threading.Timer(ANSWER_LIMIT_S, self.process.kill)
        guard.start()
        try:
            line = self.process.stdout.readline()
        finally:
            guard.cancel()
        assert line, f"the player ended:\n{self.errors.read_text()}"
        document: dict[str, Any] = json.loads(line)
        return document


@contextmanager
def playing(settings: Mapping[str, str], folder: Path) -> Iterator[Player]:
    """Start a player with these app settings and nothing else of ours in its environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    errors = folder / "player.err"
    with (
        errors.open("w") as stream,
        subprocess.Popen(
            [sys.executable, "-m", "tests.functions.player"],
            cwd=ROOT,
            env={**kept, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        player = Player(process, errors)
        try:
            player.functions = player.line()["functions"]
            yield player
        finally:
            if process.stdin is not None:
                process.stdin.close()  # the player ends with its input
            try:
                process.wait(ANSWER_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
