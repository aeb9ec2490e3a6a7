"""Carry out what an operator asks of a message that was tried too often: replay it, or discard it.

Called by ``functions/replay.py``. The order is in the marker before anything is done; who comes
second finds it there, or finds no marker (docs/architecture.md, part 7).
"""

from dataclasses import dataclass

from shared import events
from shared.core import names
from shared.core import operation as operations
from shared.core import poison as changes
from shared.core.operation import OperationRefusedError, Order
from shared.core.view import PoisonOrderView
from shared.flows.lookup import Answered, missing
from shared.flows.poison_orders import PoisonOrders
from shared.flows.sign_in import Credentials, SignIn, refused
from shared.ports import Ids, Log
from shared.state.archive import Archive
from shared.state.poisons import Poisons


@dataclass(frozen=True)
class Replay:
    """The flow. Raises Transient or Stalled when storage does not answer."""

    sign_in: SignIn
    poisons: Poisons
    archive: Archive
    orders: PoisonOrders
    ids: Ids
    log: Log

    def __call__(
        self, message_id: str, operation: str, body: bytes, credentials: Credentials
    ) -> Answered:
        """Answer 202 once the message was dealt with; else say why the order is refused."""
        try:
            caller = self.sign_in(operation, body, credentials)
            order = Order(
                operation=operation,
                by=caller.name,
                body=operations.read_body(operation, body, changes.OPERATIONS),
                id=self.ids.new(),
            )
            return self._carry_out(message_id, order)
        except OperationRefusedError as e:
            return refused(e)

    def _carry_out(self, message_id: str, order: Order) -> Answered:
        held = self.poisons.read(message_id) if names.is_message_id(message_id) else None
        if held is None:
            return _unknown()
        queue = held.document.queue
        if not self.archive.has_poison(queue, message_id):
            raise changes.not_kept()
        # What is discarded need not be readable any more.
        kept = self.archive.poison(queue, message_id) if order.operation == "replay" else None
        marker = self.poisons.change(
            message_id, lambda marker, at: changes.ordered(marker, kept, order, at)
        )
        if marker is None or marker.order is None:
            return _unknown()  # somebody else has dealt with it meanwhile
        self.log(
            events.OPERATION_ORDERED,
            repository=marker.order.repository,
            stack=marker.order.stack,
            message=marker.order.message,
            operation=order.operation,
            by=order.by,
            why=order.body.why,
        )
        self.orders(marker, marker.order)
        view = PoisonOrderView(
            id=marker.id,
            queue=queue,
            subject=marker.subject,
            operation=order.operation,
            by=order.by,
            why=order.body.why,
        )
        return Answered(202, view)


def _unknown() -> Answered:
    return missing(
        "No message of this id waits for anybody; if it did, it was dealt with.",
        "GET /api/health lists those that wait.",
    )
