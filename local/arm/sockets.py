"""What the HTTP library leaves to its users: requests that cannot be read, answered as ARM does.

The library's own words for them are plain text with a traceback in the log. Here a request that is
no HTTP is a 400 that nobody needs to hear of; a fault of the simulator's own is logged, and is ARM's
InternalServerError to the client.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from local.arm.errors import ArmError
from local.arm.messages import refusal

BODY_LIMIT = 32 * 1024 * 1024
_LINE_LIMIT = 128 * 1024
_SHOWN = 200


class _Protocol(web.RequestHandler):
    """One connection."""

    __slots__ = ("usual_headers",)

    usual_headers: Callable[[], dict[str, str]]

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the answer to a request that could not be read or handled, and hang up."""
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            why = " ".join((message or HTTPStatus(status).phrase).split())[:_SHOWN]
            error = ArmError(status, "BadRequest", f"The request could not be read: {why}")
        else:
            if not isinstance(exc, ConnectionError):  # a client that leaves is no fault
                self.log_exception("%s broke the simulator", request.path, exc_info=exc)
            error = ArmError(
                500,
                "InternalServerError",
                "Encountered internal server error. See the simulator's log.",
            )
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has been begun already")
        answer = refusal(error)
        response = web.Response(
            status=answer.status,
            body=msgspec.json.encode(answer.body),
            headers={
                **self.usual_headers(),
                **answer.headers,
                "Content-Type": "application/json; charset=utf-8",
            },
        )
        response.force_close()
        return response


class Listener(web.Server):
    """A server whose request lines and headers may be as long as ARM's signed URLs are.

    `usual_headers` makes what every answer has, also that to a request which could not be read.
    """

    def __init__(self, handler: Any, usual_headers: Callable[[], dict[str, str]]) -> None:
        super().__init__(handler)
        self._usual_headers = usual_headers

    def __call__(self) -> web.RequestHandler:
        """Return the protocol of one connection."""
        protocol = _Protocol(
            self,
            loop=self._loop,
            max_line_size=_LINE_LIMIT,
            max_field_size=_LINE_LIMIT,
            # A body that claims to be packed and is not would end up in the log.
            auto_decompress=False,
        )
        protocol.usual_headers = self._usual_headers
        return protocol


async def read_body(raw: web.BaseRequest) -> bytes:
    """Return a request's body; raises `ArmError` if it is too large."""
    if (raw.content_length or 0) > BODY_LIMIT:
        raise _too_large()
    if not raw.can_read_body:
        return b""
    parts, size = [], 0
    async for part in raw.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > BODY_LIMIT:
            raise _too_large()
    return b"".join(parts)


def _too_large() -> ArmError:
    return ArmError(413, "RequestEntityTooLarge", "The request body is too large.")
