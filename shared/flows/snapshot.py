"""Take the snapshot that a good release owes: what ARM says its resources look like.

Called by ``functions/snapshot.py``. Secrets never leave this flow: they are replaced by keyed
digests before anything is stored (docs/security.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shared import events
from shared.core import record as changes
from shared.core.errors import Stalled
from shared.core.message import StackMessage
from shared.core.problem import Problem
from shared.core.record import Record
from shared.core.redaction import redact
from shared.core.release import Owned, Snapshot
from shared.flows.gate import ArmReads
from shared.ports import Log, Parallel
from shared.state.archive import Archive
from shared.state.records import FencedError, Hold, Records


@dataclass(frozen=True)
class Snapshots:
    """The flow. ``digest`` turns a secret value into its keyed digest."""

    records: Records
    archive: Archive
    arm: ArmReads
    parallel: Parallel
    digest: Callable[[str], str]
    log: Log

    def __call__(self, message: StackMessage) -> None:
        """Capture the applied release's resources, once. Raises Transient for another try."""
        hold = self.records.look(message.repository, message.stack)
        if hold is None or "snapshot" not in hold.record.owed:
            return
        try:
            self._take(hold)
        except Stalled as e:
            problem = Problem(code=e.reason, message=e.message, hint=e.hint)
            self._show(hold, problem)
            raise

    def _take(self, hold: Hold) -> None:
        record = hold.record
        if record.applied is None:
            return
        release = self.archive.release(record.repository, record.stack, record.applied.release)
        captured: dict[str, str] = {}
        missing: list[str] = []
        if release is not None and _is_current(record, record.applied.release):
            for owned, digest in zip(
                release.inventory, self.parallel.map(self._capture, release.inventory), strict=True
            ):
                if digest is None:
                    missing.append(owned.id)
                else:
                    captured[owned.id] = digest
        self._finish(
            record,
            Snapshot(
                repository=record.repository,
                stack=record.stack,
                release=record.applied.release,
                taken_at=hold.held.at,
                resources=captured,
                missing=tuple(missing),
            ),
            has_release=release is not None,
        )

    def _show(self, hold: Hold, problem: Problem) -> None:
        """Show on the stack why its snapshot cannot be taken; the debt stays."""
        try:
            self.records.update(
                hold, lambda record, _: msgspec.structs.replace(record, problem=problem)
            )
        except FencedError:
            return

    def _capture(self, owned: Owned) -> str | None:
        """Keep one resource's redacted body; return its content's digest, None when it is gone."""
        if owned.api_version is None:
            return None
        body: Any = self.arm.resource(owned.id, owned.api_version)
        return None if body is None else self.archive.put_json(redact(body, self.digest))

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
            self.archive.put_snapshot(snapshot)

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
    """Tell whether nothing was put since ``release``. Pure."""
    return record.attempted is not None and record.attempted.release == release
