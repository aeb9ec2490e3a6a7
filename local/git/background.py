"""A Git server in a thread of this process, for tests and small programs."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from local.git.server import GitServer, GitServerSettings


@contextmanager
def serving(settings: GitServerSettings) -> Iterator[GitServer]:
    """Serve until the block ends. Raises OSError when the port is taken."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="git-server", daemon=True)
    thread.start()
    server = GitServer(settings)
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
