"""Settle revisions: write down how each ended, once, and tell the Git host (rule 12).

Called by ``functions/settle.py``. One message for a repository looks at all of its revisions whose
end is not told. Trouble with one revision, or with the host, keeps no other from its end.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared import events
from shared.core import revision as changes
from shared.core.errors import Stalled, Transient
from shared.core.message import RepositoryMessage
from shared.core.revision import Answer, Revision, Visit
from shared.flows.answers import Answers, Look
from shared.flows.telling import Host, Telling, is_being_told, is_given_up, missing
from shared.ports import ChangedError, Log, Parallel
from shared.state.configurations import Configurations
from shared.state.held import Held
from shared.state.revisions import Revisions
from shared.state.tips import Tips

STALE_S: Final = 5.0
"""How old a look at a revision may be when it is told."""


@dataclass(frozen=True)
class Settle:
    """The flow."""

    configurations: Configurations
    tips: Tips
    revisions: Revisions
    answers: Answers
    telling: Telling
    parallel: Parallel
    log: Log

    def __call__(self, message: RepositoryMessage) -> None:
        """Look at each unsettled revision; raises Transient for another try."""
        key = message.repository
        unsettled = [sha for _, sha in self.revisions.unsettled(key)]
        if not unsettled:
            return
        since = self.telling.now()
        host, look = self._host(key), self.answers.look(key)
        read = self.parallel.map(lambda sha: self._read(key, sha), unsettled)
        asked = [v for held in read if held is not None if (v := _asked_for(held.document))]
        host.not_before = max(asked, default=None)
        done = [
            sha
            for sha, held in zip(unsettled, read, strict=True)
            if (
                self._is_done(look, held, host, since)
                if held is not None
                else self._pass_over(key, sha)
            )
        ]
        if done:
            self.revisions.close(key, *done)
        if isinstance(host.fault, Transient):
            raise host.fault

    def _host(self, key: str) -> Host:
        """Return where statuses go; nowhere for a repository that is not followed any more."""
        try:
            return Host(self.configurations.host(key))
        except Stalled as e:
            return Host(fault=None if e.reason == "RepositoryNotFollowed" else e)

    def _read(self, key: str, sha: str) -> Held[Revision] | None:
        """Return a revision's document; one that cannot be read is told in the log."""
        try:
            return self.revisions.held(key, sha)
        except Stalled as e:
            if e.reason != "DocumentUnreadable":
                raise
            self.log(events.STALLED, repository=key, revision=sha, reason=e.reason, hint=e.hint)
            return None

    def _pass_over(self, key: str, sha: str) -> bool:
        """Answer a revision whose document a worker died before writing, once the tip is another.

        It is settled at the next look. Always False: nothing is told yet.
        """
        held = self.tips.read(key)
        tip = held.document if held is not None else None
        quiet = tip is not None and not tip.unanswered and tip.busy_until is None
        if held is not None and tip is not None and quiet and tip.revision not in {None, sha}:
            passed = Visit(seq=tip.sync_seq, at=held.at, superseded_by=tip.revision)
            self._supersede(key, sha, passed)
        return False

    def _supersede(self, key: str, sha: str, passed: Visit) -> None:
        try:
            self.revisions.supersede(key, sha, passed)
        except Stalled as e:
            # The document is there and cannot be read: that was told already.
            if e.reason != "DocumentUnreadable":
                raise

    def _is_done(self, look: Look, seen: Held[Revision], host: Host, since: float) -> bool:
        """Settle and tell one revision as far as it is known; whether nothing is left to do.

        ``since`` is from before it was read. If telling of others took long, somebody else may have
        told of it meanwhile, and a note with that time would look like that of one who died.
        """
        held: Held[Revision] | None = seen
        if self.telling.now() - since > STALE_S:
            held = self._read(seen.document.repository, seen.document.revision)
        if held is None or held.etag != seen.etag:
            return False
        document, visit = held.document, held.document.visits[-1]
        answer = look.answer(document)
        wanted = missing(document, answer) if host.is_wanted else []
        given_up = is_given_up(visit, held.at)
        sends = bool(wanted) and host.takes_calls(held.at) and not given_up
        sends = sends and not is_being_told(visit, held.at)
        if given_up and wanted:
            self.log(
                events.STATUS_NOT_SENT,
                repository=document.repository,
                revision=document.revision,
                given_up=True,
            )
        since = self.telling.now()
        begun = self._begun(held, answer, sends=sends)
        if begun is None:
            return False
        died = visit.telling is not None
        if sends and not self.telling(begun, wanted, host, since=since, died=died):
            return False
        return answer.final and (sends or not wanted or given_up)

    def _begun(self, held: Held[Revision], answer: Answer, *, sends: bool) -> Held[Revision] | None:
        """Write down a final status and that statuses are being sent, both in one write.

        None when somebody else changed the document: whoever is late sends nothing.
        """
        document = held.document
        changed = changes.settle(document, answer, held.at)
        is_new = changed is not document
        if sends:
            changed = changes.telling(changed, held.at)
        if changed == document:
            return held
        try:
            begun = self.revisions.replace(held, changed)
        except ChangedError:
            return None
        if is_new:
            self.log(
                events.REVISION_SETTLED,
                repository=document.repository,
                revision=document.revision,
                status=answer.status,
            )
        return begun


def _asked_for(document: Revision) -> datetime | None:
    return document.visits[-1].not_before if document.visits else None
