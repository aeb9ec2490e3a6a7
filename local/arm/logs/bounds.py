"""How much a query may take: steps, bytes that it makes, and time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from local.arm.logs.faults import TooMuchError, TooSlowError

_STEPS_AT_MOST = 5_000_000
_BYTES_AT_MOST = 256 * 1024 * 1024
_LOOK_EVERY = 2048
_PER_ROW_BYTES = 64
_PER_ITEM_BYTES = 64


class Budget:
    """Counts what one query takes. Raises `TooMuchError`, `TooSlowError`."""

    def __init__(
        self, seconds: float, steps: int = _STEPS_AT_MOST, size_bytes: int = _BYTES_AT_MOST
    ) -> None:
        self._end = time.monotonic() + seconds
        self._steps = 0
        self._steps_at_most, self._bytes_at_most = steps, size_bytes
        self._bytes = 0
        self._next_look = _LOOK_EVERY

    def step(self, count: int = 1) -> None:
        """Count work: about one per row and operator."""
        self._steps += count
        if self._steps < self._next_look:
            return
        self._next_look = self._steps + _LOOK_EVERY
        if self._steps > self._steps_at_most:
            raise TooMuchError(
                "-2133196797",
                "The query execution has exceeded the allowed limits (80DA0001): E_RUNAWAY_QUERY.",
            )
        if time.monotonic() > self._end:
            raise TooSlowError

    def hold(self, value: Any) -> Any:
        """Count a text or list that the query made, and return it."""
        if isinstance(value, str):
            self._take(len(value))
        elif isinstance(value, list | dict):
            self._take(_PER_ITEM_BYTES * len(value))
        return value

    def keep(self, row: Sequence[Any]) -> Sequence[Any]:
        """Count a row that an operator must hold until it has seen all, and return it."""
        self._take(_PER_ROW_BYTES + 8 * len(row))
        return row

    def _take(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._bytes_at_most:
            raise TooMuchError(
                "-2133196797",
                "The query execution has exceeded the allowed limits (80DA0001):"
                " E_LOW_MEMORY_CONDITION.",
            )

    @property
    def steps(self) -> int:
        """The work so far."""
        return self._steps
