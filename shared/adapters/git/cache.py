"""What a warm worker keeps: a bounded, thread-safe least-recently-used cache."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """A value made of parts that other values may share."""

    def parts(self) -> dict[int, int]:
        """Return the bytes of each part, by the part's identity."""
        ...


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Sized)


class LeastRecentlyUsed(Generic[K, V]):
    """Keeps at most ``entries`` values and ``size_bytes`` of distinct parts; newest stay longest.

    A value that alone is larger than ``size_bytes`` is not kept.
    """

    def __init__(self, entries: int, size_bytes: int) -> None:
        self._entries = entries
        self._size_bytes = size_bytes
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return the value and note its use; None when it is not kept."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: K, value: V) -> None:
        """Keep the value, and let the least recently used go."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while self._values and self._too_much():
                self._values.popitem(last=False)

    def drop(self, keys: Callable[[K], bool]) -> None:
        """Forget the values whose keys fit."""
        with self._lock:
            for key in [key for key in self._values if keys(key)]:
                del self._values[key]

    def newest(self, keys: Callable[[K], bool]) -> V | None:
        """Return the most recently used value whose key fits."""
        with self._lock:
            for key in reversed(self._values):
                if keys(key):
                    return self._values[key]
        return None

    @property
    def size_bytes(self) -> int:
        """Return what the kept values take, shared parts counted once."""
        with self._lock:
            return self._size()

    def __len__(self) -> int:
        with self._lock:
            return len(self._values)

    def _too_much(self) -> bool:
        return len(self._values) > self._entries or self._size() > self._size_bytes

    def _size(self) -> int:
        parts: dict[int, int] = {}
        for value in self._values.values():
            parts.update(value.parts())
        return sum(parts.values())
