"""Rings once for those who ring at the same moment: messages about a repository, coalesced."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from shared.core.errors import Stalled, Transient
from shared.ports import Clock

BURST_S: Final = 1.0
"""Those who ring within so many seconds of each other share one message."""

Ring = Callable[[str, float], None]
"""Sends a message about a repository that becomes visible after so many seconds."""


@dataclass
class Bell:
    """Rings at most about once a second per repository, and never too late.

    The first is announced at once. Those that follow within a second share one message that
    becomes visible a second later: whoever handles it reads everything that was kept before,
    so one message is enough for all of them. What this memory forgets with its worker the sweep
    finds by the markers that those who ring leave.
    """

    send: Ring
    clock: Clock
    _rung: dict[str, float] = field(default_factory=dict)
    _coming: dict[str, float] = field(default_factory=dict)

    def ring(self, repository: str) -> None:
        """Make sure that somebody looks at the repository after now."""
        now = self.clock.monotonic()
        if now < self._coming.get(repository, now):
            return
        # Noted before it is sent: those who ring meanwhile, in other threads, share it already.
        is_first = now - self._rung.get(repository, now - BURST_S) >= BURST_S
        delay_s = 0.0 if is_first else BURST_S
        self._rung[repository] = now + delay_s
        self._coming[repository] = now + delay_s
        try:
            self.send(repository, delay_s)
        except (Transient, Stalled):
            self._rung.pop(repository, None)
            self._coming.pop(repository, None)
            raise
