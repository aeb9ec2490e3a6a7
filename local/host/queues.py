"""The storage queue trigger, as the real host's listener and processor do it.

A batch is fetched with a fixed invisibility (10 minutes in Azure, `lease_s` here), all of it is
started, and the next batch is fetched when few enough are still running. An empty queue is asked
ever more slowly. Success deletes a message; failure makes it visible again after
`visibilityTimeout`, or moves it to the poison queue when it has been tried often enough.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, HttpResponseError

from local.host.bindings import Function, QueueTrigger
from local.host.configuration import QueueOptions
from local.host.invocation import Invoker, first_line
from local.host.journal import Journal
from local.host.messages import Received, call_of, decoded
from local.host.storage import Connections, creating, is_passing

if TYPE_CHECKING:
    pass

INFO, WARNING, ERROR = 20, 30, 40
LEASE_S = 600.0
SHORTEST_PAUSE_S = 0.1
SHORTEST_RENEWAL_S = 60.0
POISON_SUFFIX = "-poison"
NOT_FOUND = 404
STALE = {400, 404, 409}  # another receipt, no message, queue going away: someone else has it
_random = random.SystemRandom()


class Backoff:
    """How long to wait for an empty queue: exponential, jittered, from 100 ms to a maximum."""

    def __init__(
        self, longest_s: float, jitter: Callable[[], float] = lambda: _random.uniform(0.8, 1.2)
    ) -> None:
        self._longest_s = longest_s
        self._jitter = jitter
        self.reset()

    def reset(self) -> None:
        """Start over: a message was found."""
        self._exponent = 0
        self._pause_s = 0.0

    def pause_s(self) -> float:
        """Return the next pause in seconds."""
        if self._pause_s < self._longest_s:
            grown = self._jitter() * 2 ** (self._exponent - 1) if self._exponent else 0.0
            self._pause_s = min(SHORTEST_PAUSE_S * (1 + grown), self._longest_s)
            self._exponent += 1
        return self._pause_s


class Listener:
    """Feeds one function from one queue until it is stopped."""

    def __init__(
        self,
        function: Function,
        options: QueueOptions,
        connections: Connections,
        surroundings: tuple[Invoker, Journal],
        lease_s: float,
    ) -> None:
        if not isinstance(function.trigger, QueueTrigger):
            raise TypeError(f"{function.name} has no queue trigger")
        self.queue_name = function.trigger.queue
        self._function = function
        self._options = options
        self._invoker, self._journal = surroundings
        self._lease_s = lease_s
        connection = function.trigger.connection
        self._queue = connections.queue(connection, self.queue_name)
        poison = not self.queue_name.endswith(POISON_SUFFIX)
        self._poison = (
            connections.queue(connection, self.queue_name + POISON_SUFFIX) if poison else None
        )
        self._running: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()
        self._troubled = False
        self._backoff = Backoff(options.max_polling_s)

    def wake(self) -> None:
        """Ask the queue now: this host has just written to it."""
        self._awake.set()

    async def run(self) -> None:
        """Poll until cancelled; running messages go on (see `drain`)."""
        while True:
            if await self._take_batch():
                self._backoff.reset()
                while len(self._running) > self._options.new_batch_threshold:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._backoff.pause_s()):
                    await self._awake.wait()
            self._awake.clear()

    async def drain(self) -> None:
        """Wait for the messages that are being worked on."""
        if self._running:
            await asyncio.wait(self._running)

    async def _take_batch(self) -> int:
        try:
            batch = await self._receive()
        except AzureError as error:
            self._trouble(error)
            return 0
        self._well()
        for message in batch:
            task = asyncio.create_task(self._process(message))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(batch)

    def _trouble(self, error: AzureError) -> None:
        """Say once that a queue cannot be read; one that does not exist yet is just empty."""
        if getattr(error, "status_code", None) == NOT_FOUND:
            self._well()
        elif not self._troubled:
            self._troubled = True
            level = WARNING if is_passing(error) else ERROR
            self._say(level, "queue cannot be read", error=first_line(error))

    def _well(self) -> None:
        if self._troubled:
            self._troubled = False
            self._say(INFO, "queue can be read again")

    async def _receive(self) -> list[Received]:
        pages = self._queue.receive_messages(
            messages_per_page=self._options.batch_size,
            visibility_timeout=max(1, round(self._lease_s)),
        ).by_page()
        async for page in pages:
            return [Received.of(message) async for message in page]
        return []

    async def _process(self, message: Received) -> None:
        try:
            await self._handle(message)
        except AzureError as error:
            # The message stays invisible until its lease ends, then it is tried again.
            self._say(ERROR, "message cannot be settled", id=message.id, error=first_line(error))

    async def _handle(self, message: Received) -> None:
        if message.dequeue_count > self._options.max_dequeue_count:
            await self._move_to_poison(message, "it was dequeued too often")
            return
        try:
            payload = decoded(message.content, as_base64=self._options.base64)
        except ValueError:
            await self._move_to_poison(message, "it is not base64 (host.json messageEncoding)")
            return
        receipt = Receipt(message.pop_receipt)
        done = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, receipt, done))
        try:
            result = await self._invoker.invoke(self._function, call_of(message, payload))
        finally:
            done.set()
            await asyncio.wait([renewal])
        await self._settle(message, receipt, succeeded=result.succeeded)

    async def _settle(self, message: Received, receipt: "Receipt", *, succeeded: bool) -> None:
        if succeeded:
            await self._ignoring_stale(self._queue.delete_message(message.id, receipt.value))
        elif self._poison is None:
            # As in Azure: without a poison queue the message waits for its lease to end.
            return
        elif message.dequeue_count >= self._options.max_dequeue_count:
            await self._move_to_poison(message, "it has reached maxDequeueCount", receipt)
        else:
            await self._ignoring_stale(
                self._queue.update_message(
                    message.id,
                    receipt.value,
                    visibility_timeout=round(self._options.visibility_timeout_s),
                )
            )

    async def _move_to_poison(
        self, message: Received, why: str, receipt: "Receipt | None" = None
    ) -> None:
        if self._poison is None:
            return
        poison = self._poison
        await creating(lambda: poison.send_message(message.content), poison.create_queue)
        held = receipt.value if receipt else message.pop_receipt
        await self._ignoring_stale(self._queue.delete_message(message.id, held))
        self._say(WARNING, f"message moved to {poison.queue_name}: {why}", id=message.id)
        self._invoker.on_message(str(poison.queue_name))

    async def _renew(self, message: Received, receipt: "Receipt", done: asyncio.Event) -> None:
        """Keep the message invisible: at half of the lease, after a failure twice as often."""
        normal = self._lease_s / 2
        pause = normal
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await done.wait()
                    return
            try:
                renewed = await self._queue.update_message(
                    message.id, receipt.value, visibility_timeout=max(1, round(self._lease_s))
                )
                receipt.value = renewed.pop_receipt or receipt.value
                pause = normal
            except HttpResponseError as error:
                if error.status_code in STALE:
                    return
                pause = max(pause / 2, min(SHORTEST_RENEWAL_S, normal / 4))
            except AzureError:
                pause = max(pause / 2, min(SHORTEST_RENEWAL_S, normal / 4))

    async def _ignoring_stale(self, operation: Any) -> None:
        try:
            await operation
        except HttpResponseError as error:
            if error.status_code not in STALE:
                raise

    def _say(self, level: int, message: str, **fields: object) -> None:
        self._journal.write(
            "Host.Triggers.Queue",
            level,
            message,
            function=self._function.name,
            queue=self.queue_name,
            **fields,
        )


@dataclass
class Receipt:
    """The receipt that currently owns a message; each renewal brings a new one."""

    value: str
