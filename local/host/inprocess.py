"""Runs the functions of an app in this process, through Microsoft's library, with no service at all.

For tests: every function is indexed and invoked as the real worker does it, with an HTTP request, a
queue message or a timer made on the spot. Outputs are returned, not written. Microsoft's library
keeps its index in globals, so one process can hold one app.
"""

import asyncio
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from local.host import configuration, invocation, library, messages, timers, wire
from local.host.bindings import Function, HttpTrigger, QueueTrigger, TimerTrigger
from local.host.catalog import read_catalog

_loaded: dict[str, list[wire.IndexedFunction]] = {}


@dataclass(frozen=True)
class Outcome:
    """What an invocation did. `answer` is that of an HTTP function, `outputs` go by argument name.

    An output for a queue is the list of its messages, one for a blob is its content.
    """

    error: str | None
    trace: str = ""
    answer: wire.HttpAnswer | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)


class App:
    """An indexed app. Use it as a context manager, or call `close`."""

    def __init__(self, functions: list[Function]) -> None:
        self.functions = {function.name: function for function in functions}
        self._runner = asyncio.Runner()
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the event loop that async functions ran on."""
        self._runner.close()

    def http(
        self,
        name: str,
        request: wire.HttpRequest,
        *,
        blobs: Mapping[str, bytes] | None = None,
    ) -> Outcome:
        """Run an HTTP function; route parameters are the request's `params`."""
        return self._invoke(self._of(name, HttpTrigger), request, {}, blobs)

    def queue(
        self,
        name: str,
        body: str | bytes,
        *,
        dequeue_count: int = 1,
        blobs: Mapping[str, bytes] | None = None,
    ) -> Outcome:
        """Run a queue function with a message of this body."""
        function = self._of(name, QueueTrigger)
        payload = body.encode() if isinstance(body, str) else body
        message = messages.Received.by_hand("", dequeue_count)
        call = messages.call_of(message, payload)
        return self._invoke(function, call.value, call.metadata, blobs)

    def timer(
        self, name: str, *, past_due: bool = False, blobs: Mapping[str, bytes] | None = None
    ) -> Outcome:
        """Run a timer function."""
        function = self._of(name, TimerTrigger)
        return self._invoke(function, timers.payload(None, past_due=past_due), {}, blobs)

    def _of(self, name: str, kind: type[HttpTrigger | QueueTrigger | TimerTrigger]) -> Function:
        function = self.functions.get(name)
        if function is None:
            raise LookupError(f"there is no function {name!r}; there are {sorted(self.functions)}")
        if not isinstance(function.trigger, kind):
            raise TypeError(f"{name} is a {function.kind} function")
        return function

    def _invoke(
        self,
        function: Function,
        value: wire.Value,
        metadata: Mapping[str, wire.Value],
        blobs: Mapping[str, bytes] | None,
    ) -> Outcome:
        given = blobs or {}
        inputs: dict[str, wire.Value | None] = {function.trigger.name: value}
        for binding in function.inputs:
            content = given.get(binding.name)
            inputs[binding.name] = None if content is None else wire.Binary(content)
        outcome = self._runner.run(
            library.invoke(
                wire.Invoke(
                    invocation_id=f"00000000-0000-4000-8000-{next(self._ids):012x}",
                    function_id=function.function_id,
                    inputs=inputs,
                    metadata=dict(metadata),
                    trace_parent=invocation.child_of(""),
                )
            )
        )
        return _outcome(function, outcome)


def _outcome(function: Function, outcome: wire.Outcome) -> Outcome:
    if outcome.error is not None:
        return Outcome(outcome.error, outcome.trace)
    values = dict(outcome.outputs)
    if outcome.returned is not None:
        values["$return"] = outcome.returned
    answer: wire.HttpAnswer | None = None
    outputs: dict[str, Any] = {}
    kinds = {output.name: type(output).__name__ for output in function.outputs}
    for name, value in values.items():
        match kinds[name]:
            case "HttpBinding":
                answer = _answer(value)
            case "QueueBinding":
                outputs[name] = invocation.messages_of(value)
            case _:
                outputs[name] = invocation.content_of(value)
    return Outcome(None, "", answer, outputs)


def _answer(value: wire.Value) -> wire.HttpAnswer:
    if isinstance(value, wire.HttpAnswer):
        return value
    return wire.HttpAnswer(200, {"content-type": "text/plain"}, body=invocation.content_of(value))


def load(app_dir: Path, settings: Mapping[str, str]) -> App:
    """Index an app and check it as the host does; the same directory may be loaded again.

    Raises library.IndexingError, or StartRefusedError for what only the host would notice
    (`settings` are the app settings that bindings refer to), or RuntimeError for a second app.
    """
    key = str(app_dir.resolve())
    if _loaded and key not in _loaded:
        raise RuntimeError(f"this process holds {next(iter(_loaded))}; one process, one app")
    read = configuration.read_host_json(app_dir, settings)
    if key not in _loaded:
        _loaded[key] = asyncio.run(library.load(key))
    return App(read_catalog(_loaded[key], settings, read.route_prefix))


def json_of(outcome: Outcome) -> Any:
    """Return the JSON document that an HTTP function answered; raises ValueError without one."""
    if outcome.answer is None:
        raise ValueError(f"no answer: {outcome.error}")
    return json.loads(outcome.answer.body)
