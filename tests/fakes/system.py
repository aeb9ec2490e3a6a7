"""The machine in memory: a clock that is set, ids that count, calls in any order, a log to look at."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from typing import Literal, TypeVar

A = TypeVar("A")
B = TypeVar("B")
Moment = Literal["before", "after"]

START = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


class FakeClock:
    """The port Clock; it stands still until somebody moves it."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """Return the time that was set."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds since some moment; ``jump`` does not touch them."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an administrator or NTP does."""
        self._now += timedelta(seconds=seconds)


class SkewedClock:
    """The port Clock of a machine whose wall clock differs from ``true`` by ``skew_s``."""

    def __init__(self, true: FakeClock, skew_s: float) -> None:
        self._true = true
        self._skew = timedelta(seconds=skew_s)

    def now(self) -> datetime:
        """Return the time that this machine believes in."""
        return self._true.now() + self._skew

    def monotonic(self) -> float:
        """Return the true clock's seconds."""
        return self._true.monotonic()


class FakeIds:
    """The port Ids; it counts, so that a run can be repeated."""

    def __init__(self, first: int = 1) -> None:
        self._next = first

    def new(self) -> str:
        """Return the next number in the form of a UUID."""
        number, self._next = self._next, self._next + 1
        return f"00000000-0000-4000-8000-{number:012x}"


class SerialParallel:
    """The port Parallel in one thread; with ``rng`` the calls are made in a random order."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng

    def map(self, function: Callable[[A], B], items: Sequence[A]) -> Sequence[B]:
        """Apply ``function`` to each item; results in order; the first error in order raises.

        Calls that would be made after an error may be made or not, as with threads.
        """
        order = list(range(len(items)))
        if self._rng is not None:
            self._rng.shuffle(order)
        results: dict[int, B] = {}
        errors: dict[int, Exception] = {}
        for index in order:
            try:
                results[index] = function(items[index])
            except Exception as error:  # noqa: BLE001 — raised below, in order
                errors[index] = error
                if self._rng is None or self._rng.random() < 0.5:
                    break
        if errors:
            raise errors[min(errors)]
        return [results[index] for index in range(len(items))]


@dataclass
class ListLog:
    """The port Log into a list of ``(event, fields)``."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    _bound: list[Mapping[str, object]] = field(default_factory=list)

    def __call__(self, event: str, **fields: object) -> None:
        """Keep one event, with the fields that are bound."""
        bound = {name: value for layer in self._bound for name, value in layer.items()}
        self.events.append((event, {**bound, **fields}))

    @contextmanager
    def bound(self, **fields: object) -> Iterator[None]:
        """Add fields to every event in the block."""
        self._bound.append(fields)
        try:
            yield
        finally:
            self._bound.pop()

    def named(self, event: str) -> list[dict[str, object]]:
        """Return the fields of all events of this name."""
        return [fields for name, fields in self.events if name == event]


@dataclass
class _Plan:
    moment: Moment
    pattern: str
    error: Callable[[], BaseException]
    skip: int
    times: int


class Faults:
    """Makes calls of the fakes fail: before the effect, or after it, when only the reply is lost.

    Calls are named ``documents.create``, ``queues.send`` ...; patterns as in ``fnmatch``. ``hook`` sees
    every call at both moments, and may raise; a simulator schedules and crashes with it.
    """

    def __init__(self, hook: Callable[[Moment, str, str], None] | None = None) -> None:
        self.calls: list[tuple[str, str]] = []
        self._hook = hook
        self._plans: list[_Plan] = []

    def fail(
        self,
        pattern: str,
        error: Callable[[], BaseException],
        *,
        moment: Moment = "before",
        skip: int = 0,
        times: int = 1,
    ) -> None:
        """Let ``times`` matching calls fail, after the next ``skip`` of them."""
        self._plans.append(_Plan(moment, pattern, error, skip, times))

    def heal(self) -> None:
        """Forget all plans."""
        self._plans.clear()

    def count(self, pattern: str) -> int:
        """Return how many calls matched."""
        return sum(fnmatch(call, pattern) for call, _ in self.calls)

    @contextmanager
    def around(self, call: str, name: str = "") -> Iterator[None]:
        """Wrap one call of a fake."""
        self.calls.append((call, name))
        self._strike("before", call, name)
        yield
        self._strike("after", call, name)

    def _strike(self, moment: Moment, call: str, name: str) -> None:
        if self._hook is not None:
            self._hook(moment, call, name)
        for plan in self._plans:
            if plan.moment != moment or plan.times <= 0 or not fnmatch(call, plan.pattern):
                continue
            if plan.skip > 0:
                plan.skip -= 1
                continue
            plan.times -= 1
            raise plan.error()
