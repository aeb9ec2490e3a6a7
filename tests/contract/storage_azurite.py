"""The storage adapters on a real Azurite, each test with containers and queues of its own."""

import uuid
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.storage.queue import QueueClient

from shared.adapters.blobs import BlobDocuments, BlobHistory
from shared.adapters.queues import StorageQueues
from shared.adapters.storage_connection import StorageConnection
from shared.adapters.system import SystemIds
from shared.core.secret import Secret
from shared.settings import StorageSettings


@contextmanager
def connected(connection_string: str, transport: Any = None) -> Iterator[StorageConnection]:
    """Connect to storage, and close all sockets in the end."""
    settings = StorageSettings(connection_string=Secret(connection_string))
    connection = StorageConnection(settings, transport=transport)
    try:
        yield connection
    finally:
        connection.close()


def unique(prefix: str) -> str:
    """Return a name for a container or a queue that no other test has."""
    return f"{prefix}{uuid.uuid4().hex[:12]}"


def documents(connection: StorageConnection, container: str | None = None) -> BlobDocuments:
    """Return documents in a container of their own."""
    made = BlobDocuments(connection, SystemIds(), container or unique("state-"))
    made.ensure()
    return made


def history(connection: StorageConnection) -> BlobHistory:
    """Return a history in a container of its own."""
    made = BlobHistory(connection, SystemIds(), unique("history-"))
    made.ensure()
    return made


class AzuriteQueues:
    """StorageQueues, and the trigger's side of them through the plain SDK."""

    def __init__(self, connection: StorageConnection) -> None:
        self.prefix = unique("t") + "-"
        self.port = StorageQueues(connection, self.prefix)
        self._service = connection.queue_service()

    def client(self, queue: str) -> QueueClient:
        """Return the SDK's client of a queue."""
        return self._service.get_queue_client(self.prefix + queue)

    def take(self, queue: str) -> list[tuple[bytes, int]]:
        """Take what is visible, hide it for a minute: bodies and dequeue counts."""
        found = self.client(queue).receive_messages(max_messages=32, visibility_timeout=60)
        return [(b64decode(message.content), message.dequeue_count or 0) for message in found]

    def put_raw(self, queue: str, text: str) -> None:
        """Put a text as it is, without base64; the queue must be there."""
        self.client(queue).send_message(text)
