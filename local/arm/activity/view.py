"""The Activity Log as the service shows it: each entry with all that follows from its record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import msgspec

from local.arm import ids
from local.arm.activity.names import localized
from local.arm.activity.notes import FAILED, STARTED, SUCCEEDED
from local.arm.clock import guid_for, stamp
from local.arm.cloud import Cloud
from local.arm.state.records import Event

FIELDS = (
    *("authorization", "caller", "channels", "claims", "correlationId", "description"),
    *("eventDataId", "eventName", "category", "eventTimestamp", "id", "level", "operationId"),
    *("operationName", "resourceGroupName", "resourceProviderName", "resourceType", "resourceId"),
    *("status", "subStatus", "submissionTimestamp", "subscriptionId", "tenantId", "properties"),
    *("relatedEvents", "httpRequest"),
)
"""What an event has; `httpRequest` only what a client did."""

_LOCAL_ADDRESS = "127.0.0.1"
_SCHEMAS = "http://schemas.microsoft.com/identity/claims"
_SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_TICKS_AT_EPOCH = 621_355_968_000_000_000
_TICKS_PER_SECOND = 10_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: the record, its key, when it happened and when it became visible (UTC)."""

    key: str
    event: Event
    at: datetime
    submitted: datetime

    @property
    def event_data_id(self) -> str:
        """The guid of this entry."""
        return guid_for("event", self.key, self.event.request_id)

    @property
    def operation_id(self) -> str:
        """The guid that the entries of one operation share."""
        event = self.event
        return guid_for("operation", event.correlation_id, event.action, event.scope)

    @property
    def caller(self) -> str:
        """Who did it: a person's name or a principal's object id."""
        return self.event.actor or self.event.oid

    @property
    def level(self) -> str:
        """How grave it is."""
        return "Error" if self.event.status == FAILED else "Informational"

    @property
    def group(self) -> str:
        """The resource group in the scope, "" without one."""
        pair = ids.group_of(self.event.scope)
        return pair[1] if pair else ""

    @property
    def subscription(self) -> str:
        """The subscription in the scope, "" at the tenant and at management groups."""
        parts = self.event.scope.split("/")
        return parts[2] if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""  # noqa: PLR2004 - "", word, value

    @property
    def resource_type(self) -> str:
        """The type that the action is about."""
        kind = self.event.action.rpartition("/")[0]
        return kind.rpartition("/")[0] if self.event.action.endswith("/action") else kind

    @property
    def provider(self) -> str:
        """The namespace of the type."""
        return self.event.action.partition("/")[0]


def entries(cloud: Cloud) -> Iterator[Entry]:
    """Iterate over the entries that can be seen now, in the order in which they were written."""
    lag = timedelta(seconds=cloud.knobs.activity_lag_seconds)
    now = cloud.clock.now()
    for key, event in cloud.store.events.rows():
        at = _EPOCH + timedelta(seconds=event.at)
        if at + lag <= now:
            yield Entry(key, event, at, at + lag)


def status_word(code: int) -> str:
    """Return an HTTP status as the log spells it, as in `Created`. Pure."""
    try:
        phrase = HTTPStatus(code).phrase
    except ValueError:
        return str(code)
    return "OK" if code == HTTPStatus.OK else phrase.title().replace(" ", "").replace("-", "")


def _named(value: str, shown: str | None = None) -> dict[str, str]:
    return {"value": value, "localizedValue": value if shown is None else shown}


def claims(entry: Entry) -> dict[str, str]:
    """Return what the token (or the person's session) said. Pure."""
    event = entry.event
    found = {
        "aud": "https://management.core.windows.net/",
        "iss": f"https://sts.windows.net/{event.tid}/",
        f"{_SCHEMAS}/tenantid": event.tid,
        "ver": "1.0",
    }
    if event.actor:
        person = {**found, "name": event.actor, f"{_SOAP}/upn": event.actor}
        return {**person, "appid": event.appid} if event.appid else person
    return {
        **found,
        "appid": event.appid,
        "appidacr": "2",
        f"{_SCHEMAS}/objectidentifier": event.oid,
        f"{_SOAP}/nameidentifier": event.oid,
    }


def authorization(entry: Entry) -> dict[str, str]:
    """Return what had to be allowed, and where. Pure."""
    return {"action": entry.event.action, "scope": entry.event.scope}


def http_request(entry: Entry) -> dict[str, str] | None:
    """Return how it was asked for; None for what a deployment did. Pure."""
    event = entry.event
    if not event.method:
        return None
    return {
        "clientRequestId": event.client_request_id,
        "clientIpAddress": _LOCAL_ADDRESS,
        "method": event.method,
    }


def properties(entry: Entry) -> dict[str, str]:
    """Return the details. Pure."""
    event = entry.event
    found: dict[str, str] = {}
    if event.code:
        found["statusCode"] = status_word(event.code)
    found["serviceRequestId"] = event.request_id if event.status != STARTED else ""
    if event.error:
        found["statusMessage"] = msgspec.json.encode({"error": event.error}).decode()
    if event.body:
        found["requestbody"] = event.body
    hierarchy = "/".join(part for part in (event.tid, entry.subscription) if part)
    return {
        **found,
        "eventCategory": "Administrative",
        "entity": event.scope,
        "message": event.action,
        "hierarchy": hierarchy,
    }


def sub_status(entry: Entry) -> tuple[str, str]:
    """Return the HTTP status as a word and as the portal shows it; both "" at the start. Pure."""
    code = entry.event.code
    if not code:
        return "", ""
    word = status_word(code)
    return word, f"{word} (HTTP Status Code: {code})"


def shown(entry: Entry) -> dict[str, Any]:
    """Return an entry as the management API shows it. Pure."""
    event, kind = entry.event, entry.resource_type
    data_id = entry.event_data_id
    ticks = _TICKS_AT_EPOCH + round(event.at * _TICKS_PER_SECOND)
    ends = event.status in (SUCCEEDED, FAILED)
    body: dict[str, Any] = {
        "authorization": authorization(entry),
        "caller": entry.caller,
        "channels": "Operation",
        "claims": claims(entry),
        "correlationId": event.correlation_id,
        "description": "",
        "eventDataId": data_id,
        "eventName": _named(
            *(("EndRequest", "End request") if ends else ("BeginRequest", "Begin request"))
        ),
        "category": _named("Administrative"),
        "eventTimestamp": stamp(entry.at),
        "id": f"{event.scope}/events/{data_id}/ticks/{ticks}",
        "level": entry.level,
        "operationId": entry.operation_id,
        "operationName": _named(event.action, localized(event.action)),
        "resourceGroupName": entry.group,
        "resourceProviderName": _named(entry.provider),
        "resourceType": _named(kind),
        "resourceId": event.scope,
        "status": _named(event.status),
        "subStatus": _named(*sub_status(entry)),
        "submissionTimestamp": stamp(entry.submitted),
        "subscriptionId": entry.subscription,
        "tenantId": event.tid,
        "properties": properties(entry),
        "relatedEvents": [],
    }
    asked = http_request(entry)
    if asked is not None:
        body["httpRequest"] = asked
    return body
