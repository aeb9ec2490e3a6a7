"""What a PATCH makes of a resource's body."""

from __future__ import annotations

from typing import Any

from local.arm.cloud import Cloud
from local.arm.knowledge import paths
from local.arm.providers import model, reads
from local.arm.state.records import Resource


def patched(cloud: Cloud, record: Resource, patch: dict[str, Any]) -> dict[str, Any]:
    """Return the whole body that a patch of a resource asks for."""
    merged: dict[str, Any] = _merged(record.put, model.clean(patch))
    for name in cloud.knowledge.type(record.type).embeds:
        # Children that the patch does not speak of stay: send them along as they are.
        key = paths.key_in(merged, "properties", "properties") or "properties"
        inner = merged.setdefault(key, {})
        if isinstance(inner, dict) and model.find(inner, name) is None:
            inner[name] = reads.body(cloud, record)["properties"][name]
    return merged


def _merged(old: Any, new: Any) -> Any:
    """Return `old` changed by a merge patch. Pure."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    merged = dict(old)
    for key, value in new.items():
        kept = paths.key_in(merged, key, key.lower()) or key
        if value is None:
            merged.pop(kept, None)
        else:
            merged[kept] = _merged(merged.get(kept), value)
    return merged
