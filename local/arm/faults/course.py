"""The course of one call, a client's or a deployment's: what the script says, and the effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from local.arm import errors
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.faults import lag, operations, principals, wire, words
from local.arm.faults.case import Case
from local.arm.messages import Answer, Request, refusal
from local.arm.rules import Call, Reply

_WRITES = frozenset({"PUT", "PATCH", "DELETE"})
_BAD = 400


class DropError(Exception):
    """The script wants the connection broken without an answer."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Course:
    """One call on its way. `request` is None for what a deployment writes.

    `given_up` tells whether the one who waits has stopped waiting. `scripted` is called when a
    rule applies.
    """

    cloud: Cloud
    call: Call
    effect: Callable[[], Awaitable[Answer]]
    body: Callable[[], Any]
    request: Request | None = None
    given_up: Callable[[], bool] = _never
    scripted: Callable[[], None] = field(default=lambda: None)

    async def run(self) -> Answer:
        """Return the answer. Raises `ArmError`, `DropError`."""
        reply = self.cloud.script.take(self.call)
        if reply is None:
            return await self._truth()
        self.scripted()
        if reply.hang_seconds:
            await asyncio.sleep(reply.hang_seconds)
        try:
            answer = await self._said(reply)
        except ArmError as error:
            if self.request is None:
                raise
            answer = refusal(error)
        return wire.wear(reply, answer)

    async def _truth(self) -> Answer:
        """Let the call have its effect, which readers may see late."""
        if self.call.method not in _WRITES:
            return await self.effect()
        if self.cloud.knobs.principal_lag_seconds and self.call.method == "PUT":
            principals.check(self.cloud, self.call.path, self.body())
        done = lag.before(self.cloud, self.call.path)
        answer = await self.effect()
        if done is not None:
            done()
        return answer

    async def _said(self, reply: Reply) -> Answer:
        if reply.kind == "lro_stuck":
            return await self._stuck(reply)
        if reply.kind == "partial":
            return self._partial(reply, await self._truth())
        if not speaks(reply):
            return await self._truth()
        if reply.when == "after":
            await self._truth()
        return self._answer(reply)

    async def _stuck(self, reply: Reply) -> Answer:
        if self.request is None:
            return await operations.stick_step(self.call, reply.lro, self._truth, self.given_up)
        return await operations.stick(self.cloud, self.request, reply.lro, self._truth)

    def _partial(self, reply: Reply, answer: Answer) -> Answer:
        """Leave the resource behind in a failed state, and say so."""
        record = self.cloud.resource(self.call.path)
        if record is not None:
            record.ended = "Failed"
            self.cloud.store.resources.put(record.id, record)
        error = reply.error or {
            "code": "InternalServerError",
            "message": "The resource was created, but its provisioning failed.",
        }
        if operations.fail(self.cloud, answer, error):
            return answer
        raise _error(reply.status or 500, error, reply)

    def _answer(self, reply: Reply) -> Answer:
        if reply.drop:
            raise DropError
        make = words.ERRORS.get(reply.kind)
        if make is not None:
            raise _dressed(make(Case(self.cloud, self.call, reply)), reply)
        if reply.kind == "html_page":
            return wire.proxy_page(reply.status or 502)
        status = reply.status or 200
        if reply.error is not None and status >= _BAD:
            raise _error(status, reply.error, reply)
        body = errors.envelope(reply.error) if reply.error is not None else reply.body
        return Answer(status, body)


def speaks(reply: Reply) -> bool:
    """Return whether the reply takes the place of the true answer. Pure."""
    return (
        reply.drop
        or reply.status is not None
        or reply.kind in words.ERRORS
        or reply.kind == "html_page"
    ) and reply.kind not in ("empty_body", "malformed_json")


def _error(status: int, error: dict[str, Any], reply: Reply) -> ArmError:
    """Return a refusal with the error that the rule gives."""
    refused = ArmError(
        status,
        str(error.get("code", "")),
        str(error.get("message", "")),
        target=error.get("target"),
        details=error.get("details") or [],
        additional_info=error.get("additionalInfo") or [],
        gateway=False,
    )
    return _dressed(refused, reply)


def _dressed(refused: ArmError, reply: Reply) -> ArmError:
    """Return a refusal that travels as the rule wants it to."""
    refused.headers = {**refused.headers, **reply.headers}
    return refused
