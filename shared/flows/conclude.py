"""Record how a release ended: read ARM's operations, keep the release, change the record.

Shared by ``release`` (which may find an attempt that ended while nobody looked) and ``watch``.
The operations are read and kept before the record lets the next PUT overwrite them (rule 6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shared import events
from shared.core import record as changes
from shared.core.arm_answers import flatten, is_transient_failure, unregistered_namespace
from shared.core.arm_model import Deployment
from shared.core.errors import PlumblineError, Stalled
from shared.core.owners import sketch, sketch_around
from shared.core.problem import Problem
from shared.core.prune import leaving
from shared.core.prune.model import Left
from shared.core.prune.relations import relations
from shared.core.record import Attempt, Outcome, Record, pruning
from shared.core.release import (
    Owned,
    Release,
    describe,
    inventory,
    tells_all,
    unwritten,
    with_deployment,
)
from shared.core.scopes import fold
from shared.core.source.resources import api_versions
from shared.flows.bell import Bell
from shared.flows.gate import ArmReads, Gate
from shared.flows.messenger import Messenger
from shared.ports import Log, Parallel
from shared.state.archive import Archive
from shared.state.configurations import Configurations
from shared.state.records import Hold, Records


@dataclass(frozen=True)
class Conclude:
    """The step. Raises Transient and FencedError; doing it twice changes nothing.

    ``bell`` rings for (settle): a release that ended may be the last that a revision waited for.
    """

    configurations: Configurations
    records: Records
    archive: Archive
    arm: ArmReads
    gate: Gate
    messenger: Messenger
    parallel: Parallel
    bell: Bell
    log: Log

    def __call__(self, hold: Hold, attempt: Attempt, deployment: Deployment) -> Hold:
        """Record the end of ``attempt``, whose deployment is in a terminal state."""
        ended = self._ended(hold, attempt, deployment)
        self.bell.ring(hold.record.repository)
        return ended

    def _ended(self, hold: Hold, attempt: Attempt, deployment: Deployment) -> Hold:
        record = hold.record
        operations = self.arm.operations(deployment.id)
        owned = inventory(operations, self._api_versions(attempt))
        ended_at = deployment.timestamp or hold.held.at
        outcome: Outcome = "failed"
        problem: Problem | None = None
        if deployment.state == "succeeded":
            outcome = "succeeded"
        else:
            outcome = "canceled" if deployment.state == "canceled" else "failed"
            problem = _problem(record, attempt, deployment, ended_at)
        document = with_deployment(
            describe(record, attempt, outcome, at=ended_at, problem=problem),
            deployment,
            operations,
            owned,
        )
        self.archive.put_release(document)
        if problem is None:
            return self._succeeded(hold, document, whole=tells_all(operations))
        return self._failed(hold, document, problem, deployment)

    def _api_versions(self, attempt: Attempt) -> Mapping[str, str]:
        """Return the template's api-versions by type; a lost content keeps no release from ending."""
        try:
            return api_versions(self.archive.content(attempt.digest)["template"])
        except Stalled as e:
            self.log(events.STALLED, reason=e.reason, hint=e.hint)
            return {}

    def _succeeded(self, hold: Hold, document: Release, *, whole: bool) -> Hold:
        ids = [owned.id for owned in document.inventory]
        owns, around = sketch(ids), sketch_around(ids)
        left = self._left(hold.record, document, whole=whole)
        hold = self.records.update(
            hold,
            lambda r, at: msgspec.structs.replace(
                changes.correlated(
                    pruning.left_with(changes.succeeded(r, at, ()), left, around),
                    document.correlation_id,
                ),
                owns=owns,
            ),
        )
        record = hold.record
        self.log(
            events.RELEASE_SUCCEEDED,
            repository=record.repository,
            stack=record.stack,
            release=document.release,
            revision=document.revision,
            duration_s=document.duration_s,
            resources=len(document.inventory),
        )
        self.messenger.stack("snapshot", record.repository, record.stack)
        if record.owes_prune and not record.dependents:
            # Where others come first, or are not at rest, the sweep asks for it in time.
            self.messenger.stack("prune", record.repository, record.stack)
        if record.phase == "pending" or record.takes:
            # Newer things are desired, or a value that it takes may have changed meanwhile.
            self.messenger.stack("release", record.repository, record.stack)
        return self.tell_dependents(hold)

    def _left(self, record: Record, document: Release, *, whole: bool) -> tuple[Left, ...]:
        """Return what has left the stack with this release; a lost document keeps none from ending.

        Nothing more than before while nobody knows the ``whole`` of what the stack has.
        """
        if not whole:
            here = {fold(one.id) for one in document.inventory}
            return tuple(one for one in record.left if fold(one.id) not in here)
        before, release, owned = self._before(record), document.release, document.inventory
        left = leaving.after_release(record, release, owned, before, {})
        if not before or left == record.left:
            return left
        return leaving.after_release(record, release, owned, before, self._needs(record, before))

    def _before(self, record: Record) -> tuple[Owned, ...]:
        """Return what the last good release had; nothing where its document is lost."""
        applied = record.present
        if applied is None:
            return ()
        try:
            release = self.archive.release(record.repository, record.applied_home, applied.release)
        except Stalled as e:
            self.log(events.STALLED, reason=e.reason, hint=e.hint)
            return ()
        return () if release is None else release.inventory

    def _needs(self, record: Record, before: Sequence[Owned]) -> Mapping[str, tuple[str, ...]]:
        """Return what depended on what in the last good release, as its template tells."""
        digest = record.applied.digest if record.applied is not None else ""
        try:
            return relations(self.archive.content(digest), [one.id for one in before])
        except Stalled as e:
            self.log(events.STALLED, reason=e.reason, hint=e.hint)
            return {}

    def tell_dependents(self, hold: Hold) -> Hold:
        """Pay what is owed to the stacks that wait for this one: a look, once it is steady (rule 3).

        Each is due soon from now on, so that a worker that dies over its message costs no more than
        the next sweep: queues give a dead worker's messages back only after ten minutes.
        """
        record = hold.record
        if "dependents" not in record.owed or record.standing != "steady":
            return hold
        self.parallel.map(lambda name: self._call(record.repository, name), record.dependents)
        return self.records.update(
            hold, lambda r, at: changes.hurried(r, record.due_at, changes.told(r, at))
        )

    def _call(self, repository: str, dependent: str) -> None:
        try:
            self.records.ask(repository, dependent, changes.called)
        except Stalled as e:
            # A record that cannot be read is that stack's trouble, and shown there.
            self.log(events.STALLED, stack=dependent, reason=e.reason, hint=e.hint)
        self.messenger.stack("release", repository, dependent)

    def _failed(
        self, hold: Hold, document: Release, problem: Problem, deployment: Deployment
    ) -> Hold:
        transient = document.outcome != "canceled" and self._may_pass(hold.record, deployment)
        hold = self.records.update(
            hold,
            lambda r, at: changes.ended(
                changes.correlated(_reached(r, document), document.correlation_id),
                document.outcome,
                problem=problem,
                transient=transient,
                at=at,
            ),
        )
        record = hold.record
        self.log(
            events.RELEASE_FAILED,
            repository=record.repository,
            stack=record.stack,
            release=document.release,
            revision=document.revision,
            outcome=document.outcome,
            code=problem.code,
            message=problem.message,
        )
        if record.due_at is not None and record.due_at - hold.held.at < changes.VERIFY_AFTER:
            delay = max(0.0, (record.due_at - hold.held.at).total_seconds())
            self.messenger.stack("release", record.repository, record.stack, delay_s=delay)
        return hold

    def _may_pass(self, record: Record, deployment: Deployment) -> bool:
        """Tell whether a failed deployment may go well when it is put again by itself."""
        namespace = unregistered_namespace(deployment.error)
        if namespace is not None:
            return self._register(record, namespace)
        return is_transient_failure(deployment.error)

    def _register(self, record: Record, namespace: str) -> bool:
        """Ask for the registration that ARM missed; tell whether the attempt is worth repeating."""
        allowed = self.configurations.repository(record.repository).scopes
        try:
            state = self.gate.register_provider(record.scope or "", namespace, allowed)
        except PlumblineError as e:
            self.log(events.STALLED, reason=e.reason, hint=e.hint)
            return False
        self.log(events.PROVIDER_REGISTERED, namespace=namespace, state=state)
        return True


def _reached(record: Record, document: Release) -> Record:
    """Note that ARM took a release that ended badly, and what it wrote since the last good one.

    Nobody may have heard that ARM took it: its answer was lost, or who got it died. Pure.
    """
    known = {fold(one) for one in record.touched}
    added = tuple(one.id for one in document.inventory if fold(one.id) not in known)
    return msgspec.structs.replace(
        record,
        reached=document.release,
        touched=record.touched + added,
        unsure=unwritten(document, record.unsure + added),
    )


def _problem(
    record: Record, attempt: Attempt, deployment: Deployment, ended_at: datetime
) -> Problem:
    """Return why a release ended badly; what was canceled for its timeout says so. Pure."""
    if deployment.state == "canceled" and record.timed_out_s is not None:
        since = ended_at - (record.intended_at or attempt.at)
        ran_s = deployment.duration_s or since.total_seconds()
        return changes.canceled(record.timed_out_s, ran_s)
    if deployment.error:
        return flatten(deployment.error)
    if deployment.state == "canceled":
        return Problem(
            code="DeploymentCanceled",
            message="The deployment was canceled; what it had done by then stays.",
            hint="Push a change of the stack to start the next release.",
        )
    return Problem(
        code="DeploymentFailed",
        message="The deployment failed, and ARM does not say why.",
        hint="Look at the deployment's operations in Azure.",
    )
