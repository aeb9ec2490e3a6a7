"""Release a stack: look, ask ARM, decide, and carry out the one step that was decided.

Called by ``functions/release.py``. The protocol is rules 4 to 10 of docs/architecture.md; the
decision itself is pure (``shared/core/decision.py``). A stack is taken by writing the intent: until
then the record's ETag is the fence, so that two workers who decide the same cannot both put.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import events
from shared.core import decision, names
from shared.core import record as changes
from shared.core.arm_errors import Active, Refused, Unknown, Unregistered
from shared.core.arm_model import Deployment
from shared.core.backoff import delay_s
from shared.core.configuration import Repository
from shared.core.errors import PlumblineError, Stalled, Transient
from shared.core.message import StackMessage
from shared.core.problem import Problem
from shared.core.record import Attempt, Record
from shared.core.release import Release, describe
from shared.core.request import deployment_request
from shared.flows.conclude import Conclude
from shared.flows.dependencies import Dependencies
from shared.flows.gate import ArmReads, Gate
from shared.flows.messenger import Messenger
from shared.ports import Log
from shared.state.archive import Archive
from shared.state.configurations import Configurations
from shared.state.records import Change, FencedError, Hold, Records

PUT_S: Final = 20.0
"""The hard time-out of a PUT: one is sent only if more than this is left of the hold (rule 4)."""

WAIT_S: Final = 15.0
"""How soon a stack is looked at again while another release of it runs in ARM."""

SOON_S: Final = 5.0
"""How soon a stack is looked at again when ARM is busy with it or its answer was lost."""

WATCHED_S: Final = 60.0
"""When the sweep looks after a release whose ``watch`` messages were lost."""


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
        """Change the record as was decided for this generation; a newer one is due at once."""
        decided_for = self.record.generation

        def unless_overtaken(record: Record, at: datetime) -> Record:
            overtaken = record.generation != decided_for
            return changes.overtaken(record, at) if overtaken else change(record, at)

        self.update(unless_overtaken)


@dataclass(frozen=True)
class Releases:
    """The flow. ``first_look_s`` is when a started release is looked at for the first time."""

    configurations: Configurations
    records: Records
    archive: Archive
    arm: ArmReads
    gate: Gate
    conclude: Conclude
    dependencies: Dependencies
    messenger: Messenger
    log: Log
    first_look_s: float

    def __call__(self, message: StackMessage) -> None:
        """Bring the stack one step nearer to what is desired.

        Raises Transient or Waiting for another try; a Stalled is shown on the stack.
        """
        hold = self.records.look(message.repository, message.stack)
        if hold is None:
            return
        turn = Turn(self.records, hold)
        if turn.record.reached_it and turn.record.phase == "releasing" and _is_looked_after(turn):
            return  # watch has it, and asks ARM soon enough
        try:
            self._step(turn)
        except FencedError:
            # The PUT may have been sent under an old fence: whoever looks next compares ARM's tags.
            self.log(events.FENCED, repository=message.repository, stack=message.stack)
            self.messenger.stack("release", message.repository, message.stack)
        except Transient as e:
            wait, problem = delay_s(message.tries, e.retry_after_s) + 10, _shown(e)
            due = timedelta(seconds=wait)
            self._leave(turn, lambda r, at: changes.later(r, at + due, problem))
            raise
        except Stalled as e:
            problem = _shown(e)
            self._keep_refusal(turn, problem)
            self._leave(turn, lambda r, at: changes.stalled(r, problem, at))
            self.log(
                events.STALLED,
                repository=message.repository,
                stack=message.stack,
                reason=e.reason,
                hint=e.hint,
            )

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
        deployment_id = _deployment_id(record, record.scope)
        deployment = self.arm.deployment(deployment_id)
        installation = self.configurations.current().installation
        _catch_up(turn, deployment, installation)
        step = decision.decide(
            turn.record,
            deployment,
            installation=installation,
            inputs=lambda: self.dependencies(turn.record),
        )
        self._tell(turn.record, step)
        match step:
            case decision.Put():
                self._put(turn, step, deployment_id, configured, installation)
            case decision.Conclude():
                self._conclude(turn, step.deployment)
            case decision.Adopt():
                self._adopt(turn)
            case decision.Wait():
                self._again(turn, WAIT_S)
            case decision.Stall():
                turn.decide(lambda r, at: changes.stalled(r, step.problem, at))
            case decision.Block():
                turn.decide(changes.blocked)
            case decision.Rest():
                self._keep(turn, step)
                turn.decide(changes.settled if step.applied else changes.quiet)
                turn.hold = self.conclude.tell_dependents(turn.hold)

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

    def _adopt(self, turn: Turn) -> None:
        """Watch a release that runs; one that is known to run has its ``watch`` message already."""
        if turn.record.reached_it and _is_looked_after(turn):
            return
        watched = timedelta(seconds=WATCHED_S)
        turn.update(lambda r, at: changes.accepted(r, at + watched))
        record = turn.record
        self.messenger.stack("watch", record.repository, record.stack, delay_s=self.first_look_s)

    def _again(self, turn: Turn, wait_s: float, problem: Problem | None = None) -> None:
        """Let the stack go and look at it again soon; the sweep does, should the message be lost.

        One message is enough: whoever comes before it is due sends no other.
        """
        if _is_looked_after(turn):
            turn.update(lambda r, at: changes.later(r, at + timedelta(seconds=wait_s), problem))
            return
        wait, due = timedelta(seconds=wait_s), timedelta(seconds=wait_s + 10)
        turn.update(
            lambda r, at: changes.looked_after(changes.later(r, at + due, problem), at + wait)
        )
        record = turn.record
        self.messenger.stack("release", record.repository, record.stack, delay_s=wait_s)

    def _put(
        self,
        turn: Turn,
        step: decision.Put,
        deployment_id: str,
        configured: Repository,
        installation: str,
    ) -> None:
        record = turn.record
        if step.again is not None and self._was_refused(turn, step.again):
            return
        attempt = step.again or changes.next_attempt(
            record, inputs=step.inputs.digest, at=turn.hold.held.at
        )
        source = self.archive.content(attempt.digest)
        tags = decision.tags(installation, record, attempt)
        request = deployment_request(source, step.inputs, deployment_id, tags)
        turn.update(lambda r, at: changes.intend(r, attempt, deployment_id, at))
        # From here on the stack is ours, so that no other worker makes the group at the same time.
        self._ensure_group(turn, configured, installation)
        self._check_hold(turn)
        try:
            self.gate.put(request, configured.scopes)
        except Refused as e:
            self._refused(turn, attempt, e.problem)
        except Active as e:
            self._again(turn, WAIT_S, _shown(e))
        except Unknown as e:
            turn.update(lambda r, _: changes.answer_lost(r))
            self._again(turn, delay_s(turn.record.lost_answers, SOON_S), _shown(e))
        except Unregistered as e:
            self._register(turn, e, configured)
        else:
            self._adopt(turn)
            self.log(
                events.RELEASE_PUT,
                repository=record.repository,
                stack=record.stack,
                release=attempt.release,
                revision=attempt.revision,
            )

    def _was_refused(self, turn: Turn, again: Attempt) -> bool:
        """Record a refusal that was kept by a worker that died before it could record it."""
        record = turn.record
        kept = self.archive.release(record.repository, record.stack, again.release)
        if kept is None or kept.problem is None:
            return False
        problem = kept.problem
        turn.update(lambda r, at: changes.refused(r, problem, at))
        return True

    def _check_hold(self, turn: Turn) -> None:
        """Refuse to write to ARM when the hold could end before the write does (rule 4)."""
        if self.records.left_s(turn.hold) <= PUT_S:
            raise Transient("HoldTooShort", "Too little is left of the hold to send a PUT.")

    def _ensure_group(self, turn: Turn, configured: Repository, installation: str) -> None:
        """Create the resource group where the manifest asks for it and it is missing (rule 13).

        Its tags name the repository and not the stack: stacks that share a group say the same.
        """
        record = turn.record
        if record.create_group is None or record.scope is None:
            return
        if self.arm.has_group(record.scope):
            return
        tags = {
            decision.TAG_INSTALLATION: installation,
            decision.TAG_REPOSITORY: record.repository,
        }
        self._check_hold(turn)
        self.gate.create_group(record.scope, record.create_group, tags, configured.scopes)
        self.log(
            events.GROUP_CREATED,
            repository=record.repository,
            stack=record.stack,
            scope=record.scope,
        )

    def _refused(self, turn: Turn, attempt: Attempt, problem: Problem) -> None:
        record = turn.record
        self.archive.put_release(
            describe(record, attempt, "refused", at=turn.hold.held.at, problem=problem)
        )
        turn.update(lambda r, at: changes.refused(r, problem, at))
        self.log(
            events.RELEASE_REFUSED,
            repository=record.repository,
            stack=record.stack,
            release=attempt.release,
            revision=attempt.revision,
            code=problem.code,
            message=problem.message,
        )

    def _register(self, turn: Turn, error: Unregistered, configured: Repository) -> None:
        state = self.gate.register_provider(
            turn.record.scope or "", error.namespace, configured.scopes
        )
        self.log(events.PROVIDER_REGISTERED, namespace=error.namespace, state=state)
        self._again(turn, SOON_S, _shown(error))

    def _tell(self, record: Record, step: decision.Step) -> None:
        self.log(
            events.RELEASE_DECIDED,
            repository=record.repository,
            stack=record.stack,
            step=type(step).__name__.lower(),
            reason=getattr(step, "reason", None),
            generation=record.generation,
        )


def _check_finished(record: Record) -> None:
    """Raise Stalled when turn after turn has died over a release of this stack."""
    if record.unfinished >= changes.MAX_UNFINISHED:
        raise Stalled(
            "ReleaseUnfinished",
            f"{record.unfinished} turns in a row began a release of this stack and did not end.",
            hint="Look for invocation_failed in the log; it is tried again from time to time.",
        )


def _catch_up(turn: Turn, deployment: Deployment | None, installation: str) -> None:
    """Count on above what ARM remembers of a stack whose record knows of no attempt."""
    record = turn.record
    if record.attempted is not None or deployment is None:
        return
    remembered = decision.tagged_generation(deployment.tags)
    if decision.is_ours(installation, record, deployment.tags):
        turn.update(lambda r, _: changes.catch_up(r, remembered))


def _is_looked_after(turn: Turn) -> bool:
    """Tell whether a message of this stack's own is on its way; HTTP dates are cut to the second."""
    until = turn.record.looked_after_until
    return until is not None and until > turn.hold.held.at + timedelta(seconds=2)


def _deployment_id(record: Record, scope: str) -> str:
    """Return the id of the stack's deployment; raises Stalled when the scope was changed."""
    wanted = names.deployment_id(scope, record.repository, record.stack)
    held = record.deployment_id
    if record.reached is None or held is None or held.lower() == wanted.lower():
        return wanted
    raise Stalled(
        "ScopeChanged",
        f"The stack was deployed to {held.partition('/providers/')[0]} and now asks for {scope}.",
        hint="Give the stack another name to deploy it there too, or put the old scope back.",
    )


def _shown(error: PlumblineError) -> Problem:
    """Return an error as a problem on the stack. Pure."""
    detail = error.detail if isinstance(error, Stalled) else None
    return Problem(code=error.reason, message=error.message, hint=error.hint, detail=detail)
