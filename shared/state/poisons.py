"""Messages that were tried too often: kept for good, and marked until somebody deals with them."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from shared.core import names
from shared.core import poison as changes
from shared.core.errors import Transient
from shared.core.poison import OpenPoison, Poisoned, PoisonMarker
from shared.ports import ChangedError, Documents, ExistsError
from shared.state.archive import Archive
from shared.state.held import TRIES, Held, Shelf

Change = Callable[[PoisonMarker, datetime], PoisonMarker]


@dataclass(frozen=True)
class Poisons:
    """The markers below ``pending/poison/``, and the messages that they stand for."""

    documents: Documents
    archive: Archive

    @property
    def _shelf(self) -> Shelf[PoisonMarker]:
        return Shelf(self.documents, PoisonMarker, changes.facts)

    def keep(self, poisoned: Poisoned) -> bool:
        """Keep a message and mark it as open; False when it was dealt with already.

        The marker is written first: a message that is in history has had its marker, so that one
        that is taken twice is not opened again after somebody has dealt with it.
        """
        name = names.pending_poison(poisoned.id)
        if self.archive.poison(poisoned.queue, poisoned.id) is not None:
            return self.documents.read(name) is not None
        with suppress(ExistsError):  # a worker died between the marker and the message
            self._shelf.create(name, changes.marker_of(poisoned))
        self.archive.put_poison(poisoned)
        return True

    def read(self, message_id: str) -> Held[PoisonMarker] | None:
        """Return the marker of a message; None when nobody has to deal with it."""
        return self._shelf.read(names.pending_poison(message_id))

    def open(self, most: int | None = None) -> Iterable[OpenPoison]:
        """Yield what nobody has dealt with, no more than ``most``."""
        for found in islice(self.documents.list(names.PENDING_POISON), most):
            yield changes.listed(found.name, found.facts)

    def change(self, message_id: str, change: Change) -> PoisonMarker | None:
        """Apply ``change(marker, server time)``; None when the marker is gone.

        Raises Transient when others keep winning.
        """
        name = names.pending_poison(message_id)
        for _ in range(TRIES):
            held = self._shelf.read(name)
            if held is None:
                return None
            try:
                return self._shelf.replace(name, held, change(held.document, held.at)).document
            except ChangedError:
                continue
        raise Transient("StateBusy", f"{name} was changed by others {TRIES} times in a row")

    def close(self, message_id: str) -> None:
        """Note that a message was dealt with; what is kept of it stays."""
        self.documents.delete(names.pending_poison(message_id))
