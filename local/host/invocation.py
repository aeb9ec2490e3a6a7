"""One invocation from trigger to outputs: inputs are read, the worker runs, outputs are written.

Outputs are written only after the function succeeded, and before its trigger is acknowledged: an
output that cannot be written fails the invocation, and a crash in between repeats it.
"""

import json
import secrets
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError

from local.host import expressions, wire
from local.host.bindings import BlobBinding, Function, HttpBinding, QueueBinding
from local.host.journal import Journal
from local.host.storage import Connections, creating
from local.host.supervisor import Supervisor, WorkerLostError

INFO, ERROR = 20, 40
_ENVELOPE = {"id", "body"}


@dataclass(frozen=True)
class Call:
    """What a trigger hands over. `data` feeds binding expressions, `reason` goes to the log."""

    value: wire.Value
    reason: str
    metadata: Mapping[str, wire.Value] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    trace_parent: str = ""
    trace_state: str = ""
    retry: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Result:
    """How it ended; `answer` is what an HTTP function answered."""

    error: str | None
    answer: wire.Value | None = None
    invocation_id: str = ""

    @property
    def succeeded(self) -> bool:
        """Tell whether function and outputs went well."""
        return self.error is None


class BindingError(Exception):
    """An input could not be read or an output not be written."""


class Invoker:
    """Runs invocations on the worker and does the storage work around them."""

    def __init__(
        self,
        supervisor: Supervisor,
        connections: Connections,
        journal: Journal,
        *,
        timeout_s: float | None,
        base64: bool,
    ) -> None:
        self._supervisor = supervisor
        self._connections = connections
        self._journal = journal
        self._timeout_s = timeout_s
        self._base64 = base64
        self.on_message: Callable[[str], None] = lambda _queue: None
        self.names: dict[str, str] = {}  # invocation id -> function, for the app's log records
        self.counts = {"succeeded": 0, "failed": 0}

    async def invoke(self, function: Function, call: Call) -> Result:
        """Run a function; never raises for what the app, the worker or storage did."""
        invocation_id = str(uuid.uuid4())
        self.names[invocation_id] = function.name
        started = time.monotonic()
        trace = ""
        try:
            result, trace = await self._attempt(function, call, invocation_id)
        except TimeoutError:
            result = Result(f"functionTimeout of {self._timeout_s:g} s exceeded")
        except (WorkerLostError, BindingError) as error:
            result = Result(str(error))
        finally:
            del self.names[invocation_id]
        self._report(function, call, invocation_id, (result, trace, time.monotonic() - started))
        return Result(result.error, result.answer, invocation_id)

    def _report(
        self, function: Function, call: Call, invocation_id: str, end: tuple[Result, str, float]
    ) -> None:
        result, trace, elapsed_s = end
        self.counts["succeeded" if result.succeeded else "failed"] += 1
        self._journal.write(
            f"Function.{function.name}",
            INFO if result.succeeded else ERROR,
            "executed",
            function=function.name,
            invocation_id=invocation_id,
            outcome="succeeded" if result.succeeded else "failed",
            elapsed_ms=round(elapsed_s * 1000, 1),
            reason=call.reason,
            error=result.error,
            trace=trace or None,
        )

    async def _attempt(
        self, function: Function, call: Call, invocation_id: str
    ) -> tuple[Result, str]:
        inputs: dict[str, wire.Value | None] = {function.trigger.name: call.value}
        for binding in function.inputs:
            inputs[binding.name] = await self._read(binding, call.data)
        outcome = await self._supervisor.invoke(
            wire.Invoke(
                invocation_id=invocation_id,
                function_id=function.function_id,
                inputs=inputs,
                metadata=dict(call.metadata),
                trace_parent=child_of(call.trace_parent),
                trace_state=call.trace_state,
                retry_count=call.retry[0],
                max_retry_count=call.retry[1],
            ),
            self._timeout_s,
        )
        if outcome.error is not None:
            return Result(outcome.error), outcome.trace
        answer: wire.Value | None = None
        for output in function.outputs:
            returned = output.name == "$return"
            value = outcome.returned if returned else outcome.outputs.get(output.name)
            if value is None:
                continue
            if isinstance(output, HttpBinding):
                answer = value
            else:
                await self._write(output, value, call.data)
        return Result(None, answer), ""

    async def _read(self, binding: BlobBinding, data: Mapping[str, Any]) -> wire.Binary | None:
        try:
            blob = self._connections.blob(
                binding.connection,
                expressions.fill(binding.container, data),
                expressions.fill(binding.blob, data),
            )
            stream = await blob.download_blob()
            return wire.Binary(await stream.readall())
        except ResourceNotFoundError:
            return None
        except (AzureError, expressions.ExpressionError) as error:
            raise BindingError(f"input {binding.name}: {first_line(error)}") from error

    async def _write(
        self, binding: QueueBinding | BlobBinding, value: wire.Value, data: Mapping[str, Any]
    ) -> None:
        try:
            if isinstance(binding, QueueBinding):
                await self._send(binding, value, data)
            else:
                await self._upload(binding, value, data)
        except (AzureError, ValueError, TypeError) as error:
            raise BindingError(f"output {binding.name}: {first_line(error)}") from error

    async def _upload(
        self, binding: BlobBinding, value: wire.Value, data: Mapping[str, Any]
    ) -> None:
        name = expressions.fill(binding.container, data)
        container = self._connections.container(binding.connection, name)
        blob = container.get_blob_client(expressions.fill(binding.blob, data))
        content = content_of(value)
        await creating(
            lambda: blob.upload_blob(content, overwrite=True), container.create_container
        )

    async def _send(
        self, binding: QueueBinding, value: wire.Value, data: Mapping[str, Any]
    ) -> None:
        name = expressions.fill(binding.queue, data).lower()
        queue = self._connections.queue(binding.connection, name)
        for content in messages_of(value):
            text = b64encode(content).decode() if self._base64 else content.decode()
            await creating(lambda text=text: queue.send_message(text), queue.create_queue)  # type: ignore[misc]
        self.on_message(name)


def first_line(error: Exception) -> str:
    """Return an error's first line; storage errors go on with headers that nobody needs. Pure."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def content_of(value: wire.Value) -> bytes:
    """Return what a blob output writes; raises TypeError for what is no content. Pure."""
    match value:
        case wire.Text(text) | wire.Json(text):
            return text.encode()
        case wire.Binary(content):
            return content
        case wire.Number(number):
            return str(number).encode()
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written")


def messages_of(value: wire.Value) -> list[bytes]:
    """Return the messages of a queue output: one, or one per item of a list. Pure."""
    if not isinstance(value, wire.Json):
        return [content_of(value)]
    document = json.loads(value.value)
    items = document if isinstance(document, list) else [document]
    return [_message(item) for item in items]


def _message(item: Any) -> bytes:
    if isinstance(item, dict) and set(item) == _ENVELOPE:  # a QueueMessage, as the library sends it
        item = item["body"]
    return (item if isinstance(item, str) else json.dumps(item)).encode()


def child_of(trace_parent: str) -> str:
    """Return a W3C traceparent below the given one, or a new root."""
    parts = trace_parent.split("-")
    own = secrets.token_hex(8)
    if [len(part) for part in parts] == [2, 32, 16, 2]:
        return f"{parts[0]}-{parts[1]}-{own}-{parts[3]}"
    return f"00-{secrets.token_hex(16)}-{own}-00"
