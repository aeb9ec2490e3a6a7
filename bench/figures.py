"""A figure, and how it is written down."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure. ``met`` is None where no target is set."""

    what: str
    target: str
    measured: str
    met: bool | None
    command: str

    def row(self) -> str:
        """Return the row of the table in README.md."""
        verdict = {True: "yes", False: "**no**", None: "-"}[self.met]
        cells = (self.what, self.target, self.measured, verdict, f"`{self.command}`")
        return "| " + " | ".join(cells) + " |"


HEAD = "| what | target | measured | met | command |\n|---|---|---|---|---|"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of the values lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def machine() -> str:
    """Return what the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )
