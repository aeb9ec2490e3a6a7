"""Many stacks from one push, on one Functions host: how long, and what the host's memory does."""

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.request import Request, urlopen

from bench.figures import Figure
from bench.laptops import Running, WorkingCopy, laptop
from bench.processes import family, memory_mib
from bench.stacks import manifest, template
from local import waiting

FEW, FEW_S = 200, 60.0
MANY, MANY_S = 1000, 200.0
OPERATION_S = 5.0
BUCKET, RATE, SLACK = 200, 10, 1.15
FLAT = 1.1
LOOKED, LOOKED_S = 60, 40.0
_LOOKS = ("deployment", "deployments")
LIMIT_S = 600.0
REQUEST_LIMIT_S = 20.0
COMMAND = "python -m bench many_stacks"


@dataclass(frozen=True)
class Sample:
    """The host's resident memory, so many seconds after the push was received."""

    at_s: float
    mib: float


@dataclass(frozen=True)
class Run:
    """How it went. Times are in seconds, from the webhook's answer."""

    released: int
    released_s: float
    last_put_s: float
    samples: tuple[Sample, ...]
    writes: int
    refused: int
    failed: int
    looks: int

    @property
    def third_mib(self) -> float:
        """The most memory in the first third."""
        return max(s.mib for s in self.samples if s.at_s <= self.released_s / 3)

    @property
    def most_mib(self) -> float:
        """The most memory of all."""
        return max(s.mib for s in self.samples)


def _control(running: Running, method: str, path: str, body: Mapping[str, Any]) -> Any:
    arm = running.line["arm"]
    asked = Request(  # noqa: S310 - our own server
        f"{arm['control']}/{path}",
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json"},
    )
    trust = ssl.create_default_context(cafile=arm["ca_file"])
    with urlopen(asked, context=trust, timeout=REQUEST_LIMIT_S) as answer:  # noqa: S310 - our own
        return json.loads(answer.read() or b"null")


def _memory(running: Running) -> float:
    """Return the resident memory of the host and its worker."""
    host = running.line["pids"]["functions"][0]
    return sum(memory_mib(pid) for pid in family(host))


def _moments(running: Running, event: str) -> dict[str, datetime]:
    """Return when each stack was first mentioned by an event."""
    found: dict[str, datetime] = {}
    for entry in running.events(event):
        found.setdefault(entry["stack"], datetime.fromisoformat(entry["time"]))
    return found


def _push(running: Running, count: int, group: str | None) -> None:
    names = [f"stack-{n:04d}" for n in range(count)]
    clone = WorkingCopy(running.line["git"]["url"], running.line["git"]["branch"])
    templates = {f"{n}.json": template(n, name=n) for n in names}
    clone.push({"plumbline.yaml": manifest(*names, group=group), **templates})
    clone.close()


def _watched(running: Running, count: int) -> tuple[Sample, ...]:
    """Look at the host's memory until every stack was released, or the limit is reached."""
    began = time.monotonic()
    samples: list[Sample] = []

    def done() -> bool:
        samples.append(Sample(time.monotonic() - began, _memory(running)))
        return len(_moments(running, "release_succeeded")) >= count

    with suppress(waiting.WaitedTooLongError):  # the row says how many there were
        waiting.until(done, limit_s=LIMIT_S, what=f"the release of {count} stacks", pause_s=1.0)
    return tuple(samples)


def run(
    count: int,
    throttle: Mapping[str, Any] | None = None,
    *,
    group: str | None = None,
    operation_s: float = OPERATION_S,
) -> Run:
    """Push so many stacks and follow them to their ends.

    Each has a resource group of its own, unless all share ``group``.
    """
    with laptop() as running:
        knobs = {"deployment_seconds": operation_s, "throttle": throttle}
        _control(running, "PATCH", "knobs", knobs)
        _control(running, "DELETE", "requests", {})
        _push(running, count, group)
        samples = _watched(running, count)
        counts = _control(running, "GET", "requests?limit=0", {})
        pushed = min(
            datetime.fromisoformat(entry["time"]) for entry in running.events("push_received")
        )
        released = _moments(running, "release_succeeded").values()
        put = max(_moments(running, "release_put").values())
        failed = len(_moments(running, "release_failed"))
    return Run(
        released=len(released),
        released_s=(max(released) - pushed).total_seconds(),
        last_put_s=(put - pushed).total_seconds(),
        samples=samples,
        writes=counts["kinds"]["writes"],
        refused=counts["statuses"].get("429", 0),
        failed=failed,
        looks=sum(counts["routes"].get(f"GET {route}", 0) for route in _LOOKS),
    )


def _said(found: Run) -> str:
    return (
        f"{found.released} in {found.released_s:.0f} s (last PUT after {found.last_put_s:.0f} s,"
        f" {found.failed} failed); host {found.third_mib:.0f} MiB in the first third,"
        f" {found.most_mib:.0f} MiB at most"
    )


def few() -> Figure:
    """Release a few hundred stacks whose deployments take a while."""
    found = run(FEW)
    return Figure(
        what=f"{FEW} independent stacks from one push, deployments of {OPERATION_S:g} s, one host",
        target=f"≤ {FEW_S:.0f} s",
        measured=_said(found),
        met=found.released == FEW and found.released_s <= FEW_S and not found.failed,
        command=COMMAND,
    )


def many() -> Figure:
    """Release a thousand; whatever the host keeps for each would show in its memory."""
    found = run(MANY)
    flat = found.most_mib <= FLAT * found.third_mib
    return Figure(
        what=f"{MANY:,} independent stacks from one push, buckets off, one host",
        target=f"≤ {MANY_S:.0f} s; memory flat: ≤ {FLAT:g} times that of the first third",
        measured=_said(found),
        met=found.released == MANY and found.released_s <= MANY_S and flat and not found.failed,
        command=COMMAND,
    )


def throttled(count: int = MANY) -> Figure:
    """Release a thousand while ARM refuses whoever writes or reads more than it allows."""
    found = run(count, throttle={})
    least = (found.writes - BUCKET) / RATE
    return Figure(
        what=f"{count:,} independent stacks from one push, ARM's token buckets on, one host",
        target=f"last PUT after ≤ {SLACK:g} times (writes - {BUCKET}) / {RATE} s, no 429",
        measured=f"{_said(found)}; {found.writes} writes, {found.last_put_s / least:.2f} times"
        f" {least:.0f} s, {found.refused} times 429",
        met=found.released == count
        and found.last_put_s <= SLACK * least
        and not found.refused
        and not found.failed,
        command=COMMAND,
    )


def looks() -> Figure:
    """Release stacks into one group, and into groups of their own, where each look is a call."""
    alone = run(LOOKED, operation_s=LOOKED_S)
    together = run(LOOKED, operation_s=LOOKED_S, group="rg-shared")
    return Figure(
        what=f"{LOOKED} stacks, deployments of {LOOKED_S:g} s: GETs of deployments and their"
        " listings, a group each / one group for all",
        target="-",
        measured=f"{alone.looks} / {together.looks}; {alone.released} / {together.released} released",
        met=None,
        command=COMMAND,
    )


def measure() -> Iterator[Figure]:
    """Take them one after the other, each on a fresh laptop."""
    yield few()
    yield looks()
    yield many()
    yield throttled()
