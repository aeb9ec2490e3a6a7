"""From an entry of the Activity Log, as either route tells it, to a Write. Pure.

Claims say a lot about people. Only a name and the application's id are taken; nothing else of them
leaves this module.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.core.activity import Write, changes, one_each

UPN: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
SUCCEEDED: Final = "succeeded"
MAX_TEXT: Final = 256
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Row = Mapping[str, Any]


def of_event(event: Row) -> Write | None:
    """Return what an event of the management route tells; None for what changed nothing.

    An event without an id, a resource or a time is None, too: it can be held against nothing.
    """
    claims = event.get("claims")
    told: Row = claims if isinstance(claims, Mapping) else {}
    if _value(event.get("status")).lower() != SUCCEEDED:
        return None
    return _write(
        {
            "Id": event.get("eventDataId"),
            "Resource": event.get("resourceId") or event.get("resourceUri"),
            "Operation": _value(event.get("operationName")),
            "At": event.get("eventTimestamp"),
            "SeenAt": event.get("submissionTimestamp"),
            "Correlation": event.get("correlationId"),
            "Caller": event.get("caller"),
            "Upn": told.get(UPN) or told.get("upn"),
            "Name": told.get("name"),
            "Client": told.get("appid"),
        }
    )


def of_row(row: Row) -> Write | None:
    """Return what a row of the workspace's table tells; as ``of_event``.

    The table has operations in capitals and ids in small letters; what was to be authorized is
    spelled as ARM does, and is taken where it is the same.
    """
    spelled = {
        name: row.get(other) if _same(row.get(name), row.get(other)) else row.get(name)
        for name, other in (("Operation", "Action"), ("Resource", "Scope"))
    }
    return _write({**row, **spelled})


def in_order(found: Iterable[Write | None]) -> tuple[Write, ...]:
    """Return what there is, one for each operation."""
    return one_each(write for write in found if write is not None)


def _write(row: Row) -> Write | None:
    name, resource, operation = _text(row.get("Id")), row.get("Resource"), row.get("Operation")
    at, seen_at = _moment(row.get("At")), _moment(row.get("SeenAt"))
    if not name or not isinstance(resource, str) or not resource.startswith("/") or at is None:
        return None
    if not isinstance(operation, str) or not changes(operation):
        return None
    return Write(
        id=name,
        resource_id=resource.rstrip("/"),
        operation=operation[:MAX_TEXT],
        at=at,
        seen_at=max(seen_at or at, at),
        correlation_id=_text(row.get("Correlation")),
        caller=_caller(row),
        client=_text(row.get("Client")),
    )


def _caller(row: Row) -> str | None:
    """Return who it was: a name rather than an object's id, where the log tells one."""
    told = [_text(row.get(name)) for name in ("Caller", "Upn", "Name")]
    known = [text for text in told if text is not None]
    named = [text for text in known if not _OBJECT_ID.fullmatch(text)]
    return next(iter([*named, *known]), None)


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(value.split())[:MAX_TEXT] or None


def _value(named: Any) -> str:
    """Return the value of ARM's pair of value and localized value."""
    value = named.get("value") if isinstance(named, Mapping) else named
    return value if isinstance(value, str) else ""


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, str) and isinstance(other, str) and one.lower() == other.lower()


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
