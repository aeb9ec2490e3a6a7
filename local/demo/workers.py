"""The worker processes of the Functions hosts: the app runs in them, and a step kills them."""

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from local import processes, waiting

DEATH_LIMIT_S = 10.0


@dataclass(frozen=True)
class Workers:
    """The workers of some hosts, which are their children; a host starts another in their place."""

    hosts: Sequence[int]

    def pids(self) -> list[int]:
        """Return the process ids of the workers."""
        return children(_listing(), self.hosts)

    def kill(self) -> list[int]:
        """SIGKILL every worker as it is; return their process ids once they are gone."""
        killed = self.pids()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        waiting.until(
            lambda: not any(processes.runs(pid) for pid in killed),
            limit_s=DEATH_LIMIT_S,
            what="the workers to die",
        )
        return killed


def children(listing: str, parents: Sequence[int]) -> list[int]:
    """Return the children of these processes, from lines of "pid parent's-pid". Pure."""
    pairs = (line.split() for line in listing.splitlines())
    return [int(pid) for pid, parent in pairs if int(parent) in parents]


def _listing() -> str:
    done = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    return done.stdout
