"""How Plumbline reaches its storage account: credential, connection pool, time-outs, retries.

``wiring`` makes one ``StorageConnection`` for all storage adapters, so that their threads share one pool.
"""

import logging
import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from azure.core.exceptions import (
    ClientAuthenticationError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient, LinearRetry
from azure.storage.queue import QueueServiceClient

from shared.adapters.storage_errors import TokenError
from shared.settings import StorageSettings

if TYPE_CHECKING:
    from azure.core.credentials import (
        AccessToken,
        AccessTokenInfo,
        TokenCredential,
        TokenRequestOptions,
    )
    from azure.core.pipeline.transport import HttpTransport

T = TypeVar("T")

CONNECT_TIMEOUT_S: Final = 5
READ_TIMEOUT_S: Final = 10
POOL_SIZE: Final = 32
READ_RETRIES: Final = 2
TOKEN_RETRIES: Final = 1
RETRY_WAIT_S: Final = (0.2, 0.6)
# These log URLs, with SAS signatures in them, or a line for each header of each call.
_CHATTY: Final = ("azure", "msal", "urllib3")


class StorageConnection:
    """One pool of HTTP connections to the storage account, and the clients that use it.

    ``transport`` replaces the pool and ``credential`` the identity in tests. Nothing is sent before the
    first call. Proxies of the environment are honoured as they are now: looking them up at each request,
    as requests does, costs a tenth of its CPU time.
    """

    def __init__(
        self,
        settings: StorageSettings,
        *,
        transport: "HttpTransport[Any, Any] | None" = None,
        credential: "TokenCredential | None" = None,
    ) -> None:
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._settings = settings
        self._transport = transport or _pooled_transport(settings)
        self._credential = credential
        self._options: dict[str, Any] = {
            "transport": self._transport,
            "http_logging_level": logging.DEBUG,
        }

    def blob_service(
        self, raw_response_hook: Callable[[Any], None] | None = None
    ) -> BlobServiceClient:
        """Return a client of the blob service; the hook is called in the caller's thread."""
        options = self._fresh_options(raw_response_hook=raw_response_hook)
        if (secret := self._settings.connection_string) is not None:
            client = BlobServiceClient.from_connection_string(secret.reveal(), **options)
        else:
            url = self._settings.blob_service_uri or ""
            client = BlobServiceClient(url, credential=self._token_credential(), **options)
        self._use_proxy_for(client.url)
        return client

    def queue_service(self) -> QueueServiceClient:
        """Return a client of the queue service."""
        options = self._fresh_options()
        if (secret := self._settings.connection_string) is not None:
            client = QueueServiceClient.from_connection_string(secret.reveal(), **options)
        else:
            url = self._settings.queue_service_uri or ""
            client = QueueServiceClient(url, credential=self._token_credential(), **options)
        self._use_proxy_for(client.url)
        return client

    def _fresh_options(self, **more: Any) -> dict[str, Any]:
        """Return the options of one more client.

        A policy belongs to one pipeline: each pipeline links its policies anew, so that a policy in two
        of them would hand the requests of one to the other.
        """
        return {**self._options, "retry_policy": _BriefRetry(), **more}

    def close(self) -> None:
        """Close the pool and the credential; the clients are of no use afterwards."""
        self._transport.close()
        close = getattr(self._credential, "close", None)
        if close is not None:
            close()

    def _use_proxy_for(self, url: str) -> None:
        parts = urlsplit(url)
        proxy = getproxies().get(parts.scheme)
        if (
            isinstance(self._transport, RequestsTransport)
            and proxy
            and not proxy_bypass(parts.netloc)
        ):
            self._transport.session.proxies[f"{parts.scheme}://{parts.hostname}"] = proxy

    def _token_credential(self) -> "TokenCredential":
        if self._credential is None:
            self._credential = _Identity(self._settings)
        return self._credential


class _BriefRetry(LinearRetry):
    """Repeats reads twice, soon.

    The SDK's default waits 15 s, and repeats compare-and-swap writes too. The adapters turn repeating off
    for those (``retry_total=0``): a repeated one fails on its own success.
    """

    def __init__(self) -> None:
        super().__init__(retry_total=READ_RETRIES)

    def get_backoff_time(self, settings: dict[str, Any]) -> float:  # noqa: ARG002 — the SDK's signature
        return random.uniform(*RETRY_WAIT_S)  # noqa: S311 — spreads requests, hides nothing

    def sleep(self, settings: dict[str, Any], transport: Any) -> None:
        # The SDK forgets an answer that it does not read, and the connection with it.
        for attempt in settings["history"][-1:]:
            if attempt.http_response is not None:
                attempt.http_response.close()
        super().sleep(settings, transport)  # type: ignore[no-untyped-call]


def _pooled_transport(settings: StorageSettings) -> RequestsTransport:
    transport = RequestsTransport(
        connection_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        connection_verify=settings.ca_file or True,
        use_env_settings=False,
    )
    transport.open()
    for adapter in transport.session.adapters.values():
        # The SDK's pool keeps ten connections and throws away the eleventh after each use.
        adapter.init_poolmanager(POOL_SIZE, POOL_SIZE)
    return transport


class _Identity:
    """The identity's credential, which also says why there is no token.

    azure-identity makes one kind of error of a missing identity and of an endpoint that answers 429 or
    503, and keeps the status to itself.
    """

    def __init__(self, settings: StorageSettings) -> None:
        from azure.identity import (  # noqa: PLC0415 — 100 ms that a connection string need not pay
            DefaultAzureCredential,
            ManagedIdentityCredential,
        )

        self._answer = threading.local()
        options: dict[str, Any] = {
            "raw_response_hook": self._keep_status,
            "retry_total": TOKEN_RETRIES,
            "http_logging_level": logging.DEBUG,
        }
        self._credential: ManagedIdentityCredential | DefaultAzureCredential = (
            ManagedIdentityCredential(client_id=settings.client_id, **options)
            if settings.credential == "managedidentity"
            else DefaultAzureCredential(managed_identity_client_id=settings.client_id, **options)
        )

    def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """Return a token; raises TokenError."""
        token: AccessToken = self._ask(self._credential.get_token, *scopes, **options)
        return token

    def get_token_info(
        self, *scopes: str, options: "TokenRequestOptions | None" = None
    ) -> "AccessTokenInfo":
        """Return a token and what is known of it; raises TokenError."""
        ask = self._credential.get_token_info
        token: AccessTokenInfo = self._ask(ask, *scopes, options=options)
        return token

    def close(self) -> None:
        """Close the connections to the endpoint."""
        self._credential.close()

    def _ask(self, ask: Callable[..., T], *scopes: str, **options: Any) -> T:
        self._answer.status = None
        try:
            return ask(*scopes, **options)
        except ClientAuthenticationError as error:
            lost = isinstance(error.__cause__, ServiceRequestError | ServiceResponseError)
            raise TokenError(self._answer.status, no_answer=lost) from error

    def _keep_status(self, response: Any) -> None:
        self._answer.status = response.http_response.status_code
