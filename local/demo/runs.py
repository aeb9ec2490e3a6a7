"""Which functions ran, read from what the Functions hosts log."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

# What the Core Tools print; local.host writes JSON lines.
_CORE_TOOLS = re.compile(
    r"Executed 'Functions\.(?P<name>\w+)' \((?P<end>Succeeded|Failed).*Duration=(?P<ms>\d+)ms"
)


@dataclass(frozen=True)
class Run:
    """One invocation of a function."""

    function: str
    succeeded: bool
    elapsed_ms: float
    error: str = ""
    invocation: str = ""
    stacks: tuple[str, ...] = ()
    """Which stacks it worked on, where the function said so."""


class RunLog:
    """Reads host logs as they grow; what was there before is not told."""

    def __init__(self, logs: Sequence[Path]) -> None:
        self._offsets = {log: log.stat().st_size if log.exists() else 0 for log in logs}
        self._stacks: defaultdict[str, set[str]] = defaultdict(set)  # by invocation, until it ends

    def fresh(self) -> Iterator[Run]:
        """Return the invocations that ended since the last call."""
        for log, offset in self._offsets.items():
            with log.open("rb") as file:
                file.seek(offset)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]  # the host may be writing the last line now
            self._offsets[log] = offset + len(whole)
            for line in whole.decode(errors="replace").splitlines():
                invocation, stack = stack_of(line)
                if stack:
                    self._stacks[invocation].add(stack)
                run = run_of(line)
                if run is not None:
                    stacks = self._stacks.pop(run.invocation, set())
                    yield replace(run, stacks=tuple(sorted(stacks)))


def stack_of(line: str) -> tuple[str, str]:
    """Return invocation and stack of one of Plumbline's own events; empty if it names none. Pure."""
    try:
        event = json.loads(json.loads(line)["message"])
        return str(event["invocation_id"]), str(event["stack"])
    except (ValueError, TypeError, KeyError):
        return "", ""


def run_of(line: str) -> Run | None:
    """Return the invocation that a log line tells of, if it does. Pure."""
    if line.startswith("{"):
        return _from_json(line)
    found = _CORE_TOOLS.search(line)
    if found is None:
        return None
    return Run(found["name"], found["end"] == "Succeeded", float(found["ms"]))


def _from_json(line: str) -> Run | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    if event.get("message") != "executed" or "function" not in event:
        return None
    return Run(
        function=event["function"],
        succeeded=event.get("outcome") == "succeeded",
        elapsed_ms=float(event.get("elapsed_ms", 0)),
        error=str(event.get("error") or ""),
        invocation=str(event.get("invocation_id") or ""),
    )
