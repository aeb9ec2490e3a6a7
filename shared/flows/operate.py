"""Carry out what an operator asks of a stack: written, kept for good, then sent.

Called by ``functions/operate.py``. It writes requesters' fields only, without the fence (rule 4).
"""

from collections.abc import Callable
from dataclasses import dataclass

from shared import events
from shared.core import operation as operations
from shared.core.message import Queue
from shared.core.operation import OperationRefusedError, Order
from shared.core.record import Record
from shared.core.view import StackView
from shared.flows.audits import Audits
from shared.flows.lookup import Answered, find_stack, missing
from shared.flows.messenger import Messenger
from shared.flows.sign_in import Credentials, SignIn, refused
from shared.ports import Ids, Log
from shared.state.records import Records


@dataclass(frozen=True)
class Operate:
    """The flow. Raises Transient or Stalled when storage does not answer.

    ``show`` makes what is answered of a stack.
    """

    records: Records
    audits: Audits
    sign_in: SignIn
    messenger: Messenger
    ids: Ids
    show: Callable[[Record], StackView]
    log: Log

    def __call__(
        self, name: str, operation: str, body: bytes, credentials: Credentials
    ) -> Answered:
        """Answer 202 with the stack once the order is durable; else say why it is refused."""
        try:
            caller = self.sign_in(operation, body, credentials)
            order = Order(
                operation=operation,
                by=caller.name,
                body=operations.read_body(operation, body),
                id=self.ids.new(),
            )
            return self._carry_out(name, order)
        except OperationRefusedError as e:
            return refused(e)

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
