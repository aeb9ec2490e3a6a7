"""The host's own HTTP paths under /admin: status, list of functions, a run by hand."""

import asyncio
import json
import os
import time
from collections.abc import Sequence

from aiohttp import web

from local.host import invocation, messages, timers, wire
from local.host.bindings import Function, HttpTrigger, QueueTrigger
from local.host.invocation import Invoker
from local.host.supervisor import Supervisor
from local.host.web import BodyTooLargeError, Keys, key_of, read_body

BODY_LIMIT = 1024 * 1024


class Admin:
    """Answers /admin paths; all of them want the master key."""

    def __init__(
        self,
        host_id: str,
        functions: Sequence[Function],
        invoker: Invoker,
        supervisor: Supervisor,
        keys: Keys,
    ) -> None:
        self._host_id = host_id
        self._functions = functions
        self._invoker = invoker
        self._supervisor = supervisor
        self._keys = keys
        self._started = time.monotonic()
        self._runs: set[asyncio.Task[invocation.Result]] = set()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request below /admin."""
        if not self._keys.open("admin", key_of(request)):
            return web.Response(status=401)
        path = request.rel_url.path.rstrip("/")
        if path == "/admin/host/status":
            return web.json_response(self._status())
        if path == "/admin/functions":
            return web.json_response([self._described(function) for function in self._functions])
        name = path.removeprefix("/admin/functions/").lower()
        for function in self._functions:
            if function.name.lower() == name:
                return await self._function(request, function)
        return web.Response(status=404)

    async def drain(self) -> None:
        """Wait for the runs that were asked for by hand."""
        if self._runs:
            await asyncio.wait(self._runs)

    async def _function(self, request: web.BaseRequest, function: Function) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response(self._described(function))
        if request.method != "POST":
            return web.Response(status=405)
        try:
            document = json.loads(await read_body(request, BODY_LIMIT) or b"{}")
            given = document.get("input", "")
            text = given if isinstance(given, str) else json.dumps(given)
            call = call_by_hand(function, text)
        except BodyTooLargeError:
            return web.Response(status=413)
        except (ValueError, AttributeError, RecursionError):
            return web.Response(status=400, text='The body must be {"input": "text"}')
        task = asyncio.create_task(self._invoker.invoke(function, call))
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        return web.Response(status=202)

    def _status(self) -> dict[str, object]:
        return {
            "id": self._host_id,
            "state": "Running",
            "version": "plumbline-local",
            "processUptime": round((time.monotonic() - self._started) * 1000),
            "pid": os.getpid(),
            "worker": {"pid": self._supervisor.pid, "restarts": self._supervisor.restarts},
            "invocations": dict(self._invoker.counts),
        }

    def _described(self, function: Function) -> dict[str, object]:
        return {
            "name": function.name,
            "isDisabled": function.disabled,
            "config": {"bindings": [dict(binding) for binding in function.bindings]},
        }


def call_by_hand(function: Function, text: str) -> invocation.Call:
    """Return the call for a run by hand: the input is the message, or the body of a POST. Pure."""
    match function.trigger:
        case QueueTrigger():
            call = messages.call_of(messages.Received.by_hand(text), text.encode())
            return invocation.Call(call.value, "by hand", call.metadata, call.data)
        case HttpTrigger(_, template):
            url = f"http://127.0.0.1/{template.text}"
            return invocation.Call(wire.HttpRequest("POST", url, body=text.encode()), "by hand")
        case _:
            return invocation.Call(timers.payload(None, past_due=False), "by hand")
