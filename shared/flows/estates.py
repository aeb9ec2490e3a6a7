"""Who owns what, as the records' listing tells it: asked often, listed now and then."""

from dataclasses import dataclass
from typing import Final

from shared.core.drift.suspicion import Estate, estate
from shared.ports import Clock
from shared.state.records import Records

FRESH_S: Final = 20.0
"""How long a listing is good enough for an inspection: who owns what changes with releases only."""


@dataclass
class Estates:
    """The estate as this worker last listed it; two threads may list it at once."""

    records: Records
    clock: Clock
    _known: Estate | None = None
    _at: float = 0.0

    def __call__(self, *, fresh: bool = False) -> Estate:
        """Return the estate; ``fresh``: listed now."""
        now, known = self.clock.monotonic(), self._known
        if fresh or known is None or now - self._at > FRESH_S:
            known = estate((one.name, one.facts) for one in self.records.listed())
            self._known, self._at = known, now
        return known
