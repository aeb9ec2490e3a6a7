"""One host on the sample app and the real Azurite, shared by the tests that do not break it."""

import uuid
from collections.abc import Iterator

import pytest
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient, QueueServiceClient

from tests.conftest import Azurite
from tests.host.running import RunningHost, environment, running


@pytest.fixture(scope="session")
def host(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """Return a host that serves the sample app."""
    folder = tmp_path_factory.mktemp("host")
    settings = environment(azurite.connection_string)
    limit = ("--max-body-bytes", "2000000")
    with running(folder, settings, "--lease-seconds", "3", *limit) as started:
        yield started


@pytest.fixture(scope="session")
def queues(azurite: Azurite) -> Iterator[QueueServiceClient]:
    """Return a client for Azurite's queues."""
    with QueueServiceClient.from_connection_string(azurite.connection_string) as client:
        yield client


@pytest.fixture(scope="session")
def seen(azurite: Azurite) -> Iterator[ContainerClient]:
    """Return the container in which the sample app notes what it was given."""
    client = ContainerClient.from_connection_string(azurite.connection_string, "seen")
    with client:
        yield client


@pytest.fixture
def new_queue(queues: QueueServiceClient) -> QueueClient:
    """Return a queue of this test's own."""
    return queues.create_queue(f"test-{uuid.uuid4().hex[:12]}")
