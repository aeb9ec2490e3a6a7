"""Records and deployments to build cases from."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.core import decision
from shared.core import record as changes
from shared.core.arm_model import Deployment, DeploymentState
from shared.core.problem import Problem
from shared.core.record import Attempt, Desired, Record, Wish

T0 = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
SCOPE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-shop"
INSTALLATION = "laptop"
INPUTS = "in0"
PROBLEM = Problem(code="X", message="x")


def wish(digest: str, seq: int, revision: str = "r") -> Wish:
    """Return what a sync says of the stack."""
    return Wish(seq=seq, desired=Desired(revision=f"{revision}{seq}", digest=digest), scope=SCOPE)


def fresh(digest: str = "d1") -> Record:
    """Return a stack that was pushed once and never released."""
    return changes.wish(Record(repository="example", stack="network"), wish(digest, 1), T0)


def put(record: Record, at: datetime = T0) -> Record:
    """Return the record after a PUT that ARM accepted."""
    attempt = changes.next_attempt(record, inputs=INPUTS, at=at)
    intended = changes.intend(record, attempt, f"{SCOPE}/deployment", at)
    return changes.accepted(intended, at + timedelta(seconds=60))


def applied(digest: str = "d1") -> Record:
    """Return a stack whose first generation is applied."""
    return changes.succeeded(put(fresh(digest)), T0, ())


def pushed(record: Record, digest: str) -> Record:
    """Return the record after another push."""
    return changes.wish(record, wish(digest, record.seq + 1), T0)


def failed(record: Record, *, transient: bool = False) -> Record:
    """Return the record after the attempt under way failed."""
    return changes.ended(
        record, "failed", problem=PROBLEM, transient=transient, at=T0 + timedelta(seconds=1)
    )


def deployment(
    record: Record, attempt: Attempt, state: DeploymentState, **changed: Any
) -> Deployment:
    """Return what ARM says of ``attempt``; ``changed`` are tags (dashes as underscores) to alter."""
    tags = decision.tags(INSTALLATION, record, attempt)
    tags |= {key.replace("_", "-"): value for key, value in changed.items()}
    return Deployment(id=f"{SCOPE}/deployment", state=state, tags=tags)


def attempt_of(record: Record) -> Attempt:
    """Return the record's last attempt."""
    assert record.attempted is not None
    return record.attempted


def replace(record: Record, **changed: Any) -> Record:
    """Return the record with other fields."""
    return msgspec.structs.replace(record, **changed)
