"""The worker child: Microsoft's library and the app, and nothing of the host.

It is started by `supervisor` with one end of a socket pair as file descriptor `argv[1]`. It lives
as long as the host does: a thread watches a pipe (`argv[2]`) that only the host's death closes,
so that even an app that blocks the event loop cannot leave an orphan.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading

from local.host import library, wire

HOST_GONE = 3


class Relay(logging.Handler):
    """Hands the app's log records to the host, with the invocation that they belong to."""

    def __init__(self, link: "Link") -> None:
        super().__init__()
        self._link = link

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; a record that cannot be formatted is the app's mistake, shown as such."""
        try:
            message = self.format(record)
        except (TypeError, ValueError) as error:
            message = f"{record.msg!r} (arguments do not fit: {error})"
        self._link.send(
            wire.LogRecord(
                library.current_invocation_id(), record.name, record.levelno, printable(message)
            )
        )


def printable(text: str) -> str:
    """Return text that MessagePack can carry: lone surrogates are shown, not lost. Pure."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class Link:
    """The worker's end of the socket pair; may be used from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, writer: asyncio.StreamWriter) -> None:
        self._loop = loop
        self._writer = writer
        self._home = threading.get_ident()

    def send(self, message: wire.FromWorker) -> None:
        """Queue one frame; a host that is gone is noticed elsewhere."""
        data = wire.frame(message)
        if threading.get_ident() == self._home:
            self._writer.write(data)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._writer.write, data)


async def serve(link_fd: int) -> None:
    """Load the app that the host names, then run invocations until the host closes the link."""
    sock = socket.socket(fileno=link_fd)
    reader, writer = await asyncio.open_connection(sock=sock)
    link = Link(asyncio.get_running_loop(), writer)
    order = await wire.read_to_worker(reader)
    if isinstance(order, wire.Load):
        _log_to(link, order.log_level)
        if await _load(link, order.app_dir):
            await _invocations(reader, link)
    await writer.drain()
    writer.close()


def _log_to(link: Link, level: int) -> None:
    root = logging.getLogger()
    root.setLevel(level)
    root.addHandler(Relay(link))
    # The library reports each call at INFO; the host's own line per invocation says it better.
    logging.getLogger("azure.functions").setLevel(logging.WARNING)


async def _load(link: Link, app_dir: str) -> bool:
    try:
        link.send(wire.Indexed(await library.load(app_dir)))
    except library.IndexingError as error:
        link.send(wire.Refused(printable(str(error)), printable(error.trace)))
        return False
    return True


async def _invocations(reader: asyncio.StreamReader, link: Link) -> None:
    running: set[asyncio.Task[None]] = set()
    while (order := await wire.read_to_worker(reader)) is not None:
        if isinstance(order, wire.Invoke):
            task = asyncio.create_task(_run(link, order))
            running.add(task)
            task.add_done_callback(running.discard)


async def _run(link: Link, call: wire.Invoke) -> None:
    try:
        outcome = await library.invoke(call)
        link.send(outcome)
    except (TypeError, ValueError, UnicodeEncodeError) as error:
        # A result that no binding can carry, such as a header with a lone surrogate.
        link.send(wire.Outcome(call.invocation_id, error=f"{type(error).__name__}: {error}"))


def _die_with_host(lifeline_fd: int) -> None:
    os.read(lifeline_fd, 1)
    os._exit(HOST_GONE)


def main(link_fd: int, lifeline_fd: int) -> None:
    """Run the worker until the host is gone."""
    # The terminal's Ctrl-C reaches the whole group; the host decides when the worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_host, args=(lifeline_fd,), daemon=True).start()
    asyncio.run(serve(link_fd))
    sys.stdout.flush()
    os._exit(0)
