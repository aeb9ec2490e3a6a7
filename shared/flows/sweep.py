"""Start whatever a lost message would have started: the loop's safety net (rules 1 and 8).

Called by ``functions/sweep.py`` every half minute. It decides from listings, and changes
nothing itself but what it says of shared resources, so that running twice at once is harmless.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared import events
from shared.core.errors import Stalled
from shared.core.message import QUEUES, Queue
from shared.core.overdue import DELIVERY_PATIENCE, Errand, repository_errand, stack_errands
from shared.core.prune import rest
from shared.core.tip import Tip
from shared.flows.messenger import Messenger
from shared.flows.owners import Owners
from shared.flows.turn import CONFIGURATION_WRONG
from shared.ports import Clock, Log
from shared.state.configurations import Configurations
from shared.state.deliveries import Deliveries
from shared.state.held import Held
from shared.state.records import Records
from shared.state.revisions import Revisions
from shared.state.tips import Tips

MOST_WAITING: Final = 500
"""The sweep adds to no queue that has as many messages: they are being worked on, not lost."""

WITHOUT_CONFIGURATION: Final[frozenset[Queue]] = frozenset({"watch", "snapshot"})
"""What is done while nobody knows what is allowed: a release that runs is followed to its end."""


def _is_being_patient(held: Held[Tip] | None, now: datetime) -> bool:
    """Tell whether a sync was put off on purpose, as the Git host asked (rule 9). Pure."""
    if held is None or not held.document.dirty:
        return False
    due_at = held.document.due_at
    return due_at is not None and due_at > now


@dataclass(frozen=True)
class Sweep:
    """The flow."""

    configurations: Configurations
    tips: Tips
    records: Records
    deliveries: Deliveries
    revisions: Revisions
    owners: Owners
    messenger: Messenger
    clock: Clock
    log: Log

    def __call__(self) -> None:
        """Send one message for each stack, repository and delivery that is overdue.

        Raises Stalled after its work when the operator's configuration is missing or wrong: what
        needs none is looked after all the same.
        """
        try:
            keys = tuple(self.configurations.current().repositories)
        except Stalled as e:
            if e.reason not in CONFIGURATION_WRONG:
                raise
            self._sweep((), WITHOUT_CONFIGURATION)
            raise
        self._sweep(keys, frozenset(QUEUES))

    def _sweep(self, keys: Sequence[str], allowed: Collection[Queue]) -> None:
        tips = {key: self._tip(key) for key in keys}
        now = max((t.at for t in tips.values() if t is not None), default=self.clock.now())
        listed = [(found.name, found.facts) for found in self.records.listed()]
        errands = stack_errands(listed, now, MOST_WAITING)
        for key, held in tips.items():
            tip: Tip | None = held.document if held is not None else None
            if errand := repository_errand(key, tip, listed, now):
                errands.append(errand)
        late = {
            m.repository
            for m in self.deliveries.pending()
            if m.repository in tips
            and now - m.received_at > DELIVERY_PATIENCE
            and not _is_being_patient(tips[m.repository], now)
        }
        errands += [Errand("sync", key) for key in sorted(late)]
        untold = {repository for repository, _ in self.revisions.unsettled()}
        errands += [Errand("settle", key) for key in sorted(untold)]
        known = {key: held.document if held is not None else None for key, held in tips.items()}
        errands += [Errand("prune", *stack) for stack in rest.due(known, listed, now)]
        self._run([e for e in dict.fromkeys(errands) if e.queue in allowed])
        self.owners(listed, now)

    def _tip(self, key: str) -> Held[Tip] | None:
        """Return a tip; one that cannot be read is shown, and the others go on."""
        try:
            return self.tips.read(key)
        except Stalled as e:
            self.log(events.STALLED, repository=key, reason=e.reason, hint=e.hint)
            return None

    def _run(self, errands: list[Errand]) -> None:
        room: dict[Queue, int] = {}
        sent: Counter[str] = Counter()
        for errand in errands:
            queue = errand.queue
            if queue not in room:
                room[queue] = MOST_WAITING - self.messenger.queues.length(queue)
            if room[queue] <= 0:
                continue
            room[queue] -= 1
            sent[queue] += 1
            if queue == "settle":
                self.messenger.settle(errand.repository)
            elif errand.stack is None:
                self.messenger.sync(errand.repository)
            else:
                self.messenger.stack(queue, errand.repository, errand.stack)
        self.log(events.SWEEP_FINISHED, **dict(sent))
