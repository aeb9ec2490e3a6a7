"""What is shown of drift: ``GET /api/stacks/{name}/drift`` and ``GET /api/coverage``. Pure.

Every field is named here, as in ``shared/core/view.py``; ages are seconds.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from shared.core.drift.model import Closed, Coverage, Coverages, Drift, Finding, Gap, Item
from shared.core.drift.suspicion import moment
from shared.core.problem import Problem


class DriftView(msgspec.Struct, frozen=True, kw_only=True):
    """How a stack stands, as lists of stacks show it: ``unknown`` until it was inspected."""

    state: str = "unknown"
    checked_at: datetime | None = None
    items: int = 0


class WhoView(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a difference, by the Activity Log."""

    caller: str
    at: datetime
    operation: str
    client: str | None
    correlation_id: str | None


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One difference; ``who`` is null where nobody knows.

    ``left_with`` is the release with which an undeclared resource left the template. ``age_s`` counts from when it was first seen.
    """

    kind: str
    managed: bool
    resource: str
    type: str
    path: str
    wanted: Any
    released: Any
    now: Any
    severity: str
    first_seen: datetime
    age_s: float
    who: WhoView | None
    left_with: str | None
    hint: str | None


class ClosedView(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that is gone: when it opened and closed, and why."""

    kind: str
    resource: str
    path: str
    severity: str
    opened_at: datetime
    closed_at: datetime
    reason: str
    release: str | None
    caller: str | None


class GapView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be looked at."""

    code: str
    message: str
    resource: str | None
    hint: str | None


class NoiseView(msgspec.Struct, frozen=True, kw_only=True):
    """Noise that was seen and not shown as drift; type and path are what ``drift.ignore`` takes."""

    type: str
    path: str
    shape: str
    seen: int
    resources: int
    first_seen: datetime
    last_seen: datetime


class CoverageView(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a resource group is in some stack, and some of what is in none."""

    scope: str
    in_stacks: int
    in_none: int
    others: tuple[str, ...]


class StackDriftView(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a stack's drift.

    ``full_at`` is when everything was looked at last, ``confirmed_at`` when the baseline of ``release``
    was confirmed. ``age_s`` is that of the oldest difference, null without one.
    """

    name: str
    repository: str
    state: str
    release: str | None
    checked_at: datetime | None
    full_at: datetime | None
    confirmed_at: datetime | None
    age_s: float | None
    items: tuple[ItemView, ...]
    gaps: tuple[GapView, ...]
    problem: Problem | None
    heals: int
    next_heal_at: datetime | None
    history: tuple[ClosedView, ...]
    noise: tuple[NoiseView, ...]
    coverage: CoverageView | None


class CoveragesView(msgspec.Struct, frozen=True, kw_only=True):
    """What ``GET /api/coverage`` answers; ``problems`` are by subscription."""

    at: datetime | None
    scopes: tuple[CoverageView, ...]
    problems: Mapping[str, Problem]


def of_facts(facts: Mapping[str, str]) -> DriftView:
    """Return what a list shows of a stack, from its drift document's facts."""
    items = facts.get("items", "")
    return DriftView(
        state=facts.get("state", "unknown"),
        checked_at=moment(facts.get("checked_at")),
        items=int(items) if items.isdecimal() else 0,
    )


def stack_drift_view(drift: Drift, coverage: Coverage | None, at: datetime) -> StackDriftView:
    """Return what is shown of a stack's drift."""
    oldest = min((item.first_seen for item in drift.items), default=None)
    return StackDriftView(
        name=drift.stack,
        repository=drift.repository,
        state=drift.state,
        release=drift.release,
        checked_at=drift.checked_at,
        full_at=drift.full_at,
        confirmed_at=drift.confirmed_at,
        age_s=None if oldest is None else _seconds(oldest, at),
        items=tuple(_item(item, at) for item in drift.items),
        gaps=tuple(_gap(gap) for gap in drift.gaps),
        problem=drift.problem,
        heals=drift.heal.attempts,
        next_heal_at=drift.heal.next_at,
        history=tuple(_closed(closed) for closed in drift.history),
        noise=tuple(_noise(finding) for finding in drift.noise),
        coverage=None if coverage is None else _coverage(coverage),
    )


def coverages_view(coverages: Coverages) -> CoveragesView:
    """Return how much of each scope is in some stack."""
    return CoveragesView(
        at=coverages.at,
        scopes=tuple(_coverage(one) for one in coverages.scopes),
        problems=coverages.problems,
    )


def _seconds(since: datetime, at: datetime) -> float:
    return max(0.0, round((at - since).total_seconds(), 1))


def _item(item: Item, at: datetime) -> ItemView:
    who = item.who
    return ItemView(
        kind=item.kind,
        managed=item.managed,
        resource=item.resource,
        type=item.type,
        path=item.path,
        wanted=item.wanted,
        released=item.released,
        now=item.now,
        severity=item.severity,
        first_seen=item.first_seen,
        age_s=_seconds(item.first_seen, at),
        who=None
        if who is None
        else WhoView(
            caller=who.caller,
            at=who.at,
            operation=who.operation,
            client=who.client,
            correlation_id=who.correlation_id,
        ),
        left_with=item.left_with,
        hint=item.hint,
    )


def _closed(closed: Closed) -> ClosedView:
    item = closed.item
    return ClosedView(
        kind=item.kind,
        resource=item.resource,
        path=item.path,
        severity=item.severity,
        opened_at=item.first_seen,
        closed_at=closed.closed_at,
        reason=closed.reason,
        release=closed.release,
        caller=item.who.caller if item.who is not None else None,
    )


def _gap(gap: Gap) -> GapView:
    return GapView(code=gap.code, message=gap.message, resource=gap.resource, hint=gap.hint)


def _noise(finding: Finding) -> NoiseView:
    return NoiseView(
        type=finding.type,
        path=finding.path,
        shape=finding.shape,
        seen=finding.seen,
        resources=finding.resources,
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
    )


def _coverage(coverage: Coverage) -> CoverageView:
    return CoverageView(
        scope=coverage.scope,
        in_stacks=coverage.in_stacks,
        in_none=coverage.in_none,
        others=coverage.others,
    )
