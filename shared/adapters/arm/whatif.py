"""From what-if's JSON to Plumbline's words. Pure.

A what-if that cannot be read must never look like one that found nothing: what is missing or of
another shape is a ValueError for the whole answer, without a word of it, for it may hold secrets.
"""

from collections.abc import Mapping
from typing import Any

from shared.adapters.arm import reading
from shared.core.arm_answers import error_of
from shared.core.prediction import (
    ChangeKind,
    Diagnostic,
    Prediction,
    PropertyChange,
    PropertyKind,
    ResourceChange,
)

_CHANGES: Mapping[str, ChangeKind] = {
    "create": "create",
    "delete": "delete",
    "ignore": "ignore",
    "nochange": "no_change",
    "modify": "modify",
    "deploy": "deploy",
    "unsupported": "unsupported",
}
_PROPERTIES: Mapping[str, PropertyKind] = {
    "create": "create",
    "delete": "delete",
    "modify": "modify",
    "array": "array",
    "noeffect": "no_effect",
}
_FAILED = {"code": "WhatIfFailed", "message": "The what-if failed, and ARM did not say why."}


def read_prediction(body: Mapping[str, Any]) -> Prediction:
    """Read a what-if that has ended; raises ValueError for what is none. Pure."""
    status = str(body.get("status", "")).lower()
    properties = reading.mapping(body.get("properties"))
    correlation_id = reading.text(properties.get("correlationId"))
    error = error_of(body.get("error"))
    if status in {"failed", "canceled"} or error is not None:
        return Prediction(correlation_id=correlation_id, error=error or _FAILED)
    if status != "succeeded":
        raise ValueError("the what-if has neither succeeded nor failed")
    return Prediction(
        changes=tuple(map(_change, _listed(properties, "changes", required=True))),
        potential=tuple(map(_change, _listed(properties, "potentialChanges"))),
        diagnostics=tuple(map(_diagnostic, _listed(properties, "diagnostics"))),
        correlation_id=correlation_id,
    )


def _change(item: Mapping[str, Any]) -> ResourceChange:
    resource_id = reading.text(item.get("resourceId"))
    kind = _CHANGES.get(str(item.get("changeType")).lower(), "unknown")
    before, after = item.get("before"), item.get("after")
    return ResourceChange(
        resource_id=resource_id or reading.text(item.get("symbolicName")) or "",
        # What extensions deploy has no id: nothing can be told of it.
        kind=kind if resource_id else "unknown",
        before=before if isinstance(before, Mapping) else None,
        after=after if isinstance(after, Mapping) else None,
        delta=_properties(item, "delta"),
        reason=reading.text(item.get("unsupportedReason")),
    )


def _properties(item: Mapping[str, Any], name: str) -> tuple[PropertyChange, ...]:
    return tuple(
        PropertyChange(
            path=str(one.get("path") or ""),
            kind=_PROPERTIES.get(str(one.get("propertyChangeType")).lower(), "unknown"),
            before=one.get("before"),
            after=one.get("after"),
            children=_properties(one, "children"),
        )
        for one in _listed(item, name)
    )


def _diagnostic(item: Mapping[str, Any]) -> Diagnostic:
    return Diagnostic(
        level=reading.text(item.get("level")) or "",
        code=reading.text(item.get("code")) or "",
        message=reading.text(item.get("message")) or "",
        target=reading.text(item.get("target")),
    )


def _listed(
    holder: Mapping[str, Any], name: str, *, required: bool = False
) -> list[Mapping[str, Any]]:
    found = holder.get(name)
    if found is None and not required:
        return []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise ValueError(f"the {name} of the what-if have another shape")
    return found
