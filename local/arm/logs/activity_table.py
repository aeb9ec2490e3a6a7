"""AzureActivity: the Activity Log as a workspace keeps it.

Columns and their types are those of the service; the ones that it has deprecated are there and
empty. Some values are in capitals there, which is why queries should compare with `=~`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from local.arm.activity import view
from local.arm.activity.view import Entry
from local.arm.clock import stamp
from local.arm.cloud import Cloud
from local.arm.logs.scope import Column

NAME = "AzureActivity"
_STATUS = {
    "Started": "Start",
    "Accepted": "Accept",
    "Succeeded": "Success",
    "Failed": "Failure",
}
_LEVELS = {"Informational": "Information"}

_Get = Callable[[Entry], Any]


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode() if value is not None else ""


def _status(entry: Entry) -> str:
    return _STATUS.get(entry.event.status, entry.event.status)


def _details(entry: Entry) -> dict[str, Any]:
    """Return what the export adds to an event's properties."""
    return {
        **view.properties(entry),
        "eventDataId": entry.event_data_id,
        "eventSubmissionTimestamp": stamp(entry.submitted),
        "resource": entry.event.scope.rpartition("/")[2],
        "resourceGroup": entry.group.upper(),
        "resourceProviderValue": entry.provider.upper(),
        "subscriptionId": entry.subscription,
        "activityStatusValue": _status(entry),
        "activitySubstatusValue": view.sub_status(entry)[0],
    }


def _request(entry: Entry) -> str:
    return _encoded(view.http_request(entry))


_EMPTY: _Get = lambda _: ""  # noqa: E731 - one of many in a table of getters
_GETTERS: tuple[tuple[str, str, _Get], ...] = (
    ("TenantId", "string", _EMPTY),
    ("SourceSystem", "string", lambda _: "Azure"),
    ("CallerIpAddress", "string", lambda one: "127.0.0.1" if one.event.method else ""),
    ("CategoryValue", "string", lambda _: "Administrative"),
    ("CorrelationId", "string", lambda one: one.event.correlation_id),
    ("Authorization", "string", lambda one: _encoded(view.authorization(one))),
    ("Authorization_d", "dynamic", view.authorization),
    ("Claims", "string", lambda one: _encoded(view.claims(one))),
    ("Claims_d", "dynamic", view.claims),
    ("Level", "string", lambda one: _LEVELS.get(one.level, one.level)),
    ("OperationNameValue", "string", lambda one: one.event.action.upper()),
    ("Properties", "string", lambda one: _encoded(_details(one))),
    ("Properties_d", "dynamic", _details),
    ("Caller", "string", lambda one: one.caller),
    ("EventDataId", "string", lambda one: one.event_data_id),
    ("EventSubmissionTimestamp", "datetime", lambda one: one.submitted),
    ("HTTPRequest", "string", _request),
    ("OperationId", "string", lambda one: one.operation_id),
    ("ResourceGroup", "string", lambda one: one.group.upper()),
    ("ResourceProviderValue", "string", lambda one: one.provider.upper()),
    ("ActivityStatusValue", "string", _status),
    ("ActivitySubstatusValue", "string", lambda one: view.sub_status(one)[0]),
    ("Hierarchy", "string", lambda one: view.properties(one)["hierarchy"]),
    ("TimeGenerated", "datetime", lambda one: one.at),
    ("SubscriptionId", "string", lambda one: one.subscription),
    ("OperationName", "string", _EMPTY),
    ("ActivityStatus", "string", _EMPTY),
    ("ActivitySubstatus", "string", _EMPTY),
    ("Category", "string", _EMPTY),
    ("ResourceProvider", "string", _EMPTY),
    ("Resource", "string", _EMPTY),
    ("ResourceId", "string", lambda one: one.event.scope),
    ("Type", "string", lambda _: NAME),
    ("_ResourceId", "string", lambda one: one.event.scope.lower()),
    ("_SubscriptionId", "string", lambda one: one.subscription),
)
COLUMNS = tuple(Column(name, kind) for name, kind, _ in _GETTERS)
_RUNS = tuple(get for _, _, get in _GETTERS)


class ActivityRow(Sequence[Any]):
    """One row; what nobody looks at is not made."""

    __slots__ = ("_workspace", "entry")

    def __init__(self, entry: Entry, workspace: str) -> None:
        self.entry = entry
        self._workspace = workspace

    @property
    def ingested(self) -> datetime:
        """When the workspace had it."""
        return self.entry.submitted

    def __len__(self) -> int:
        return len(_RUNS)

    def __getitem__(self, at: Any) -> Any:
        if at == 0:
            return self._workspace
        return _RUNS[at](self.entry)


def rows(cloud: Cloud, workspace: str, below: str) -> Iterator[ActivityRow]:
    """Iterate over the entries that can be seen at and below an id."""
    inside = f"{below}/"
    for entry in view.entries(cloud):
        scope = entry.event.scope.lower()
        if not below or scope == below or scope.startswith(inside):
            yield ActivityRow(entry, workspace)
