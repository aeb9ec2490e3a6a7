"""Tell the Git host how a revision stands: each context once, whatever dies in between (adr/0008).

A note in the revision's document says that somebody sends its final states. Who finds the note of
one that died asks the host what it has; who finds a fresh one leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import events
from shared.core import revision as changes
from shared.core.commit_status import CommitStatus, statuses
from shared.core.errors import PlumblineError, Stalled, Transient
from shared.core.revision import Answer, Revision, Visit
from shared.ports import Clock, CommitStatuses, GitHost, Log
from shared.state.held import Held
from shared.state.revisions import Revisions

AT_WORK: Final = timedelta(seconds=60)
"""How long somebody who began to send statuses is believed to be at work."""

SIGN_OF_LIFE_S: Final = 15.0
"""How often whoever sends many of them says so."""

LATEST_S: Final = 20.0
"""How long after its last note a worker may begin a call: it ends before nobody believes in it."""

GIVE_UP: Final = timedelta(days=1)
"""How long after its end a revision is told to a host that does not take it."""


@dataclass
class Host:
    """Where statuses go in one look; ``fault`` is why nothing more is sent in it.

    ``not_before`` is what the host asked for when it was asked last.
    """

    where: GitHost | None = None
    fault: PlumblineError | None = None
    not_before: datetime | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether there is, or should be, a host to tell."""
        return self.where is not None or self.fault is not None

    def takes_calls(self, at: datetime) -> bool:
        """Tell whether it may be called now."""
        free = self.not_before is None or at >= self.not_before
        return self.where is not None and self.fault is None and free


def missing(document: Revision, answer: Answer) -> list[CommitStatus]:
    """Return the statuses of the latest visit that the host does not have. Pure."""
    told = document.visits[-1].told
    wanted = statuses(document.repository, answer)
    return [one for one in wanted if told.get(one.context) != one.state]


def is_given_up(visit: Visit, at: datetime) -> bool:
    """Tell whether a host that does not take the visit's statuses is left alone. Pure."""
    return visit.settled is not None and at - visit.settled.at > GIVE_UP


def is_being_told(visit: Visit, at: datetime) -> bool:
    """Tell whether somebody is at it, as far as one can know. Pure."""
    return visit.telling is not None and at - visit.telling < AT_WORK


@dataclass(frozen=True)
class Telling:
    """Sends statuses."""

    revisions: Revisions
    hosts: CommitStatuses
    clock: Clock
    log: Log

    def now(self) -> float:
        """Return the time on the worker's own clock, for ``since``."""
        return self.clock.monotonic()

    def __call__(
        self,
        held: Held[Revision],
        wanted: list[CommitStatus],
        host: Host,
        *,
        since: float,
        died: bool,
    ) -> bool:
        """Send what is wanted; whether the host has taken all of it.

        ``since`` is from before the note was written that this worker is at it. ``died``: somebody
        began before and did not end. What goes wrong is kept in ``host``. A worker that was paused
        for long sends nothing more: by then another may have told a later state.
        """
        seq, where = held.document.visits[-1].seq, host.where
        if where is None:
            return False
        told: dict[str, str] = {}
        try:
            there = self.hosts.sent(where, held.document.revision) if died else {}
            if died:
                # The host may have taken its time to say that.
                since = self.clock.monotonic()
                self._note(held, seq, told)
            for one in wanted:
                if self.clock.monotonic() - since > LATEST_S:
                    self.log(
                        events.FENCED,
                        repository=held.document.repository,
                        revision=held.document.revision,
                    )
                    return False
                if there.get(one.context) != one.state:
                    self.hosts.send(where, held.document.revision, one)
                told[one.context] = one.state
                if self.clock.monotonic() - since > SIGN_OF_LIFE_S:
                    since = self.clock.monotonic()
                    self._note(held, seq, told)
        except (Transient, Stalled) as e:
            self._not_taken(held, seq, told, host, e)
            return False
        self.revisions.finish(held, lambda newest: changes.told(newest, seq, told, telling=None))
        return True

    def _note(self, held: Held[Revision], seq: int, told: Mapping[str, str]) -> None:
        """Say what was sent so far, and that somebody is still at it."""
        self.revisions.amend(held, lambda newest, at: changes.told(newest, seq, told, telling=at))

    def _not_taken(
        self,
        held: Held[Revision],
        seq: int,
        told: Mapping[str, str],
        host: Host,
        fault: Transient | Stalled,
    ) -> None:
        host.fault = fault
        wait_s = fault.retry_after_s if isinstance(fault, Transient) else None

        def note(newest: Revision, at: datetime) -> Revision:
            noted = changes.told(newest, seq, told, telling=None)
            return changes.patient(noted, seq, at + timedelta(seconds=wait_s)) if wait_s else noted

        self.revisions.amend(held, note)
        self.log(
            events.STATUS_NOT_SENT,
            repository=held.document.repository,
            revision=held.document.revision,
            reason=fault.reason,
            hint=fault.hint,
            given_up=False,
        )
