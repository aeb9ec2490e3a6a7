"""Free TCP ports on 127.0.0.1 that stay free while their owner restarts.

Ports come from below the range that operating systems lend to outgoing connections: otherwise a
passing client could sit on a port of ours between a SIGKILL and the next start.
"""

import random
import socket
from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
RANGE = range(18_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def is_answering(port: int) -> bool:
    """Whether something accepts connections on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_ports(count: int) -> list[int]:
    """Return ``count`` different ports that are free now, drawn at random."""
    return [port for port, _ in zip(_draw(), range(count), strict=False)]


def _draw() -> Iterator[int]:
    for port in random.sample(RANGE, len(RANGE)):
        if is_free(port):
            yield port
