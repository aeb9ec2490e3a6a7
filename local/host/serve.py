"""One host: a worker child, an HTTP server, and a listener for every queue and timer function."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web

from local.host import catalog, configuration, queues, storage, timers, wire
from local.host.admin import Admin
from local.host.bindings import Function, QueueTrigger, TimerTrigger
from local.host.configuration import HostConfiguration
from local.host.invocation import Invoker
from local.host.journal import Journal
from local.host.problems import Problem, StartRefusedError
from local.host.storage import Connections
from local.host.supervisor import (
    START_LIMIT_S,
    Plan,
    RefusedError,
    Supervisor,
    WorkerLostError,
)
from local.host.web import DEFAULT_BODY_LIMIT, Endpoint, Keys, Server

INFO, WARNING = 20, 30
DEFAULT_GRACE_S = 5.0


@dataclass(frozen=True)
class Options:
    """What the command line decides; None leaves it to host.json.

    `show_keys` when the host made its keys up, so that its caller learns them.
    """

    app_dir: Path
    keys: Keys
    port: int = 0
    shared_port: bool = False
    lease_s: float = queues.LEASE_S
    max_polling_s: float | None = None
    lock_s: float | None = None
    body_limit: int = DEFAULT_BODY_LIMIT
    grace_s: float = DEFAULT_GRACE_S
    show_keys: bool = False


def shown_keys(options: Options) -> dict[str, str]:
    """Return what the ready line says of the keys: nothing if its reader gave them. Pure."""
    if not options.show_keys:
        return {}
    return {"function_key": options.keys.function, "master_key": options.keys.master}


def with_options(read: HostConfiguration, options: Options) -> HostConfiguration:
    """Return the configuration with what the command line overrides. Pure."""
    queue_options, singleton = read.queues, read.singleton
    if options.max_polling_s is not None:
        queue_options = replace(queue_options, max_polling_s=options.max_polling_s)
    if options.lock_s is not None:
        # Twice the patience of a lease would be wasted on a laptop: look five times per period.
        singleton = replace(singleton, lock_s=options.lock_s, recovery_s=options.lock_s / 5)
    return replace(read, queues=queue_options, singleton=singleton)


@dataclass
class Host:
    """A host that serves; `stop` ends it."""

    options: Options
    journal: Journal
    configuration: HostConfiguration
    functions: list[Function]
    supervisor: Supervisor
    connections: Connections
    invoker: Invoker
    server: Server | None = None
    admin: Admin | None = None
    _queues: list[queues.Listener] = field(default_factory=list)
    _timers: list[timers.Listener] = field(default_factory=list)
    _pollers: list[asyncio.Task[None]] = field(default_factory=list)
    _clocks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return where the host answers."""
        return f"http://127.0.0.1:{self.server.port if self.server else 0}"

    async def open(self) -> None:
        """Listen: HTTP first, then queues and timers. Raises StartRefusedError for the port."""
        endpoint = Endpoint(
            self.functions,
            self.invoker,
            self.options.keys,
            body_limit=self.options.body_limit,
            max_outstanding=self.configuration.max_outstanding_requests,
        )
        admin = Admin(
            self.configuration.host_id,
            self.functions,
            self.invoker,
            self.supervisor,
            self.options.keys,
        )

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            path = request.rel_url.raw_path
            handler = admin if path == "/admin" or path.startswith("/admin/") else endpoint
            return await handler.answer(request)

        self.admin = admin
        try:
            self.server = await Server.start(
                answer,
                self.options.port,
                shared=self.options.shared_port,
                grace_s=self.options.grace_s,
            )
        except OSError as error:
            taken = Problem(f"port {self.options.port}", str(error), "Choose another --port")
            raise StartRefusedError([taken]) from None
        self._listen()

    def _listen(self) -> None:
        around = (self.invoker, self.journal)
        for function in self.functions:
            if function.disabled:
                self.journal.write("Host.Startup", WARNING, "disabled", function=function.name)
            elif isinstance(function.trigger, QueueTrigger):
                listener = queues.Listener(
                    function,
                    self.configuration.queues,
                    self.connections,
                    around,
                    self.options.lease_s,
                )
                self._queues.append(listener)
                self._pollers.append(asyncio.create_task(listener.run(), name=function.name))
            elif isinstance(function.trigger, TimerTrigger):
                timer = timers.Listener(
                    function,
                    self.connections,
                    around,
                    self.configuration.host_id,
                    self.configuration.singleton,
                )
                self._timers.append(timer)
                self._clocks.append(asyncio.create_task(timer.run(), name=function.name))
        self.invoker.on_message = self._written

    def _written(self, queue: str) -> None:
        for listener in self._queues:
            if listener.queue_name == queue:
                listener.wake()

    async def stop(self) -> None:
        """Take nothing new, let what runs finish within the grace, end the worker."""
        for timer in self._timers:
            timer.stop()
        for poller in self._pollers:
            poller.cancel()
        await asyncio.gather(*self._pollers, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.options.grace_s):
                await asyncio.gather(
                    *(listener.drain() for listener in self._queues), self._drain_http()
                )
                if self._clocks:
                    await asyncio.wait(self._clocks)
        await self.supervisor.stop()
        for clock in self._clocks:
            clock.cancel()
        await asyncio.gather(*self._clocks, return_exceptions=True)
        await asyncio.gather(*(listener.drain() for listener in self._queues))
        await self.connections.close()

    async def _drain_http(self) -> None:
        if self.server is not None:
            await self.server.stop()
        if self.admin is not None:
            await self.admin.drain()

    async def failed(self) -> None:
        """Wait for a listener that ends with a defect, and raise it."""
        tasks = [*self._pollers, *self._clocks]
        if not tasks:
            await asyncio.Event().wait()
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()


async def start(
    options: Options,
    environment: Mapping[str, str],
    journal_of: Callable[[Mapping[str, int]], Journal],
) -> Host:
    """Read the app, start its worker, check everything, listen.

    Raises StartRefusedError with every problem that was found.
    """
    began = time.monotonic()
    local = configuration.read_local_settings(options.app_dir)
    settings = configuration.app_settings(local, environment)
    read = with_options(configuration.read_host_json(options.app_dir, settings), options)
    journal = journal_of(read.log_levels)
    names: dict[str, str] = {}
    supervisor = Supervisor(
        Plan(
            app_dir=options.app_dir,
            environment={**settings, "AzureWebJobsScriptRoot": str(options.app_dir)},
            log_level=journal.lowest(),
            on_log=lambda record: _relay(journal, names, record),
            on_event=lambda message, fields: journal.write(
                "Host.Worker", WARNING, message, **fields
            ),
        )
    )
    functions, _ = await asyncio.gather(
        _index(supervisor, settings, read.route_prefix), asyncio.to_thread(storage.warm)
    )
    connections = Connections(settings)
    invoker = Invoker(
        supervisor, connections, journal, timeout_s=read.timeout_s, base64=read.queues.base64
    )
    invoker.names = names
    host = Host(options, journal, read, functions, supervisor, connections, invoker)
    try:
        await host.open()
    except StartRefusedError:
        await host.stop()
        raise
    journal.write(
        "Host.Startup",
        INFO,
        "ready",
        url=host.url,
        pid=os.getpid(),
        functions=len(functions),
        elapsed_ms=round((time.monotonic() - began) * 1000),
    )
    return host


async def _index(
    supervisor: Supervisor, settings: Mapping[str, str], route_prefix: str
) -> list[Function]:
    try:
        indexed = await supervisor.start()
    except RefusedError as error:
        mend = f"Mend the app; Microsoft's library reports:\n{error.trace.strip()}"
        raise StartRefusedError([Problem("function_app.py", str(error), mend)]) from None
    except (WorkerLostError, TimeoutError) as error:
        what = str(error) or f"the app was not loaded within {START_LIMIT_S:.0f} s"
        mend = "An app must not exit, crash or wait while it is imported"
        raise StartRefusedError([Problem("function_app.py", what, mend)]) from None
    try:
        return catalog.read_catalog(indexed, settings, route_prefix)
    except StartRefusedError:
        await supervisor.stop()
        raise


def _relay(journal: Journal, names: Mapping[str, str], record: wire.LogRecord) -> None:
    name = names.get(record.invocation_id or "")
    journal.write(
        f"Function.{name}.User" if name else "Worker",
        record.level,
        record.message,
        logger=record.logger,
        function=name,
        invocation_id=record.invocation_id,
    )
