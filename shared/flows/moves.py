"""Let a stack leave a scope, and take up what it left there when it comes back (rule 15).

Used by ``release`` between two decisions: when it is known that nothing of the stack runs where it
is, and that it would be put elsewhere. Each write can be repeated; what is about to happen is in
the stack's own record before it happens.
"""

from dataclasses import dataclass

from shared import events
from shared.core.record import Record, moving
from shared.flows.turn import Turn
from shared.ports import Log
from shared.state.records import Records


@dataclass(frozen=True)
class Moves:
    """The steps. They raise FencedError and Transient as Records.update."""

    records: Records
    log: Log

    def leave(self, turn: Turn) -> bool:
        """Give what was put elsewhere a record of its own; False when a newer push came first."""
        half, generation = moving.half_name(turn.record), turn.record.generation
        turn.decide(lambda r, at: moving.leaving(r, half, at))
        record = turn.record
        if record.generation != generation:
            return False
        self.records.amend(
            record.repository,
            half,
            lambda found, at: moving.left_behind(found, record, at),
            at=turn.hold.held.at,
        )
        turn.decide(moving.left)
        if turn.record.generation != generation:
            return False
        self.log(
            events.STACK_MOVED,
            repository=record.repository,
            stack=record.stack,
            left=half,
            scope=record.scope,
        )
        return True

    def take_up(self, turn: Turn) -> None:
        """Make a half that is where the stack shall be the stack's own again."""
        half = moving.half_here(turn.record)
        if half is None:
            return
        held = self.records.read(turn.record.repository, half)
        if held is not None:
            found: Record = held.document
            turn.update(lambda r, at: moving.rejoined(r, found, at))
            if moving.half_here(turn.record) != half:
                return  # a newer push wants the stack elsewhere
            record = turn.record
            self.records.amend(
                record.repository,
                half,
                lambda newest, _: moving.given_away(newest, record.stack),
                at=held.at,
            )
        turn.update(lambda r, _: moving.taken_up(r, half))
