"""True changes that look like noise (N23): where one can be made by hand, and with what value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.arm.knowledge import ResourceType
from local.arm.noise import leaks
from local.arm.noise.bodies import MISSING, Path, at, find, leaves, show
from local.arm.noise.case import closed_by
from local.arm.providers.model import read_only

_OTHER = {
    "Enabled": "Disabled",
    "Disabled": "Enabled",
    "Allow": "Deny",
    "Deny": "Allow",
    "TLS1_0": "TLS1_2",
    "TLS1_2": "TLS1_0",
    "1.2": "1.1",
}
_TAG = "tags.Version"
_FIRST = "properties.publicNetworkAccess"


def real_lookalikes(known: ResourceType, body: Mapping[str, Any]) -> list[str]:
    """Return the writable paths where a change by hand is taken for noise, likeliest first. Pure.

    A template that is silent there makes what-if say Delete, as it does of a default or of what a
    provider computes.
    """
    told = list(leaks.written(known, "N23"))
    closed = {path.lower() for path in read_only(known)}
    silent = [path for path in told if not find(body, path)]
    plain = [
        show(path)
        for path, value in leaves(known.defaults)
        if path[0] == "properties" and isinstance(value, str | int) and not closed_by(path, closed)
    ]
    tag = [_TAG] if known.tracked or "tags" in body else []
    unknown = [] if told or plain else [_FIRST]
    return list(
        dict.fromkeys([*silent, *tag, *told, *(p for p in plain if find(body, p)), *unknown])
    )


def other_value(body: Mapping[str, Any], path: str) -> Any:
    """Return what somebody may have set at a dotted path: something else than is there. Pure."""
    steps: Path = tuple(path.split("."))
    value = at(body, steps)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return _OTHER.get(value, f"{value}-by-hand")
    if value is not MISSING and value is not None:
        return value
    return {_TAG: "2", _FIRST: "Disabled"}.get(path, True)


def merge_patch(path: str, value: Any) -> dict[str, Any]:
    """Return the merge patch that sets one dotted path. Pure."""
    patch: Any = value
    for name in reversed(path.split(".")):
        patch = {name: patch}
    return dict(patch)
