"""Background processes that outlive the program that started them.

``up`` starts them and ends; a later ``down``, another ``up`` or a test finds them by the written
pid. A pid alone is not proof, since systems use numbers again: a process is ours only if it also
started at the written moment, and the orphans that it left only if they carry our mark.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local import waiting

MARK = "LAPTOP_FOLDER"  # in the environment of every process we start: names its folder
TAIL_LINES = 15
_PROC = Path("/proc")


class DiedAtStartError(Exception):
    """A process ended before it answered; the message carries the end of its log."""


@dataclass(frozen=True)
class Process:
    """A started process: who it is (pid and start moment) and where it logs."""

    pid: int
    started: str
    log: Path


_children: dict[Process, subprocess.Popen[bytes]] = {}  # to be reaped while this program still runs


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path,
    environment: Mapping[str, str],
    mark: str,
    facts: Path | None = None,
) -> Process:
    """Start ``command`` in a session of its own, its output appended to ``log``.

    ``facts`` takes the standard output instead, anew at every start: for programs that print one
    line about themselves.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors, facts.open("wb") if facts else log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=cwd,
            env={**environment, MARK: mark},
            start_new_session=True,
        )
    process = Process(child.pid, _start_moment(child.pid) or "", log)
    _children[process] = child
    return process


def is_alive(process: Process) -> bool:
    """Whether this very process (not another one under its number) runs."""
    alive = process.started != "" and _start_moment(process.pid) == process.started
    if not alive:
        _reap(process)
    return alive


def runs(pid: int) -> bool:
    """Whether a process with this number runs, whoever's it is."""
    return _start_moment(pid) is not None


def stop(process: Process, *, mark: str, limit_s: float = 10.0) -> None:
    """End the process and what it left behind: SIGTERM first, SIGKILL after ``limit_s`` seconds.

    Idempotent; never touches a process that is not ours.
    """
    if is_alive(process):
        _signal(process.pid, signal.SIGTERM)
        try:
            waiting.until(
                lambda: not is_alive(process), limit_s=limit_s, what=f"process {process.pid} to end"
            )
        except waiting.WaitedTooLongError:
            _signal(process.pid, signal.SIGKILL)
    stop_orphans(process, mark=mark)
    _reap(process)


def stop_orphans(process: Process, *, mark: str) -> None:
    """End the children that a dead process left in its session; they may hold its ports."""
    for pid in _orphans(process, mark):
        _signal(pid, signal.SIGKILL)


def stop_marked(mark: str) -> None:
    """End every process that carries this mark: what a deleted folder has left running.

    Without /proc there is nothing to find them by, and nothing is done.
    """
    if not _PROC.is_dir():
        return
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _carries_mark(entry, mark):
            _signal(int(entry.name), signal.SIGKILL)


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, or a word that there are none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"


def wait_until_answering(
    process: Process, answers: Callable[[], bool], *, name: str, limit_s: float
) -> None:
    """Return once ``answers()`` is true.

    Raises ``DiedAtStartError`` with the end of the log if the process ends before that, or does not
    answer within ``limit_s`` seconds.
    """

    def ready() -> bool:
        if not is_alive(process):
            raise DiedAtStartError(
                f"{name} ended while it was starting; the end of {process.log}:\n"
                f"{tail(process.log)}"
            )
        return answers()

    try:
        waiting.until(ready, limit_s=limit_s, what=f"{name} to answer")
    except waiting.WaitedTooLongError as error:
        raise DiedAtStartError(
            f"{name} runs but does not answer ({error}); the end of {process.log}:\n"
            f"{tail(process.log)}"
        ) from error


def _reap(process: Process) -> None:
    child = _children.pop(process, None)
    if child is not None:
        child.wait()


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _start_moment(pid: int) -> str | None:
    """Return when the process started, in the system's own words; None if it does not run."""
    if _PROC.is_dir():
        fields = _stat_fields(pid)
        return None if fields is None or _is_over(pid, fields[0]) else fields[19]
    found = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, moment = found.stdout.strip().partition(" ")
    return None if found.returncode != 0 or state.startswith("Z") else moment.strip()


def _is_over(pid: int, state: str) -> bool:
    """Whether a process only waits to be reaped; its other threads may hold its ports a bit longer."""
    if state not in ("Z", "X"):
        return False
    try:
        return len(list((_PROC / str(pid) / "task").iterdir())) <= 1
    except OSError:
        return True


def _stat_fields(pid: int) -> list[str] | None:
    """Return /proc/PID/stat from the state on (proc(5): state is field 3, starttime field 22)."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _orphans(process: Process, mark: str) -> Iterator[int]:
    if is_alive(process) or not sys.platform.startswith("linux"):
        return
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        fields = _stat_fields(int(entry.name))
        in_session = fields is not None and fields[3] == str(process.pid) and fields[0] != "Z"
        if in_session and _carries_mark(entry, mark):
            yield int(entry.name)


def _carries_mark(entry: Path, mark: str) -> bool:
    try:
        variables = (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"{MARK}={mark}".encode() in variables
