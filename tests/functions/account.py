"""The storage account as an operator prepares it, and what the host does with its queues."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local import waiting
from tests.functions.playing import Played, Player

QUEUES: Final = ("sync", "release", "watch", "snapshot", "settle", "prune", "inspect")
CONFIGURATION: Final = "plumbline.config.json"
LEASE_S: Final = 300


@dataclass(frozen=True)
class Account:
    """Containers and queues of one installation, empty at first."""

    blobs: BlobServiceClient
    queues: QueueServiceClient

    def configure(self, configuration: Mapping[str, Any]) -> None:
        """Write the operator's configuration."""
        blob = self.blobs.get_blob_client("state", CONFIGURATION)
        blob.upload_blob(json.dumps(configuration), overwrite=True)

    def names(self, container: str, prefix: str = "") -> list[str]:
        """Return the names of the blobs below ``prefix``."""
        found = self.blobs.get_container_client(container).list_blob_names(name_starts_with=prefix)
        return list(found)

    def read(self, container: str, name: str) -> bytes:
        """Return a blob's bytes."""
        data: bytes = self.blobs.get_blob_client(container, name).download_blob().readall()
        return data

    def everything(self) -> bytes:
        """Return all that is stored, except the configuration, in one piece."""
        return b"\n".join(
            self.read(container, name)
            for container in ("state", "history")
            for name in self.names(container)
            if name != CONFIGURATION
        )

    def length(self, queue: str) -> int:
        """Return how many messages are in a queue, hidden ones included; 0 if it is missing."""
        try:
            found = self.queues.get_queue_client(f"plumbline-{queue}").get_queue_properties()
        except ResourceNotFoundError:
            return 0
        return found.approximate_message_count or 0

    def put(self, queue: str, body: bytes) -> None:
        """Put a message, as the queue trigger reads it; the queue is made if it is missing."""
        client = self.queues.get_queue_client(f"plumbline-{queue}")
        try:
            client.send_message(base64.b64encode(body).decode())
        except ResourceNotFoundError:
            client.create_queue()
            client.send_message(base64.b64encode(body).decode())

    def take(self, queue: str) -> list[bytes]:
        """Take every visible message out of a queue, for good."""
        client = self.queues.get_queue_client(f"plumbline-{queue}")
        bodies = []
        for message in client.receive_messages(messages_per_page=32, visibility_timeout=LEASE_S):
            client.delete_message(message)
            bodies.append(base64.b64decode(message.content))
        return bodies

    def wait_for(self, queue: str, *, limit_s: float = 10.0) -> bytes:
        """Return the one message that becomes visible within the limit."""
        found = waiting.until(
            lambda: self.take(queue), limit_s=limit_s, what=f"a message in {queue}", pause_s=0.2
        )
        assert len(found) == 1, found
        return found[0]

    def drain(self, player: Player, *, limit_s: float = 30.0) -> list[tuple[str, Played]]:
        """Play the host until no queue has a message: whose turn it was, and what came of it."""
        done: list[tuple[str, Played]] = []

        def empty() -> bool:
            for queue in QUEUES:
                client = self.queues.get_queue_client(f"plumbline-{queue}")
                for message in client.receive_messages(visibility_timeout=LEASE_S):
                    played = player.queue(queue, base64.b64decode(message.content))
                    assert played.error is None, (queue, played.error, played.trace)
                    client.delete_message(message)
                    done.append((queue, played))
            return not any(self.length(queue) for queue in QUEUES)

        waiting.until(empty, limit_s=limit_s, what="the queues to be empty")
        return done


@contextmanager
def prepared(connection_string: str) -> Iterator[Account]:
    """Make the containers and queues, and remove them in the end: the account is shared."""
    with (
        BlobServiceClient.from_connection_string(connection_string) as blobs,
        QueueServiceClient.from_connection_string(connection_string) as queues,
    ):
        for container in ("state", "history"):
            blobs.create_container(container)
        for queue in QUEUES:
            queues.create_queue(f"plumbline-{queue}")
        try:
            yield Account(blobs, queues)
        finally:
            for container in ("state", "history"):
                blobs.delete_container(container)
            for found in queues.list_queues(name_starts_with="plumbline-"):
                queues.delete_queue(found)
