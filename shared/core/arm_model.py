"""What Plumbline says to and hears from Azure Resource Manager, in its own small words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

DeploymentState = Literal["running", "succeeded", "failed", "canceled"]
"""ARM's many states, folded: everything that is not terminal is ``running``."""


@dataclass(frozen=True)
class Deployment:
    """A deployment as ARM tells it. ``outputs`` are name -> {type, value?}; secure ones lack value.

    ``error`` is ARM's error object {code, message, target?, details?, additionalInfo?}, or None.
    """

    id: str
    state: DeploymentState
    tags: Mapping[str, str]
    correlation_id: str | None = None
    timestamp: datetime | None = None
    duration_s: float | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class DeploymentRequest:
    """What one PUT sends. ``template`` is the inlined template, ``parameters`` ARM's parameter map."""

    id: str
    scope: str
    template: Mapping[str, Any]
    parameters: Mapping[str, Any]
    tags: Mapping[str, str]
    location: str | None = None


HISTORY_GONE: Final = "HistoryGone"
"""The kind of an operation that stands for all of a nested deployment whose history is not there."""


@dataclass(frozen=True)
class Operation:
    """One operation of a deployment, nested deployments' operations included.

    ``kind`` is ARM's provisioningOperation (``Create``, ``Read``, ...), or ``HISTORY_GONE``;
    ``status_code`` is the text ARM shows (``OK``, ``Conflict``); ``error`` is ARM's error object or
    None.
    """

    deployment_id: str
    kind: str
    state: str
    resource_id: str | None
    resource_type: str | None
    api_version: str | None
    status_code: str | None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Sighting:
    """A resource as a listing shows it. Times are ARM's, where it tells them.

    Listings show no children (subnets, containers) and no extensions (locks, role assignments).
    """

    id: str
    type: str
    changed_at: datetime | None = None
    created_at: datetime | None = None


@dataclass(frozen=True)
class SightingsPage:
    """One page of a listing; ``after`` asks for the next one, None: this is the last."""

    sightings: tuple[Sighting, ...]
    after: str | None = None
