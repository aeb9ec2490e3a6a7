"""What-if's answer in Plumbline's own small words (ARM's Deployments - What If). Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ChangeKind = Literal[
    "create", "delete", "ignore", "no_change", "modify", "deploy", "unsupported", "unknown"
]
"""What would become of a resource. ``unknown``: a kind that ARM did not have when this was written."""

PropertyKind = Literal["create", "delete", "modify", "array", "no_effect", "unknown"]


@dataclass(frozen=True)
class PropertyChange:
    """One difference. ``path`` is dotted, or an index inside an array's ``children``.

    ``before`` is what Azure has, ``after`` what it would have.
    """

    path: str
    kind: PropertyKind
    before: Any = None
    after: Any = None
    children: "tuple[PropertyChange, ...]" = ()


@dataclass(frozen=True)
class ResourceChange:
    """What would become of one resource.

    ``resource_id`` is an expression's text where the id cannot be known before the deployment;
    ``before`` and ``after`` are bodies as what-if shows them, ``reason`` why nothing can be told.
    """

    resource_id: str
    kind: ChangeKind
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    delta: tuple[PropertyChange, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class Diagnostic:
    """A remark of what-if on its own work, for example that it did not look everywhere."""

    level: str
    code: str
    message: str
    target: str | None = None


@dataclass(frozen=True)
class Prediction:
    """A what-if that has ended. ``potential`` may or may not be deployed.

    ``error`` is ARM's error object where the what-if failed: the SDK raises nothing then.
    """

    changes: tuple[ResourceChange, ...] = ()
    potential: tuple[ResourceChange, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    correlation_id: str | None = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Predicting:
    """A what-if that runs. ``address`` is its path and query at ARM, never another host's.

    ``retry_after_s`` is when ARM wants to be asked again, if it says.
    """

    address: str
    retry_after_s: float | None = None
