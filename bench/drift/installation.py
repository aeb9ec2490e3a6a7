"""The product on a laptop: it releases the estate, scans it, and says what it found."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from bench.drift.azure import Azure
from bench.drift.host import NEVER, Host, host
from bench.drift.model import Estate
from bench.drift.rehearsal import SUBSCRIPTION, filled
from bench.drift.scoring import Item
from bench.laptops import Running, WorkingCopy, laptop
from bench.product import without_host
from local import waiting
from local.arm.server import TENANT

INSPECT: Final = "inspect"
OTHERS: Final = ("sync", "release", "watch", "snapshot", "settle")
SETTLED_S: Final = 600.0
PAUSE_S: Final = 0.25
BETWEEN_S: Final = 5.0
QUIET: Final = 3
"""So often in a row must the queue be empty before a scan's inspections count as done."""
RELEASE_S: Final = 1.5
"""How long one release may take at most, on a machine that others use, too."""
LIMIT_S: Final = 3600.0


@dataclass(frozen=True)
class Phase:
    """What one phase cost: ARM calls, 429s, seconds, and how many scans it took."""

    name: str
    calls: int
    reads: int
    writes: int
    throttled: int
    seconds: float
    scans: int
    inspected: int
    routes: Mapping[str, int]

    def shown(self) -> dict[str, Any]:
        """Return what the line shows."""
        return {
            "arm_calls": self.calls,
            "reads": self.reads,
            "writes": self.writes,
            "throttled": self.throttled,
            "seconds": round(self.seconds, 1),
            "scans": self.scans,
            "inspected": self.inspected,
        }


@dataclass
class Installation:
    """A laptop with the estate's stacks in its repository; hosts come and go."""

    running: Running
    azure: Azure
    estate: Estate
    storage: BlobServiceClient
    queues: QueueServiceClient
    say: Callable[[str], None]
    errors: Counter[str] = field(default_factory=Counter)
    unreleased: int = 0

    def release(self) -> float:
        """Push the estate and wait until each stack's snapshot is taken; return the seconds.

        What does not come to that within the limit is counted in ``unreleased``.
        """
        count = len(self.estate.stacks)
        began = time.monotonic()
        with self.host("release", {}) as found:
            clone = WorkingCopy(self.running.line["git"]["url"], self.running.line["git"]["branch"])
            with closing(clone):
                clone.push(files(self.estate, self.azure.subscription))

            def missing() -> int:
                return count - len({o["stack"] for o in found.journal.events("snapshot_taken")})

            with suppress(waiting.WaitedTooLongError):
                waiting.until(
                    lambda: missing() == 0,
                    limit_s=120 + RELEASE_S * count,
                    what=f"the release of {count} stacks",
                    pause_s=1.0,
                )
            self.unreleased = missing()
            seconds = time.monotonic() - began
            # A good release is looked at once more two minutes later: no scan is to pay for that.
            waiting.until(
                lambda: not any(map(self._waiting, OTHERS)),
                limit_s=SETTLED_S,
                what="the second looks at the releases",
                pause_s=1.0,
            )
        return seconds

    @contextmanager
    def host(self, name: str, settings: Mapping[str, str]) -> Iterator[Host]:
        """Run a host whose timers scan nothing by themselves."""
        told = {"PLUMBLINE_SCAN_SCHEDULE": NEVER, **settings}
        with host(self.running, name, told) as found:
            yield found
            self.errors += found.journal.errors()

    def phase(
        self, name: str, settings: Mapping[str, str], is_done: Callable[[], bool], most: int = 1
    ) -> Phase:
        """Scan until it is done, at most so many times; return what that cost."""
        with self.host(name, settings) as found:
            self.azure.forget()
            began = time.monotonic()
            scans = 0
            while scans < most:
                scans += 1
                self._scan(found, scans)
                if is_done():
                    break
                time.sleep(BETWEEN_S)  # a scan that was cut short has its next try a little later
            seconds = time.monotonic() - began
            counts = self.azure.counts()
            inspected = len(found.journal.events("drift_inspected"))
        phase = Phase(
            name,
            calls=counts.total,
            reads=counts.reads,
            writes=counts.writes,
            throttled=counts.throttled,
            seconds=seconds,
            scans=scans,
            inspected=inspected,
            routes=counts.routes,
        )
        self.say(f"{name}: {phase.shown()} {dict(counts.routes)}")
        return phase

    def _scan(self, found: Host, number: int) -> None:
        """Scan once and wait for the inspections that it asked for, delayed ones included."""
        found.run("scan_drift")
        waiting.until(
            lambda: len(found.journal.events("scan_finished")) >= number,
            limit_s=LIMIT_S,
            what="a scan",
            pause_s=PAUSE_S,
        )
        still = 0

        def idle() -> bool:
            nonlocal still
            still = still + 1 if self._waiting(INSPECT) == 0 else 0
            return still >= QUIET

        waiting.until(idle, limit_s=LIMIT_S, what="the inspections", pause_s=PAUSE_S)

    def _waiting(self, queue: str) -> int:
        """Return how many messages there are, those under way and for later included."""
        with self.queues.get_queue_client(f"plumbline-{queue}") as client:
            return client.get_queue_properties().approximate_message_count or 0

    def drifts(self) -> dict[str, dict[str, Any]]:
        """Return the documents of drift by stack."""
        found = {}
        with self.storage.get_container_client("state") as state:
            for name in state.list_blob_names(name_starts_with="drift/"):
                document = json.loads(state.download_blob(name).readall())
                found[document["stack"]] = document
        return found

    def items(self) -> list[Item]:
        """Return what the product shows of all stacks."""
        return [
            Item(one["kind"], one["resource"], one.get("path", ""))
            for document in self.drifts().values()
            for one in document.get("items", ())
        ]


def files(estate: Estate, subscription: str) -> dict[str, str]:
    """Return what the repository holds. Pure."""
    lines = ["version: 1", "defaults: {adopt: take}", "stacks:"]
    found = {}
    for stack in estate.stacks:
        path = f"stacks/{stack.name}.json"
        found[path] = json.dumps(filled(stack.template, subscription))
        lines.append(
            f"  {stack.name}: {{template: {path}, scope: {stack.group},"
            f" createResourceGroup: {stack.location}}}"
        )
    return {"plumbline.yaml": "\n".join(lines) + "\n", **found}


def azure_of(running: Running) -> Azure:
    """Return a laptop's simulator, to be closed."""
    line = {**running.line["arm"], "subscription_id": running.line["subscription_id"]}
    return Azure({**line, "tenant_id": TENANT})


@contextmanager
def installation(estate: Estate, say: Callable[[str], None]) -> Iterator[Installation]:
    """Bring a laptop up without its own Functions host, until the block is left."""
    with laptop(subscription=SUBSCRIPTION) as running:
        without_host(running)
        storage = running.line["storage_connection_string"]
        with (
            closing(azure_of(running)) as azure,
            BlobServiceClient.from_connection_string(storage) as blobs,
            QueueServiceClient.from_connection_string(storage) as queues,
        ):
            yield Installation(running, azure, estate, blobs, queues, say)
