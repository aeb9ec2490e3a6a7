"""One attempt at ARM, and the connections that obey it.

The fence of a stack stands on a PUT that is over after a known time, and on knowing whether it left
at all. The SDK's time-outs are per socket operation, and its exceptions do not tell the two apart;
so an attempt carries a deadline, a watch that cuts its connection when the time is up, and a mark
that is set just before the first byte of the request goes out.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from azure.core.pipeline.transport import RequestsTransport
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from shared.ports import Clock

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
POOLED_CONNECTIONS = 32

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: what is not sent yet never is


class Exchange:
    """One attempt: ``kind`` for the count, ``sent`` once a byte may have left, ``response`` of ARM.

    One thread makes the attempt; only ``cut`` is called by another, when the time is up.
    """

    def __init__(self, kind: str, clock: Clock, timeout_s: float) -> None:
        self.kind = kind
        self.sent = False
        self.response: Any = None
        self.timed_out = False
        self._clock = clock
        self._deadline = clock.monotonic() + timeout_s
        self._lock = threading.Lock()
        self._connection: HTTPSConnection | None = None

    def left_s(self) -> float:
        """Return the seconds that are left."""
        return self._deadline - self._clock.monotonic()

    def depart(self, connection: HTTPSConnection) -> None:
        """Allow one request over ``connection`` from now on; raises TimeoutError past the deadline."""
        with self._lock:
            if self.timed_out or self.left_s() <= 0:
                self.timed_out = True
                raise TimeoutError("the time for this attempt is up; nothing was sent")
            self._connection = connection
            self.sent = True

    def finish(self) -> None:
        """End the attempt; its connection may serve another one."""
        with self._lock:
            self._connection = None

    def cut(self) -> None:
        """Cut the connection of an attempt whose time is up: the thread that waits gets an error."""
        with self._lock:
            self.timed_out = True
            sock = getattr(self._connection, "sock", None)
            if not isinstance(sock, socket.socket):
                return
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:  # it was over already
                return


_current: ContextVar[Exchange] = ContextVar("exchange")


def current() -> Exchange:
    """Return the attempt that this thread is making."""
    return _current.get()


@contextmanager
def attempt(kind: str, clock: Clock, timeout_s: float) -> Iterator[Exchange]:
    """Make one attempt of at most ``timeout_s``, whatever happens on the wire meanwhile."""
    exchange = Exchange(kind, clock, timeout_s)
    token = _current.set(exchange)
    watch = threading.Timer(timeout_s, exchange.cut)
    watch.daemon = True
    watch.start()
    try:
        yield exchange
    finally:
        watch.cancel()
        exchange.finish()
        _current.reset(token)


class _Connection(HTTPSConnection):
    """A connection that asks the attempt before it sends."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        current().depart(self)
        super().request(*args, **kwargs)


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class Transport(RequestsTransport):  # type: ignore[misc] # the SDK exports it lazily, as Any
    """The SDK's transport over connections that obey the attempt.

    Proxies and certificate bundles of the environment are not looked at: what the operator
    configured is what is used.
    """

    def __init__(self, ca_file: str | None) -> None:
        super().__init__(
            connection_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            connection_verify=ca_file or True,
            use_env_settings=False,
        )

    def _init_session(self, session: Any) -> None:
        super()._init_session(session)
        adapter = session.get_adapter("https://")
        adapter.init_poolmanager(connections=4, maxsize=POOLED_CONNECTIONS)
        adapter.poolmanager.pool_classes_by_scheme = {"https": _Pool}
