"""Storage queues in memory: at least once, no order, visibility, dequeue counts, poison."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.ports import Clock, PoisonMessage
from tests.fakes.system import Faults

BODY_LIMIT_BYTES = 48 * 1024
LONGEST_DELAY_S = 7 * 24 * 3600
POISON = "-poison"


@dataclass(frozen=True)
class TakenMessage:
    """A message as a trigger gets it; ``receipt`` is good until the message is taken again."""

    queue: str
    id: str
    receipt: str
    body: bytes
    dequeue_count: int
    inserted_at: datetime
    visible_at: datetime


class MemoryQueues:
    """The port Queues, and the side of the Functions host: take, complete, fail.

    ``clock`` is the storage server's. With ``rng`` messages are taken in a random order, else oldest first.
    A queue that nobody sent to is empty, like one that is missing.
    """

    def __init__(
        self, clock: Clock, faults: Faults | None = None, rng: random.Random | None = None
    ) -> None:
        self._clock = clock
        self._faults = faults or Faults()
        self._rng = rng
        self._messages: dict[str, dict[str, TakenMessage]] = {}
        self._count = 0

    def send(self, queue: str, body: bytes, delay_s: float = 0.0) -> None:
        """Put a message that becomes visible after ``delay_s`` (whole seconds, rounded up)."""
        if len(body) > BODY_LIMIT_BYTES:
            raise ValueError(f"message of {len(body)} bytes: at most {BODY_LIMIT_BYTES} fit")
        hidden_s = min(max(0, math.ceil(delay_s)), LONGEST_DELAY_S)
        with self._faults.around("queues.send", queue):
            self.put(queue, body, hidden_s)

    def length(self, queue: str) -> int:
        """Return how many messages are in the queue, hidden ones included; 0 if missing."""
        with self._faults.around("queues.length", queue):
            return len(self._messages.get(queue, {}))

    def poisoned(self, queue: str, limit: int = 32) -> Sequence[PoisonMessage]:
        """Take up to ``limit`` messages from ``<queue>-poison``, hidden for five minutes."""
        with self._faults.around("queues.poisoned", queue):
            return [
                PoisonMessage(queue, m.id, m.receipt, m.body, m.dequeue_count, m.inserted_at)
                for m in self.take(queue + POISON, limit, hidden_s=300)
            ]

    def poison_length(self, queue: str) -> int:
        """Return how many messages are in ``<queue>-poison``, hidden ones included."""
        return self.length(queue + POISON)

    def discard(self, message: PoisonMessage) -> None:
        """Remove a poison message; gone already, or taken again by somebody else, is no error."""
        with self._faults.around("queues.discard", message.queue):
            self._remove(message.queue + POISON, message.id, message.receipt)

    # The other side: what the Functions host and an operator's tools do.

    def put(self, queue: str, body: bytes, hidden_s: float = 0.0) -> None:
        """Put a message into a queue by its whole short name (``sync-poison``), without any check."""
        self._count += 1
        self._messages.setdefault(queue, {})[f"m{self._count}"] = TakenMessage(
            queue=queue,
            id=f"m{self._count}",
            receipt="",
            body=bytes(body),
            dequeue_count=0,
            inserted_at=self._clock.now().replace(microsecond=0),
            visible_at=self._clock.now() + timedelta(seconds=hidden_s),
        )

    def take(self, queue: str, most: int = 1, hidden_s: float = 600.0) -> list[TakenMessage]:
        """Take up to ``most`` visible messages and hide them; an earlier receipt ends."""
        now = self._clock.now()
        visible = [m for m in self._messages.get(queue, {}).values() if m.visible_at <= now]
        if self._rng is not None:
            self._rng.shuffle(visible)
        return [self._hide(message, now, hidden_s) for message in visible[:most]]

    def complete(self, message: TakenMessage) -> bool:
        """Delete a message; False when its receipt is no longer good (it was taken again)."""
        return self._remove(message.queue, message.id, message.receipt)

    def fail(self, message: TakenMessage, *, retry_s: float = 30.0, most_tries: int = 10) -> None:
        """Give a message back as the host does when a function raised: again later, or poison."""
        if message.dequeue_count >= most_tries:
            # The copy comes first: a crash in between doubles the message and does not lose it.
            self.put(message.queue + POISON, message.body)
            self.complete(message)
        elif self._current(message.queue, message.id, message.receipt) is not None:
            visible_at = self._clock.now() + timedelta(seconds=retry_s)
            self._messages[message.queue][message.id] = replace(message, visible_at=visible_at)

    def waiting(self, queue: str) -> list[TakenMessage]:
        """Return all messages of a queue, hidden ones too, oldest first, without taking them."""
        return list(self._messages.get(queue, {}).values())

    def next_visible_at(self) -> datetime | None:
        """Return when the next message of any queue becomes visible (maybe in the past), or None."""
        return min(
            (m.visible_at for messages in self._messages.values() for m in messages.values()),
            default=None,
        )

    def names(self) -> list[str]:
        """Return the short names of the queues that hold messages, sorted."""
        return sorted(name for name, messages in self._messages.items() if messages)

    def drop(self, queue: str, message_id: str) -> None:
        """Lose a message, as no queue should."""
        self._messages.get(queue, {}).pop(message_id, None)

    def _hide(self, message: TakenMessage, now: datetime, hidden_s: float) -> TakenMessage:
        self._count += 1
        taken = replace(
            message,
            receipt=f"r{self._count}",
            dequeue_count=message.dequeue_count + 1,
            visible_at=now + timedelta(seconds=hidden_s),
        )
        self._messages[message.queue][message.id] = taken
        return taken

    def _current(self, queue: str, message_id: str, receipt: str) -> TakenMessage | None:
        message = self._messages.get(queue, {}).get(message_id)
        return message if message is not None and message.receipt == receipt else None

    def _remove(self, queue: str, message_id: str, receipt: str) -> bool:
        if self._current(queue, message_id, receipt) is None:
            return False
        del self._messages[queue][message_id]
        return True
