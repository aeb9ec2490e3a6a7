"""What is kept of the Activity Log, one document for each subscription."""

from dataclasses import dataclass
from datetime import datetime

from shared.core import activities, names
from shared.core.activities import Activity
from shared.core.activity import Reading
from shared.core.errors import Stalled
from shared.core.problem import Problem
from shared.ports import Documents
from shared.state.held import Shelf


@dataclass(frozen=True)
class Activities:
    """The documents below ``activity/``."""

    documents: Documents

    @property
    def _shelf(self) -> Shelf[Activity]:
        return Shelf(self.documents, Activity, activities.facts)

    def read(self, subscription: str) -> Activity:
        """Return what is known of a subscription, an empty document where nothing is.

        The log can be asked again: a document that cannot be read is put away and stands for none.
        """
        fresh = Activity(subscription=subscription.lower())
        try:
            held = self._shelf.read(names.activity(subscription))
        except Stalled as e:
            if e.reason != "DocumentUnreadable":
                raise
            self._shelf.mend(names.activity(subscription), lambda *_: None, lambda _: fresh)
            return fresh
        return held.document if held else fresh

    def told(
        self, subscription: str, reading: Reading, ours: frozenset[str], now: datetime
    ) -> Activity:
        """Take over what the log said; ``ours`` are correlation ids of releases, in lower case.

        Raises Transient when others keep winning.
        """
        return self._shelf.change(
            names.activity(subscription),
            Activity(subscription=subscription.lower()),
            lambda known, _: activities.told(known, reading, ours, now),
            at=now,
        ).document

    def silent(self, subscription: str, problem: Problem, now: datetime) -> Activity:
        """Note that the log could not be asked. Raises Transient when others keep winning."""
        return self._shelf.change(
            names.activity(subscription),
            Activity(subscription=subscription.lower()),
            lambda known, _: activities.silent(known, problem, now),
            at=now,
        ).document
