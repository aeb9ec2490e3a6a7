"""Own the poison queues: keep and show what was tried too often, and let it be tried again.

Called by ``functions/poison.py``. Nothing is dropped: every message is kept in ``history`` and marked
as open until somebody replays or discards it; one that belongs to a stack or repository becomes its
problem, too (invariant I18).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared import events
from shared.core.errors import BadMessage, Stalled
from shared.core.message import QUEUES, Message, Queue, StackMessage, decode
from shared.core.poison import Poisoned
from shared.core.problem import Problem
from shared.core.record import Record, pruning
from shared.core.tip import Tip
from shared.flows.poison_orders import PoisonOrders
from shared.ports import Clock, Log, PoisonMessage, Queues
from shared.state.poisons import Poisons
from shared.state.records import Records
from shared.state.tips import Tips

AGAIN: Final = timedelta(hours=1)
MOST_BATCHES: Final = 10
PATIENCE: Final = timedelta(minutes=1)
"""An order that is older has lost its worker; so long, nobody else carries it out, and doubles it."""


@dataclass(frozen=True)
class Poison:
    """The flow."""

    queues: Queues
    records: Records
    tips: Tips
    poisons: Poisons
    orders: PoisonOrders
    clock: Clock
    log: Log

    def __call__(self) -> None:
        """Empty every poison queue, a batch at a time; what is left the next tick takes."""
        for queue in QUEUES:
            for _ in range(MOST_BATCHES):
                found = self.queues.poisoned(queue)
                for message in found:
                    self._own(queue, message)
                    self.queues.discard(message)
                if not found:
                    break
        for kept in self.poisons.open():
            if kept.is_ordered:
                self._finish(kept.id)

    def _finish(self, message_id: str) -> None:
        """Carry out an order whose worker died over it."""
        try:
            held = self.poisons.read(message_id)
            if held is None or held.document.order is None:
                return
            if held.at - held.document.order.at > PATIENCE:
                self.orders(held.document, held.document.order)
        except BadMessage as e:
            # Ordered by a worker of another version: whoever can read it finishes the order.
            self.log(events.STALLED, queue="poison", id=message_id, reason=e.reason, hint=e.hint)
        except Stalled as e:
            self.log(events.STALLED, queue="poison", id=message_id, reason=e.reason, hint=e.hint)

    def _own(self, queue: Queue, found: PoisonMessage) -> None:
        self.log(events.POISON_FOUND, queue=queue, id=found.id, dequeue_count=found.dequeue_count)
        poisoned = Poisoned(
            id=found.id,
            queue=queue,
            dequeue_count=found.dequeue_count,
            inserted_at=found.inserted_at,
            taken_at=self.clock.now(),
            body=found.body,
        )
        if not self.poisons.keep(poisoned):
            return
        try:
            self._show(queue, decode(queue, found.body), found.id)
        except BadMessage:
            return  # it belongs to nothing that could show it
        except Stalled as e:
            # Its document cannot be read either: the message is kept, and the others go on.
            self.log(events.STALLED, queue=queue, reason=e.reason, hint=e.hint)

    def _show(self, queue: Queue, message: Message, message_id: str) -> None:
        now = self.clock.now()
        problem = Problem(
            code="MessagePoisoned",
            message=f"A message of the queue {queue!r} failed again and again; see the log.",
            hint="It is tried again in an hour; a push of the repository, or "
            f"POST /api/poison/{message_id}/replay, tries it at once.",
        )
        if isinstance(message, StackMessage):
            if self.records.read(message.repository, message.stack) is None:
                return

            def show(record: Record, at: datetime) -> Record:
                if queue == "prune":
                    return pruning.put_off(record, at + AGAIN, problem)
                return msgspec.structs.replace(record, problem=problem, due_at=at + AGAIN)

            self.records.amend(message.repository, message.stack, show, at=now)
            return

        if queue == "settle":
            return  # the markers of what is not told are there, and the sweep asks again

        def show_on_tip(tip: Tip, at: datetime) -> Tip:
            return msgspec.structs.replace(tip, trouble=problem, due_at=at + AGAIN)

        if self.tips.read(message.repository) is not None:
            # A missing one is the next sync's to make: it knows where to count from (rule 2).
            self.tips.amend(message.repository, show_on_tip, at=now)
