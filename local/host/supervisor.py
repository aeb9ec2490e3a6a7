"""Keeps one worker child alive and hands it invocations.

The app runs in a process of its own because a thread cannot be stopped: an invocation that
outlives `functionTimeout` costs the worker, and with it everything else that was in flight, as it
does in Azure. A worker that dies is replaced; its invocations end with WorkerLostError.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.host import wire

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60.0  # the real host's limit for a worker
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
BOOT = (
    "import sys; sys.path[0] = sys.argv[1]; from local.host import worker; sys.path.pop(0); "
    "worker.main(int(sys.argv[2]), int(sys.argv[3]))"
)


class WorkerLostError(Exception):
    """The worker ended before the invocation did."""


class RefusedError(Exception):
    """The app cannot be indexed; `trace` is the library's."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


def send_signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal to a child that may have ended.

    Not by the child's own method: that one reaps an ended child before asyncio's watcher does,
    which then reports a wrong exit code.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


@dataclass(frozen=True)
class Plan:
    """How a worker is started, and who hears what it logs."""

    app_dir: Path
    environment: Mapping[str, str]
    log_level: int
    on_log: Callable[[wire.LogRecord], None]
    on_event: Callable[[str, Mapping[str, object]], None]


@dataclass
class Worker:
    """One child process with its end of the link."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    lifeline: int
    pending: dict[str, asyncio.Future[wire.Outcome]] = field(default_factory=dict)

    @classmethod
    async def start(cls, plan: Plan) -> "Worker":
        """Start a child; it has not loaded the app yet."""
        ours, theirs = socket.socketpair()
        read_end, write_end = os.pipe()
        arguments = (sys.executable, "-c", BOOT, str(ROOT))
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                str(theirs.fileno()),
                str(read_end),
                cwd=plan.app_dir,
                env=dict(plan.environment),
                pass_fds=(theirs.fileno(), read_end),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),
                start_new_session=False,
            )
        finally:
            theirs.close()
            os.close(read_end)
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer, write_end)

    async def load(self, plan: Plan) -> list[wire.IndexedFunction]:
        """Let the worker index the app; raises RefusedError or WorkerLostError."""
        self.writer.write(wire.frame(wire.Load(str(plan.app_dir), plan.log_level)))
        while (message := await wire.read_from_worker(self.reader)) is not None:
            match message:
                case wire.Indexed(functions):
                    return functions
                case wire.Refused(text, trace):
                    raise RefusedError(text, trace)
                case wire.LogRecord():
                    plan.on_log(message)
        raise WorkerLostError(f"the worker ended while loading the app ({await self.ended()})")

    async def listen(self, on_log: Callable[[wire.LogRecord], None]) -> None:
        """Take outcomes and log records until the worker is gone."""
        while (message := await wire.read_from_worker(self.reader)) is not None:
            match message:
                case wire.Outcome():
                    waiting = self.pending.pop(message.invocation_id, None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
                case wire.LogRecord():
                    on_log(message)

    def fail_pending(self, reason: str) -> None:
        """End every invocation that is still waiting for its outcome."""
        for waiting in self.pending.values():
            if not waiting.done():
                waiting.set_exception(WorkerLostError(reason))
        self.pending.clear()

    async def ended(self) -> str:
        """Wait for the child and say how it ended."""
        code = await self.process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End the child at once."""
        send_signal(self.process, signal.SIGKILL)

    async def close(self) -> None:
        """Release the link after the child has ended."""
        await self.process.wait()
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()
        if self.lifeline >= 0:
            os.close(self.lifeline)
            self.lifeline = -1


class Supervisor:
    """One worker at a time, replaced when it dies or is killed for taking too long."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._worker: Worker | None = None  # takes invocations
        self._kept: Worker | None = None  # may already be on its way out
        self._ready = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Return the process id of the current worker; None while there is none."""
        return self._worker.process.pid if self._worker else None

    async def start(self) -> list[wire.IndexedFunction]:
        """Start the first worker; raises RefusedError if the app cannot be indexed."""
        worker, functions = await self._load()
        self._keeper = asyncio.create_task(self._keep(worker))
        return functions

    async def invoke(self, call: wire.Invoke, timeout_s: float | None) -> wire.Outcome:
        """Run one invocation.

        Raises TimeoutError when it outlives `timeout_s` (the worker is then killed) and
        WorkerLostError when the worker ended first, or no worker starts in 60 seconds.
        """
        worker = await self._current()
        future: asyncio.Future[wire.Outcome] = asyncio.get_running_loop().create_future()
        worker.pending[call.invocation_id] = future
        try:
            worker.writer.write(wire.frame(call))
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            fields = {"reason": "functionTimeout", "pid": worker.process.pid}
            self._plan.on_event("worker_killed", fields)
            self._retire(worker)
            raise
        finally:
            worker.pending.pop(call.invocation_id, None)

    async def stop(self) -> None:
        """End the worker for good."""
        self._stopping = True
        if self._kept is not None:
            self._kept.kill()
        elif self._keeper is not None:
            self._keeper.cancel()
        if self._keeper is not None:
            await asyncio.wait([self._keeper])

    async def _current(self) -> Worker:
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await self._ready.wait()
        except TimeoutError:
            raise WorkerLostError(f"no worker within {START_LIMIT_S:.0f} s") from None
        if self._worker is None:
            raise WorkerLostError("the host is stopping")
        return self._worker

    def _retire(self, worker: Worker) -> None:
        """Give a worker no more invocations, and end it: what comes now waits for the next one."""
        if self._worker is worker:
            self._worker = None
            self._ready.clear()
        worker.kill()

    async def _load(self) -> tuple[Worker, list[wire.IndexedFunction]]:
        worker = await Worker.start(self._plan)
        try:
            async with asyncio.timeout(START_LIMIT_S):
                functions = await worker.load(self._plan)
        except BaseException:
            worker.kill()
            await worker.close()
            raise
        self._kept = self._worker = worker
        self._ready.set()
        return worker, functions

    async def _keep(self, worker: Worker) -> None:
        try:
            while True:
                await worker.listen(self._plan.on_log)
                self._retire(worker)
                ended = await worker.ended()
                self._kept = None
                worker.fail_pending(f"the worker process ended ({ended})")
                await worker.close()
                if self._stopping:
                    return
                self._plan.on_event("worker_lost", {"pid": worker.process.pid, "ended": ended})
                worker = await self._replace()
        finally:
            self._ready.set()  # wakes who waits for a worker: there will be none

    async def _replace(self) -> Worker:
        pause = FIRST_PAUSE_S
        while True:
            try:
                worker, _ = await self._load()
            except (RefusedError, WorkerLostError, TimeoutError, OSError) as error:
                self._plan.on_event("worker_refused", {"error": str(error), "again_in_s": pause})
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            else:
                self.restarts += 1
                self._plan.on_event("worker_restarted", {"pid": worker.process.pid})
                return worker
