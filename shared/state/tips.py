"""Tips of repositories: taken, committed and given back under their fence (rule 2)."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from shared.core import names
from shared.core import tip as changes
from shared.core.errors import Transient
from shared.core.tip import Tip
from shared.ports import ChangedError, Documents, ExistsError
from shared.state.held import TRIES, Held, Shelf

Change = Callable[[Tip, datetime], Tip]


@dataclass(frozen=True)
class Tips:
    """The tips in the ``state`` container."""

    documents: Documents

    @property
    def _shelf(self) -> Shelf[Tip]:
        return Shelf(self.documents, Tip, changes.facts)

    def read(self, repository: str) -> Held[Tip] | None:
        """Return the tip of a repository, or None."""
        return self._shelf.read(names.tip(repository))

    def facts(self, repository: str) -> Mapping[str, str]:
        """Return what a listing shows of a tip; nothing when there is none."""
        name = names.tip(repository)
        return next((f.facts for f in self.documents.list(name) if f.name == name), {})

    def amend(self, repository: str, change: Change, *, at: datetime) -> Held[Tip]:
        """Apply a change that needs no fence (a problem, a due time)."""
        fresh = Tip(repository=repository)
        return self._shelf.change(names.tip(repository), fresh, change, at=at)

    def ask(self, repository: str, change: Change) -> None:
        """Apply a change that needs no fence to a repository's tip, if it has one.

        Raises Transient when others keep winning, Stalled for a tip that cannot be read.
        """
        name = names.tip(repository)
        for _ in range(TRIES):
            held = self._shelf.read(name)
            if held is None:
                return
            with suppress(ChangedError):
                self._shelf.replace(name, held, change(held.document, held.at))
                return
        raise Transient("StateBusy", f"{name} was changed by others {TRIES} times in a row")

    def mend(
        self,
        repository: str,
        keep: Callable[[str, bytes], object],
        fresh: Callable[[datetime], Tip],
    ) -> bool:
        """Put a fresh tip in the place of one that cannot be read, as ``Shelf.mend``."""
        return self._shelf.mend(names.tip(repository), keep, fresh)

    def take(
        self, repository: str, held: Held[Tip] | None, fresh: Callable[[], Tip]
    ) -> Held[Tip] | None:
        """Take a repository, last read as ``held``; None when another worker has it.

        That worker is told to look again. ``fresh`` gives a tip that is made anew, and is asked only
        for one. Raises Transient when others keep winning.
        """
        name = names.tip(repository)
        for _ in range(TRIES):
            try:
                if held is None:
                    held = self._shelf.create(name, fresh())
                tip = held.document
                if tip.busy_until is None or tip.busy_until <= held.at:
                    return self._shelf.replace(name, held, changes.take(tip, held.at))
                if not tip.dirty_again:
                    self._shelf.replace(name, held, changes.mark_dirty(tip))
            except (ChangedError, ExistsError):
                held = self._shelf.read(name)
                continue
            return None
        raise Transient("StateBusy", f"{name} was changed by others {TRIES} times in a row")

    def finish(self, taken: Held[Tip], change: Change) -> Held[Tip] | None:
        """Apply the change that ends a sync; None when another worker took the repository.

        A compare-and-swap lost to a push's mark is repeated on the newer tip.
        """
        name = names.tip(taken.document.repository)
        held: Held[Tip] | None = taken
        for _ in range(TRIES):
            if held is None or held.document.fence != taken.document.fence:
                return None
            try:
                return self._shelf.replace(name, held, change(held.document, held.at))
            except ChangedError:
                held = self._shelf.read(name)
        raise Transient("StateBusy", f"{name} was changed by others {TRIES} times in a row")
