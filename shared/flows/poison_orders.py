"""Carry out what was ordered of a kept message: kept for good, sent back or let be, then closed."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from shared import events
from shared.core import poison as changes
from shared.core.audit import Audit
from shared.core.errors import Stalled
from shared.core.message import Message, StackMessage, decode
from shared.core.poison import PoisonMarker
from shared.core.problem import Problem
from shared.core.record import Record
from shared.core.tip import Tip
from shared.ports import Log, Queues
from shared.state.archive import Archive
from shared.state.poisons import Poisons
from shared.state.records import Records
from shared.state.tips import Tips


@dataclass(frozen=True)
class PoisonOrders:
    """The step. Whoever ordered and died is followed by the timer, which does the same again."""

    queues: Queues
    records: Records
    tips: Tips
    archive: Archive
    poisons: Poisons
    log: Log

    def __call__(self, marker: PoisonMarker, order: Audit) -> None:
        """Carry out ``order``. Raises Stalled when the message that is to be sent is gone."""
        self.archive.put_audit(order)
        if order.operation == "replay":
            self._send_back(marker)
        self.poisons.close(marker.id)
        self.log(
            events.POISON_DEALT_WITH,
            queue=marker.queue,
            id=marker.id,
            subject=marker.subject,
            operation=order.operation,
            by=order.by,
        )

    def _send_back(self, marker: PoisonMarker) -> None:
        kept = self.archive.poison(marker.queue, marker.id)
        if kept is None:
            raise Stalled(
                "PoisonNotKept",
                f"The message {marker.id} is not in the history container.",
                hint="Restore it there, or delete its marker under pending/poison/.",
            )
        message = decode(marker.queue, kept.body)
        self._hurry(message)
        self.queues.send(marker.queue, changes.fresh(message, kept.body))

    def _hurry(self, message: Message) -> None:
        """Have the sweep look at once, whatever the queue: that look takes the problem away."""
        try:
            if isinstance(message, StackMessage):
                self.records.ask(message.repository, message.stack, _due_at_once)
            elif (held := self.tips.read(message.repository)) is not None:
                self.tips.amend(message.repository, _tip_due_at_once, at=held.at)
        except Stalled as e:
            # Its document cannot be read: the message goes back all the same, and says so there.
            self.log(events.STALLED, queue="poison", reason=e.reason, hint=e.hint)


def _is_poisoned(problem: Problem | None) -> bool:
    return problem is not None and problem.code == "MessagePoisoned"


def _due_at_once(record: Record, at: datetime) -> Record:
    if _is_poisoned(record.prune_problem):
        record = msgspec.structs.replace(record, prune_at=None)
    if not _is_poisoned(record.problem):
        return record
    return msgspec.structs.replace(record, due_at=at)


def _tip_due_at_once(tip: Tip, at: datetime) -> Tip:
    if not _is_poisoned(tip.trouble):
        return tip
    return msgspec.structs.replace(tip, due_at=at)
