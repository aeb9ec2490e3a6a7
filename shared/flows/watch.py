"""Watch a running release, one look per message, until ARM is done (rule 9).

Called by ``functions/watch.py``. It does not take the stack: the record's ETag is its fence.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import events
from shared.core import record as changes
from shared.core.backoff import delay_s, look_delay_s
from shared.core.decision import carries
from shared.core.errors import Stalled, Transient
from shared.core.looks import is_alone
from shared.core.message import StackMessage
from shared.core.problem import Problem, problem_of
from shared.core.record import Attempt, Record
from shared.flows.conclude import Conclude
from shared.flows.gate import Gate
from shared.flows.messenger import Messenger
from shared.flows.turn import CONFIGURATION_RETRY, CONFIGURATION_WRONG, WATCHED_S, Turn
from shared.ports import ArmLooks, Log
from shared.state.configurations import Configurations
from shared.state.records import Change, FencedError, Records

CANCEL_S: Final = 20.0
"""How long ARM may take to answer a cancel; so much of the hold must be left before it is asked."""


@dataclass(frozen=True)
class Watch:
    """The flow. Looks come after ``first_s``, then ``least_s`` growing to ``most_s`` seconds.

    A release that runs longer than ``timeout`` is shown as slow, and watched on; one that runs
    longer than its stack's own timeout is canceled.
    """

    configurations: Configurations
    records: Records
    looks: ArmLooks
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
        turn = Turn(self.records, hold)
        try:
            self._look(turn, message)
        except FencedError:
            # Whoever took the stack sees the same deployment and concludes it.
            self.log(events.FENCED, repository=message.repository, stack=message.stack)
        except Transient as e:
            # The copy of this message is the next look: until then the sweep keeps off.
            due = timedelta(seconds=delay_s(message.tries, e.retry_after_s) + WATCHED_S)
            self._leave(turn, lambda r, at: changes.later(r, at + due))
            raise
        except Stalled as e:
            problem = problem_of(e)
            if e.reason in CONFIGURATION_WRONG:
                # Nothing is wrong with the release: the sweep looks again, and it is shown on health.
                self._leave(turn, lambda r, at: changes.later(r, at + CONFIGURATION_RETRY, problem))
            else:
                self._leave(turn, lambda r, at: changes.stalled(r, problem, at))
            raise

    def _leave(self, turn: Turn, change: Change) -> None:
        try:
            turn.update(change)
        except FencedError:
            record = turn.record
            self.log(events.FENCED, repository=record.repository, stack=record.stack)

    def _look(self, turn: Turn, message: StackMessage) -> None:
        record = turn.record
        under_way = record.in_flight
        if under_way is None or record.deployment_id is None:
            return
        deployment = self.looks.look(record.deployment_id, under_way, alone=is_alone(message.looks))
        if deployment is None or not carries(deployment, under_way):
            self.messenger.stack("release", message.repository, message.stack)
        elif deployment.state == "running":
            trouble = self._end(turn, under_way, record.deployment_id)
            self._look_again(turn, message, trouble)
        else:
            self.conclude(turn.hold, under_way, deployment)

    def _end(self, turn: Turn, under_way: Attempt, deployment_id: str) -> Problem | None:
        """Have ARM cancel a release that somebody wants ended, or that ran for too long.

        Returns why ARM does not, if it refuses: the release is watched all the same. A cancel names
        the deployment only, which the next release shares: the stack is kept meanwhile. Until ARM has
        ended it, it is watched, and ARM is asked again. A repository that is followed no more allows
        nothing to be written: its release runs to its end.
        """
        wanted = turn.record.is_canceled(under_way)
        ceiling_s = self._ceiling_s(turn.record.repository)
        if not wanted and not changes.is_overrun(turn.record, turn.hold.held.at, ceiling_s):
            return None
        configured = self.configurations.current().repositories.get(turn.record.repository)
        if configured is None or not (wanted or self._is_timed_out(turn, under_way, ceiling_s)):
            return None
        turn.update(changes.kept_busy)
        if self.records.left_s(turn.hold) <= CANCEL_S:
            return None
        try:
            self.gate.cancel(deployment_id, configured.scopes)
        except Stalled as e:
            self.log(events.STALLED, stack=turn.record.stack, reason=e.reason, hint=e.hint)
            return problem_of(e)
        cancel = turn.record.cancel
        self.log(
            events.RELEASE_CANCELED,
            repository=turn.record.repository,
            stack=turn.record.stack,
            release=under_way.release,
            by=cancel.by if wanted and cancel is not None else "timeout",
        )
        return None

    def _ceiling_s(self, repository: str) -> int | None:
        """Return how long the operator lets a release run; a wrong configuration says nothing of it.

        Releases are watched without one, and nothing is canceled then.
        """
        try:
            configured = self.configurations.current().repositories.get(repository)
        except Stalled as e:
            if e.reason not in CONFIGURATION_WRONG:
                raise
            return None
        minutes = configured.ceilings.timeout_minutes if configured is not None else None
        return None if minutes is None else minutes * 60

    def _is_timed_out(self, turn: Turn, under_way: Attempt, ceiling_s: int | None) -> bool:
        """Write down that the release is to be canceled, unless it was given more time meanwhile."""
        if turn.record.timed_out_s is not None:
            return True
        turn.update(lambda r, at: changes.timed_out(r, at, timedelta(seconds=WATCHED_S), ceiling_s))
        written = turn.record
        if written.timed_out_s is not None:
            self.log(
                events.RELEASE_TIMED_OUT,
                repository=written.repository,
                stack=written.stack,
                release=under_way.release,
                timeout_s=written.timed_out_s,
            )
        return written.timed_out_s is not None

    def _look_again(self, turn: Turn, message: StackMessage, trouble: Problem | None) -> None:
        record, now = turn.record, turn.hold.held.at
        wait = look_delay_s(
            message.looks + 1, first_s=self.first_s, least_s=self.least_s, most_s=self.most_s
        )
        problem = trouble or self._problem(record, now)
        untold = problem is not None and record.problem != problem
        if (
            untold
            or record.busy_until is not None
            or _is_due_within(record, now, wait + WATCHED_S / 2)
        ):
            due = timedelta(seconds=wait + WATCHED_S)
            turn.update(
                lambda r, at: changes.later(changes.accepted(r, at + due), at + due, problem)
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

    def _problem(self, record: Record, now: datetime) -> Problem | None:
        """Return what is to be shown of a release that still runs."""
        if record.timed_out_s is not None:
            return changes.overrun(record.timed_out_s)
        return changes.SLOW if changes.is_slow(record, now, self.timeout) else None


def _is_due_within(record: Record, now: datetime, seconds: float) -> bool:
    """Tell whether the sweep would step in before the next look. Pure."""
    return record.due_at is None or record.due_at - now < timedelta(seconds=seconds)
