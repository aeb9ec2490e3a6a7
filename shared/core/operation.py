"""What an operator may ask of a stack, and what it changes in the record. Pure.

``POST /api/stacks/{name}/{operation}`` with ``{"why": "..."}``; docs/api.md has the table.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from shared.core import names
from shared.core.audit import Audit
from shared.core.decoding import decoder
from shared.core.errors import PlumblineError
from shared.core.record import Approved, Asked, Cancel, Freeze, Record, TakenOver

MAX_FREEZE: Final = timedelta(days=366)
"""A freeze ends by itself: one that nobody remembers must not hold a stack back for ever."""


class OperationRefusedError(PlumblineError):
    """The operation makes no sense now, or cannot be read; ``status`` is the answer's."""

    def __init__(self, status: int, reason: str, message: str, hint: str) -> None:
        super().__init__(reason, message, hint=hint)
        self.status = status


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the request says. ``until`` is for a freeze, with an offset or Z.

    ``plan`` is for approve: the digest of the plan that was looked at; without it whatever waits.
    """

    why: Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S")]
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    plan: Annotated[str, msgspec.Meta(pattern=f"^{names.DIGEST_FORM.pattern}$")] | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that somebody may order: ``by`` is who, as the sign-in tells it."""

    id: str
    operation: str
    by: str
    body: Body


def read_body(operation: str, data: bytes, known: Collection[str] | None = None) -> Body:
    """Read a request for one of ``known`` (a stack's operations, when it is left out).

    Raises OperationRefusedError with what is wrong and how to mend it.
    """
    known = OPERATIONS if known is None else known
    if operation not in known:
        raise OperationRefusedError(
            404,
            "OperationUnknown",
            f"There is no operation {operation[:40]!r}.",
            f"Known are {', '.join(known)}.",
        )
    try:
        body = decoder(Body).decode(data)
    except msgspec.MsgspecError as e:
        raise OperationRefusedError(
            400, "OperationUnreadable", str(e), 'Send {"why": "what this is for"} as JSON.'
        ) from e
    if (body.until is not None) != (operation == "freeze"):
        raise OperationRefusedError(
            400,
            "OperationUnreadable",
            "A freeze needs until, and nothing else takes it.",
            'Send {"why": "...", "until": "2026-01-31T18:00:00Z"} to freeze.',
        )
    if body.plan is not None and operation != "approve":
        raise OperationRefusedError(
            400,
            "OperationUnreadable",
            "Only approve takes plan.",
            'Send {"why": "..."}.',
        )
    return body


def apply(record: Record, order: Order, at: datetime) -> Record:
    """Return the record after an order. Raises OperationRefusedError when it makes no sense now.

    The order is in it until it is kept for good: what was not carried out is not kept as if it was.
    """
    changed = OPERATIONS[order.operation](record, order, at)
    last = record.attempted
    audit = Audit(
        id=order.id,
        at=at,
        by=order.by,
        operation=order.operation,
        repository=record.repository,
        stack=record.stack,
        why=order.body.why,
        until=order.body.until,
        generation=record.generation,
        phase=str(record.standing),
        release=last.release if last else None,
    )
    return msgspec.structs.replace(changed, unaudited=(*record.unaudited, audit))


def audited(record: Record, kept: Collection[str]) -> Record:
    """Strike out the orders that are kept for good, by their ids. Pure."""
    left = tuple(audit for audit in record.unaudited if audit.id not in kept)
    return msgspec.structs.replace(record, unaudited=left)


def _release(record: Record, order: Order, at: datetime) -> Record:
    if record.desired is None or record.orphaned:
        raise OperationRefusedError(
            409,
            "NothingDesired",
            "Git wants nothing of this stack that could be released.",
            "Mend the stack's problem in the repository, or put the stack back into the manifest.",
        )
    if record.in_flight is not None and record.standing == "releasing":
        raise OperationRefusedError(
            409,
            "ReleaseRuns",
            f"The release {record.in_flight.release} is under way.",
            "Wait for it, or cancel it.",
        )
    asked = Asked(
        kind="retry" if order.operation == "retry" else "release",
        generation=record.generation,
        above=record.attempts,
        by=order.by,
        why=order.body.why,
        at=at,
    )
    return msgspec.structs.replace(record, asked=asked, due_at=at)


def _retry(record: Record, order: Order, at: datetime) -> Record:
    if record.standing not in {"failed", "stalled"}:
        raise OperationRefusedError(
            409,
            "NothingFailed",
            f"The stack is {record.standing}: there is nothing to retry.",
            "Use release to deploy it again as it is.",
        )
    return _release(record, order, at)


def _cancel(record: Record, order: Order, at: datetime) -> Record:
    under_way = record.in_flight
    if under_way is None:
        raise OperationRefusedError(
            409,
            "NothingRuns",
            "No release of the stack is under way.",
            "There is nothing to cancel.",
        )
    cancel = Cancel(release=under_way.release, by=order.by, why=order.body.why, at=at)
    return msgspec.structs.replace(record, cancel=cancel)


def _freeze(record: Record, order: Order, at: datetime) -> Record:
    until, held = order.body.until, record.frozen(at)
    if until is None or not at < until <= at + MAX_FREEZE:
        raise OperationRefusedError(
            400,
            "FreezeTooLong",
            f"A freeze ends in the future, at most {MAX_FREEZE.days} days ahead.",
            "Give another until.",
        )
    if held is not None and until < held.until:
        raise OperationRefusedError(
            409,
            "FrozenLonger",
            f"{held.by} has frozen the stack until {held.until:%Y-%m-%dT%H:%M:%SZ}.",
            "Lift that freeze first (unfreeze), or freeze it for longer.",
        )
    freeze = Freeze(by=order.by, why=order.body.why, at=at, until=until)
    return msgspec.structs.replace(record, freeze=freeze)


def _unfreeze(record: Record, order: Order, at: datetime) -> Record:  # noqa: ARG001 - one shape
    if record.frozen(at) is None:
        raise OperationRefusedError(
            409,
            "NotFrozen",
            "The stack itself is not frozen.",
            "A freeze of the operator's configuration is lifted there.",
        )
    return msgspec.structs.replace(record, freeze=None, due_at=at)


def _take_over(record: Record, order: Order, at: datetime) -> Record:
    problem = record.problem
    foreign = (
        problem.detail if problem is not None and problem.code == "DeploymentForeign" else None
    )
    found = foreign.get("correlationId") if isinstance(foreign, Mapping) else None
    if record.standing == "stalled" and foreign is not None and not isinstance(found, str):
        raise OperationRefusedError(
            409,
            "ForeignUnknown",
            "The foreign deployment has no correlation id, so that no order could name it.",
            "Delete that deployment from the scope's history.",
        )
    if record.standing != "stalled" or not isinstance(found, str):
        raise OperationRefusedError(
            409,
            "NothingForeign",
            "No deployment of somebody else's stands in this stack's way.",
            "takeover is for a stack that is stalled with DeploymentForeign.",
        )
    taken = TakenOver(correlation_id=found, by=order.by, why=order.body.why, at=at)
    return msgspec.structs.replace(record, taken_over=taken, due_at=at)


def _approve(record: Record, order: Order, at: datetime) -> Record:
    plan, seen = record.waiting_plan, order.body.plan
    if plan is None:
        raise OperationRefusedError(
            409,
            "NothingToApprove",
            "No plan of the stack waits for approval.",
            "GET /api/stacks/{name}/plan shows one that does; a new push has a new one made.",
        )
    if seen is not None and seen != plan.digest:
        raise OperationRefusedError(
            409,
            "PlanChanged",
            f"Another plan waits by now: {plan.digest}.",
            "Look at it (GET /api/stacks/{name}/plan) and approve that one.",
        )
    approved = Approved(kind=plan.kind, digest=plan.digest, by=order.by, why=order.body.why, at=at)
    return msgspec.structs.replace(record, approved=approved, due_at=at)


OPERATIONS: Final[Mapping[str, Callable[[Record, Order, datetime], Record]]] = {
    "release": _release,
    "retry": _retry,
    "cancel": _cancel,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "takeover": _take_over,
    "approve": _approve,
}
