"""Documents, history and queues of one connection, used in turn and from several threads."""

from concurrent.futures import ThreadPoolExecutor

from shared.adapters.queues import StorageQueues
from tests.conftest import Azurite
from tests.contract.storage_azurite import connected, documents, history, unique


def test_each_service_keeps_its_own_requests(azurite: Azurite) -> None:
    """A new client of one service does not carry away what another service's client asks for.

    Otherwise the server's time of a read is lost, in the first thread that reads after it.
    """
    with connected(azurite.connection_string) as connection:
        records, archive = documents(connection), history(connection)
        queues = StorageQueues(connection, prefix=f"{unique('q')}-")
        records.create("a.json", b"{}", {})

        def interleave(n: int) -> bool:
            archive.put(f"h{n}", b"x")
            queues.send("sync", b"{}")
            stored = records.read("a.json")
            return stored is not None and stored.at.tzinfo is not None

        with ThreadPoolExecutor(8) as threads:
            read = list(threads.map(interleave, range(32)))

    assert all(read)
