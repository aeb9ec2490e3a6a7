"""Scale-out: several whole hosts behind one launcher, each a process that may be killed alone.

All of them listen on the same port (SO_REUSEPORT), so HTTP is answered as long as one lives. The
launcher only starts them, prints one line, and passes on the order to stop; hosts that were killed
are not replaced, as nobody replaces a lost instance in Azure but the platform.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

from local.host.problems import Problem, StartRefusedError
from local.host.serve import Options, shown_keys
from local.host.supervisor import ROOT, send_signal

STOP_EXTRA_S = 10.0
REFUSED = 2


def reserve(port: int) -> socket.socket:
    """Return a bound socket that does not listen: it keeps a port for the hosts.

    Raises StartRefusedError if another program has the port.
    """
    sock = socket.socket()
    try:
        if port:
            # Without the option first: a program that listens there must not be joined by mistake.
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        taken = Problem(f"port {port}", str(error), "Choose another --port")
        raise StartRefusedError([taken]) from None
    return sock


def command(options: Options, port: int, *, as_json: bool) -> list[str]:
    """Return the command line of one host; the keys go by its environment, not here. Pure."""
    arguments = [sys.executable, "-m", "local.host", str(options.app_dir)]
    arguments += ["--port", str(port), "--shared-port", "--keys", "-", "--with-parent"]
    arguments += ["--lease-seconds", str(options.lease_s)]
    arguments += ["--max-body-bytes", str(options.body_limit)]
    arguments += ["--grace-seconds", str(options.grace_s)]
    if options.max_polling_s is not None:
        arguments += ["--max-polling", str(options.max_polling_s)]
    if options.lock_s is not None:
        arguments += ["--lock-seconds", str(options.lock_s)]
    return arguments + (["--json"] if as_json else [])


class Fleet:
    """The hosts of one launcher."""

    def __init__(self, options: Options, port: int, *, as_json: bool) -> None:
        self._options = options
        self._command = command(options, port, as_json=as_json)
        self._processes: list[asyncio.subprocess.Process] = []

    async def start(self) -> dict[str, Any] | None:
        """Start one host and return its line; None if it would not start (it has said why)."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._processes.append(process)
        if process.stdin is None or process.stdout is None:
            raise AssertionError("the process was asked for pipes")
        keys = {"function": self._options.keys.function, "master": self._options.keys.master}
        # stdin stays open: its end tells the host that the launcher is gone.
        process.stdin.write(json.dumps(keys).encode() + b"\n")
        line = await process.stdout.readline()
        document: dict[str, Any] | None = json.loads(line) if line else None
        return document

    async def ended(self) -> None:
        """Wait until no host is left."""
        for process in self._processes:
            await process.wait()

    async def stop(self) -> None:
        """Tell all hosts to stop, and end those that do not."""
        for process in self._processes:
            send_signal(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(self._options.grace_s + STOP_EXTRA_S):
                await self.ended()
        except TimeoutError:
            for process in self._processes:
                send_signal(process, signal.SIGKILL)
            await self.ended()
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()


def combined(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the launcher's line: that of the first host, with the pids of all. Pure."""
    return {
        **lines[0],
        "pids": [pid for line in lines for pid in line["pids"]],
        "workers": [pid for line in lines for pid in line["workers"]],
        "launcher": os.getpid(),
    }


async def run(options: Options, hosts: int, *, as_json: bool) -> int:
    """Start the hosts, print the line, wait until told to stop or until no host is left."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    with reserve(options.port) as reserved:
        fleet = Fleet(options, int(reserved.getsockname()[1]), as_json=as_json)
        try:
            first = await fleet.start()
            if first is None:
                return REFUSED  # said once, not by every host
            others = await asyncio.gather(*(fleet.start() for _ in range(hosts - 1)))
            lines = [line for line in (first, *others) if line is not None]
            if len(lines) < hosts:
                return REFUSED
            sys.stdout.write(json.dumps({**combined(lines), **shown_keys(options)}) + "\n")
            sys.stdout.flush()
            waits = [asyncio.create_task(told.wait()), asyncio.create_task(fleet.ended())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            return 0 if told.is_set() else 1
        finally:
            await fleet.stop()
