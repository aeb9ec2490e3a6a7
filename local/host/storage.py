"""Storage clients for bindings: a connection is a setting, or a family of settings for identities.

`X` (or `AzureWebJobsX`) holds a connection string; `X__queueServiceUri`, `X__blobServiceUri` or
`X__accountName` name the account, to which the host then speaks as a managed identity.
"""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobClient, BlobServiceClient, ContainerClient
    from azure.storage.queue.aio import QueueClient, QueueServiceClient

T = TypeVar("T")
EMULATOR = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey="
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
)
SERVER_FAULT = 500


def warm() -> None:
    """Import the clients: half a second that is better spent while the worker loads the app."""
    for kind in ("queue", "blob"):
        _client_class(kind)


class Connections:
    """All clients of one host, made when first used and closed together."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._clients: dict[tuple[str, str], Any] = {}
        self._credentials: dict[str, AsyncTokenCredential] = {}

    def queue(self, connection: str, name: str) -> "QueueClient":
        """Return a client for one queue."""
        service: QueueServiceClient = self._service(connection, "queue")
        return service.get_queue_client(name)

    def container(self, connection: str, name: str) -> "ContainerClient":
        """Return a client for one container."""
        service: BlobServiceClient = self._service(connection, "blob")
        return service.get_container_client(name)

    def blob(self, connection: str, container: str, name: str) -> "BlobClient":
        """Return a client for one blob."""
        return self.container(connection, container).get_blob_client(name)

    async def close(self) -> None:
        """Close every client and credential."""
        for client in self._clients.values():
            await client.close()
        for credential in self._credentials.values():
            await credential.close()
        self._clients.clear()
        self._credentials.clear()

    def _service(self, connection: str, kind: str) -> Any:
        key = (connection, kind)
        if key not in self._clients:
            self._clients[key] = self._make(connection, kind)
        return self._clients[key]

    def _make(self, connection: str, kind: str) -> Any:
        client = _client_class(kind)
        # The pollers back off by themselves; what an output needs is one quick second chance.
        options = {
            "retry_total": 2,
            "initial_backoff": 1,
            "increment_base": 1,
            "random_jitter_range": 0,
        }
        for name in (connection, f"AzureWebJobs{connection}"):
            text = self._settings.get(name)
            if text:
                text = EMULATOR if text.rstrip(";") == "UseDevelopmentStorage=true" else text
                return client.from_connection_string(text, **options)
            account = self._settings.get(f"{name}__accountName")
            uri = self._settings.get(f"{name}__{kind}ServiceUri") or (
                f"https://{account}.{kind}.core.windows.net" if account else None
            )
            if uri:
                return client(uri, credential=self._credential(name), **options)
        raise LookupError(f"there is no setting {connection!r}")

    def _credential(self, name: str) -> "AsyncTokenCredential":
        if name not in self._credentials:
            self._credentials[name] = _identity(name, self._settings)
        return self._credentials[name]


def _client_class(kind: str) -> Any:
    if kind == "queue":
        from azure.storage.queue.aio import QueueServiceClient  # noqa: PLC0415 - slow to import

        return QueueServiceClient
    from azure.storage.blob.aio import BlobServiceClient  # noqa: PLC0415 - slow to import

    return BlobServiceClient


def _identity(name: str, settings: Mapping[str, str]) -> "AsyncTokenCredential":
    from azure.identity.aio import (  # noqa: PLC0415 - slow to import
        DefaultAzureCredential,
        ManagedIdentityCredential,
    )

    client_id = settings.get(f"{name}__clientId")
    if settings.get(f"{name}__credential", "").lower() == "managedidentity":
        return ManagedIdentityCredential(client_id=client_id)
    return DefaultAzureCredential()


def is_passing(error: Exception) -> bool:
    """Tell whether a storage error may be gone the next time: absent, busy, or unreachable. Pure."""
    if isinstance(error, HttpResponseError) and error.status_code is not None:
        return error.status_code in {404, 408, 409, 429} or error.status_code >= SERVER_FAULT
    return True


async def creating(
    operation: Callable[[], Awaitable[T]], create: Callable[[], Awaitable[Any]]
) -> T:
    """Run an operation; if its queue or container is not there, create it and run it again."""
    try:
        return await operation()
    except ResourceNotFoundError:
        with contextlib.suppress(ResourceExistsError):
            await create()
        return await operation()
