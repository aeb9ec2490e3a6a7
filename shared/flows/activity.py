"""Asking the Activity Log what is new, and keeping what others than our releases have changed.

A step of scans. A log that is late, absent or not to be asked is an answer and no error: drift is
found without it, only nobody can be named then.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from shared import events
from shared.core import activities
from shared.core.activities import Activity
from shared.core.activity import Reading
from shared.core.errors import Stalled, Transient, Waiting
from shared.core.problem import problem_of
from shared.ports import ActivityLog, ArmBudget, Log
from shared.state.activities import Activities as Shelf
from shared.state.configurations import Configurations


@dataclass(frozen=True)
class Activities:
    """What changed in a subscription, as far as the log tells it now."""

    configurations: Configurations
    shelf: Shelf
    activity: ActivityLog
    budget: ArmBudget
    log: Log

    def __call__(self, subscription: str, now: datetime, ours: Collection[str] = ()) -> Activity:
        """Return what is known of a subscription after the log was asked what is new.

        ``ours`` are correlation ids of our releases: what they wrote is not kept. The document says
        by itself up to when it is good, and why it is not (``problem``). While ARM's budget is spent
        the log is not asked. Raises Transient and Stalled only for storage and configuration.
        """
        workspace = self.configurations.current().activity.workspace(subscription)
        known = self.shelf.read(subscription)
        try:
            reading = self._read(subscription, activities.ask_since(known, now), workspace)
        except Waiting:
            return known
        except (Transient, Stalled) as error:
            self.log(events.ACTIVITY_SILENT, subscription=subscription, reason=error.reason)
            return self.shelf.silent(subscription, problem_of(error), now)
        mine = frozenset(one.lower() for one in ours)
        told = self.shelf.told(subscription, reading, mine, now)
        self.log(
            events.ACTIVITY_READ,
            subscription=subscription,
            read=len(reading.writes),
            kept=len(told.writes),
        )
        return told

    def _read(self, subscription: str, since: datetime, workspace: str | None) -> Reading:
        if workspace is None:  # a workspace is not asked through ARM
            self.budget.take(subscription, "reads", "scan")
        return self.activity.writes(subscription, since, workspace)
