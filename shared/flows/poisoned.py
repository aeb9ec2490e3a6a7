"""Look at what was tried too often and nobody has dealt with, for ``GET /api/health``."""

from dataclasses import dataclass
from typing import Final

from shared.core.message import QUEUES
from shared.core.view import PoisonView, poison_view
from shared.ports import Parallel, Queues
from shared.state.poisons import Poisons

MOST_LISTED: Final = 5_000
"""As many markers as one storage call lists; nobody deals with more of them one by one."""


@dataclass(frozen=True)
class Poisoned:
    """The look: one listing, and one count for each queue, side by side."""

    queues: Queues
    poisons: Poisons
    parallel: Parallel

    def __call__(self) -> PoisonView:
        """Return how much waits, and what is kept."""
        waiting = self.parallel.map(self.queues.poison_length, QUEUES)
        kept = list(self.poisons.open(MOST_LISTED))
        return poison_view(dict(zip(QUEUES, waiting, strict=True)), kept)
