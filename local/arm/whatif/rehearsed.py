"""What answers reference() and list*() in the rehearsal: the cloud in which it is tried out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local.arm.deploy.runtime import CloudRuntime

_SHORTEST = 16  # what list*() answers beside keys ("Full", "key1") is no secret


class Rehearsed(CloudRuntime):
    """Answers from the forked cloud, and remembers the secrets that list*() gave away."""

    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self.secrets: set[str] = set()

    def list(self, resource_id: str, function: str, api_version: str, body: Any | None) -> Any:
        """Return what the action answers; raises `ArmError`."""
        found = super().list(resource_id, function, api_version, body)
        self.secrets.update(text for text in _texts(found) if len(text) >= _SHORTEST)
        return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
