"""ARM's budget as this worker knows it: who asks first waits least (docs/architecture.md, part 9)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from shared.core import budget as budgets
from shared.core.budget import Bucket, Kind, Purpose
from shared.core.errors import Waiting
from shared.ports import ArmLimits, Clock


@dataclass
class WorkerBudget:
    """One worker's view of the token buckets, by subscription; several workers have one each.

    ``reserves`` tells what each purpose leaves to others now.
    """

    limits: ArmLimits
    clock: Clock
    reserves: Callable[[], Mapping[Purpose, float]]
    _known: dict[tuple[str, Kind], Bucket] = field(default_factory=dict)
    _seen: dict[tuple[str, Kind], float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, subscription: str, kind: Kind, purpose: Purpose, calls: int = 1) -> None:
        """Take calls out of the budget; raises Waiting until there are as many.

        The message comes back by itself, and no try is counted.
        """
        reserves = self.reserves()
        with self._lock:
            key = (subscription.lower(), kind)
            self._listen(key)
            now = self.clock.monotonic()
            known = self._known.get(key)
            asked, wait_s = budgets.ask(known, kind, purpose, now, reserves=reserves, calls=calls)
            if asked is not None:
                self._known[key] = asked
        if wait_s > 0:
            raise Waiting(
                "ArmBudget",
                f"ARM takes no more {kind} of this subscription for now",
                wait_s=wait_s,
            )

    def shown(self) -> Mapping[str, Mapping[Kind, int]]:
        """Return how many calls are left now, by subscription and kind, as far as it is known."""
        now = self.clock.monotonic()
        found: dict[str, dict[Kind, int]] = {}
        with self._lock:
            for subscription in self.limits.subscriptions():
                kinds: tuple[Kind, ...] = ("reads", "writes")
                for kind in kinds:
                    key = (subscription, kind)
                    self._listen(key)
                    bucket = self._known.get(key)
                    if bucket is not None:
                        left = budgets.estimate(bucket, kind, now)
                        found.setdefault(subscription, {})[kind] = int(left)
        return found

    def _listen(self, key: tuple[str, Kind]) -> None:
        """Take over what ARM said since the last look."""
        said = self.limits.left(*key)
        if said is not None and said.at > self._seen.get(key, float("-inf")):
            self._seen[key] = said.at
            self._known[key] = budgets.told(self._known.get(key), said.calls, said.at)
