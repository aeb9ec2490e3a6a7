"""Let a stack take over what another name had, once nothing of that runs any more (rule 15).

Used by ``release`` before it decides. ARM's deployments of two names know nothing of each other: so
the old one has ended, and its record says that it was given over, before the new name puts its own.
"""

from dataclasses import dataclass

from shared import events
from shared.core.problem import Problem
from shared.core.record import Record, moving, renaming
from shared.flows.gate import ArmReads
from shared.flows.turn import WAIT_S, Chain, Turn
from shared.ports import Log
from shared.state.records import Records


@dataclass(frozen=True)
class Renames:
    """The step. Nothing is read for a stack that was not renamed."""

    records: Records
    arm: ArmReads
    chain: Chain
    log: Log

    def __call__(self, turn: Turn) -> bool:
        """Take over what there is; False when the turn is over: it has to wait.

        Raises Stalled (``RenameTaken``), FencedError and Transient.
        """
        record = turn.record
        if not renaming.is_asked(record):
            return True
        if record.renamed_from is None and not self._is_free(turn):
            return True
        found = renaming.predecessor(record, lambda name: self._read(record.repository, name))
        if found is None:
            turn.decide(lambda r, _: renaming.kept(r))
            return turn.record.moved_to is None
        return self._take_over(turn, found)

    def _is_free(self, turn: Turn) -> bool:
        """Tell whether a stack that came back may take back what it gave over; settles it if not."""
        record = turn.record
        heir = renaming.heir(record, lambda name: self._read(record.repository, name))
        had = heir is not None and any(f.stack == record.stack for f in heir.formerly)
        if not had:
            turn.update(lambda r, _: renaming.kept(r))  # it was never taken over
            return False
        if heir is not None and not heir.orphaned:
            turn.update(renaming.begun_anew)
            return False
        return True

    def _take_over(self, turn: Turn, found: Record) -> bool:
        record, at = turn.record, turn.hold.held.at
        reason = renaming.unsettled(found, at) or self._running(found)
        if reason is None:
            given = self.records.amend(
                record.repository,
                found.stack,
                lambda newest, now: renaming.given_over(newest, record.stack, now),
                at=at,
            ).document
            if given.moved_to == record.stack:
                turn.decide(lambda r, now: renaming.carried(r, given, now))
                self.log(
                    events.STACK_RENAMED,
                    repository=record.repository,
                    stack=record.stack,
                    before=found.stack,
                )
                after = turn.record
                return after.moved_to is None and after.came_from == record.renamed_from
            reason = "it was changed just now"
        problem = Problem(
            code="RenameWaits",
            message=f"It takes over from {found.stack!r}, and must wait: {reason}.",
            hint="It goes on by itself.",
        )
        self.chain.again(turn, WAIT_S, problem)
        return False

    def _running(self, found: Record) -> str | None:
        """Return that a deployment runs where the old name was put, whoever started it."""
        where = moving.place(found)
        deployment = self.arm.deployment(where) if where is not None else None
        running = deployment is not None and deployment.state == "running"
        return "a deployment of its name runs" if running else None

    def _read(self, repository: str, stack: str) -> Record | None:
        held = self.records.read(repository, stack)
        return None if held is None else held.document
