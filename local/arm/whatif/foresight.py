"""What answers reference() and list*() for what-if: before anything runs, and in the rehearsal.

ARM evaluates as far as it gets without asking any resource: of nested deployments it knows the
outputs that are static. The rehearsal asks the forked cloud in which the deployment is tried out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local.arm.deploy.runtime import CloudRuntime
from local.arm.engine.frame import Deferred, NeedsRuntime
from local.arm.engine.syntax import Access, Call, Literal, Node
from local.arm.ids import key_of

_SHORTEST = 16  # what list*() answers beside keys ("Full", "key1") is no secret


class Foresight:
    """Knows the static outputs of the nested deployments seen so far, and nothing else."""

    def __init__(self) -> None:
        self._outputs: dict[str, Mapping[str, Any]] = {}

    def learn(self, deployment_id: str, outputs: Mapping[str, Any]) -> None:
        """Take over {name: {"type", "value"?}}; outputs without value are not known."""
        self._outputs[key_of(deployment_id)] = outputs

    def reference(self, resource_id: str, api_version: str | None, full: bool) -> Any:  # noqa: FBT001 - the engine's protocol
        """Return what is known of a nested deployment; raises NeedsRuntime for all else."""
        given = (Literal(resource_id), Literal(api_version or ""))
        call = Call("reference", (*given, Literal("Full")) if full else given)
        outputs = self._outputs.get(key_of(resource_id))
        if outputs is None:
            raise NeedsRuntime(call)
        base: Node = Access(call, Literal("properties")) if full else call
        known = {
            name: output if "value" in output else {**output, "value": _left(base, name)}
            for name, output in outputs.items()
        }
        properties = {"provisioningState": "Succeeded", "outputs": known}
        return {"id": resource_id, "properties": properties} if full else properties

    def list(self, resource_id: str, function: str, api_version: str, body: Any | None) -> Any:  # noqa: ARG002 - the engine's protocol
        """Raise NeedsRuntime: what-if calls no action."""
        raise NeedsRuntime(Call(function, (Literal(resource_id), Literal(api_version))))


def _left(base: Node, output: str) -> Deferred:
    return Deferred(
        Access(Access(Access(base, Literal("outputs")), Literal(output)), Literal("value"))
    )


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
