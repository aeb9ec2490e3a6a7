"""Waiting for a condition with a limit, instead of sleeping and hoping.

The launcher, the demo and the tests all watch other processes, which answer when they are ready.
"""

import time
from collections.abc import Callable
from typing import TypeVar

PAUSE_S = 0.05

T = TypeVar("T")


class WaitedTooLongError(Exception):
    """The condition did not come true within its limit; the message names what was awaited."""


def until(
    condition: Callable[[], T | None], *, limit_s: float, what: str, pause_s: float = PAUSE_S
) -> T:
    """Return the first truthy answer of ``condition``; ask again every ``pause_s`` seconds.

    Raises ``WaitedTooLongError`` after ``limit_s`` seconds. The condition is asked at least once.
    """
    deadline = time.monotonic() + limit_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise WaitedTooLongError(f"waited {limit_s:g} s for {what}")
        time.sleep(pause_s)
