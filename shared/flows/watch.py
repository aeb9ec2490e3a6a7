"""Watch a running release, one look per message, until ARM is done (rule 9).

Called by ``functions/watch.py``. It does not take the stack: the record's ETag is its fence.
"""

from dataclasses import dataclass
from datetime import timedelta

from shared import events
from shared.core import record as changes
from shared.core.backoff import look_delay_s
from shared.core.decision import carries
from shared.core.message import StackMessage
from shared.core.record import Record
from shared.flows.conclude import Conclude
from shared.flows.gate import ArmReads
from shared.flows.messenger import Messenger
from shared.flows.release import WATCHED_S
from shared.ports import Log
from shared.state.records import FencedError, Hold, Records


@dataclass(frozen=True)
class Watch:
    """The flow. Looks come after ``first_s``, then ``least_s`` growing to ``most_s`` seconds.

    A release that runs longer than ``timeout`` is shown as slow, and watched on.
    """

    records: Records
    arm: ArmReads
    conclude: Conclude
    messenger: Messenger
    log: Log
    first_s: float
    least_s: float
    most_s: float
    timeout: timedelta

    def __call__(self, message: StackMessage) -> None:
        """Look once. Raises Transient or Waiting for another try."""
        hold = self.records.look(message.repository, message.stack)
        if hold is None:
            return
        record = hold.record
        under_way = record.in_flight
        if under_way is None or record.deployment_id is None:
            return
        deployment = self.arm.deployment(record.deployment_id)
        if deployment is None or not carries(deployment, under_way):
            self.messenger.stack("release", message.repository, message.stack)
            return
        try:
            if deployment.state == "running":
                self._look_again(hold, message)
            else:
                self.conclude(hold, under_way, deployment)
        except FencedError:
            # Whoever took the stack sees the same deployment and concludes it.
            self.log(events.FENCED, repository=message.repository, stack=message.stack)

    def _look_again(self, hold: Hold, message: StackMessage) -> None:
        record = hold.record
        wait = look_delay_s(
            message.looks + 1, first_s=self.first_s, least_s=self.least_s, most_s=self.most_s
        )
        slow = changes.is_slow(record, hold.held.at, self.timeout)
        if slow or _is_due_within(record, hold, wait + WATCHED_S / 2):
            due = timedelta(seconds=wait + WATCHED_S)
            problem = changes.SLOW if slow else None
            self.records.update(
                hold, lambda r, at: changes.later(changes.accepted(r, at), at + due, problem)
            )
        self.messenger.stack(
            "watch", record.repository, record.stack, delay_s=wait, looks=message.looks + 1
        )
        self.log(
            events.RELEASE_WATCHED,
            repository=record.repository,
            stack=record.stack,
            release=record.attempted.release if record.attempted else None,
            looks=message.looks + 1,
        )


def _is_due_within(record: Record, hold: Hold, seconds: float) -> bool:
    """Tell whether the sweep would step in before the next look. Pure."""
    return record.due_at is None or record.due_at - hold.held.at < timedelta(seconds=seconds)
