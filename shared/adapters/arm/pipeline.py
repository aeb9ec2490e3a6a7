"""The SDK's clients on a pipeline of our own: no retries, no redirects, no logging, no sleeping."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.core.credentials import (
    AccessToken,
    AccessTokenInfo,
    TokenCredential,
    TokenRequestOptions,
)
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    HeadersPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient

from shared.adapters.arm.exchange import Transport, current
from shared.adapters.arm.failures import token_failure
from shared.core.errors import Stalled

_REMAINING = "x-ms-ratelimit-remaining-"
_ANY_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class ArmEndpoint:
    """Where ARM is, and how long one attempt may take.

    ``ca_file`` is a PEM file to trust instead of the public authorities. ``timeout_s`` bounds one
    call as a whole, its token included: a PUT must be over within the 20 s of architecture rule 4.
    ``listing_timeout_s`` bounds all pages of a deployment's operations, nested ones included.
    """

    url: str = "https://management.azure.com"
    credential_scopes: tuple[str, ...] = ("https://management.azure.com/.default",)
    ca_file: str | None = None
    timeout_s: float = 18.0
    listing_timeout_s: float = 30.0


@dataclass(frozen=True)
class SubscriptionClients:
    """The two clients of one subscription."""

    deployments: DeploymentsMgmtClient
    resources: ResourceManagementClient


@dataclass(frozen=True)
class Account:
    """What is done about each request: ``new_id`` names it, ``count`` its kind, ``keep`` the rest.

    ``keep`` gets the subscription and what ARM says is left before it throttles.
    """

    new_id: Callable[[], str]
    count: Callable[[str], None]
    keep: Callable[[str, Mapping[str, int]], None]


class Clients:
    """The SDK's clients by subscription, made on first use and kept. Thread-safe."""

    def __init__(
        self,
        endpoint: ArmEndpoint,
        credential: TokenCredential,
        user_agent: str,
        account: Account,
    ) -> None:
        check_endpoint(endpoint.url, endpoint.ca_file)
        self._endpoint = endpoint
        self._credential = TellingCredential(credential)
        self._user_agent = user_agent
        self._account = account
        self._transport = Transport(endpoint.ca_file)
        self._made: dict[str, SubscriptionClients] = {}
        self._lock = threading.Lock()

    def of(self, subscription: str | None) -> SubscriptionClients:
        """Return the clients of a subscription; above subscriptions any will do."""
        key = (subscription or _ANY_SUBSCRIPTION).lower()
        with self._lock:
            if key not in self._made:
                self._made[key] = SubscriptionClients(
                    self._client(DeploymentsMgmtClient, key),
                    self._client(ResourceManagementClient, key),
                )
            return self._made[key]

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._made.clear()
        self._transport.close()

    def _client(self, kind: Callable[..., Any], subscription: str) -> Any:
        scopes = self._endpoint.credential_scopes
        authentication = ARMChallengeAuthenticationPolicy(self._credential, *scopes)
        return kind(
            self._credential,
            subscription,
            self._endpoint.url,
            credential_scopes=list(scopes),
            authentication_policy=authentication,
            transport=self._transport,
            policies=policies(
                authentication, self._user_agent, AccountPolicy(subscription, self._account)
            ),
        )


def policies(
    authentication: Any, user_agent: str, account: SansIOHTTPPolicy[Any, Any]
) -> list[Any]:
    """Return what each request passes through, outermost first."""
    return [
        HeadersPolicy(),
        UserAgentPolicy(user_agent=user_agent, user_agent_use_env=False),
        ContentDecodePolicy(),
        authentication,
        account,
    ]


@dataclass(frozen=True)
class AccountPolicy(SansIOHTTPPolicy[Any, Any]):
    """Gives each request an id, counts it, and keeps what the answer says about throttling."""

    subscription: str
    account: Account

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Name and count the request."""
        request.http_request.headers["x-ms-client-request-id"] = self.account.new_id()
        self.account.count(current().kind)

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        """Keep the answer, and what it says is left."""
        del request
        current().response = response.http_response
        left = {
            name[len(_REMAINING) :].lower(): int(value)
            for name, value in response.http_response.headers.items()
            if name.lower().startswith(_REMAINING) and value.strip().isdigit()
        }
        if left:
            self.account.keep(self.subscription, left)


class TellingCredential:
    """The credential, whose failures are told apart from ARM's own 401."""

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token; raises Transient or Stalled."""
        try:
            return self._credential.get_token(*scopes, **options)
        except AzureError as error:
            raise token_failure(error) from error

    def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """Return a token with its times; raises Transient or Stalled."""
        inner: Any = self._credential
        if not hasattr(inner, "get_token_info"):
            token = self.get_token(*scopes, **(options or {}))
            return AccessTokenInfo(token.token, token.expires_on)
        try:
            found: AccessTokenInfo = inner.get_token_info(*scopes, options=options)
        except AzureError as error:
            raise token_failure(error) from error
        return found


def check_endpoint(url: str, ca_file: str | None, what: str = "ARM") -> None:
    """Raise Stalled for an address that is not https, and for a ``ca_file`` that is not there."""
    if not url.lower().startswith("https://"):
        raise Stalled(
            "InsecureEndpoint",
            f"the {what} endpoint {url} is not https, and a token is never sent in the clear",
            hint="Give the address with https://; a self-signed one needs its CA file.",
        )
    if ca_file is not None and not Path(ca_file).is_file():
        raise Stalled(
            "ArmCaFileMissing",
            f"the file with the certificate authority of {what} is not there: {ca_file}",
            hint="Correct the setting, or remove it to trust the public authorities.",
        )
