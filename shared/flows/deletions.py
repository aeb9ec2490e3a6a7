"""Look at resources that are to go, and ask ARM to delete those whose turn it is.

Used by ``prune``. A deletion is asked for under the rules of a PUT: it is in the record first, and
enough is left of the hold (rule 4). What ARM refuses stops no other deletion.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shared import events
from shared.core.budget import Kind
from shared.core.errors import Stalled, Transient
from shared.core.prune import steps
from shared.core.prune.model import Deleted, Deletion
from shared.core.scopes import subscription_of
from shared.flows.gate import ArmReads, Gate
from shared.flows.put import PUT_S
from shared.flows.turn import Turn
from shared.ports import ArmBudget, Log, Parallel
from shared.state.archive import Archive
from shared.state.records import Records

Intend = Callable[[Sequence[Deletion]], bool]
"""Writes down all deletions as they shall be after this turn; False when they are not wanted now."""

Kept = Callable[[Sequence[str]], Collection[str]]
"""Asks once more, right before ARM is, and returns those of the ids that must not go now."""


@dataclass(frozen=True)
class Deletions:
    """The step. Raises Waiting before anything is written where the budget has no call left."""

    records: Records
    archive: Archive
    arm: ArmReads
    gate: Gate
    budget: ArmBudget
    parallel: Parallel
    log: Log

    def __call__(
        self,
        turn: Turn,
        items: Sequence[Deletion],
        allowed: Sequence[str],
        intend: Intend,
        kept: Kept,
    ) -> tuple[Deletion, ...] | None:
        """Take the deletions one step further; returns how they stand, None when it may not be now.

        ``allowed`` are the repository's scopes. Raises FencedError as Records.update.
        """
        at = turn.hold.held.at
        due = steps.ready(items, at)
        self._take(due, "reads")
        seen = self.parallel.map(lambda one: self._look(one, at), due)
        wanted = [one for one, is_there in seen if is_there and steps.is_to_be_asked(one, at)]
        self._take(wanted, "writes")
        asking = [steps.asked(one, at) for one in wanted]
        # What is gone is written down after history has it: a worker may die in between.
        if asking and not intend(steps.merged(items, asking)):
            return None
        not_now = kept([one.id for one in asking]) if asking else ()
        asked = [
            steps.unasked(one, at) if one.id in not_now else self._ask(turn, one, allowed)
            for one in asking
        ]
        items = steps.merged(items, [*(one for one, _ in seen), *asked])
        self._tell(turn, steps.merged(due, items), {one.id: one for one in due}, at)
        return items

    def _take(self, items: Sequence[Deletion], kind: Kind) -> None:
        for subscription, calls in Counter(subscription_of(one.id) for one in items).items():
            self.budget.take(subscription or "", kind, "scan", calls=calls)

    def _look(self, one: Deletion, at: datetime) -> tuple[Deletion, bool]:
        """Return the deletion with what ARM says of its resource, and whether that is there."""
        try:
            known, body = self._read(one)
        except (Stalled, Transient) as e:
            return steps.failed(one, e, at), False
        return (steps.gone(known), False) if body is None else (steps.found(known), True)

    def _read(self, one: Deletion) -> tuple[Deletion, Mapping[str, Any] | None]:
        """Read a resource, by the newest api-version where its own is not known any more."""
        if one.api_version is None:
            one = self._with_version(one)
        try:
            return one, self.arm.resource(one.id, one.api_version or "")
        except Stalled:
            newest = self._with_version(one)
            if newest == one:
                raise
            return newest, self.arm.resource(newest.id, newest.api_version or "")

    def _with_version(self, one: Deletion) -> Deletion:
        version = self.arm.api_version(subscription_of(one.id) or "", one.type)
        if version is None:
            raise Stalled(
                "ResourceTypeUnknown",
                f"ARM does not know the type {one.type!r}.",
                hint="Delete the resource by hand, if it is still there.",
            )
        return msgspec.structs.replace(one, api_version=version)

    def _ask(self, turn: Turn, one: Deletion, allowed: Sequence[str]) -> Deletion:
        at = turn.hold.held.at
        if self.records.left_s(turn.hold) <= PUT_S:
            return steps.unasked(one, at)
        try:
            self.gate.delete_resource(one.id, one.api_version or "", allowed)
        except (Stalled, Transient) as e:
            return steps.failed(one, e, at)
        record = turn.record
        self.log(
            events.DELETION_ASKED,
            repository=record.repository,
            stack=record.stack,
            resource=one.id,
            release=one.release,
        )
        return steps.accepted(one, at)

    def _tell(
        self, turn: Turn, now: Sequence[Deletion], before: dict[str, Deletion], at: datetime
    ) -> None:
        """Keep for good what is gone, before the record forgets it."""
        record = turn.record
        for one in now:
            fields = {"repository": record.repository, "stack": record.stack, "resource": one.id}
            if one.gone:
                self._keep(turn, one, at)
                asked = one.began_at is not None
                self.log(events.RESOURCE_DELETED, **fields, release=one.release, asked=asked)
            elif one.refused is not None and before[one.id].refused is None:
                code, message = one.refused.code, one.refused.message
                self.log(events.DELETION_REFUSED, **fields, code=code, message=message)

    def _keep(self, turn: Turn, one: Deletion, at: datetime) -> None:
        if one.began_at is None:
            return  # somebody else deleted it
        self.archive.put_deletion(
            Deleted(
                repository=turn.record.repository,
                stack=turn.record.stack,
                release=one.release,
                id=one.id,
                type=one.type,
                began_at=one.began_at,
                ended_at=at,
                whole=turn.record.orphaned,
                by=one.by,
                why=one.why,
            )
        )
