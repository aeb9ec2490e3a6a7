"""Answer what people and programs ask: stacks, releases, revisions, health.

Called by ``functions/status.py``. Read-only, and read from the durable documents: nothing is
claimed here that a crash could take back (invariant I27).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import msgspec

from shared.core import names
from shared.core import revision as revision_core
from shared.core.budget import Kind as BudgetKind
from shared.core.drift.model import Drift
from shared.core.drift.view import (
    DriftView,
    StackDriftView,
    coverages_view,
    of_facts,
    stack_drift_view,
)
from shared.core.errors import Stalled
from shared.core.plan import Details
from shared.core.plan_view import PlanView, plan_view
from shared.core.problem import Problem
from shared.core.record import Record
from shared.core.revision import Revision
from shared.core.tip import Tip
from shared.core.version import VERSION
from shared.core.view import (
    Complaint,
    HealthView,
    PoisonView,
    ReleaseView,
    RepositoryView,
    StackView,
    release_view,
    repository_view,
    stack_view,
    unreadable_view,
)
from shared.flows.answers import Answers
from shared.flows.lookup import Answered, find_stack, missing
from shared.ports import Clock, Parallel
from shared.state.archive import Archive
from shared.state.configurations import Configurations
from shared.state.deliveries import Deliveries
from shared.state.drifts import Drifts
from shared.state.records import Records
from shared.state.revisions import Revisions
from shared.state.tips import Tips

_EPOCH: Final = datetime.fromtimestamp(0, UTC)

NOT_BUILT: Final = {
    "incidents": "incidents come with alert-triggered rollback",
    "metrics": "metrics come with operations",
}

KNOWN: Final = (
    "Ask for stacks, stacks/{name}, stacks/{name}/releases, stacks/{name}/drift, "
    "stacks/{name}/plan, coverage, revisions/{sha}, health."
)


@dataclass(frozen=True)
class Status:
    """The flow. Raises Transient or Stalled when storage does not answer.

    ``budget`` tells how many calls ARM still takes, by subscription and kind; ``poisoned`` what was
    tried too often and nobody has dealt with.
    """

    configurations: Configurations
    records: Records
    revisions: Revisions
    tips: Tips
    archive: Archive
    answers: Answers
    drifts: Drifts
    deliveries: Deliveries
    parallel: Parallel
    clock: Clock
    budget: Callable[[], Mapping[str, Mapping[BudgetKind, int]]]
    poisoned: Callable[[], PoisonView]

    def __call__(self, path: str) -> Answered:
        """Answer ``path`` below ``/api``."""
        match [part for part in path.split("/") if part]:
            case ["stacks"]:
                return Answered(200, self.stacks())
            case ["stacks", name, *part]:
                return self._stack(name, "/".join(part))
            case ["coverage"]:
                return Answered(200, coverages_view(self.drifts.coverage()))
            case ["revisions", sha]:
                return self.revision(sha)
            case ["health"]:
                return self.health()
            case [("incidents" | "metrics") as unbuilt, *_]:
                return missing(NOT_BUILT[unbuilt])
            case _:
                return missing("There is nothing at this path.", KNOWN)

    def _stack(self, name: str, part: str) -> Answered:
        """Answer what is asked of one stack."""
        match part:
            case "":
                return self._of_stack(name, self.shown)
            case "releases":
                return self._of_stack(name, self.releases)
            case "drift":
                return self._of_stack(name, self.drift)
            case "plan":
                return self._plan(name)
            case _:
                return missing("There is nothing at this path.", KNOWN)

    def stacks(self) -> list[StackView]:
        """Return every stack, by repository and name."""
        found, drifts = self._found(names.RECORDS), self.drifts.listed()
        known: dict[str, dict[str, Record]] = {}
        for record in found:
            if isinstance(record, Record):
                known.setdefault(record.repository, {})[record.stack] = record
        return [
            self._view(
                record,
                known[record.repository],
                of_facts(drifts.get((record.repository, record.stack), {})),
            )
            if isinstance(record, Record)
            else record
            for record in found
        ]

    def _view(self, record: Record, others: Mapping[str, Record], drift: DriftView) -> StackView:
        at = self.clock.now()
        freeze = record.frozen(at)
        if freeze is None:
            with suppress(Stalled):  # a wrong configuration is shown on health, and stops no look
                configuration = self.configurations.current()
                freeze = configuration.freeze(record.repository, record.stack, at)
        return stack_view(record, others, freeze, drift)

    def shown(self, record: Record) -> StackView:
        """Return what is shown of a stack, with what it waits for."""
        waits = bool(record.waits_for)
        others = self._records(names.records_of(record.repository)) if waits else ()
        drift = of_facts(self.drifts.facts(record.repository, record.stack))
        return self._view(record, {other.stack: other for other in others}, drift)

    def drift(self, record: Record) -> StackDriftView:
        """Return what inspections know of a stack; nothing yet is an answer, too."""
        held = self.drifts.read(record.repository, record.stack)
        known = held.document if held is not None else None
        scope = (record.scope or "").lower()
        covered = {one.scope: one for one in self.drifts.coverage().scopes}
        return stack_drift_view(
            known or Drift(repository=record.repository, stack=record.stack),
            covered.get(scope),
            self.clock.now(),
        )

    def _records(self, prefix: str) -> Sequence[Record]:
        """Return the records below a prefix that can be read."""
        return [record for record in self._found(prefix) if isinstance(record, Record)]

    def _found(self, prefix: str) -> Sequence[Record | StackView]:
        identities = [
            identity
            for found in self.records.listed(prefix)
            if (identity := names.identity_of_record(found.name)) is not None
        ]
        held = self.parallel.map(self._read, identities)
        return [record for record in held if record is not None]

    def _read(self, identity: tuple[str, str]) -> Record | StackView | None:
        """Return a record, or what is shown in the place of one that cannot be read."""
        try:
            held = self.records.read(*identity)
        except Stalled as e:
            return unreadable_view(*identity, _unreadable(e))
        return None if held is None else held.document

    def _of_stack(self, name: str, view: Callable[[Record], Any]) -> Answered:
        found = find_stack(self.records, name)
        if isinstance(found, Answered):
            return found
        record = self._read(found)
        if record is None:
            return missing("There is no such stack.", "GET /api/stacks lists them all.")
        if isinstance(record, StackView):
            return Answered(200, record) if view == self.shown else _not_now(record)
        return Answered(200, view(record))

    def releases(self, record: Record) -> list[ReleaseView]:
        """Return the releases of a stack that have ended, newest first."""
        ids = sorted(self._release_ids(record), key=lambda at: _order(at[1]), reverse=True)
        found = self.parallel.map(
            lambda at: self.archive.release(record.repository, at[0], at[1]), ids
        )
        return [release_view(release) for release in found if release is not None]

    def _plan(self, name: str) -> Answered:
        """Answer with the plan that was made last for a stack and is not carried out yet."""
        shown = self._of_stack(name, self.plan)
        if shown.status == HTTPStatus.OK and shown.body is None:
            return missing(
                "No plan of the stack needs approval.",
                "One is made when a first release meets what exists, or deletes beyond its budget.",
            )
        return shown

    def plan(self, record: Record) -> PlanView | None:
        """Return what is shown of the record's plan, None when it has none."""
        if record.plan is None:
            return None
        details = msgspec.convert(self.archive.content(record.plan.digest), Details)
        return plan_view(record, record.plan, details)

    def _release_ids(self, record: Record) -> Iterable[tuple[str, str]]:
        """Yield the name under which each release is kept, and its id."""
        for release_id in self.archive.release_ids(record.repository, record.stack):
            yield record.stack, release_id
        for former in record.formerly:
            for release_id in self.archive.release_ids(record.repository, former.stack):
                if _order(release_id)[0] <= former.until:
                    yield former.stack, release_id

    def revision(self, sha: str) -> Answered:
        """Return the status of a revision, over all repositories that have seen it."""
        if not names.is_sha(sha):
            return missing("A full commit id is expected.")
        answers: dict[str, revision_core.Answer] = {}
        for key in self.configurations.current().repositories:
            found = self.revisions.read(key, sha) or self._unwritten(key, sha)
            if found is not None:
                answers[key] = self.answers.look(key).answer(found)
        if not answers:
            return missing("No push or sweep has brought this revision.")
        return Answered(200, revision_core.together(answers))

    def _unwritten(self, key: str, sha: str) -> Revision | None:
        """Return a revision that was announced or is the tip, but has no document yet."""
        if any(marker.after == sha for marker in self.deliveries.pending(key)):
            return Revision(repository=key, revision=sha)
        tip = self._tip(key)
        if isinstance(tip, Tip) and tip.revision == sha:
            return _of_tip(tip, sha)
        return None

    def health(self) -> Answered:
        """Return whether all that is needed can be read, and what a person has to deal with."""
        try:
            configuration = self.configurations.current()
        except Stalled as e:
            problem = Problem(code=e.reason, message=e.message, hint=e.hint)
            return Answered(
                503,
                HealthView(
                    status="problem",
                    version=VERSION,
                    installation=None,
                    repositories=(),
                    problem=problem,
                ),
            )
        views = [self._repository(key) for key in configuration.repositories]
        poison = self.poisoned()
        wrong = any(view.problems for view in views) or not poison.is_clear
        health = HealthView(
            status="problem" if wrong else "ok",
            version=VERSION,
            installation=configuration.installation,
            repositories=tuple(views),
            arm=self.budget(),
            poison=poison,
        )
        return Answered(200, health)

    def _repository(self, key: str) -> RepositoryView:
        """Return what is shown of a repository, whether its tip can be read or not."""
        tip = self._tip(key)
        if isinstance(tip, Problem):
            tip = Tip(repository=key, trouble=tip)
        return repository_view(key, tip)

    def _tip(self, key: str) -> Tip | Problem | None:
        """Return a tip, or why it cannot be read."""
        try:
            held = self.tips.read(key)
        except Stalled as e:
            return _unreadable(e)
        return None if held is None else held.document


def _unreadable(error: Stalled) -> Problem:
    """Return the problem of a document that cannot be read; raises what is more than that."""
    if error.reason != "DocumentUnreadable":
        raise error
    return Problem(code=error.reason, message=error.message, hint=error.hint)


def _not_now(shown: StackView) -> Answered:
    """Return the answer to a question that only the record could answer."""
    problem = shown.problem
    complaint = Complaint(
        error=problem.code if problem else "DocumentUnreadable",
        message=problem.message if problem else "The stack's record cannot be read.",
        hint=problem.hint if problem else None,
    )
    return Answered(503, complaint)


def _of_tip(tip: Tip, sha: str) -> Revision:
    """Return a revision whose document was lost between two writes, as far as the tip knows it."""
    visit = tip.visit
    if visit is None or visit.revision != sha or visit.changed:
        return Revision(repository=tip.repository, revision=sha)
    seen = revision_core.Visit(
        seq=visit.seq,
        at=tip.checked_at or _EPOCH,
        broken=visit.broken,
        unreadable=visit.unreadable,
    )
    return Revision(repository=tip.repository, revision=sha, visits=(seen,))


def _order(release_id: str) -> tuple[int, int]:
    generation, _, attempt = release_id.partition(".")
    return (int(generation), int(attempt)) if attempt.isdigit() and generation.isdigit() else (0, 0)
