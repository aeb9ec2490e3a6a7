"""What a process of this machine takes, read from /proc."""

import os
from pathlib import Path


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int, field: str = "VmRSS") -> float:
    """Return a size from a process's status: VmRSS now, VmHWM at most so far."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith(field))
    return int(line.split()[1]) / 1024


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    children = [int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in _children(task)]
    return [pid, *(one for child in children for one in family(child))]


def _children(task: Path) -> list[str]:
    """Return the processes that a thread started; none when it has ended meanwhile."""
    try:
        return (task / "children").read_text(encoding="ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return []
