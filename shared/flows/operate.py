"""Carry out what an operator asks of a stack: audited first, then written, then sent.

Called by ``functions/operate.py``. It writes requesters' fields only, without the fence (rule 4).
"""

from dataclasses import dataclass
from typing import Final

from shared import events
from shared.core import operation as operations
from shared.core.message import Queue
from shared.core.operation import Audit, OperationRefusedError, Order
from shared.core.record import Record
from shared.core.view import Complaint, stack_view
from shared.flows.lookup import Answered, find_stack
from shared.flows.messenger import Messenger
from shared.ports import Callers, Clock, Ids, Log
from shared.state.archive import Archive
from shared.state.records import Records

MAX_BODY_BYTES: Final = 16 * 1024


@dataclass(frozen=True)
class Credentials:
    """What a request brings to say who sends it: a bearer token, or the laptop's operator key."""

    bearer: str | None
    key: str | None


@dataclass(frozen=True)
class Operate:
    """The flow. Raises Transient or Stalled when storage does not answer."""

    records: Records
    archive: Archive
    callers: Callers
    messenger: Messenger
    clock: Clock
    ids: Ids
    log: Log

    def __call__(
        self, name: str, operation: str, body: bytes, credentials: Credentials
    ) -> Answered:
        """Answer 202 with the stack once the order is durable; else say why it is refused."""
        caller = self.callers.identify(credentials.bearer, credentials.key)
        if caller is None or not caller.is_operator:
            who = caller.name if caller is not None else None
            self.log(events.OPERATION_REFUSED, operation=operation[:40], by=who)
        if caller is None:
            return _refused(401, "NotSignedIn", "This needs an operator's token.")
        if not caller.is_operator:
            return _refused(403, "NotAnOperator", f"{caller.name} has not the operator's role.")
        if len(body) > MAX_BODY_BYTES:
            return _refused(413, "BodyTooLarge", "An order is at most 16 KiB.")
        try:
            order = Order(
                operation=operation,
                by=caller.name,
                body=operations.read_body(operation, body),
            )
            return self._carry_out(name, order)
        except OperationRefusedError as e:
            return _refused(e.status, e.reason, e.message, e.hint)

    def _carry_out(self, name: str, order: Order) -> Answered:
        found = find_stack(self.records, name)
        if isinstance(found, Answered):
            return found
        repository, stack = found
        before = self.records.read(repository, stack)
        if before is None:
            return _refused(404, "NotFound", "There is no such stack.")
        # Refused orders leave no trace in the audit; what is kept was allowed when it was asked for.
        operations.apply(before.document, order, before.at)
        self._audit(before.document, order)
        after = self.records.amend(
            repository,
            stack,
            lambda record, at: operations.apply(record, order, at),
            at=before.at,
        )
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
        document = after.document
        return Answered(202, stack_view(document, {}, document.frozen(after.at)))

    def _audit(self, record: Record, order: Order) -> None:
        under_way = record.attempted
        self.archive.put_audit(
            Audit(
                id=self.ids.new(),
                at=self.clock.now(),
                by=order.by,
                operation=order.operation,
                repository=record.repository,
                stack=record.stack,
                why=order.body.why,
                until=order.body.until,
                generation=record.generation,
                phase=str(record.standing),
                release=under_way.release if under_way else None,
            )
        )


def _refused(status: int, error: str, message: str, hint: str | None = None) -> Answered:
    return Answered(status, Complaint(error=error, message=message, hint=hint))
