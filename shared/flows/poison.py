"""Own the poison queues: show what was tried too often, and let it be tried again in an hour.

Called by ``functions/poison.py``. Nothing is dropped: a message that belongs to a stack or
repository becomes its problem, anything else is kept in ``history`` (invariant I18).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared import events
from shared.core.errors import BadMessage, Stalled
from shared.core.message import QUEUES, Message, Queue, StackMessage, decode
from shared.core.problem import Problem
from shared.core.record import Record
from shared.core.tip import Tip
from shared.ports import Clock, Log, PoisonMessage, Queues
from shared.state.archive import Archive
from shared.state.records import Records
from shared.state.tips import Tips

AGAIN: Final = timedelta(hours=1)
MOST_BATCHES: Final = 10


@dataclass(frozen=True)
class Poison:
    """The flow."""

    queues: Queues
    records: Records
    tips: Tips
    archive: Archive
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

    def _own(self, queue: Queue, found: PoisonMessage) -> None:
        self.log(events.POISON_FOUND, queue=queue, id=found.id, dequeue_count=found.dequeue_count)
        try:
            message = decode(queue, found.body)
        except BadMessage:
            self.archive.put_poison(queue, found.id, found.body)
            return
        try:
            self._show(queue, message)
        except Stalled as e:
            # Its document cannot be read either: the message is kept, and the others go on.
            self.log(events.STALLED, queue=queue, reason=e.reason, hint=e.hint)
            self.archive.put_poison(queue, found.id, found.body)

    def _show(self, queue: Queue, message: Message) -> None:
        now = self.clock.now()
        problem = Problem(
            code="MessagePoisoned",
            message=f"A message of the queue {queue!r} failed again and again; see the log.",
            hint="It is tried again in an hour; a push of the repository tries it at once.",
        )
        if isinstance(message, StackMessage):
            if self.records.read(message.repository, message.stack) is None:
                return

            def show(record: Record, at: datetime) -> Record:
                return msgspec.structs.replace(record, problem=problem, due_at=at + AGAIN)

            self.records.amend(message.repository, message.stack, show, at=now)
            return

        if queue == "settle":
            return  # the markers of what is not told are there, and the sweep asks again

        def show_on_tip(tip: Tip, at: datetime) -> Tip:
            return msgspec.structs.replace(tip, trouble=problem, due_at=at + AGAIN)

        self.tips.amend(message.repository, show_on_tip, at=now)
