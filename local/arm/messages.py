"""What comes in and what goes out, free of any HTTP library.

Handlers take a `Request` and return an `Answer`; the server translates at the edge, and a
deployment that writes its resources builds requests of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.arm import engine, errors


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as the token says; `upn` is a person's sign-in name, "" for an app's."""

    oid: str
    appid: str
    tid: str
    upn: str = ""


@dataclass(slots=True)
class Request:
    """One call. `query` has lower-case names, `path` is decoded, `base` is scheme and host."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    base: str
    caller: Caller
    correlation_id: str
    headers: Mapping[str, str] = field(default_factory=dict)
    route: str = ""

    @property
    def api_version(self) -> str:
        """The api-version that the gateway has checked."""
        return self.query.get("api-version", "")

    def json(self) -> dict[str, Any]:
        """Return the body as an object; comments are allowed, as the service allows them.

        A template in it remembers where it stands, for errors that name line and position.
        Raises `ArmError` InvalidRequestContent.
        """
        try:
            value = engine.parse_request(self.body)
        except engine.NotJsonError as error:
            raise errors.invalid_content(error.reason) from error
        if not isinstance(value, dict):
            raise errors.invalid_content("The body must be a JSON object")
        return value


@dataclass(slots=True)
class Answer:
    """One reply. `body` None means no content, a text goes out as it is.

    The rest is for faults on the way: `omit` names headers that get lost, `bytes_per_second` lets
    the body trickle, `long_urls` makes polling URLs long, `dated` writes Retry-After as a date.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    omit: tuple[str, ...] = ()
    bytes_per_second: float | None = None
    long_urls: bool = False
    dated: bool = False


def refusal(error: errors.ArmError) -> Answer:
    """Return the answer that carries an error. Pure."""
    headers = {**error.headers, "x-ms-failure-cause": "gateway" if error.gateway else "service"}
    return Answer(error.status, errors.envelope(error.body()), headers)
