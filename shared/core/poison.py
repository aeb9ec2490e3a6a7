"""Messages that were tried too often: what is kept of them, and what may be done with one. Pure.

The message itself is kept for good in ``history``; a marker in ``state`` stands for it until
somebody has dealt with it (``POST /api/poison/{id}/replay`` or ``/discard``).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.core import names
from shared.core.audit import Audit
from shared.core.document import Document, from_text, to_text
from shared.core.errors import BadMessage
from shared.core.message import Message, Queue, StackMessage, again, decode, encode
from shared.core.operation import OperationRefusedError, Order

OPERATIONS: Final = ("replay", "discard")
"""What may be ordered of a kept message."""


class Poisoned(Document, frozen=True, kw_only=True, omit_defaults=True):
    """A message that was tried too often, as it is kept for good; ``body`` is exactly its bytes.

    ``dequeue_count`` is that of the poison queue: the host moves a message by sending a new one.
    """

    id: str
    queue: Queue
    dequeue_count: int
    inserted_at: datetime | None
    taken_at: datetime
    body: bytes


class PoisonMarker(Document, frozen=True, kw_only=True, omit_defaults=True):
    """A kept message that nobody has dealt with. ``order`` is one that is being carried out."""

    id: str
    queue: Queue
    dequeue_count: int
    taken_at: datetime
    size: int
    subject: str | None = None
    order: Audit | None = None


class OpenPoison(msgspec.Struct, frozen=True, kw_only=True):
    """What a listing tells of a marker."""

    id: str
    queue: str
    dequeue_count: int
    taken_at: datetime
    size: int
    subject: str | None
    is_ordered: bool


def marker_of(poisoned: Poisoned) -> PoisonMarker:
    """Return the marker that stands for a kept message. Pure."""
    return PoisonMarker(
        id=poisoned.id,
        queue=poisoned.queue,
        dequeue_count=poisoned.dequeue_count,
        taken_at=poisoned.taken_at,
        size=len(poisoned.body),
        subject=subject(poisoned.queue, poisoned.body),
    )


def facts(marker: PoisonMarker) -> Mapping[str, str]:
    """Return what a listing shall tell of a marker. Pure."""
    told = {
        "queue": marker.queue,
        "taken_at": to_text(marker.taken_at),
        "dequeue_count": str(marker.dequeue_count),
        "size": str(marker.size),
    }
    if marker.subject is not None:
        told["subject"] = marker.subject
    if marker.order is not None:
        told["ordered"] = marker.order.operation
    return told


def listed(name: str, told: Mapping[str, str]) -> OpenPoison:
    """Return what a listing tells of a marker; one that somebody damaged still counts. Pure."""
    try:
        taken_at = from_text(told.get("taken_at", ""))
    except ValueError:
        taken_at = datetime.fromtimestamp(0, UTC)
    return OpenPoison(
        id=name.removeprefix(names.PENDING_POISON),
        queue=told.get("queue", ""),
        dequeue_count=_number(told.get("dequeue_count", "")),
        taken_at=taken_at,
        size=_number(told.get("size", "")),
        subject=told.get("subject") or None,
        is_ordered=bool(told.get("ordered")),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def subject(queue: Queue, body: bytes) -> str | None:
    """Return what a message is about, ``shop`` or ``shop.web``; None when nobody can read it. Pure."""
    try:
        message = decode(queue, body)
    except BadMessage:
        return None
    if isinstance(message, StackMessage):
        return names.identity(message.repository, message.stack)
    return message.repository


def fresh(message: Message, body: bytes) -> bytes:
    """Return what is sent back: exactly the bytes, unless they count tries, which start anew. Pure."""
    return encode(again(message, tries=0)) if message.tries else body


def ordered(
    marker: PoisonMarker, poisoned: Poisoned | None, order: Order, at: datetime
) -> PoisonMarker:
    """Return the marker after an order. Raises OperationRefusedError when it makes no sense now.

    One order is carried out at a time, and the first ends the matter: so no message is sent twice.
    """
    if marker.order is not None:
        raise OperationRefusedError(
            409,
            "PoisonOrdered",
            f"{marker.order.by} has ordered {marker.order.operation} of this message already.",
            "It is carried out within two minutes, whatever becomes of the worker.",
        )
    if order.operation == "replay":
        _check_readable(marker, poisoned)
    repository, _, stack = (marker.subject or "").partition(".")
    audit = Audit(
        id=order.id,
        at=at,
        by=order.by,
        operation=order.operation,
        repository=repository,
        stack=stack,
        why=order.body.why,
        message=f"{marker.queue}/{marker.id}",
    )
    return msgspec.structs.replace(marker, order=audit)


def not_kept() -> OperationRefusedError:
    """Return why nothing can be ordered yet: the next look at its queue would open it once more."""
    return OperationRefusedError(
        409,
        "PoisonNotKept",
        "The message itself is not in the history container yet.",
        "Ask again in a few minutes.",
    )


def _check_readable(marker: PoisonMarker, poisoned: Poisoned | None) -> None:
    if poisoned is None:
        raise not_kept()
    try:
        decode(marker.queue, poisoned.body)
    except BadMessage as e:
        raise OperationRefusedError(
            409,
            "PoisonUnreadable",
            f"No worker could read the message: {e.message} ({e.reason}).",
            "If another version of Plumbline sent it, replay it once that version runs here; "
            "else discard it: the sweep starts whatever it would have started.",
        ) from e
