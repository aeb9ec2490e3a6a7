"""What is kept of a release for good: how it ended, what it did, and what it owns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.core.arm_model import HISTORY_GONE, Deployment, Operation
from shared.core.document import Document
from shared.core.problem import Problem
from shared.core.record import Attempt, Outcome, Record
from shared.core.redaction import mask
from shared.core.scopes import fold

_NESTED = "microsoft.resources/deployments"


class Owned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A resource of the inventory, and the api-version it was deployed with (None: ARM kept it)."""

    id: str
    type: str
    api_version: str | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One operation as ARM recorded it."""

    kind: str
    state: str
    resource: str | None = None
    status: str | None = None
    error: Any = None


class Release(Document, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt to bring a stack to a generation, after it ended. Written once."""

    repository: str
    stack: str
    release: str
    revision: str
    digest: str
    inputs: str
    outcome: Outcome
    started_at: datetime
    ended_at: datetime
    deployment_id: str | None = None
    correlation_id: str | None = None
    duration_s: float | None = None
    problem: Problem | None = None
    outputs: Mapping[str, Any] = msgspec.field(default_factory=dict)
    operations: tuple[Step, ...] = ()
    inventory: tuple[Owned, ...] = ()


def inventory(
    operations: Sequence[Operation], api_versions: Mapping[str, str]
) -> tuple[Owned, ...]:
    """Return the resources that the operations created or updated, by id, without deployments.

    ``api_versions`` (type in lower case -> version) are those of the template, for operations
    that do not tell theirs. Pure.
    """
    found: dict[str, Owned] = {}
    for operation in operations:
        if operation.kind.lower() != "create" or not operation.resource_id:
            continue
        kind = operation.resource_type or ""
        if kind.lower() == _NESTED:
            continue
        version = operation.api_version or api_versions.get(kind.lower())
        owned = Owned(id=operation.resource_id, type=kind, api_version=version)
        found[operation.resource_id.lower()] = owned
    return tuple(found[key] for key in sorted(found))


def tells_all(operations: Iterable[Operation]) -> bool:
    """Tell whether the operations name all that a good release has. Pure.

    What a nested deployment wrote whose history is gone is not among them, and has not left.
    """
    return all(operation.kind != HISTORY_GONE for operation in operations)


def unwritten(release: Release, ids: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``ids`` of which no operation of the release went well. Pure.

    ARM lists what it was not let to write, too: such a resource may be somebody else's.
    """
    written = {
        fold(step.resource)
        for step in release.operations
        if step.resource is not None and step.state.lower() == "succeeded"
    }
    return tuple(one for one in ids if fold(one) not in written)


def plain_outputs(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs that may be kept. Pure.

    ARM gives secure ones no value, nor do we; what looks like a secret in a plain one is masked.
    """
    return {
        name: mask({name: output["value"]})[name]
        for name, output in outputs.items()
        if isinstance(output, Mapping)
        and "value" in output
        and not str(output.get("type", "")).lower().startswith("secure")
    }


def describe(
    record: Record,
    attempt: Attempt,
    outcome: Outcome,
    *,
    at: datetime,
    problem: Problem | None = None,
) -> Release:
    """Return the document of a release that ended without a deployment in ARM. Pure."""
    return Release(
        repository=record.repository,
        stack=record.stack,
        release=attempt.release,
        revision=attempt.revision,
        digest=attempt.digest,
        inputs=attempt.inputs,
        outcome=outcome,
        started_at=attempt.at,
        ended_at=at,
        deployment_id=record.deployment_id,
        problem=problem,
    )


def with_deployment(
    release: Release,
    deployment: Deployment,
    operations: Sequence[Operation],
    owned: tuple[Owned, ...],
) -> Release:
    """Return the document with what ARM recorded. Pure."""
    return msgspec.structs.replace(
        release,
        deployment_id=deployment.id,
        correlation_id=deployment.correlation_id,
        duration_s=deployment.duration_s,
        outputs=plain_outputs(deployment.outputs),
        operations=tuple(
            Step(kind=o.kind, state=o.state, resource=o.resource_id, status=o.status_code)
            for o in operations
        ),
        inventory=owned,
    )


class Snapshot(Document, frozen=True, kw_only=True, omit_defaults=True):
    """What ARM said a release's resources looked like: id -> SHA-256 of its redacted body.

    ``missing`` are ids that ARM did not know any more, ``unread`` those that it did not show, with
    its reason. ``ended_at`` is when the last of them had been read. Written once, named by its release.
    """

    repository: str
    stack: str
    release: str
    taken_at: datetime
    resources: Mapping[str, str]
    missing: tuple[str, ...] = ()
    unread: Mapping[str, str] = msgspec.field(default_factory=dict)
    ended_at: datetime | None = None
