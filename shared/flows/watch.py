"""Watch a running release, one look per message, until ARM is done (rule 9).

Called by ``functions/watch.py``. It does not take the stack: the record's ETag is its fence.
"""

from dataclasses import dataclass
from datetime import timedelta

from shared import events
from shared.core import record as changes
from shared.core.backoff import delay_s, look_delay_s
from shared.core.decision import carries
from shared.core.errors import Stalled, Transient
from shared.core.message import StackMessage
from shared.core.problem import Problem
from shared.core.record import Attempt, Record
from shared.flows.conclude import Conclude
from shared.flows.gate import ArmReads, Gate
from shared.flows.messenger import Messenger
from shared.flows.turn import WATCHED_S
from shared.ports import Log
from shared.state.configurations import Configurations
from shared.state.records import Change, FencedError, Hold, Records


@dataclass(frozen=True)
class Watch:
    """The flow. Looks come after ``first_s``, then ``least_s`` growing to ``most_s`` seconds.

    A release that runs longer than ``timeout`` is shown as slow, and watched on.
    """

    configurations: Configurations
    records: Records
    arm: ArmReads
    gate: Gate
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
        if hold is None or hold.record.moved_to is not None:
            return
        try:
            self._look(hold, message)
        except FencedError:
            # Whoever took the stack sees the same deployment and concludes it.
            self.log(events.FENCED, repository=message.repository, stack=message.stack)
        except Transient as e:
            # The copy of this message is the next look: until then the sweep keeps off.
            due = timedelta(seconds=delay_s(message.tries, e.retry_after_s) + WATCHED_S)
            self._leave(hold, lambda r, at: changes.later(r, at + due))
            raise
        except Stalled as e:
            problem = Problem(code=e.reason, message=e.message, hint=e.hint)
            self._leave(hold, lambda r, at: changes.stalled(r, problem, at))
            raise

    def _leave(self, hold: Hold, change: Change) -> None:
        try:
            self.records.update(hold, change)
        except FencedError:
            self.log(events.FENCED, repository=hold.record.repository, stack=hold.record.stack)

    def _look(self, hold: Hold, message: StackMessage) -> None:
        record = hold.record
        under_way = record.in_flight
        if under_way is None or record.deployment_id is None:
            return
        deployment = self.arm.deployment(record.deployment_id)
        if deployment is None or not carries(deployment, under_way):
            self.messenger.stack("release", message.repository, message.stack)
        elif deployment.state == "running":
            self._cancel(record, under_way)
            self._look_again(hold, message)
        else:
            self.conclude(hold, under_way, deployment)

    def _cancel(self, record: Record, under_way: Attempt) -> None:
        """Hand on that somebody wants this release ended; until ARM ends it, it is watched."""
        if record.deployment_id is None or not record.is_canceled(under_way):
            return
        allowed = self.configurations.repository(record.repository).scopes
        self.gate.cancel(record.deployment_id, allowed)
        self.log(
            events.RELEASE_CANCELED,
            repository=record.repository,
            stack=record.stack,
            release=under_way.release,
            by=record.cancel.by if record.cancel else None,
        )

    def _look_again(self, hold: Hold, message: StackMessage) -> None:
        record = hold.record
        wait = look_delay_s(
            message.looks + 1, first_s=self.first_s, least_s=self.least_s, most_s=self.most_s
        )
        slow = changes.is_slow(record, hold.held.at, self.timeout)
        untold = slow and record.problem is None
        if untold or _is_due_within(record, hold, wait + WATCHED_S / 2):
            due = timedelta(seconds=wait + WATCHED_S)
            problem = changes.SLOW if slow else None
            self.records.update(
                hold,
                lambda r, at: changes.later(changes.accepted(r, at + due), at + due, problem),
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
