"""The ARM simulator under load: how fast it starts, and what a deployment of 5 resources costs."""

import asyncio
import time
from collections.abc import Iterator
from statistics import median

from bench.arm_server import API, KEY, Simulator, shop, simulator, template, wire
from bench.figures import Figure

STARTS = 5
DEPLOYMENTS, WARM_UP, AT_ONCE, NAMES = 600, 40, 4, 50
START_S, CPU_MS, PER_SECOND = 1.5, 15.0, 40.0
COMMAND = "python -m bench arm_deployments"


async def _worker(server: Simulator, number: int, count: int) -> None:
    """Deploy again and again under a few names, into a group of its own."""
    group = f"{server.subscription}/resourcegroups/rg-{number}"
    body = template(shop(), parameters=KEY)
    async with wire(server) as line:
        await line.good("PUT", f"{group}?api-version={API}", {"location": "westeurope"})
        for at in range(count):
            key = f"{number}x{at % NAMES}"
            given = {"template": body, "parameters": {"key": {"value": key}}}
            await line.deploy(group, f"d{at % NAMES}", given)


async def _load(server: Simulator) -> tuple[float, float]:
    """Return (CPU seconds of the server, seconds) of all deployments."""
    await _worker(server, 99, WARM_UP)
    cpu, began = server.cpu_s(), time.perf_counter()
    await asyncio.gather(*(_worker(server, one, DEPLOYMENTS // AT_ONCE) for one in range(AT_ONCE)))
    return server.cpu_s() - cpu, time.perf_counter() - began


def measure() -> Iterator[Figure]:
    """Measure starts in memory, then deployments over TLS with no rate limit."""
    starts = []
    for _ in range(STARTS):
        with simulator() as server:
            starts.append(server.start_s)
    yield Figure(
        what=f"ARM simulator: start, process to ready line, in memory, median of {STARTS}",
        target=f"≤ {START_S} s",
        measured=f"{median(starts):.2f} s (most {max(starts):.2f} s)",
        met=median(starts) <= START_S,
        command=COMMAND,
    )
    with simulator() as server:
        cpu, seconds = asyncio.run(_load(server))
        each, rate = cpu * 1000 / DEPLOYMENTS, DEPLOYMENTS / seconds
    yield Figure(
        what="ARM simulator: CPU of the server's process per deployment of 5 resources, polls included",
        target=f"≤ {CPU_MS:.0f} ms",
        measured=f"{each:.1f} ms",
        met=each <= CPU_MS,
        command=COMMAND,
    )
    yield Figure(
        what=f"ARM simulator: deployments of 5 resources over TLS, raw client, {AT_ONCE} at once, buckets off",
        target=f"≥ {PER_SECOND:.0f} per second",
        measured=f"{rate:.0f} per second",
        met=rate >= PER_SECOND,
        command=COMMAND,
    )
