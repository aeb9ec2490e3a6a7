"""Records of stacks: looked at, taken and changed under their fence, or wished by sync."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.core import names
from shared.core import record as changes
from shared.core.errors import PlumblineError, Transient, Waiting
from shared.core.record import HOLD, Record
from shared.ports import ChangedError, Clock, Documents, Listed
from shared.state.held import TRIES, Held, Shelf

Change = Callable[[Record, datetime], Record]

_HOLD_S: Final = HOLD.total_seconds() - 1.0


class FencedError(PlumblineError):
    """Somebody took the stack since: whoever holds the older fence stops (rule 4)."""

    def __init__(self, stack: str) -> None:
        super().__init__("Fenced", f"{stack} was taken by another worker")


@dataclass(frozen=True)
class Hold:
    """A stack in one worker's hands: the record as read or written, and how long that is safe.

    ``seen`` is the monotonic time just before the request whose answer brought ``held.at``; with
    it the server's time can be told at any later moment. ``expires`` is on the monotonic clock,
    counted from before the compare-and-swap, and never later than what others see in
    ``busy_until``: HTTP dates are cut to the second, so one second is taken off. ``taken`` is False
    after a mere look: the first write takes the stack then, and raises the fence.
    """

    held: Held[Record]
    seen: float
    expires: float
    taken: bool

    @property
    def record(self) -> Record:
        """The record as last written."""
        return self.held.document


@dataclass(frozen=True)
class Records:
    """The records in the ``state`` container."""

    documents: Documents
    clock: Clock

    @property
    def _shelf(self) -> Shelf[Record]:
        return Shelf(self.documents, Record, changes.facts)

    def read(self, repository: str, stack: str) -> Held[Record] | None:
        """Return the record of a stack, or None."""
        return self._shelf.read(names.record(repository, stack))

    def listed(self, prefix: str = names.RECORDS) -> Iterable[Listed]:
        """Yield the facts of all records below ``prefix`` (``names.records_of(repository)``)."""
        for listed in self.documents.list(prefix):
            if names.identity_of_record(listed.name) is not None:
                yield listed

    def amend(
        self, repository: str, stack: str, change: Change, *, at: datetime, generation: int = 0
    ) -> Held[Record]:
        """Apply a change of sync's or a requester's fields, without the fence (rule 4).

        A record that is not there yet starts at ``generation``, changed at ``at``.
        """
        fresh = Record(repository=repository, stack=stack, generation=generation)
        return self._shelf.change(names.record(repository, stack), fresh, change, at=at)

    def ask(self, repository: str, stack: str, change: Change) -> None:
        """Apply a requester's change to a stack's record, if it has one (rule 4).

        Raises Transient when others keep winning, Stalled for a record that cannot be read.
        """
        name = names.record(repository, stack)
        for _ in range(TRIES):
            held = self._shelf.read(name)
            if held is None:
                return
            changed = change(held.document, held.at)
            if changed == held.document:
                return
            with suppress(ChangedError):
                self._shelf.replace(name, held, changed)
                return
        raise Transient("StateBusy", f"{name} was changed by others {TRIES} times in a row")

    def mend(
        self,
        repository: str,
        stack: str,
        keep: Callable[[str, bytes], object],
        fresh: Callable[[datetime], Record],
    ) -> bool:
        """Put a fresh record in the place of one that cannot be read, as ``Shelf.mend``."""
        return self._shelf.mend(names.record(repository, stack), keep, fresh)

    def look(self, repository: str, stack: str) -> Hold | None:
        """Read a stack that nobody has taken; None when it has no record.

        The first ``update`` takes the stack; it fails when anybody else has taken it meanwhile.
        Raises Waiting while another worker has it.
        """
        started = self.clock.monotonic()
        held = self._shelf.read(names.record(repository, stack))
        if held is None:
            return None
        _check_free(held)
        return Hold(held, started, started, taken=False)

    def update(self, hold: Hold, change: Change) -> Hold:
        """Apply ``change(record, server time)`` to the holder's fields.

        The first write of a turn raises the fence: an older holder that was believed dead, and comes
        back, finds it raised and stops, whatever it was about to write (rule 4). A compare-and-swap lost to sync is repeated on the newer record. Raises FencedError when
        another worker has taken the stack, Transient when others keep winning.
        """
        record = hold.record
        name = names.record(record.repository, record.stack)
        held, seen = hold.held, hold.seen
        for _ in range(TRIES):
            if held.document.fence != record.fence:
                raise FencedError(names.identity(record.repository, record.stack))
            started = self.clock.monotonic()
            now = held.at + timedelta(seconds=started - seen)
            changed = change(held.document, now)
            if not hold.taken:
                changed = msgspec.structs.replace(changed, fence=record.fence + 1)
            try:
                written = self._shelf.replace(name, held, changed)
            except ChangedError:
                newer = self._shelf.read(name)
                if newer is None:
                    raise FencedError(names.identity(record.repository, record.stack)) from None
                held, seen = newer, started
                continue
            return Hold(written, started, started + _HOLD_S, taken=True)
        raise Transient("StateBusy", f"{name} was changed by others {TRIES} times in a row")

    def left_s(self, hold: Hold) -> float:
        """Return how many seconds of the hold are left."""
        return hold.expires - self.clock.monotonic()


def _check_free(held: Held[Record]) -> None:
    record = held.document
    if record.busy_until is not None and record.busy_until > held.at:
        raise Waiting(
            "StackBusy",
            f"{names.identity(record.repository, record.stack)} is being worked on",
            wait_s=(record.busy_until - held.at).total_seconds(),
        )
