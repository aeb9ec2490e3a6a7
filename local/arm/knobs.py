"""The knobs of the simulator: how long things take, and what clients are told to wait."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0, le=10**9)]
Whole = Annotated[int, msgspec.Meta(ge=0)]
_Size = Annotated[float, msgspec.Meta(ge=1, le=10**9)]
_Rate = Annotated[float, msgspec.Meta(gt=0, le=10**9)]
Limit = tuple[_Size, _Rate]
"""A bucket: how many tokens it holds, and how many drip into it per second."""
Quota = tuple[Annotated[int, msgspec.Meta(ge=1)], _Rate]
"""A provider's limit: so many requests in a window of so many seconds."""


class Quotas(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What one provider takes from a subscription; deletes count as writes, null is no limit."""

    reads: Quota | None = None
    writes: Quota | None = None


def _network() -> dict[str, Quotas]:
    return {"Microsoft.Network": Quotas(reads=(10_000, 300.0), writes=(1_000, 300.0))}


class Throttle(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """ARM's limits since 2024; what is left out has the service's own number."""

    reads: Limit = (250.0, 25.0)
    writes: Limit = (200.0, 10.0)
    deletes: Limit = (200.0, 10.0)
    global_factor: Annotated[float, msgspec.Meta(ge=1)] = 15.0
    """How many times as much all principals of a subscription have together."""
    providers: dict[str, Quotas] = msgspec.field(default_factory=_network)
    """What single providers take, by namespace."""
    deployments_count: bool = True
    """Whether what a deployment writes counts against the providers' limits."""


class Knobs(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All knobs with their defaults; the control channel changes them while the server runs.

    Seconds may be fractions. `retry_after` below one second goes out as `x-ms-retry-after-ms`,
    because `Retry-After` knows whole seconds only and the SDK reads 0 as "your own default".
    """

    deployment_seconds: Seconds = 0.0
    """The least time a deployment takes from its PUT to its end."""
    resource_seconds: Seconds = 0.0
    """How long a provider works on one resource, in a deployment and outside."""
    resource_seconds_by_type: dict[str, Seconds] = msgspec.field(default_factory=dict)
    """The same for single types (full type, any case)."""
    group_delete_seconds: Seconds = 0.0
    """How long the deletion of a resource group takes."""
    validate_seconds: Seconds = 0.0
    """How long validate takes; more than 0 makes it 202 with a Location to poll."""
    registration_seconds: Seconds = 0.0
    """How long a provider stays `Registering` (and `Unregistering`)."""
    retry_after: Seconds | None = 0.2
    """What LRO answers tell the client to wait; null leaves the header out."""
    registered: list[str] | None = None
    """The namespaces registered from the start; null means all that the simulator knows."""
    clock_offset_seconds: Annotated[float, msgspec.Meta(ge=-(10**9), le=3 * 10**9)] = 0.0
    """Added to real time wherever a client sees a time."""
    history_limit: Whole = 800
    """Deployments a scope may hold before DeploymentQuotaExceeded."""
    groom_above: Whole | None = 775
    """More deployments than this in a scope start the grooming of its history; null never does."""
    groom_to: Whole = 750
    """How many deployments grooming leaves."""
    strict: bool = False
    """Refuse types and api-versions that the knowledge does not list, and unknown members."""
    noise: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """Noise classes switched on by full type ("*" is every type): {"*": ["N1", "N5"]}."""
    noise_seed: Whole = 0
    """Which of the possible noise shows; the same number always gives the same noise."""
    whatif_seconds: Seconds = 0.0
    """How long a what-if takes; its result is polled for in any case."""
    whatif_evaluator: Literal["2026", "classic"] = "2026"
    """How far what-if evaluates: 2026 partially, classic gives up on nested deployments."""
    throttle: Throttle | None = None
    """Token buckets to enforce: {"reads": [250, 25], ...}; {} the service's own, null none."""
    read_lag_seconds: Seconds = 0.0
    """How long after a write GET by id still says what was there before (404 for what is new)."""
    read_lag_seconds_by_type: dict[str, Seconds] = msgspec.field(default_factory=dict)
    """The same for single types (full type, any case)."""
    list_lag_seconds: Seconds = 0.0
    """How long after a write lists still show what was there before."""
    principal_lag_seconds: Seconds = 0.0
    """How long after its creation a role assignment does not find an identity (PrincipalNotFound)."""
    retry_after_as: Literal["seconds", "date"] = "seconds"
    """How a Retry-After of whole seconds is written; both are HTTP."""
    long_urls: bool = False
    """Polling URLs carry signatures of more than 4 KB, as the service's may."""

    activity_lag_seconds: Seconds = 0.0
    """How long after it happened an entry of the Activity Log can be seen (in Azure 1 to 3 min)."""
    activity_limit: Annotated[int, msgspec.Meta(ge=1)] = 20_000
    """How many entries the Activity Log keeps; the oldest make room, and after 90 days all do."""
    logs_row_limit: Annotated[int, msgspec.Meta(ge=1)] = 500_000
    """How many rows a logs query returns before it is cut short with a PartialError."""

    def noise_for(self, kind: str) -> frozenset[str]:
        """Return the noise classes that are on for a full type, in any case."""
        wanted = ("*", kind.lower())
        return frozenset(
            name.upper()
            for on, names in self.noise.items()
            if on.lower() in wanted
            for name in names
        )

    def read_lag_for(self, kind: str) -> float:
        """Return how long reads by id lag behind writes to this type."""
        return _by_type(self.read_lag_seconds_by_type, kind, self.read_lag_seconds)

    def seconds_for(self, kind: str) -> float:
        """Return how long a write to this type takes."""
        return _by_type(self.resource_seconds_by_type, kind, self.resource_seconds)


@cache
def described() -> dict[str, dict[str, Any]]:
    """Return every knob with its type (a JSON Schema), default and meaning."""
    knobs = _fields(Knobs)
    knobs["throttle"]["members"] = _fields(Throttle)
    return knobs


def _fields(kind: type[msgspec.Struct]) -> dict[str, dict[str, Any]]:
    """Return the fields of a struct; what each means is the text that follows it."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    lines = body.body if isinstance(body, ast.ClassDef) else []
    meanings = {
        before.target.id: text.value.value
        for before, text in pairwise(lines)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }
    _, parts = msgspec.json.schema_components([kind])
    types = parts[kind.__name__]["properties"]
    defaults = msgspec.to_builtins(kind())
    return {
        name: {
            "default": defaults[name],
            "meaning": " ".join(str(meanings.get(name, "")).split()),
            "type": {key: value for key, value in types[name].items() if key != "default"},
        }
        for name in kind.__struct_fields__
    }


def _by_type(table: dict[str, float], kind: str, otherwise: float) -> float:
    wanted = kind.lower()
    return next((value for name, value in table.items() if name.lower() == wanted), otherwise)
