"""Release a stack: look, ask ARM, decide, and carry out the one step that was decided.

Called by ``functions/release.py``. The protocol is rules 4 to 10 of docs/architecture.md; the
decision itself is pure (``shared/core/decision.py``). A stack is taken by writing the intent: until
then the record's ETag is the fence, so that two workers who decide the same cannot both put.
"""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from shared import events
from shared.core import decision
from shared.core import record as changes
from shared.core.arm_errors import Unregistered
from shared.core.arm_model import Deployment
from shared.core.backoff import delay_s
from shared.core.configuration import Repository
from shared.core.errors import Stalled, Transient
from shared.core.message import StackMessage
from shared.core.problem import Problem, problem_of
from shared.core.record import Freeze, Record, moving
from shared.core.release import Release, describe
from shared.core.revision import Standing, standing_of
from shared.flows.adopt import Adopts
from shared.flows.audits import Audits
from shared.flows.bell import Bell
from shared.flows.conclude import Conclude
from shared.flows.dependencies import Dependencies
from shared.flows.gate import ArmReads
from shared.flows.messenger import Messenger
from shared.flows.moves import Moves
from shared.flows.put import Puts
from shared.flows.renames import Renames
from shared.flows.turn import CONFIGURATION_RETRY, CONFIGURATION_WRONG, WAIT_S, Chain, Turn
from shared.ports import Log
from shared.state.archive import Archive
from shared.state.configurations import Configurations
from shared.state.records import Change, FencedError, Records


@dataclass(frozen=True)
class Releases:
    """The flow."""

    configurations: Configurations
    records: Records
    archive: Archive
    arm: ArmReads
    adopts: Adopts
    puts: Puts
    moves: Moves
    renames: Renames
    chain: Chain
    conclude: Conclude
    dependencies: Dependencies
    messenger: Messenger
    audits: Audits
    bell: Bell
    log: Log

    def __call__(self, message: StackMessage) -> None:
        """Bring the stack one step nearer to what is desired.

        Raises Transient or Waiting for another try; a Stalled is shown on the stack.
        """
        hold = self.records.look(message.repository, message.stack)
        if hold is None:
            return
        turn = Turn(self.records, hold)
        if turn.record.unaudited:
            self.audits(hold.held)
            self(message)
            return
        if is_given_away(turn.record):
            self._leave(turn, moving.forgotten)
            return
        if turn.record.reached_it and turn.record.phase == "releasing" and turn.is_looked_after:
            return  # watch has it, and asks ARM soon enough
        before = _ended_so_far(turn.record)
        try:
            self._step(turn)
        except FencedError:
            # The PUT may have been sent under an old fence: whoever looks next compares ARM's tags.
            self.log(events.FENCED, repository=message.repository, stack=message.stack)
            self.messenger.stack("release", message.repository, message.stack)
        except Transient as e:
            wait, problem = delay_s(message.tries, e.retry_after_s) + 10, problem_of(e)
            due = timedelta(seconds=wait)
            self._leave(turn, lambda r, at: changes.later(r, at + due, problem))
            raise
        except Stalled as e:
            problem = problem_of(e)
            if e.reason in CONFIGURATION_WRONG:
                # Nothing is wrong with the stack: it goes on when the operator has mended the file.
                self._leave(turn, lambda r, at: changes.later(r, at + CONFIGURATION_RETRY, problem))
                return
            self._keep_refusal(turn, problem)
            self._leave(turn, lambda r, at: changes.stalled(r, problem, at))
            self.log(
                events.STALLED,
                repository=message.repository,
                stack=message.stack,
                reason=e.reason,
                hint=e.hint,
            )
        if _ended_so_far(turn.record) != before:
            self.bell.ring(message.repository)

    def _keep_refusal(self, turn: Turn, problem: Problem) -> None:
        """Keep the first refusal of a generation that a person must end, so that it stays failed."""
        under_way = turn.record.in_flight
        if under_way is not None and turn.record.attempt == 1 and not turn.record.reached_it:
            document = describe(
                turn.record, under_way, "refused", at=turn.hold.held.at, problem=problem
            )
            self.archive.put_release(document)

    def _leave(self, turn: Turn, change: Change) -> None:
        try:
            turn.update(change)
        except FencedError:
            record = turn.record
            self.log(events.FENCED, repository=record.repository, stack=record.stack)

    def _step(self, turn: Turn) -> None:
        record = turn.record
        configured = self.configurations.repository(record.repository)
        _check_finished(record)
        if record.scope is None:
            turn.update(changes.quiet)
            return
        installation = self.configurations.current().installation
        if not self.renames(turn):
            return
        self.moves.take_up(turn)
        step = self._look(turn, moving.place(turn.record), installation)
        if isinstance(step, decision.Put) and moving.is_elsewhere(turn.record):
            # Nothing of the stack runs where it is: it may leave, and is looked at where it goes.
            if not self.moves.leave(turn):
                return
            self.moves.take_up(turn)
            step = self._look(turn, moving.place(turn.record), installation)
        wanted = moving.home(turn.record)
        if isinstance(step, decision.Put) and not moving.is_same(wanted, moving.place(turn.record)):
            step = self._look(turn, wanted, installation)
        self._tell(turn.record, step)
        if isinstance(step, decision.Put) and wanted is not None:
            self._put(turn, step, wanted, configured, installation)
        else:
            self._settle(turn, step)

    def _put(
        self,
        turn: Turn,
        step: decision.Put,
        wanted: str,
        configured: Repository,
        installation: str,
    ) -> None:
        """Put a release, unless it has to be asked for first what it would do to what exists."""
        try:
            if not self.adopts(turn, step, wanted, configured, installation):
                return
        except Unregistered as e:
            self.puts.register(turn, e, configured)
            return
        self.puts(turn, step, wanted, configured, installation)

    def _look(self, turn: Turn, deployment_id: str | None, installation: str) -> decision.Step:
        """Ask ARM for one deployment of the stack, and decide what comes next."""
        deployment = self.arm.deployment(deployment_id) if deployment_id is not None else None
        _recollect(turn, deployment_id, deployment, installation)
        return decision.decide(
            turn.record,
            deployment,
            installation=installation,
            inputs=lambda: self.dependencies(turn.record),
            freeze=self._freeze(turn),
        )

    def _settle(self, turn: Turn, step: decision.Step) -> None:
        """Carry out a step that writes nothing to ARM."""
        match step:
            case decision.Conclude():
                self._conclude(turn, step.deployment)
            case decision.Adopt():
                self.chain.watch(turn)
            case decision.Wait():
                self.chain.again(turn, WAIT_S)
            case decision.Stall():
                turn.decide(lambda r, at: changes.stalled(r, step.problem, at))
            case decision.Block():
                turn.decide(changes.blocked)
            case decision.Hold():
                self._hold(turn, step.freeze)
            case decision.Withdraw():
                self._withdraw(turn)
            case decision.Rest():
                self._keep(turn, step)
                if step.applied:
                    turn.decide(lambda r, at: changes.settled(r, at, step.follows))
                else:
                    turn.decide(changes.quiet)
                turn.hold = self.conclude.tell_dependents(turn.hold)

    def _freeze(self, turn: Turn) -> Freeze | None:
        """Return the freeze in force, the stack's own or one of the operator's configuration."""
        record, at = turn.record, turn.hold.held.at
        own = record.frozen(at)
        return own or self.configurations.current().freeze(record.repository, record.stack, at)

    def _hold(self, turn: Turn, freeze: Freeze) -> None:
        """Leave the stack alone. Who lifts a freeze of the configuration tells nobody: look again."""
        own = turn.record.frozen(turn.hold.held.at) is not None
        soon = turn.hold.held.at + CONFIGURATION_RETRY
        until = freeze.until if own else min(freeze.until, soon)
        turn.decide(lambda r, at: changes.frozen(r, at, until))

    def _withdraw(self, turn: Turn) -> None:
        """End an attempt that was canceled, once its PUT cannot arrive any more (rule 7)."""
        record, under_way = turn.record, turn.record.in_flight
        if under_way is None or record.cancel is None:
            return
        intended = record.intended_at or under_way.at
        left = intended + changes.VERIFY_AFTER - turn.hold.held.at
        if left > timedelta(0):
            self.chain.again(turn, left.total_seconds())
            return
        problem = Problem(
            code="ReleaseCanceled",
            message=f"{record.cancel.by} canceled the release before it reached ARM: "
            f"{record.cancel.why}",
            hint="Ask for a release (retry), or push a change of the stack.",
        )
        self.archive.put_release(
            describe(record, under_way, "canceled", at=turn.hold.held.at, problem=problem)
        )
        turn.update(lambda r, at: changes.withdrawn(r, problem, at))

    def _keep(self, turn: Turn, step: decision.Rest) -> None:
        """Keep that a generation ended well without a release: Git came back to what is applied."""
        record, applied = turn.record, turn.record.applied
        if not step.applied or applied is None or applied.generation == record.generation:
            return
        revision = record.desired.revision if record.desired else applied.revision
        self.archive.put_release(
            Release(
                repository=record.repository,
                stack=record.stack,
                release=f"{record.generation}.0",
                revision=revision,
                digest=applied.digest,
                inputs=applied.inputs,
                outcome="kept",
                started_at=turn.hold.held.at,
                ended_at=turn.hold.held.at,
            )
        )

    def _conclude(self, turn: Turn, deployment: Deployment) -> None:
        under_way = turn.record.in_flight
        if under_way is not None:
            turn.hold = self.conclude(turn.hold, under_way, deployment)

    def _tell(self, record: Record, step: decision.Step) -> None:
        self.log(
            events.RELEASE_DECIDED,
            repository=record.repository,
            stack=record.stack,
            step=type(step).__name__.lower(),
            reason=getattr(step, "reason", None),
            generation=record.generation,
        )


def _ended_so_far(record: Record) -> Standing:
    """Return what may end a revision when it changes: that a release began does not. Pure."""
    return msgspec.structs.replace(standing_of(record), running=None)


def _check_finished(record: Record) -> None:
    """Raise Stalled when turn after turn has died over a release of this stack."""
    if record.unfinished >= changes.MAX_UNFINISHED:
        raise Stalled(
            "ReleaseUnfinished",
            f"{record.unfinished} turns in a row began a release of this stack and did not end.",
            hint="Look for invocation_failed in the log; it is tried again from time to time.",
        )


def _recollect(
    turn: Turn, deployment_id: str | None, deployment: Deployment | None, installation: str
) -> None:
    """Take up what ARM remembers of a stack whose record knows of no attempt: state was lost."""
    record = turn.record
    if record.attempted is not None or deployment is None or deployment_id is None:
        return
    if not decision.is_ours(installation, record, deployment.tags):
        return
    found = decision.remembered(deployment, turn.hold.held.at)
    if found is None or record.anew:
        count = decision.tagged_generation(deployment.tags)
        turn.update(lambda r, _: changes.catch_up(r, count))
        return
    good = deployment.state == "succeeded"
    turn.update(lambda r, _: changes.recollect(r, found, deployment_id, is_good=good))


def is_given_away(record: Record) -> bool:
    """Tell whether another stack has what this record tells of. Pure."""
    return record.moved_to is not None and record.orphaned
