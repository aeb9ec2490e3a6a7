"""What ``GET /api/stacks/{name}/plan`` shows, by allow-list. Pure."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from shared.core.plan import Details, Kind, Plan, Step
from shared.core.record import Record


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """Who agreed to the plan, when, and why."""

    by: str
    why: str
    at: datetime


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that needs approval: what would be done to which resource.

    ``plan`` is the digest that ``approve`` can name. ``waiting`` is false once it is approved, or
    when something newer is desired, for which a plan is made anew. ``gaps`` say what what-if could
    not tell.
    """

    plan: str
    kind: Kind
    generation: int
    at: datetime
    waiting: bool
    approved: ApprovalView | None
    counts: Mapping[str, int]
    steps: tuple[Step, ...]
    gaps: tuple[str, ...]


def plan_view(record: Record, plan: Plan, details: Details) -> PlanView:
    """Return what is shown of a record's plan and its details."""
    approved = record.approved if record.has_approved(plan) else None
    return PlanView(
        plan=plan.digest,
        kind=plan.kind,
        generation=plan.generation,
        at=plan.at,
        waiting=record.waiting_plan is not None,
        approved=(
            ApprovalView(by=approved.by, why=approved.why, at=approved.at) if approved else None
        ),
        counts=plan.counts,
        steps=details.steps,
        gaps=details.gaps,
    )
