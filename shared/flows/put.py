"""Put a release: the intent first, then the group where it is missing, then ARM (rules 4 and 6)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared import events
from shared.core import ceilings, decision, scopes
from shared.core import record as changes
from shared.core.arm_errors import Active, Refused, Unknown, Unregistered
from shared.core.backoff import delay_s
from shared.core.configuration import Repository
from shared.core.errors import Transient
from shared.core.problem import Problem, problem_of
from shared.core.record import Attempt, Record
from shared.core.release import describe
from shared.core.request import deployment_request
from shared.core.scopes import subscription_of
from shared.flows.gate import ArmReads, Gate
from shared.flows.turn import WAIT_S, Chain, Turn
from shared.ports import ArmBudget, Log
from shared.state.archive import Archive
from shared.state.records import Records

PUT_S: Final = 20.0
"""The hard time-out of a PUT: one is sent only if more than this is left of the hold (rule 4)."""

SOON_S: Final = 5.0
"""How soon a stack is looked at again when ARM is busy with it or its answer was lost."""


@dataclass(frozen=True)
class Puts:
    """The step of ``release`` that writes to ARM."""

    records: Records
    archive: Archive
    arm: ArmReads
    gate: Gate
    budget: ArmBudget
    chain: Chain
    log: Log

    def __call__(
        self,
        turn: Turn,
        step: decision.Put,
        deployment_id: str,
        configured: Repository,
        installation: str,
    ) -> None:
        """Put a release. Raises Transient, Waiting, Stalled and FencedError; ARM's refusal is recorded."""
        record = turn.record
        if step.again is not None and self._was_refused(turn, step.again):
            return
        attempt = step.again or changes.next_attempt(
            record,
            inputs=step.inputs.digest,
            at=turn.hold.held.at,
            follows=step.inputs.follows,
        )
        subscription = subscription_of(deployment_id) or ""
        self.budget.take(subscription, "writes", "release", calls=_writes(record))
        source = self.archive.content(attempt.digest)
        tags = decision.tags(installation, record, attempt)
        request = deployment_request(source, step.inputs, deployment_id, tags)
        if not self._intends(turn, attempt, deployment_id):
            return
        # From here on the stack is ours, so that no other worker makes the group at the same time.
        self._ensure_group(turn, record, configured, installation)
        self._check_hold(turn)
        try:
            self.gate.put(request, configured.scopes)
        except Refused as e:
            if e.problem.code != "InvalidDeploymentLocation" or not self._moves(
                turn, deployment_id, configured, e.problem
            ):
                self._refused(turn, attempt, e.problem)
        except Active as e:
            self.chain.again(turn, WAIT_S, problem_of(e))
        except Unknown as e:
            turn.update(lambda r, _: changes.answer_lost(r))
            self.chain.again(turn, delay_s(turn.record.lost_answers, SOON_S), problem_of(e))
        except Unregistered as e:
            self.register(turn, e, configured)
        else:
            self.chain.watch(turn)
            self.log(
                events.RELEASE_PUT,
                repository=record.repository,
                stack=record.stack,
                release=attempt.release,
                revision=attempt.revision,
            )

    def _intends(self, turn: Turn, attempt: Attempt, deployment_id: str) -> bool:
        """Write the intent, unless a freeze, a cancel or a newer wish came before it (I26, part 9)."""
        written, decided_for = False, turn.record.generation

        def intended(record: Record, at: datetime) -> Record:
            nonlocal written
            freeze = record.frozen(at)
            written = freeze is None and not record.is_canceled(attempt)
            written = written and record.generation == decided_for
            if freeze is not None:
                return changes.frozen(record, at, freeze.until)
            if not written:
                return changes.overtaken(record, at)
            return changes.intend(record, attempt, deployment_id, at)

        turn.update(intended)
        return written

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

    def _ensure_group(
        self, turn: Turn, record: Record, configured: Repository, installation: str
    ) -> None:
        """Create the resource group where the manifest asks for it and it is missing (rule 13).

        Its tags name the repository and not the stack: stacks that share a group say the same.
        ``record`` is the one that the release was decided for: a newer push may want another scope.
        """
        if record.create_group is None or record.scope is None:
            return
        if self.arm.has_group(record.scope):
            return
        tags = {
            decision.TAG_INSTALLATION: installation,
            decision.TAG_REPOSITORY: record.repository,
        }
        ceilings.check_group(configured.ceilings)
        self._check_hold(turn)
        self.gate.create_group(record.scope, record.create_group, tags, configured.scopes)
        self.log(
            events.GROUP_CREATED,
            repository=record.repository,
            stack=record.stack,
            scope=record.scope,
        )

    def _moves(
        self, turn: Turn, deployment_id: str, configured: Repository, problem: Problem
    ) -> bool:
        """Let ARM forget where the deployment was kept, if its region was changed (rule 15).

        Only a subscription's deployment has a region; once it is forgotten, a second refusal is
        about something else.
        """
        scope = scopes.parse(deployment_id.rpartition("/providers/")[0])
        whole = scope is not None and scope.group is None
        if not whole or self.arm.deployment(deployment_id) is None:
            return False
        self.gate.forget(deployment_id, configured.scopes)
        self.chain.again(turn, SOON_S, problem)
        return True

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

    def register(self, turn: Turn, error: Unregistered, configured: Repository) -> None:
        """Ask for a resource provider's registration, and look at the stack again."""
        state = self.gate.register_provider(
            turn.record.scope or "", error.namespace, configured.scopes
        )
        self.log(events.PROVIDER_REGISTERED, namespace=error.namespace, state=state)
        self.chain.again(turn, SOON_S, problem_of(error))


def _writes(record: Record) -> int:
    """Return how many writes a release is: its resource group is one, too, as long as it may lack. Pure."""
    return 2 if record.create_group is not None and record.applied is None else 1
