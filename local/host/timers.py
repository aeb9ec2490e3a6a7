"""The timer trigger: one host runs it, no run overlaps another, none is forgotten over a restart.

What is due is kept in a status blob (schedules of a minute and more): after a pause the first run
is early and says so (`past_due`). An exception never stops a schedule.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError

from local.host import wire
from local.host.bindings import DEFAULT_CONNECTION, Function, TimerTrigger
from local.host.configuration import SingletonOptions
from local.host.invocation import Call, Invoker, first_line
from local.host.journal import Journal
from local.host.leases import HOSTS_CONTAINER, Lock
from local.host.ncrontab import Schedule
from local.host.storage import Connections, creating

INFO, WARNING = 20, 30
STORAGE_PAUSE_S = 5.0
LONGEST_SLEEP_S = 60.0  # so that a laptop that slept notices within a minute
NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Status:
    """The status blob: last run, next run, and when that was written."""

    last: datetime
    next: datetime
    last_updated: datetime

    def document(self) -> dict[str, str]:
        """Return it as the real host writes it. Pure."""
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.last_updated.isoformat(),
        }

    @classmethod
    def parse(cls, content: bytes) -> "Status | None":
        """Return the status in a blob; None if it cannot be read. Pure."""
        try:
            document: Any = json.loads(content)
            times = [
                datetime.fromisoformat(document[name]) for name in ("Last", "Next", "LastUpdated")
            ]
        except (ValueError, KeyError, TypeError):
            return None
        return cls(*(moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in times))


def first_status(stored: Status | None, schedule: Schedule, now: datetime) -> Status:
    """Return the status to start from, as the real host's monitor does. Pure.

    A schedule that was changed since the status was written is not past due.
    """
    if stored is None:
        return Status(NEVER, schedule.after(now), now)
    base = next((moment for moment in (stored.last, stored.last_updated) if moment > NEVER), now)
    expected = schedule.after(base)
    if expected == stored.next:
        return stored
    if now > expected:
        return Status(NEVER, schedule.after(now), now)
    return Status(NEVER, expected, base)


def payload(status: Status | None, *, past_due: bool) -> wire.Json:
    """Return what the function receives. Pure."""
    document = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": status.document() if status else None,
        "IsPastDue": past_due,
    }
    return wire.Json(json.dumps(document))


def retry_pause_s(retry: wire.Retry, attempt: int) -> float:
    """Return the pause before attempt + 1 of a failed run. Pure."""
    if retry.fixed_delay_s is not None:
        return retry.fixed_delay_s
    return min(retry.maximum_s, retry.minimum_s * 2.0**attempt)


class Listener:
    """Runs one timer function on whichever host holds its lock."""

    def __init__(
        self,
        function: Function,
        connections: Connections,
        surroundings: tuple[Invoker, Journal],
        host_id: str,
        options: SingletonOptions,
    ) -> None:
        if not isinstance(function.trigger, TimerTrigger):
            raise TypeError(f"{function.name} has no timer trigger")
        self._function = function
        self._trigger = function.trigger
        self._invoker, self._journal = surroundings
        self._options = options
        name = f"Host.Functions.{function.name}"
        self._lock = Lock(connections, f"locks/{host_id}/{name}.Listener", options)
        self._container = connections.container(DEFAULT_CONNECTION, HOSTS_CONTAINER)
        self._blob = self._container.get_blob_client(f"timers/{host_id}/{name}/status")
        self._stopping = asyncio.Event()
        self._now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def stop(self) -> None:
        """Ask the listener to end after the current run."""
        self._stopping.set()

    async def run(self) -> None:
        """Run the schedule whenever this host has the lock, until `stop`."""
        while not self._stopping.is_set():
            pause = self._options.recovery_s
            try:
                async with self._lock.held(DEFAULT_CONNECTION) as lost:
                    if lost is not None:
                        await self._own(lost)
                        pause = 0.0
            except AzureError as error:
                self._say(WARNING, "timer waits for storage", error=first_line(error))
                pause = STORAGE_PAUSE_S
            await self._wait(pause, self._stopping)

    async def _own(self, lost: asyncio.Event) -> None:
        now = self._now()
        schedule = self._trigger.schedule
        monitored = self._trigger.use_monitor and not schedule.is_short(now)
        status = first_status(await self._read() if monitored else None, schedule, now)
        if monitored:
            await self._store(status)
        past_due = monitored and now > status.next
        early = past_due or self._trigger.run_on_startup
        while not (lost.is_set() or self._stopping.is_set()):
            if not early and not await self._sleep_until(status.next, lost):
                continue
            # A timer that fires a few milliseconds early must not fire twice.
            at = self._now() if early else max(self._now(), status.next)
            reason = "timer, past due" if past_due else "timer, at start" if early else "timer"
            await self._fire(payload(status if monitored else None, past_due=past_due), reason)
            early = past_due = False
            status = Status(at, schedule.after(at), at)
            if monitored:
                await self._store(status)
            self._say(INFO - 10, "timer scheduled", next=status.next.isoformat())

    async def _sleep_until(self, moment: datetime, lost: asyncio.Event) -> bool:
        """Return True when the moment has come, False after a minute, a loss or a stop."""
        remaining = (moment - self._now()).total_seconds()
        if remaining > 0:
            await self._wait(min(remaining, LONGEST_SLEEP_S), self._stopping, lost)
        if self._stopping.is_set() or lost.is_set():
            return False
        return remaining <= LONGEST_SLEEP_S

    async def _fire(self, value: wire.Json, reason: str) -> None:
        retry = self._function.retry
        limit = retry.max_count if retry else 0
        attempt = 0
        while True:
            call = Call(value, reason, retry=(attempt, limit))
            result = await self._invoker.invoke(self._function, call)
            if result.succeeded or retry is None or 0 <= limit <= attempt:
                return
            await self._wait(retry_pause_s(retry, attempt), self._stopping)
            if self._stopping.is_set():
                return
            attempt += 1

    async def _read(self) -> Status | None:
        try:
            stream = await self._blob.download_blob()
            return Status.parse(await stream.readall())
        except ResourceNotFoundError:
            return None

    async def _store(self, status: Status) -> None:
        content = json.dumps(status.document())
        with contextlib.suppress(ResourceExistsError):
            await creating(
                lambda: self._blob.upload_blob(content, overwrite=True),
                self._container.create_container,
            )

    async def _wait(self, seconds: float, *events: asyncio.Event) -> None:
        tasks = [asyncio.create_task(event.wait()) for event in events]
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _say(self, level: int, message: str, **fields: object) -> None:
        self._journal.write(
            "Host.Triggers.Timer", level, message, function=self._function.name, **fields
        )
