"""Settle revisions: write down how each ended, once, and tell the Git host (rule 12).

Called by ``functions/settle.py``. One message for a repository looks at all of its revisions whose
end is not told; who does it at the same time as another finds that one's note and leaves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import events
from shared.core import revision as changes
from shared.core.commit_status import CommitStatus, statuses
from shared.core.errors import PlumblineError, Stalled, Transient
from shared.core.message import RepositoryMessage
from shared.core.revision import Answer, Revision, Visit
from shared.flows.answers import Answers, Look
from shared.ports import ChangedError, CommitStatuses, GitHost, Log
from shared.state.configurations import Configurations
from shared.state.held import Held
from shared.state.revisions import Revisions

AT_WORK: Final = timedelta(seconds=60)
"""How long somebody who began to send statuses is believed to be at work."""

GIVE_UP: Final = timedelta(days=1)
"""How long after its end a revision is told to a host that does not take it."""


@dataclass(frozen=True)
class Settle:
    """The flow."""

    configurations: Configurations
    revisions: Revisions
    answers: Answers
    hosts: CommitStatuses
    log: Log

    def __call__(self, message: RepositoryMessage) -> None:
        """Look at each unsettled revision; raises Transient for another try."""
        key = message.repository
        unsettled = [sha for _, sha in self.revisions.unsettled(key)]
        if not unsettled:
            return
        host = self._host(key)
        look = self.answers.look(key)
        done, hiccup = [], None
        for sha in unsettled:
            try:
                if self._is_told(look, key, sha, host):
                    done.append(sha)
            except Transient as e:
                hiccup = e
        if done:
            self.revisions.close(key, *done)
        if hiccup is not None:
            raise hiccup

    def _host(self, key: str) -> GitHost | None:
        """Return where statuses go; nowhere for a repository that is not followed any more."""
        try:
            return self.configurations.host(key)
        except Stalled as e:
            if e.reason != "RepositoryNotFollowed":
                raise
            return None

    def _is_told(self, look: Look, key: str, sha: str, host: GitHost | None) -> bool:
        """Settle and tell one revision as far as it is known; whether nothing is left to do."""
        held = self.revisions.held(key, sha)
        if held is None or not held.document.visits:
            return False  # its document is about to be written, or never will be: the sweep decides
        answer = look.answer(held.document)
        visit = held.document.visits[-1]
        if answer.final and visit.settled is None:
            settled = self._changed(held, changes.settle(held.document, answer, held.at))
            if settled is None:
                return False
            held, visit = settled, settled.document.visits[-1]
            self.log(events.REVISION_SETTLED, repository=key, revision=sha, status=answer.status)
        if host is None:
            return answer.final
        return self._tell(held, visit, answer, host) and answer.final

    def _changed(self, held: Held[Revision], changed: Revision) -> Held[Revision] | None:
        """Write a change of exactly the version that was read; None when another came first."""
        try:
            return self.revisions.replace(held, changed)
        except ChangedError:
            return None

    def _tell(self, held: Held[Revision], visit: Visit, answer: Answer, host: GitHost) -> bool:
        """Send the statuses that the host does not have; whether it has all of them now."""
        document = held.document
        missing = [
            one
            for one in statuses(document.repository, answer)
            if visit.told.get(one.context) != one.state
        ]
        if not missing:
            return True
        if visit.telling is not None and held.at - visit.telling < AT_WORK:
            return False
        begun = self._changed(held, changes.telling(document, held.at))
        if begun is None:
            return False
        told = dict(self.hosts.sent(host, document.revision)) if visit.telling else {}
        fault: PlumblineError | None = None
        for one in missing:
            if told.get(one.context) == one.state:
                continue
            try:
                self.hosts.send(host, document.revision, one)
            except (Transient, Stalled) as e:
                fault = e
                break
            told[one.context] = one.state
        self._note(begun, visit, told)
        return fault is None or self._is_given_up(fault, visit, held.at, missing)

    def _note(self, begun: Held[Revision], visit: Visit, states: dict[str, str]) -> None:
        self.revisions.amend(begun, lambda newest: changes.told(newest, visit.seq, states))

    def _is_given_up(
        self, fault: PlumblineError, visit: Visit, at: datetime, missing: list[CommitStatus]
    ) -> bool:
        """Tell whether a host that does not take statuses is left alone; raises Transient if not."""
        settled = visit.settled
        old = settled is not None and at - settled.at > GIVE_UP
        self.log(
            events.STATUS_NOT_SENT,
            reason=fault.reason,
            hint=fault.hint,
            contexts=[one.context for one in missing],
            given_up=old,
        )
        if old:
            return True
        if isinstance(fault, Transient):
            raise fault
        return False
