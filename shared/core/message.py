"""Queue messages: one type for each queue, each says only "look at this" (rule 1)."""

from typing import Final, Literal

import msgspec

from shared.core import names
from shared.core.decoding import decoder
from shared.core.errors import BadMessage

VERSION: Final = 1

Queue = Literal["sync", "release", "watch", "snapshot", "settle", "prune", "inspect"]
QUEUES: Final[tuple[Queue, ...]] = (
    *("sync", "release", "watch", "snapshot", "settle", "prune", "inspect"),
)


class RepositoryMessage(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Look at a repository. ``tries`` counts the hiccups so far.

    ``pushed``: a webhook asks, so there is nothing to do once its delivery was answered.
    """

    v: int = VERSION
    repository: str
    tries: int = 0
    pushed: bool = False


class StackMessage(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Look at a stack. ``looks`` counts how often a running release was looked at."""

    v: int = VERSION
    repository: str
    stack: str
    tries: int = 0
    looks: int = 0


REPOSITORY_QUEUES: Final = frozenset({"sync", "settle"})
"""Queues whose messages are about a whole repository."""

Message = RepositoryMessage | StackMessage

TYPES: Final[dict[Queue, type[Message]]] = {
    "sync": RepositoryMessage,
    "release": StackMessage,
    "watch": StackMessage,
    "snapshot": StackMessage,
    "inspect": StackMessage,
    "settle": RepositoryMessage,
    "prune": StackMessage,
}


def encode(message: Message) -> bytes:
    """Return the bytes of a message. Pure."""
    # ``v`` is written although it is the default: a reader of another version must see it.
    return msgspec.json.encode({"v": message.v, **msgspec.to_builtins(message)})


def _checked(message: Message) -> Message:
    if message.v != VERSION:
        raise BadMessage("MessageVersion", f"version {message.v}, this is version {VERSION}")
    if not names.is_repository_key(message.repository):
        raise BadMessage("MessageName", "not a repository's key")
    if isinstance(message, StackMessage) and not names.is_record_name(message.stack):
        raise BadMessage("MessageName", "not a stack's name")
    return message


def decode_repository(body: bytes) -> RepositoryMessage:
    """Read a message about a repository; raises BadMessage for anything else."""
    try:
        message = decoder(RepositoryMessage).decode(body)
    except msgspec.MsgspecError as e:
        raise BadMessage("MessageUnreadable", str(e)) from e
    _checked(message)
    return message


def decode_stack(body: bytes) -> StackMessage:
    """Read a message about a stack; raises BadMessage for anything else."""
    try:
        message = decoder(StackMessage).decode(body)
    except msgspec.MsgspecError as e:
        raise BadMessage("MessageUnreadable", str(e)) from e
    _checked(message)
    return message


def decode(queue: Queue, body: bytes) -> Message:
    """Read a message of ``queue``; raises BadMessage for anything else."""
    return decode_repository(body) if queue in REPOSITORY_QUEUES else decode_stack(body)


def again(message: Message, *, tries: int) -> Message:
    """Return a copy of a message that is tried again. Pure."""
    return msgspec.structs.replace(message, tries=tries)
