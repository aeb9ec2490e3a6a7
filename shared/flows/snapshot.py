"""Take the snapshot that a good release owes: what ARM says its resources look like.

Called by ``functions/snapshot.py``. Secrets never leave this flow: they are replaced by keyed
digests before anything is stored (docs/security.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shared import events
from shared.core import record as changes
from shared.core.errors import Stalled
from shared.core.message import StackMessage
from shared.core.record import Record
from shared.core.redaction import redact
from shared.core.release import Owned, Snapshot
from shared.core.scopes import subscription_of
from shared.flows.gate import ArmReads
from shared.ports import ArmBudget, Log, Parallel
from shared.state.archive import Archive
from shared.state.records import FencedError, Hold, Records


@dataclass(frozen=True)
class Captured:
    """What became of one resource: its content's digest, or why there is none; neither: gone."""

    id: str
    digest: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Snapshots:
    """The flow. ``digest`` turns a secret value into its keyed digest."""

    records: Records
    archive: Archive
    arm: ArmReads
    budget: ArmBudget
    parallel: Parallel
    digest: Callable[[str], str]
    log: Log

    def __call__(self, message: StackMessage) -> None:
        """Capture the applied release's resources, once. Raises Transient and Waiting for another try."""
        hold = self.records.look(message.repository, message.stack)
        if hold is None or "snapshot" not in hold.record.owed or hold.record.moved_to is not None:
            return
        self._take(hold)

    def _take(self, hold: Hold) -> None:
        record = hold.record
        if record.applied is None:
            return
        release = self.archive.release(
            record.repository, record.applied_home, record.applied.release
        )
        captured: Sequence[Captured] = ()
        if release is not None and _is_current(record, record.applied.release):
            for subscription in {subscription_of(owned.id) for owned in release.inventory}:
                # Once for all of its resources: the reserve that is left to releases is large.
                self.budget.take(subscription or "", "reads", "snapshot")
            captured = self.parallel.map(self._capture, release.inventory)
        self._finish(
            record,
            Snapshot(
                repository=record.repository,
                stack=record.applied_home,
                release=record.applied.release,
                taken_at=hold.held.at,
                resources={c.id: c.digest for c in captured if c.digest is not None},
                missing=tuple(c.id for c in captured if c.digest is None and c.reason is None),
                unread={c.id: c.reason for c in captured if c.reason is not None},
            ),
            has_release=release is not None,
        )

    def _capture(self, owned: Owned) -> Captured:
        """Keep one resource's redacted body; one that ARM does not show leaves a gap."""
        if owned.api_version is None:
            return Captured(owned.id, reason="its api-version is not known")
        try:
            body: Any = self.arm.resource(owned.id, owned.api_version)
        except Stalled as e:
            self.log(events.STALLED, resource=owned.id, reason=e.reason, hint=e.hint)
            return Captured(owned.id, reason=e.reason)
        if body is None:
            return Captured(owned.id)
        return Captured(owned.id, self.archive.put_json(redact(body, self.digest)))

    def _finish(self, before: Record, snapshot: Snapshot, *, has_release: bool) -> None:
        """Keep the snapshot unless a newer release began meanwhile; then strike out the debt.

        A release that begins after this look can change nothing that was captured before it; one
        that began in between makes the capture worthless, and owes a snapshot of its own.
        """
        hold = self.records.look(before.repository, before.stack)
        if hold is None:
            return
        current = has_release and _is_current(hold.record, snapshot.release)
        if current:
            ended = msgspec.structs.replace(snapshot, ended_at=hold.held.at)
            self.archive.put_snapshot(ended)

        def strike_out(record: Record, _: datetime) -> Record:
            same = record.applied is not None and record.applied.release == snapshot.release
            return changes.paid(record, "snapshot") if same else record

        try:
            self.records.update(hold, strike_out)
        except FencedError:
            # Whoever took the stack puts a newer release; the debt is looked at again after it.
            return
        if current:
            self.log(
                events.SNAPSHOT_TAKEN,
                repository=before.repository,
                stack=before.stack,
                release=snapshot.release,
                resources=len(snapshot.resources),
                missing=len(snapshot.missing),
            )
        else:
            self.log(
                events.SNAPSHOT_SKIPPED,
                repository=before.repository,
                stack=before.stack,
                release=snapshot.release,
                reason="a newer release began" if has_release else "the release is not kept",
            )


def _is_current(record: Record, release: str) -> bool:
    """Tell whether nothing that ARM took, or may have taken, was put since ``release``. Pure."""
    return record.reached == release and record.in_flight is None
