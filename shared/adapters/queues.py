"""Queues over storage queues, in the encoding that the Functions queue trigger reads (base64)."""

import math
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC
from functools import lru_cache
from typing import Final

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient, QueueMessage

from shared.adapters.storage_connection import StorageConnection
from shared.adapters.storage_errors import Call, Kind, kind_of, translate
from shared.ports import PoisonMessage

PREFIX: Final = "plumbline-"
POISON: Final = "-poison"
BODY_LIMIT_BYTES: Final = 48 * 1024
LONGEST_DELAY_S: Final = 7 * 24 * 3600
POISON_HIDDEN_S: Final = 300
_CLIENTS_KEPT: Final = 64
_ROLE: Final = "Storage Queue Data Contributor"
_MOST_PER_CALL: Final = 32
_FOREVER: Final = -1


class StorageQueues:
    """The port Queues; the queue ``sync`` is ``plumbline-sync`` in the account."""

    def __init__(self, connection: StorageConnection, prefix: str = PREFIX) -> None:
        self._service = connection.queue_service()
        # A client costs as much CPU as a fifth of a request, and the queues are few.
        self._client = lru_cache(maxsize=_CLIENTS_KEPT)(self._new_client)
        self._prefix = prefix

    def ensure(self, queues: Iterable[str]) -> None:
        """Create these queues and their poison queues where they are missing."""
        for queue in queues:
            self._create(self._client(queue))
            self._create(self._client(queue + POISON))

    def send(self, queue: str, body: bytes, delay_s: float = 0.0) -> None:
        """Put a message that becomes visible after ``delay_s`` (whole seconds, rounded up).

        It never expires; at most 48 KiB, else ValueError. A delay above seven days is cut to that. A lost
        reply may double the message. A queue that is missing is created: no push is lost with it.
        """
        if len(body) > BODY_LIMIT_BYTES:
            raise ValueError(
                f"message of {len(body)} bytes for queue {queue}: at most {BODY_LIMIT_BYTES} fit; "
                "store the content and send its name"
            )
        client = self._client(queue)
        text = b64encode(body).decode("ascii")
        hidden_s = min(max(0, math.ceil(delay_s)), LONGEST_DELAY_S)
        try:
            try:
                self._send(client, text, hidden_s)
            except AzureError as error:
                if kind_of(error) is not Kind.NO_QUEUE:
                    raise
                self._create(client)
                self._send(client, text, hidden_s)
        except AzureError as error:
            raise translate(error, _call("send to the queue", client)) from None

    def length(self, queue: str) -> int:
        """Return about how many messages are in the queue, hidden ones included; 0 if missing."""
        client = self._client(queue)
        try:
            return client.get_queue_properties().approximate_message_count or 0
        except AzureError as error:
            if kind_of(error) is Kind.NO_QUEUE:
                return 0
            raise translate(error, _call("measure the queue", client)) from None

    def poisoned(self, queue: str, limit: int = 32) -> Sequence[PoisonMessage]:
        """Take up to ``limit`` messages from ``<queue>-poison``, hidden for five minutes."""
        client = self._client(queue + POISON)
        try:
            found = client.receive_messages(
                messages_per_page=min(limit, _MOST_PER_CALL),
                max_messages=limit,
                visibility_timeout=POISON_HIDDEN_S,
            )
            return [_poison_message(queue, message) for message in found]
        except AzureError as error:
            if kind_of(error) is Kind.NO_QUEUE:
                return []
            raise translate(error, _call("receive from the queue", client)) from None

    def poison_length(self, queue: str) -> int:
        """Return about how many messages are in ``<queue>-poison``; counted as ``length`` does."""
        return self.length(queue + POISON)

    def discard(self, message: PoisonMessage) -> None:
        """Remove a poison message that was dealt with; gone already is no error.

        Neither is a receipt that is no longer good: then somebody else has taken the message.
        """
        client = self._client(message.queue + POISON)
        try:
            client.delete_message(message.id, message.receipt)
        except AzureError as error:
            if kind_of(error) not in (Kind.NO_MESSAGE, Kind.NO_QUEUE):
                raise translate(error, _call("delete from the queue", client)) from None

    def _new_client(self, queue: str) -> QueueClient:
        return self._service.get_queue_client(self._prefix + queue)

    def _send(self, client: QueueClient, text: str, hidden_s: int) -> None:
        client.send_message(text, visibility_timeout=hidden_s, time_to_live=_FOREVER, retry_total=1)

    def _create(self, client: QueueClient) -> None:
        try:
            client.create_queue()
        except AzureError as error:
            if kind_of(error) is not Kind.EXISTS:
                raise translate(error, _call("create the queue", client)) from None


def _poison_message(queue: str, message: QueueMessage) -> PoisonMessage:
    inserted = message.inserted_on
    return PoisonMessage(
        queue=queue,
        id=message.id,
        receipt=message.pop_receipt or "",
        body=_body(message.content),
        dequeue_count=message.dequeue_count or 0,
        inserted_at=None if inserted is None else inserted.astimezone(UTC),
    )


def _body(text: str) -> bytes:
    """Decode base64; what is not base64 stays as it is, for somebody to look at."""
    raw = text.encode()
    try:
        return b64decode(raw, validate=True)
    except ValueError:
        return raw


def _call(action: str, client: QueueClient) -> Call:
    return Call(action, client.queue_name, _ROLE)
