"""Carry out what an operator asks of a stack: written, kept for good, then sent.

Called by ``functions/operate.py``. It writes requesters' fields only, without the fence (rule 4).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared import events
from shared.core import operation as operations
from shared.core.message import Queue
from shared.core.operation import OperationRefusedError, Order
from shared.core.record import Record
from shared.core.view import Complaint, StackView
from shared.flows.audits import Audits
from shared.flows.lookup import Answered, find_stack, missing
from shared.flows.messenger import Messenger
from shared.ports import Callers, Ids, Log
from shared.state.records import Records

MAX_BODY_BYTES: Final = 16 * 1024


@dataclass(frozen=True)
class Credentials:
    """What a request brings to say who sends it: a bearer token, or the laptop's operator key."""

    bearer: str | None
    key: str | None


@dataclass(frozen=True)
class Operate:
    """The flow. Raises Transient or Stalled when storage does not answer.

    ``show`` makes what is answered of a stack.
    """

    records: Records
    audits: Audits
    callers: Callers
    messenger: Messenger
    ids: Ids
    show: Callable[[Record], StackView]
    log: Log

    def __call__(
        self, name: str, operation: str, body: bytes, credentials: Credentials
    ) -> Answered:
        """Answer 202 with the stack once the order is durable; else say why it is refused."""
        by = operator_of(self.callers, self.log, operation, body, credentials)
        if isinstance(by, Answered):
            return by
        try:
            order = Order(
                operation=operation,
                by=by,
                body=operations.read_body(operation, body),
                id=self.ids.new(),
            )
            return self._carry_out(name, order)
        except OperationRefusedError as e:
            return refused(e.status, e.reason, e.message, e.hint)

    def _carry_out(self, name: str, order: Order) -> Answered:
        found = find_stack(self.records, name)
        if isinstance(found, Answered):
            return found
        repository, stack = found
        before = self.records.read(repository, stack)
        if before is None:
            return missing("There is no such stack.", "GET /api/stacks lists them all.")
        after = self.records.amend(
            repository, stack, lambda record, at: operations.apply(record, order, at), at=before.at
        )
        after = self.audits(after)
        queue: Queue = "watch" if order.operation == "cancel" else "release"
        if order.operation != "freeze":
            self.messenger.stack(queue, repository, stack)
        self.log(
            events.OPERATION_ORDERED,
            repository=repository,
            stack=stack,
            operation=order.operation,
            by=order.by,
            why=order.body.why,
        )
        return Answered(202, self.show(after.document))


def operator_of(
    callers: Callers, log: Log, operation: str, body: bytes, credentials: Credentials
) -> str | Answered:
    """Return the name of the operator who sends an order, or the answer to anybody else."""
    caller = callers.identify(credentials.bearer, credentials.key)
    if caller is None or not caller.is_operator:
        who = caller.name if caller is not None else None
        log(events.OPERATION_REFUSED, operation=operation[:40], by=who)
    if caller is None:
        return refused(
            401,
            "NotSignedIn",
            "This needs an operator's token.",
            "Send Authorization: Bearer with a token for Plumbline's application.",
        )
    if not caller.is_operator:
        return refused(
            403,
            "NotAnOperator",
            f"{caller.name} has not the operator's role.",
            "Ask for the app role Plumbline.Operator.",
        )
    if len(body) > MAX_BODY_BYTES:
        return refused(
            413, "BodyTooLarge", "An order is at most 16 KiB.", "Say why in fewer words."
        )
    return caller.name


def refused(status: int, error: str, message: str, hint: str | None = None) -> Answered:
    """Return the answer to an order that is not carried out. Pure."""
    return Answered(status, Complaint(error=error, message=message, hint=hint))
