"""A stand-in for the gRPC messages that Microsoft's library is handed: no protobuf, no gRPC.

The library takes its message classes as an argument (`request.properties["protos"]`), builds the
answers from them and reads its requests by attribute. These classes carry what it was given, and
nothing else. The names are those of FunctionRpc.proto, because the library asks for them.
"""

import enum
import sys
from types import SimpleNamespace
from typing import Any


class Message(SimpleNamespace):
    """Fields as attributes; one that was not given does not exist."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)


class TypedData(Message):
    """A value with its kind; without a field it is an empty one."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Return the name of the field that is set."""
        return next(iter(self.__dict__), None)


class ParameterBinding(Message):
    """A named value: an input, or an output that the function set."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        """Return where the value is: always in the message, never in shared memory."""
        return "data"


class BindingInfo(Message):
    """Type and direction of a binding; the numbers are those of FunctionRpc.proto."""

    out = 1
    inout = 2
    undefined = 0


class StatusResult(Message):
    """How a request ended."""

    Failure = 0
    Success = 1
    Cancelled = 2


class SameSite(enum.IntEnum):
    """The cookie attribute; `None` is set below because it is a keyword."""

    Unset = 0
    Lax = 1
    Strict = 2
    ExplicitNone = 3


setattr(SameSite, "None", SameSite.Unset)


class RpcHttpCookie(Message):
    """A cookie that a function set."""

    SameSite = SameSite


class RpcHttp(Message):
    """An HTTP request or answer."""


class RpcException(Message):
    """Message and stack trace of a failure."""


class RpcFunctionMetadata(Message):
    """One indexed function."""


class RpcRetryOptions(Message):
    """A retry policy."""


class WorkerMetadata(Message):
    """Versions of the worker."""


class WorkerInitResponse(Message):
    """The answer to loading an app."""


class FunctionMetadataResponse(Message):
    """The answer to asking for the index."""


class FunctionLoadResponse(Message):
    """The answer to loading one function."""


class InvocationResponse(Message):
    """The answer to an invocation."""


class NullableString(Message):
    """A string in a field that may be absent."""


class NullableBool(Message):
    """A bool in a field that may be absent."""


class NullableDouble(Message):
    """A number in a field that may be absent."""


class NullableTimestamp(Message):
    """A time in a field that may be absent."""


class Timestamp(Message):
    """Seconds since 1970."""


def request(**kinds: Any) -> Message:
    """Return what the library's entry points take: one request, and these classes."""
    properties = {"host": "127.0.0.1", "protos": sys.modules[__name__]}
    return Message(request=Message(**kinds), properties=properties)
