"""Azurite as the laptop runs it: a store that keeps what it acknowledged."""

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local import ports, processes, storage, waiting

pytestmark = pytest.mark.e2e


class Store:
    """An Azurite of its own that a test may kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.endpoints = storage.Endpoints(*ports.free_ports(2))
        self.process = self.start()

    def start(self) -> processes.Process:
        """Start Azurite on the test's folder and ports."""
        self.process = storage.start(
            self.folder / "data",
            self.endpoints,
            log=self.folder / "azurite.log",
            mark=str(self.folder),
        )
        return self.process

    def kill_and_restart(self) -> None:
        """SIGKILL it, as a test or a system short of memory would."""
        os.kill(self.process.pid, signal.SIGKILL)
        waiting.until(
            lambda: not processes.is_alive(self.process), limit_s=5, what="the process to die"
        )
        self.start()

    def stop(self) -> None:
        """End it politely."""
        processes.stop(self.process, mark=str(self.folder))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an Azurite that only this test uses."""
    store = Store(tmp_path)
    yield store
    store.stop()


@pytest.fixture
def blobs(store: Store) -> Iterator[BlobServiceClient]:
    """Give the SDK's client for the test's own store."""
    with BlobServiceClient.from_connection_string(
        store.endpoints.connection_string, retry_total=0
    ) as client:
        yield client


@pytest.fixture
def queues(store: Store) -> Iterator[QueueServiceClient]:
    """Give the SDK's client for the test's own store."""
    with QueueServiceClient.from_connection_string(
        store.endpoints.connection_string, retry_total=0
    ) as client:
        yield client


def test_acknowledged_writes_survive_sigkill(
    store: Store, blobs: BlobServiceClient, queues: QueueServiceClient
) -> None:
    """Whatever Azurite acknowledged before a SIGKILL is there afterwards, twice in a row."""
    container = blobs.create_container("state")
    queue = queues.create_queue("plumbline-test")
    etags = {}
    for number in range(20):
        blob = container.upload_blob(f"b{number}", b"first", metadata={"n": str(number)})
        etags[number] = blob.upload_blob(b"%d" % number, overwrite=True)["etag"]
        queue.send_message(f"m{number}")
    for number in range(5):
        container.delete_blob(f"b{number}")
    taken = queue.receive_message()
    assert taken is not None
    queue.delete_message(taken)

    for _ in range(2):
        store.kill_and_restart()

        names = {blob.name for blob in container.list_blobs()}
        assert names == {f"b{number}" for number in range(5, 20)}
        for number in range(5, 20):
            found = container.download_blob(f"b{number}")
            assert (found.readall(), found.properties.etag) == (b"%d" % number, etags[number])
        waiting_messages = {one.content for one in queue.peek_messages(32)}
        assert waiting_messages == {f"m{number}" for number in range(20)} - {taken.content}
        container.upload_blob("b19", b"19", overwrite=True, metadata={"n": "again"})
        etags[19] = container.get_blob_client("b19").get_blob_properties().etag


def test_compare_and_swap_counts_across_a_kill(store: Store, blobs: BlobServiceClient) -> None:
    """An ETag read before the kill decides after it, and a lease is still held."""
    container = blobs.create_container("state")
    blob = container.upload_blob("record.json", b"{}")
    blob.acquire_lease(-1)
    store.kill_and_restart()

    with pytest.raises(ResourceExistsError):
        container.upload_blob("record.json", b"{}")
    with pytest.raises(ResourceNotFoundError):
        container.download_blob(uuid.uuid4().hex)
    assert blob.get_blob_properties().lease.state == "leased"


def test_data_survives_a_stop(store: Store, blobs: BlobServiceClient) -> None:
    """SIGTERM ends Azurite cleanly; the next start finds the data and no journal to replay."""
    blobs.create_container("state").upload_blob("one", b"1")
    store.stop()
    journals = (store.folder / "data").glob("*.journal.*")
    assert [one.name for one in journals if one.stat().st_size > 0] == []

    store.start()

    assert blobs.get_container_client("state").download_blob("one").readall() == b"1"
