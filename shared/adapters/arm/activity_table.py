"""The Activity Log as a Log Analytics workspace keeps it: the table AzureActivity.

Read by the time at which the workspace had an entry, oldest first: what does not fit is read from
there the next time, and nothing that comes late is missed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult

from shared.adapters.arm.activity_reading import UPN, in_order, of_row
from shared.adapters.arm.exchange import Exchange, Transport, attempt
from shared.adapters.arm.failures import translated
from shared.adapters.arm.pipeline import (
    Account,
    AccountPolicy,
    TellingCredential,
    check_endpoint,
    policies,
)
from shared.core.activity import Reading, Write
from shared.core.errors import PlumblineError, Stalled, Transient
from shared.ports import Clock

ROWS: Final = 5_000
MAX_QUERIES: Final = 10
ENOUGH: Final = 1 / 3
"""Of the time for one reading, what must be left for another query: a part is better than nothing."""

_WAIT_S: Final = 10

_QUERY: Final = """AzureActivity
| where ingestion_time() >= datetime({since})
| where SubscriptionId =~ '{subscription}' and CategoryValue =~ 'Administrative'
| where ActivityStatusValue in~ ('Success', 'Succeeded')
| extend SeenAt = ingestion_time(), Told = iff(isnull(Claims_d), parse_json(Claims), Claims_d)
| project Id = EventDataId, Resource = _ResourceId, Operation = OperationNameValue,
    At = TimeGenerated, SeenAt, Correlation = CorrelationId, Caller,
    Upn = tostring(Told['{upn}']), Name = tostring(Told['name']), Client = tostring(Told['appid']),
    Action = tostring(Authorization_d['action']), Scope = tostring(Authorization_d['scope'])
| top {rows} by SeenAt asc"""

_ROLE: Final = (
    "Grant Plumbline's identity a role with the actions Microsoft.OperationalInsights/workspaces/query/read "
    "and Microsoft.OperationalInsights/workspaces/query/AzureActivity/read on the workspace "
    "(Log Analytics Reader)."
)
_SEND: Final = (
    "Send the subscription's Activity Log to this workspace (a diagnostic setting), or take it out of "
    "activity.workspaces."
)
_REFUSALS: Final[Mapping[int, tuple[str, str]]] = {
    HTTPStatus.BAD_REQUEST: (
        "ActivityLogMissing",
        _SEND,
    ),
    HTTPStatus.UNAUTHORIZED: ("AuthorizationFailed", _ROLE),
    HTTPStatus.FORBIDDEN: ("AuthorizationFailed", _ROLE),
    HTTPStatus.NOT_FOUND: (
        "ActivityLogMissing",
        "Correct the Workspace ID in activity.workspaces, or take it out.",
    ),
}
"""What a person must mend, by HTTP status; anything else is as with ARM."""

_OURS: Final[Mapping[str, str]] = {
    "ArmUnreachable": "LogsUnreachable",
    "ArmAnswerUnreadable": "LogsAnswerUnreadable",
    "ArmCertificateRefused": "LogsCertificateRefused",
}


@dataclass(frozen=True)
class LogsEndpoint:
    """Where Log Analytics is; as ArmEndpoint. ``timeout_s`` bounds all queries of one reading."""

    url: str = "https://api.loganalytics.io"
    credential_scopes: tuple[str, ...] = ("https://api.loganalytics.io/.default",)
    ca_file: str | None = None
    timeout_s: float = 30.0


class WorkspaceTable:
    """The table AzureActivity of any workspace."""

    def __init__(
        self,
        endpoint: LogsEndpoint,
        credential: TellingCredential,
        clock: Clock,
        account: Account,
        user_agent: str,
    ) -> None:
        check_endpoint(endpoint.url, endpoint.ca_file, "Log Analytics")
        self._endpoint = endpoint
        self._clock = clock
        authentication = BearerTokenCredentialPolicy(credential, *endpoint.credential_scopes)
        self._transport = Transport(endpoint.ca_file)
        told = Account(account.new_id, account.count, _not_arm)
        self._client = LogsQueryClient(
            credential,
            endpoint=endpoint.url,
            credential_scopes=list(endpoint.credential_scopes),
            authentication_policy=authentication,
            transport=self._transport,
            policies=policies(authentication, user_agent, AccountPolicy("", told)),
        )

    def writes(self, workspace: str, subscription: str, since: datetime) -> Reading:
        """Return what came into the workspace since a moment; errors as in ports.ActivityLog."""
        with attempt("activity.query", self._clock, self._endpoint.timeout_s) as exchange:
            try:
                return self._all(workspace, subscription, since, exchange)
            except (AzureError, ValueError) as error:
                raise _said(error, exchange, workspace, self._clock.now()) from error
            except (AttributeError, KeyError, TypeError) as error:
                # What the SDK says of an answer of another shape.
                raise Transient(
                    "LogsAnswerUnreadable", "Log Analytics answered in a way that cannot be read."
                ) from error

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _all(
        self, workspace: str, subscription: str, since: datetime, exchange: Exchange
    ) -> Reading:
        found: list[Write | None] = []
        lost: datetime | None = None
        for _ in range(MAX_QUERIES):
            rows, whole = self._rows(workspace, subscription, since)
            page = [of_row(row) for row in rows]
            found += page
            if whole:
                return Reading(writes=in_order(found), lost_before=lost)
            newest = rows[-1]["SeenAt"]
            if newest <= since:
                # More came in at one moment than fits: the next query begins behind it.
                lost = max((one.at for one in page if one is not None), default=since)
                newest += timedelta(microseconds=1)
            since = newest
            if exchange.left_s() < ENOUGH * self._endpoint.timeout_s:
                break
        return Reading(writes=in_order(found), lost_before=lost, read_until=since)

    def _rows(
        self, workspace: str, subscription: str, since: datetime
    ) -> tuple[Sequence[Mapping[str, Any]], bool]:
        """Return the oldest rows that fit, and whether they are all there are."""
        query = _QUERY.format(
            since=_literal(since), subscription=_plain(subscription), upn=UPN, rows=ROWS
        )
        result = self._client.query_workspace(
            workspace, query, timespan=None, server_timeout=_WAIT_S
        )
        partial = isinstance(result, LogsQueryPartialResult)
        tables = (
            result.partial_data if isinstance(result, LogsQueryPartialResult) else result.tables
        )
        rows = [
            dict(zip(one.columns, row, strict=True)) for one in tables or () for row in one.rows
        ]
        if partial and not rows:
            raise Transient("LogsAnswerPartial", "Log Analytics could not run the query whole.")
        return rows, not partial and len(rows) < ROWS


def _said(
    error: AzureError | ValueError, exchange: Exchange, workspace: str, now: datetime
) -> PlumblineError:
    """Return the error to raise, in the words of Log Analytics."""
    found = translated(error, exchange, now)
    status = error.status_code if isinstance(error, HttpResponseError) else None
    answered = getattr(error, "response", None) is exchange.response
    refusal = _REFUSALS.get(status) if answered and status is not None else None
    if isinstance(found, Stalled) and refusal is not None:
        reason, hint = refusal
        told = f"the Log Analytics workspace {workspace} cannot be asked: {found.message}"
        return Stalled(reason, told, hint=hint, detail=found.detail)
    if found.reason not in _OURS:
        return found
    kind = type(found)
    return kind(_OURS[found.reason], found.message, hint=found.hint)


def _literal(moment: datetime) -> str:
    """Return a moment as the query language writes one."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _plain(text: str) -> str:
    """Return a text that cannot end the literal in which it stands."""
    return "".join(one for one in text if one.isalnum() or one == "-")


def _not_arm(_subscription: str, _left: Mapping[str, int]) -> None:
    """Let what Log Analytics says of its limits be: it is not about ARM's."""
