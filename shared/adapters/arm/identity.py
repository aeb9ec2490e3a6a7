"""The managed identity, which fails fast and says whether a person must act.

azure-identity folds whatever the identity endpoint answers into one exception; the HTTP status is
what tells a hiccup from a refusal, so it is looked at as it passes.
"""

import threading
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import AzureError
from azure.identity import ManagedIdentityCredential

from shared.adapters.arm.failures import token_failure

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10


class ManagedIdentity:
    """A token credential: the managed identity that the environment names, without retries.

    ``client_id`` chooses a user-assigned identity. Raises Transient (IdentityUnavailable) and
    Stalled (IdentityRefused). Thread-safe; ``close`` when done.
    """

    def __init__(self, client_id: str | None = None) -> None:
        self._answered = threading.local()
        self._credential = ManagedIdentityCredential(
            client_id=client_id,
            retry_total=0,
            connection_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            raw_response_hook=self._look,
        )

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token, cached until shortly before it expires."""
        self._answered.status = None
        try:
            token: AccessToken = self._credential.get_token(*scopes, **options)
        except AzureError as error:
            raise token_failure(error, self._answered.status) from error
        return token

    def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """Return a token with its times."""
        self._answered.status = None
        try:
            found: AccessTokenInfo = self._credential.get_token_info(*scopes, options=options)
        except AzureError as error:
            raise token_failure(error, self._answered.status) from error
        return found

    def close(self) -> None:
        """Close the connections."""
        self._credential.close()

    def _look(self, response: Any) -> None:
        self._answered.status = response.http_response.status_code
