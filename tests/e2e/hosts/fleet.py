"""The hosts of one laptop: killed by their process ids, and started again by ``up``."""

import os
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

from local import parts, processes, waiting
from tests.conftest import LaptopRun


class Fleet:
    """Knows which process is which host; what was killed is started again in the background."""

    def __init__(self, laptop: LaptopRun, hosts: int) -> None:
        self._laptop = laptop
        self.names = [parts.host_name(number) for number in range(hosts)]
        self.line = laptop.up("--no-example", "--demo", "--hosts", str(hosts))
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="up")
        self._mending: Future[Any] | None = None

    def kill(self, names: Sequence[str]) -> None:
        """SIGKILL these hosts, and have ``up`` start them again."""
        self.whole()
        pids = dict(zip(self.names, self.line["pids"]["functions"], strict=True))
        for name in names:
            os.kill(pids[name], signal.SIGKILL)
        for name in names:
            dead = pids[name]
            waiting.until(lambda dead=dead: not processes.runs(dead), limit_s=10, what="a death")  # type: ignore[misc]
        self._mending = self._pool.submit(self._laptop.up)

    def whole(self) -> None:
        """Return once every host runs; raises AssertionError with the words of ``up``."""
        if self._mending is not None:
            self.line, self._mending = self._mending.result(), None

    def __enter__(self) -> Self:
        """Return the fleet itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let what is being started come up, so that it can be stopped."""
        self._pool.shutdown()
