"""One worker's turn at a stack, and the one chain of messages that looks after it (adr/0006)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.core import record as changes
from shared.core.problem import Problem
from shared.core.record import Record
from shared.flows.messenger import Messenger
from shared.state.records import Change, Hold, Records

WAIT_S: Final = 15.0
"""How soon a stack is looked at again while another release of it runs in ARM."""

WATCHED_S: Final = 60.0
"""When the sweep looks after a release whose ``watch`` messages were lost."""

CONFIGURATION_WRONG: Final = frozenset({"ConfigurationInvalid", "ConfigurationMissing"})
CONFIGURATION_RETRY: Final = timedelta(seconds=60)
"""How soon a stack is looked at again while the operator's configuration keeps it back."""


@dataclass
class Turn:
    """One worker's turn at a stack; ``hold`` is the newest that it wrote or read."""

    records: Records
    hold: Hold

    @property
    def record(self) -> Record:
        """The record as this worker last saw it."""
        return self.hold.record

    def update(self, change: Change) -> None:
        """Change the record; raises FencedError and Transient as Records.update."""
        self.hold = self.records.update(self.hold, change)

    def decide(self, change: Change) -> None:
        """Change the record as was decided for this generation; a newer one is due at once.

        Who asked meanwhile for a look at the stack gets it, whatever this look saw.
        """
        decided_for, due_at = self.record.generation, self.record.due_at

        def unless_overtaken(record: Record, at: datetime) -> Record:
            if record.generation != decided_for:
                return changes.overtaken(record, at)
            return changes.hurried(record, due_at, change(record, at))

        self.update(unless_overtaken)

    @property
    def is_looked_after(self) -> bool:
        """Whether a message of this stack's own is on its way; HTTP dates are cut to the second."""
        until = self.record.looked_after_until
        return until is not None and until > self.hold.held.at + timedelta(seconds=2)


@dataclass(frozen=True)
class Chain:
    """Sends a stack's own next message. ``first_look_s`` is when a new release is looked at first."""

    messenger: Messenger
    first_look_s: float

    def watch(self, turn: Turn) -> None:
        """Watch a release that runs; one that is known to run has its ``watch`` message already."""
        if turn.record.reached_it and turn.is_looked_after:
            return
        watched = timedelta(seconds=WATCHED_S)
        turn.update(lambda r, at: changes.accepted(r, at + watched))
        record = turn.record
        self.messenger.stack("watch", record.repository, record.stack, delay_s=self.first_look_s)

    def again(self, turn: Turn, wait_s: float, problem: Problem | None = None) -> None:
        """Let the stack go and look at it again soon; the sweep does, should the message be lost.

        One message is enough: whoever comes before it is due sends no other.
        """
        if turn.is_looked_after:
            turn.update(lambda r, at: changes.later(r, at + timedelta(seconds=wait_s), problem))
            return
        wait, due = timedelta(seconds=wait_s), timedelta(seconds=wait_s + 10)
        turn.update(
            lambda r, at: changes.looked_after(changes.later(r, at + due, problem), at + wait)
        )
        record = turn.record
        self.messenger.stack("release", record.repository, record.stack, delay_s=wait_s)
