"""One host of many: a lock by blob lease, kept as the real host keeps its listeners' locks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError

from local.host.configuration import SingletonOptions
from local.host.storage import Connections, creating

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobLeaseClient

HOSTS_CONTAINER = "azure-webjobs-hosts"
CONFLICT = 409


class Lock:
    """A named lock among the hosts that share a storage account and a host id."""

    def __init__(self, connections: Connections, path: str, options: SingletonOptions) -> None:
        self._connections = connections
        self._path = path
        self._options = options

    @asynccontextmanager
    async def held(self, connection: str) -> AsyncIterator[asyncio.Event | None]:
        """Yield an event that is set when the lock is lost, or None if another host holds it.

        Raises AzureError if storage cannot be reached.
        """
        lease = await self._acquire(connection)
        if lease is None:
            yield None
            return
        lost = asyncio.Event()
        keeper = asyncio.create_task(self._keep(lease, lost))
        try:
            yield lost
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])
            with contextlib.suppress(AzureError):
                await lease.release()

    async def _acquire(self, connection: str) -> "BlobLeaseClient | None":
        container = self._connections.container(connection, HOSTS_CONTAINER)
        blob = container.get_blob_client(self._path)
        with contextlib.suppress(ResourceExistsError):
            await creating(
                lambda: blob.upload_blob(b"", overwrite=False), container.create_container
            )
        try:
            return await blob.acquire_lease(lease_duration=round(self._options.lock_s))
        except HttpResponseError as error:
            if error.status_code == CONFLICT:
                return None
            raise

    async def _keep(self, lease: "BlobLeaseClient", lost: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        valid_until = loop.time() + self._options.lock_s
        pause = self._options.lock_s / 2
        while not lost.is_set():
            await asyncio.sleep(pause)
            started = loop.time()
            try:
                await lease.renew()
                valid_until = started + self._options.lock_s
                pause = self._options.lock_s / 2
            except HttpResponseError:
                lost.set()
            except AzureError:
                pause = 1.0
                if loop.time() >= valid_until:
                    lost.set()
