"""A Functions host of the measurement's own, over a laptop's parts, with settings as it wants them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.laptops import ROOT, Running
from local import laptop as laptops
from local import parts, waiting

NEVER: Final = "0 0 0 1 1 *"
"""A schedule that leaves a timer alone: scans are asked for by hand, to be counted one by one."""
START_LIMIT_S: Final = 60.0
STOP_LIMIT_S: Final = 40.0
POLLING_S: Final = 0.5


@dataclass
class Journal:
    """What the product says in a host's log, read as it grows."""

    path: Path
    seen: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _at: int = 0

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return all events of this name so far."""
        self._read()
        return self.seen.get(name, [])

    def errors(self) -> Counter[str]:
        """Count what went wrong: errors by their event, or by the beginning of their text."""
        self._read()
        return Counter(str(one.get("event", "")) for one in self.seen.get("error", []))

    def _read(self) -> None:
        with self.path.open("rb") as log:
            log.seek(self._at)
            whole, found, _ = log.read().rpartition(b"\n")
        self._at += len(whole) + len(found)
        for line in whole.splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            event = json.loads(entry["message"])
        except (ValueError, KeyError, TypeError):
            return
        if isinstance(event, dict) and "event" in event:
            kept = {**event, "time": entry["time"]}
            self.seen.setdefault(event["event"], []).append(kept)
            if entry.get("level") in {"Error", "Critical"}:
                self.seen.setdefault("error", []).append(kept)


@dataclass(frozen=True)
class Host:
    """A host that runs."""

    running: Running
    journal: Journal
    pid: int

    def run(self, function: str) -> None:
        """Run a function by hand, as its timer would."""
        self._ask("POST", f"/admin/functions/{function}", b"{}")

    def get(self, path: str) -> Any:
        """Return what the product's API answers."""
        return json.loads(self._ask("GET", path))

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        asked = urllib.request.Request(  # noqa: S310 - our own host
            f"{self.running.line['functions']}{path}",
            method=method,
            data=body,
            headers={
                "x-functions-key": self.running.line["function_key"],
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - our own host
            found: bytes = answer.read()
        return found


@contextmanager
def host(running: Running, name: str, settings: Mapping[str, str]) -> Iterator[Host]:
    """Run a host with these app settings on top of the laptop's, until the block is left."""
    laptop = laptops.load(running.folder)
    assert laptop is not None
    log = running.folder / "logs" / f"{name}.log"
    command = [
        *(sys.executable, "-m", "local.host", str(ROOT)),
        *("--port", str(laptop.ports.functions[0]), "--shared-port"),
        *("--keys", str(running.folder / "run" / "keys.json")),
        *("--max-polling", str(POLLING_S), "--lock-seconds", str(parts.TIMER_LOCK_S), "--json"),
    ]
    told = {**os.environ, **parts.app_settings(laptop), **settings}
    with (
        log.open("ab") as out,
        subprocess.Popen(
            command, cwd=ROOT, env=told, stdout=subprocess.DEVNULL, stderr=out
        ) as process,
    ):
        try:
            found = Host(running, Journal(log), process.pid)
            waiting.until(lambda: _answers(found), limit_s=START_LIMIT_S, what="the Functions host")
            yield found
        finally:
            process.terminate()
            process.wait(STOP_LIMIT_S)


def _answers(found: Host) -> bool:
    try:
        found.get("/api/health")
    except (OSError, urllib.error.URLError):
        return False
    return True
