"""Decoders of JSON, made one at a time.

msgspec works a struct out when it is decoded for the first time, and shows it to other threads
before it is done with the structs within: a second thread that decodes the same one meanwhile
follows a null pointer, and the worker dies (msgspec 0.22). A worker's first messages come together,
above all those of a worker that was killed.
"""

from collections.abc import Hashable
from functools import cache
from threading import Lock
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")

_ONE_AT_A_TIME = Lock()


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of a type; the same one each time. Any number of threads may use it."""
    with _ONE_AT_A_TIME:  # `cache` alone is not enough: two types may have a struct in common
        return cast("msgspec.json.Decoder[T]", _made(cast("Hashable", kind)))


@cache
def _made(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast("type[Any]", kind))
