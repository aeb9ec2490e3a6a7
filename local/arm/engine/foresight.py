"""What is known of nested deployments before anything runs: their outputs that are static."""

from collections.abc import Mapping
from typing import Any

from local.arm.engine.frame import Deferred, NeedsRuntime
from local.arm.engine.syntax import Access, Call, Literal, Node


class Foresight:
    """A runtime that knows the outputs of the deployments it learnt of, and nothing else."""

    def __init__(self) -> None:
        self._outputs: dict[str, Mapping[str, Any]] = {}

    def learn(self, deployment_id: str, outputs: Mapping[str, Any]) -> None:
        """Take over {name: {"type", "value"?}}; outputs without value are not known."""
        self._outputs[deployment_id.lower()] = outputs

    def reference(self, resource_id: str, api_version: str | None, full: bool) -> Any:  # noqa: FBT001 - the protocol's shape
        """Return what is known of a nested deployment; raises NeedsRuntime for all else."""
        given = (Literal(resource_id), Literal(api_version or ""))
        call = Call("reference", (*given, Literal("Full")) if full else given)
        outputs = self._outputs.get(resource_id.lower())
        if outputs is None:
            raise NeedsRuntime(call)
        base: Node = Access(call, Literal("properties")) if full else call
        known = {
            name: output if "value" in output else {**output, "value": _left(base, name)}
            for name, output in outputs.items()
        }
        properties = {"provisioningState": "Succeeded", "outputs": known}
        return {"id": resource_id, "properties": properties} if full else properties

    def list(self, resource_id: str, function: str, api_version: str, body: Any | None) -> Any:  # noqa: ARG002 - the protocol's shape
        """Raise NeedsRuntime: nothing is asked before the deployment runs."""
        raise NeedsRuntime(Call(function, (Literal(resource_id), Literal(api_version))))


def _left(base: Node, output: str) -> Deferred:
    node = Access(Access(Access(base, Literal("outputs")), Literal(output)), Literal("value"))
    return Deferred(node)
