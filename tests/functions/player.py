"""Plays the Functions worker: loads the app through Microsoft's library and invokes by name.

``python -m tests.functions.player`` reads one invocation per line of JSON and answers with one line:
what the function did, and every line that was logged meanwhile. A process of its own, because the
library keeps one app per process; ``tests/functions/playing.py`` talks to it.
"""

import base64
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from local.host import inprocess
from local.host.wire import HttpRequest

ROOT = Path(__file__).resolve().parents[2]


class Collector(logging.Handler):
    """Keeps what is logged by whomever, as any handler would write it, tracebacks included."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.lines.append(self.format(record))

    def taken(self) -> list[str]:
        """Return the lines since the last time."""
        lines, self.lines = self.lines, []
        return lines


def invoke(app: inprocess.App, call: dict[str, Any]) -> inprocess.Outcome:
    """Run one function as the call asks for it."""
    name = call["function"]
    body = base64.b64decode(call.get("body", ""))
    match call["kind"]:
        case "http":
            request = HttpRequest(
                method=call["method"],
                url=call["url"],
                headers=call["headers"],
                params=call["params"],
                body=body,
            )
            return app.http(name, request)
        case "queue":
            return app.queue(name, body)
        case "timer":
            return app.timer(name, past_due=call["past_due"])
        case kind:
            raise ValueError(f"no such kind of invocation: {kind}")


def told(outcome: inprocess.Outcome, lines: list[str]) -> dict[str, Any]:
    """Return an outcome as JSON."""
    answer = outcome.answer
    return {
        "error": outcome.error,
        "trace": outcome.trace,
        "status": answer.status if answer else None,
        "headers": dict(answer.headers) if answer else {},
        "body": base64.b64encode(answer.body).decode() if answer else "",
        "logs": lines,
    }


def index() -> dict[str, dict[str, Any]]:
    """Return the triggers as Microsoft's library would tell them to the host, by function."""
    return {
        function.name: next(b for b in function.bindings if b["type"].endswith("Trigger"))
        for function in inprocess._loaded[str(ROOT)]
    }


def main() -> None:
    """Serve until the input ends."""
    answers = _own_stdout()
    collector = Collector()
    logging.basicConfig(level=logging.DEBUG, handlers=[collector], force=True)
    with inprocess.load(ROOT, os.environ) as app:
        _say(answers, {"functions": index(), "logs": collector.taken()})
        for call in _calls():
            _say(answers, told(invoke(app, call), collector.taken()))


def _own_stdout() -> TextIO:
    """Keep stdout for answers: what anybody prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _say(answers: TextIO, document: dict[str, Any]) -> None:
    answers.write(json.dumps(document) + "\n")
    answers.flush()


def _calls() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


if __name__ == "__main__":
    main()
