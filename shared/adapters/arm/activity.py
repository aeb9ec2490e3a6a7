"""The Activity Log: through ARM, or from the Log Analytics workspace that it is sent to."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpRequest
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from shared.adapters.arm.activity_reading import in_order, of_event
from shared.adapters.arm.activity_table import LogsEndpoint, WorkspaceTable
from shared.adapters.arm.exchange import Exchange, Transport, attempt
from shared.adapters.arm.failures import is_missing, translated
from shared.adapters.arm.pipeline import (
    Account,
    AccountPolicy,
    ArmEndpoint,
    TellingCredential,
    check_endpoint,
    policies,
)
from shared.core.activity import Reading
from shared.core.document import to_text
from shared.core.errors import Stalled, Transient
from shared.ports import Clock

MAX_PAGES: Final = 50
"""Of 200 entries each, newest first: what is older is said to be lost."""

ENOUGH: Final = 1 / 3
"""Of the time for one reading, what must be left for another page: a part is better than nothing."""

_API_VERSION: Final = "2015-04-01"
_WANTED: Final = (
    *("eventDataId", "resourceId", "operationName", "status", "eventTimestamp"),
    *("submissionTimestamp", "correlationId", "caller", "claims"),
)
"""Neither what was asked for (bodies may hold secrets), nor from where."""


class AzureActivityLog:
    """The Activity Log as the flows need it (ports.ActivityLog). Thread-safe; ``close`` when done.

    ``account`` counts the requests, and hears what ARM says is left of a subscription's calls. Raises
    Stalled at once for an endpoint that is not https, or a ``ca_file`` that is not there.
    """

    def __init__(
        self,
        endpoint: ArmEndpoint,
        logs: LogsEndpoint,
        credential: TokenCredential,
        clock: Clock,
        account: Account,
        *,
        user_agent: str = "plumbline",
    ) -> None:
        check_endpoint(endpoint.url, endpoint.ca_file)
        self._endpoint = endpoint
        self._credential = TellingCredential(credential)
        self._clock = clock
        self._account = account
        self._user_agent = user_agent
        self._transport = Transport(endpoint.ca_file)
        self._table = WorkspaceTable(logs, self._credential, clock, self._account, user_agent)

    def writes(self, subscription: str, since: datetime, workspace: str | None = None) -> Reading:
        """Return what was changed since a moment; see ports.ActivityLog."""
        if workspace is not None:
            return self._table.writes(workspace, subscription, since)
        with attempt("activity.list", self._clock, self._endpoint.listing_timeout_s) as exchange:
            try:
                return self._pages(subscription, since, exchange)
            except (AzureError, ValueError) as error:
                if isinstance(error, AzureError) and is_missing(error, exchange):
                    raise Stalled(
                        "ActivityLogMissing",
                        f"ARM knows no Activity Log of the subscription {subscription}",
                        hint="Check its id, and that Plumbline's identity has a role in it.",
                    ) from error
                raise translated(error, exchange, self._clock.now()) from error

    def close(self) -> None:
        """Close the connections; the object is of no use afterwards."""
        self._transport.close()
        self._table.close()

    def _pages(self, subscription: str, since: datetime, exchange: Exchange) -> Reading:
        client = self._client(subscription)
        address: str | None = self._first(subscription, since)
        events: list[Mapping[str, Any]] = []
        for _ in range(MAX_PAGES):
            if address is None:
                return Reading(writes=in_order(map(of_event, events)))
            body = _get(client, address)
            events += _events(body)
            address = self._next(body)
            if exchange.left_s() < ENOUGH * self._endpoint.listing_timeout_s:
                break
        writes = in_order(map(of_event, events))
        oldest = min((write.at for write in writes), default=self._clock.now())
        return Reading(writes=writes, lost_before=oldest if address else None)

    def _client(self, subscription: str) -> Any:
        authentication = ARMChallengeAuthenticationPolicy(
            self._credential, *self._endpoint.credential_scopes
        )
        account = AccountPolicy(subscription.lower(), self._account)
        return PipelineClient(
            self._endpoint.url,
            transport=self._transport,
            policies=policies(authentication, self._user_agent, account),
        )

    def _first(self, subscription: str, since: datetime) -> str:
        told = f"eventTimestamp ge '{to_text(since)}' and status eq 'Succeeded'"
        query = {
            "api-version": _API_VERSION,
            "$filter": told.replace("+00:00", "Z"),
            "$select": ",".join(_WANTED),
        }
        return (
            f"{self._endpoint.url}/subscriptions/{quote(subscription, safe='')}/providers"
            f"/Microsoft.Insights/eventtypes/management/values?{urlencode(query, quote_via=quote)}"
        )

    def _next(self, body: Mapping[str, Any]) -> str | None:
        """Return the next page's address, which must be ARM's: the token goes there."""
        link = body.get("nextLink")
        if not link:
            return None
        if not isinstance(link, str) or _host(link) != _host(self._endpoint.url):
            raise Transient("ArmAnswerUnreadable", "The Activity Log's next page is elsewhere.")
        return link


def _get(client: Any, address: str) -> Mapping[str, Any]:
    response = client.send_request(HttpRequest("GET", address))
    if response.status_code != 200:  # noqa: PLR2004 - the one answer with a page
        raise HttpResponseError(response=response)
    body = response.json()
    if not isinstance(body, Mapping):
        raise ValueError("the answer is not a JSON object")  # noqa: TRY004 - an unreadable answer
    return body


def _events(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = body.get("value")
    if not isinstance(found, list):
        raise ValueError("the answer has no list of events")  # noqa: TRY004 - as above
    return (event for event in found if isinstance(event, Mapping))


def _host(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme.lower(), parts.hostname, parts.port
