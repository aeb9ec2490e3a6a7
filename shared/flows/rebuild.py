"""Rebuild a repository's state on an operator's order, and say what was found and what is gone.

Called by ``functions/rebuild.py``. It mends what the loop cannot get past: documents that are there
and cannot be read. All else the next sync and ``release`` do by themselves, from Git and from what
ARM's tags remember. Ordered twice it changes nothing more.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final, TypeVar

import msgspec

from shared import events
from shared.core import names, operation
from shared.core import rebuild as changes
from shared.core.audit import Audit, Readability
from shared.core.document import Document
from shared.core.errors import Stalled
from shared.core.operation import MAX_FREEZE, OperationRefusedError
from shared.core.rebuild import Facts, Last, Seen
from shared.core.record import Freeze, Record
from shared.core.tip import Tip
from shared.core.view import rebuild_view
from shared.flows.lookup import Answered, missing
from shared.flows.messenger import Messenger
from shared.flows.sign_in import Credentials, SignIn, refused
from shared.ports import Clock, Ids, Log, Parallel
from shared.state.archive import Archive
from shared.state.configurations import Configurations
from shared.state.records import Records
from shared.state.tips import Tips

D = TypeVar("D", bound=Document)

_OLDEST_ORDER: Final = MAX_FREEZE + timedelta(days=1)
"""How old an order may be that still says something: a day more, since the clock may be ahead."""

_MOST_READ: Final = 50
"""How many releases are read of one stack that Git names no more."""

_HISTORY_DAMAGED: Final = (
    "Find out who can write to the history container, and restore the document."
)


@dataclass(frozen=True)
class Rebuild:
    """The flow. Raises Transient or Stalled when storage does not answer."""

    configurations: Configurations
    tips: Tips
    records: Records
    archive: Archive
    sign_in: SignIn
    messenger: Messenger
    parallel: Parallel
    clock: Clock
    ids: Ids
    log: Log

    def __call__(self, key: str, body: bytes, credentials: Credentials) -> Answered:
        """Answer 202 with what was found once the repair is done; else say why it is refused."""
        try:
            by = self.sign_in("rebuild", body, credentials).name
            why = operation.read_body("rebuild", body, ("rebuild",)).why
        except OperationRefusedError as e:
            return refused(e)
        if key not in self.configurations.current().repositories:
            return missing("No such repository is followed.", "GET /api/health lists them all.")
        return self._rebuild(key, by, why)

    def _rebuild(self, key: str, by: str, why: str) -> Answered:
        at = self.clock.now()
        listed = self._listed(key)
        seen = self._look(key, listed, at)
        found = changes.findings(key, seen)
        audit = Audit(
            id=self.ids.new(),
            at=at,
            by=by,
            operation="rebuild",
            repository=key,
            stack="",
            why=why,
            found=found,
        )
        # First: what is found now is not to be found any more after the repair.
        self.archive.put_audit(audit)
        self.parallel.map(lambda stack: self._mend(key, stack, seen), tuple(seen.unreadable))
        self._mend_tip(key, listed, seen)
        self.messenger.sync(key)
        self.log(
            events.REBUILD_ORDERED,
            repository=key,
            by=by,
            why=why,
            tip=found.tip,
            records=found.records,
            unreadable=list(found.unreadable),
            missing=list(found.missing),
            gone=len(found.gone),
            unread=list(found.unread),
        )
        return Answered(202, rebuild_view(audit, found))

    # ---- looking -----------------------------------------------------------------------------

    def _listed(self, key: str) -> dict[str, Facts]:
        return {
            identity[1]: found.facts
            for found in self.records.listed(names.records_of(key))
            if (identity := names.identity_of_record(found.name)) is not None
        }

    def _look(self, key: str, listed: Mapping[str, Facts], at: datetime) -> Seen:
        stacks = tuple(listed)
        read = dict(
            zip(stacks, self.parallel.map(lambda s: self._record(key, s), stacks), strict=True)
        )
        unreadable = {
            stack: listed[stack] for stack, found in read.items() if found == "unreadable"
        }
        tip = self._tip(key)
        known = tip if isinstance(tip, Tip) else None
        released = frozenset(self.archive.releases_in(key))
        unread: list[str] = []
        left = [s for s, facts in unreadable.items() if changes.has_left(s, facts, known)]
        found = {
            stack: self._last(key, changes.newest_first(stack, released), unread)
            for stack in left
            if changes.was_applied(unreadable[stack])
        }
        records = {s: found for s, found in read.items() if isinstance(found, Record)}
        heirs = changes.heirs(records.values())
        ordered = self._freezes(key, heirs, at, unread) if unreadable else {}
        return Seen(
            tip=known,
            tip_state="readable" if isinstance(tip, Tip) else tip,
            records=records,
            unreadable=unreadable,
            released=released,
            at=at,
            freezes={stack: freeze for stack, freeze in ordered.items() if stack in unreadable},
            last={stack: found.get(stack, Last()) for stack in left},
            unread=tuple(unread),
        )

    def _record(self, key: str, stack: str) -> Record | Readability:
        try:
            held = self.records.read(key, stack)
        except Stalled as e:
            return _unreadable(e)
        return "missing" if held is None else held.document

    def _tip(self, key: str) -> Tip | Readability:
        try:
            held = self.tips.read(key)
        except Stalled as e:
            return _unreadable(e)
        return "missing" if held is None else held.document

    def _freezes(
        self, key: str, heirs: Mapping[str, str], at: datetime, unread: list[str]
    ) -> dict[str, Freeze]:
        """Return what was frozen: the audits tell what unreadable records cannot."""
        audits = (
            self._passed_over(name, partial(self.archive.audit, name), unread)
            for name in self.archive.audits(at - _OLDEST_ORDER)
        )
        return changes.freezes((audit for audit in audits if audit is not None), key, heirs)

    def _last(self, key: str, released: Iterable[tuple[str, str]], unread: list[str]) -> Last:
        """Read releases, newest first, until it is known where a stack is and what is applied."""
        last = Last()
        for stack, release_id in islice(released, _MOST_READ):
            if last.is_whole:
                break
            name = names.release(key, stack, release_id)
            release = self._passed_over(
                name, partial(self.archive.release, key, stack, release_id), unread
            )
            last = last.after(release) if release is not None else last
        return last

    def _passed_over(self, name: str, read: Callable[[], D | None], unread: list[str]) -> D | None:
        """Read a document in history; one that cannot be read counts as none, and is told of."""
        try:
            return read()
        except Stalled as e:
            _unreadable(e)
            unread.append(name)
            self.log(events.STALLED, reason=e.reason, hint=_HISTORY_DAMAGED, document=name)
            return None

    # ---- mending -----------------------------------------------------------------------------

    def _mend(self, key: str, stack: str, seen: Seen) -> None:
        facts = seen.unreadable[stack]
        own = [release for name, release in seen.released if name == stack]
        last = seen.last.get(stack)

        def fresh(at: datetime) -> Record:
            record = changes.fresh_record(key, stack, facts, own, seen.freezes.get(stack), at)
            record = changes.renamed(record, seen.records.values(), seen.tip)
            if last is None:
                return record
            if (heir := changes.given_over(stack, facts, seen.records.values())) is not None:
                return msgspec.structs.replace(record, orphaned=True, moved_to=heir)
            return changes.left_manifest(record, last)

        if self.records.mend(key, stack, self.archive.put_unreadable, fresh):
            self.log(events.DOCUMENT_SET_ASIDE, repository=key, stack=stack)

    def _mend_tip(self, key: str, listed: Mapping[str, Facts], seen: Seen) -> None:
        """Have the next sync read everything anew; one that is missing it makes by itself."""
        known = [(names.record(key, stack), facts) for stack, facts in listed.items()]
        if seen.tip_state == "readable":
            self.tips.ask(key, lambda tip, at: changes.forced(tip, known, at))
        elif seen.tip_state == "unreadable":
            own = self.tips.facts(key)
            if self.tips.mend(
                key,
                self.archive.put_unreadable,
                lambda at: changes.fresh_tip(key, known, own, at),
            ):
                self.log(events.DOCUMENT_SET_ASIDE, repository=key)


def _unreadable(error: Stalled) -> Readability:
    """Return that a document cannot be read; raises what is wrong with more than that document."""
    if error.reason != "DocumentUnreadable":
        raise error
    return "unreadable"
