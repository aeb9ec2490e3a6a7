"""A deployment that the fake runs, and what it tells of it."""

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.core.arm_model import (
    HISTORY_GONE,
    Deployment,
    DeploymentRequest,
    DeploymentState,
    Operation,
)
from tests.fakes.arm.template import PlannedResource, outputs_shown


@dataclass(frozen=True)
class Outcome:
    """How a deployment goes. ``failures`` are ARM errors by resource name; the rest is created.

    ``looks`` counts GETs of the deployment, and listings of its scope, and, when given, rules
    instead of ``seconds``.
    """

    seconds: float = 10.0
    looks: int | None = None
    failures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    canceled: bool = False


@dataclass(frozen=True)
class Taken:
    """A PUT that ARM took: when, and until when it was active (None while it is)."""

    request: DeploymentRequest
    at: datetime
    until: datetime | None = None


@dataclass
class Run:
    """A deployment from its PUT on."""

    request: DeploymentRequest
    outcome: Outcome
    at: datetime
    correlation_id: str
    resources: list[PlannedResource]
    nested: list[str]
    looks: int = 0
    state: DeploymentState = "running"
    until: datetime | None = None
    error: Mapping[str, Any] | None = None


def shown(run: Run, now: datetime) -> Deployment:
    """Return the deployment as a GET tells it."""
    until = run.until or now
    return Deployment(
        id=run.request.id,
        state=run.state,
        tags=dict(run.request.tags),
        correlation_id=run.correlation_id,
        timestamp=until,
        duration_s=(until - run.at).total_seconds(),
        outputs=outputs_shown(run.request.template) if run.state == "succeeded" else {},
        error=copy.deepcopy(run.error),
    )


def operations(run: Run, groomed: Collection[str] = ()) -> Iterator[Operation]:
    """Yield the operations of a deployment and of its nested ones; ``groomed`` ones are gone."""
    gone = {one for one in run.nested if one.rpartition("/")[2] in groomed}
    for deployment_id in sorted(gone):
        yield Operation(deployment_id, HISTORY_GONE, "Unknown", None, None, None, None)
    for one in run.resources:
        if one.deployment_id in gone:
            continue
        error = run.outcome.failures.get(one.name) if run.state == "failed" else None
        state = {"running": "Running", "canceled": "Canceled"}.get(run.state, "Succeeded")
        yield Operation(
            deployment_id=one.deployment_id,
            kind="Create",
            state="Failed" if error else state,
            resource_id=one.id,
            resource_type=one.type,
            api_version=one.api_version,
            status_code="Conflict" if error else None if run.state == "running" else "OK",
            error=copy.deepcopy(error),
        )
    if run.state == "succeeded":
        for deployment_id in [run.request.id, *(one for one in run.nested if one not in gone)]:
            yield Operation(
                deployment_id, "EvaluateDeploymentOutput", "Succeeded", None, None, None, "OK"
            )
