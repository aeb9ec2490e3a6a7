"""Queue messages: what the host takes, what a function and its binding expressions receive."""

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.host import expressions, wire
from local.host.invocation import Call

if TYPE_CHECKING:
    from azure.storage.queue import QueueMessage


@dataclass(frozen=True)
class Received:
    """A message that the host has taken, with its latest receipt."""

    id: str
    content: str
    dequeue_count: int
    pop_receipt: str
    inserted_on: datetime
    expires_on: datetime
    next_visible_on: datetime

    @classmethod
    def of(cls, message: "QueueMessage") -> "Received":
        """Return the SDK's message without its optional fields."""
        now = datetime.now(UTC)
        return cls(
            message.id,
            str(message.content),
            message.dequeue_count or 1,
            message.pop_receipt or "",
            message.inserted_on or now,
            message.expires_on or now,
            message.next_visible_on or now,
        )

    @classmethod
    def by_hand(cls, content: str, dequeue_count: int = 1) -> "Received":
        """Return a message that never was in a queue: a run asked for at /admin, or by a test."""
        now = datetime.now(UTC)
        return cls(str(uuid.uuid4()), content, dequeue_count, "", now, now, now)


def decoded(content: str, *, as_base64: bool) -> bytes:
    """Return the payload of a message; raises ValueError if it is not base64. Pure."""
    if not as_base64:
        return content.encode()
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def call_of(message: Received, payload: bytes) -> Call:
    """Return what the function and its binding expressions receive. Pure."""
    try:
        body = payload.decode()
        value: wire.Value = wire.Text(body)
    except UnicodeDecodeError:
        body, value = "", wire.Binary(payload)
    times = {
        "InsertionTime": message.inserted_on,
        "ExpirationTime": message.expires_on,
        "NextVisibleTime": message.next_visible_on,
    }
    metadata: dict[str, wire.Value] = {
        "QueueTrigger": wire.Text(body),
        "Id": wire.Text(message.id),
        "PopReceipt": wire.Text(message.pop_receipt),
        "DequeueCount": wire.Json(str(message.dequeue_count)),
        **{name: wire.Json(f'"{moment.isoformat()}"') for name, moment in times.items()},
    }
    data: dict[str, Any] = {
        "queueTrigger": body,
        "id": message.id,
        "popReceipt": message.pop_receipt,
        "dequeueCount": message.dequeue_count,
        **{name: moment.isoformat() for name, moment in times.items()},
    }
    own = expressions.json_properties(body)
    hidden = {name.lower() for name in own}
    data = {name: item for name, item in data.items() if name.lower() not in hidden} | own
    reason = f"queue message {message.id}, dequeue count {message.dequeue_count}"
    return Call(value, reason, metadata, data)
