"""Fifty thousand resources in one simulator: memory, and how long a list of one group takes."""

import asyncio
import time
from collections.abc import Iterator
from statistics import median

from bench.arm_server import API, KEY, Simulator, shop, simulator, template, wire
from bench.figures import Figure

RESOURCES, COPIES, AT_ONCE = 50_000, 100, 4
MEMORY_MIB, LIST_MS = 500.0, 100.0
COMMAND = "python -m bench arm_size"


async def _fill(server: Simulator, number: int) -> None:
    """Deploy this worker's share, each deployment into a group of its own."""
    body = template(shop(COPIES), parameters=KEY)
    each = 5 * COPIES
    async with wire(server) as line:
        for at in range(number, RESOURCES // each, AT_ONCE):
            group = f"{server.subscription}/resourcegroups/rg-{at}"
            await line.good("PUT", f"{group}?api-version={API}", {"location": "westeurope"})
            given = {"template": body, "parameters": {"key": {"value": f"{at}x"}}}
            await line.deploy(group, "fill", given)


async def _lists(server: Simulator) -> tuple[int, float]:
    """Return (resources in one group, median milliseconds of listing them)."""
    times: list[float] = []
    async with wire(server) as line:
        path = f"{server.subscription}/resourcegroups/rg-7/resources?api-version={API}"
        for _ in range(9):
            began = time.perf_counter()
            found = await line.good("GET", path)
            times.append((time.perf_counter() - began) * 1000)
    return len(found["value"]), median(times)


async def _load(server: Simulator) -> tuple[int, float]:
    await asyncio.gather(*(_fill(server, one) for one in range(AT_ONCE)))
    return await _lists(server)


def measure() -> Iterator[Figure]:
    """Deploy them all, then look at the process and at one group among a hundred."""
    with simulator() as server:
        count, listed = asyncio.run(_load(server))
        now, most = server.memory_mib(), server.memory_mib("VmHWM")
    yield Figure(
        what=f"ARM simulator: resident memory with {RESOURCES:,} deployed resources of 5 types",
        target=f"≤ {MEMORY_MIB:.0f} MiB",
        measured=f"{now:.0f} MiB (most {most:.0f} MiB)",
        met=most <= MEMORY_MIB,
        command=COMMAND,
    )
    yield Figure(
        what=f"ARM simulator: list of one group ({count} resources) among {RESOURCES:,}",
        target=f"≤ {LIST_MS:.0f} ms",
        measured=f"{listed:.0f} ms",
        met=listed <= LIST_MS,
        command=COMMAND,
    )
