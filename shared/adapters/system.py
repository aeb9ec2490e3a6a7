"""The machine: clock, ids, threads, and the log."""

import contextvars
import json
import logging
import re
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, TypeVar

from shared.core.errors import PlumblineError
from shared.core.secret import Secret

A = TypeVar("A")
B = TypeVar("B")

_LONGEST_TEXT: Final = 2000
_DEEPEST: Final = 6
_MOST_ITEMS: Final = 200
# A second fence behind Secret: what leaks in texts of other people's libraries.
_SCRUBBED: Final = (
    (re.compile(r"(?i)\b(sig|accountkey|sharedaccesssignature)=[^&;\s\"']+"), r"\1=***"),
    (re.compile(r"://[^/\s@\"']++@"), "://***@"),
    (re.compile(r"(?i)\b(bearer|sharedkey|basic) +[a-z0-9._~+/:=-]{8,}"), r"\1 ***"),
)
_context: contextvars.ContextVar[Mapping[str, object]] = contextvars.ContextVar(
    "plumbline_log_context",
    default=MappingProxyType({}),
)


class SystemClock:
    """The port Clock over the machine's clocks."""

    def now(self) -> datetime:
        """Return the current time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start, never going back."""
        return time.monotonic()


class SystemIds:
    """The port Ids over the operating system's randomness."""

    def new(self) -> str:
        """Return a fresh random UUID in its usual form."""
        return str(uuid.uuid4())


class ThreadParallel:
    """The port Parallel over at most ``threads`` threads, which are started when first needed.

    Each call runs in a copy of the caller's context, so that log fields go along. A ``map`` inside a
    ``map`` runs in its own thread, one call after the other: waiting for a pool from inside it can
    wait forever.
    """

    def __init__(self, threads: int = 8) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="plumbline")
        self._inside = threading.local()

    def map(self, function: Callable[[A], B], items: Sequence[A]) -> Sequence[B]:
        """Apply ``function`` to each item, concurrently; results in order; the first error raises.

        First means first in ``items``. When it raises, nothing runs on: calls that had begun have
        ended, the others were never made.
        """
        if len(items) <= 1 or getattr(self._inside, "yes", False):
            return [function(item) for item in items]
        futures = [
            self._pool.submit(contextvars.copy_context().run, self._call, function, item)
            for item in items
        ]
        wait(futures, return_when=FIRST_EXCEPTION)
        # Does nothing to those that have ended or begun.
        cancelled = [future for future in futures if future.cancel()]
        wait(futures)
        errors = [f.exception() for f in futures if f not in cancelled]
        for error in errors:
            if error is not None:
                raise error
        return [future.result() for future in futures]

    def close(self) -> None:
        """End the threads, after the calls that they run."""
        self._pool.shutdown()

    def _call(self, function: Callable[[A], B], item: A) -> B:
        self._inside.yes = True
        return function(item)


class JsonLog:
    """The port Log over stdlib logging: one record per event, its message a JSON object on one line.

    ``levels`` gives the level of an event by name; others are INFO. The record also carries the object
    as ``record.plumbline``. Secret values, bytes and unknown objects are never written out, long texts
    are cut, and an exception becomes its kind, its text and the places that it passed.
    """

    def __init__(
        self, logger: logging.Logger | None = None, levels: Mapping[str, int] | None = None
    ) -> None:
        self._logger = logger or logging.getLogger("plumbline")
        self._levels = dict(levels or {})

    def __call__(self, event: str, **fields: object) -> None:
        """Write one event."""
        level = self._levels.get(event, logging.INFO)
        if not self._logger.isEnabledFor(level):
            return
        shown = {"event": event, **plain({**_context.get(), **fields})}
        text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
        self._logger.log(level, "%s", text, extra={"plumbline": shown}, stacklevel=2)

    @contextmanager
    def bound(self, **fields: object) -> Iterator[None]:
        """Add fields (invocation id, repository, stack, try) to every event in the block.

        They go along into ``ThreadParallel``, and inner blocks win over outer ones.
        """
        token = _context.set(MappingProxyType({**_context.get(), **fields}))
        try:
            yield
        finally:
            _context.reset(token)


def plain(fields: Mapping[str, object]) -> dict[str, Any]:
    """Return fields as JSON values with nothing secret in them. Pure."""
    return {str(name): _plain(value, 0) for name, value in fields.items()}


def _plain(value: object, depth: int) -> Any:
    for kind, show in _SHOWN:
        if isinstance(value, kind):
            return show(value)
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in _some(value.items())}
    if isinstance(value, Sequence):
        return [_plain(item, depth + 1) for item in _some(value)]
    if isinstance(value, AbstractSet):
        return [_plain(item, depth + 1) for item in _some(sorted(value, key=str))]
    return f"<{type(value).__name__}>"


def _some(items: Any) -> list[Any]:
    return list(items)[:_MOST_ITEMS]


def _number(value: float) -> float | str:
    return value if abs(value) < float("inf") else str(value)


def _scrub(text: str) -> str:
    for pattern, replacement in _SCRUBBED:
        text = pattern.sub(replacement, text)
    if len(text) > _LONGEST_TEXT:
        return f"{text[:_LONGEST_TEXT]}… ({len(text)} characters)"
    return text


def _exception(error: BaseException) -> dict[str, Any]:
    places = traceback.extract_tb(error.__traceback__)
    shown: dict[str, Any] = {
        "type": type(error).__name__,
        "message": _scrub(str(error)),
        "at": [f"{place.filename}:{place.lineno} {place.name}" for place in places],
    }
    if isinstance(error, PlumblineError):
        shown |= {"reason": error.reason, "message": _scrub(error.message)}
        if error.hint is not None:
            shown["hint"] = _scrub(error.hint)
    # "raise … from None" says that the context is not for showing.
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        shown["cause"] = _exception(cause)
    return shown


# Looked through from the top: Enum before str and int, which an enum may be as well.
_SHOWN: Final[tuple[tuple[Any, Callable[[Any], Any]], ...]] = (
    (type(None), lambda _: None),
    (Secret, lambda _: "***"),
    (Enum, lambda value: _plain(value.value, 0)),
    (str, _scrub),
    (int, lambda value: value),
    (float, _number),
    (datetime, datetime.isoformat),
    (timedelta, timedelta.total_seconds),
    (uuid.UUID, str),
    (BaseException, _exception),
    ((bytes, bytearray, memoryview), lambda value: f"<{len(value)} bytes>"),
)
