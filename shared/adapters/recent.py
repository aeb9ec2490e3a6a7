"""A warm worker's memory of the ``history`` container: what is written once can be kept.

``sync`` writes a content that ``release`` reads a moment later, in the same process as often as
not. Nothing here can be stale, because nothing in ``history`` ever changes.
"""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import Final

from shared.ports import History

MOST_BYTES: Final = 32 * 1024 * 1024
LARGEST_BYTES: Final = 4 * 1024 * 1024


class RecentHistory:
    """The History port, over another one, remembering up to MOST_BYTES of it."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def put(self, name: str, data: bytes) -> bool:
        """See ports.History. What another worker wrote under the name is not remembered."""
        written = self._history.put(name, data)
        if written:
            self._keep(name, data)
        return written

    def read(self, name: str) -> bytes | None:
        """See ports.History."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        data = self._history.read(name)
        if data is not None:
            self._keep(name, data)
        return data

    def list(self, prefix: str) -> Iterable[str]:
        """See ports.History."""
        return self._history.list(prefix)

    def _keep(self, name: str, data: bytes) -> None:
        if len(data) > LARGEST_BYTES:
            return
        with self._lock:
            if name in self._kept:
                return
            self._kept[name] = data
            self._size += len(data)
            while self._size > MOST_BYTES:
                _, dropped = self._kept.popitem(last=False)
                self._size -= len(dropped)
