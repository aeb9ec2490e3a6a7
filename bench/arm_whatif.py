"""What-if of a hundred resources: what it costs the server."""

import asyncio
from collections.abc import Iterator
from typing import Any

from bench.arm_server import API, KEY, Simulator, Wire, shop, simulator, template, wire
from bench.figures import Figure

COPIES, TIMES, WARM_UP = 20, 20, 3
CPU_MS = 100.0
COMMAND = "python -m bench arm_whatif"


async def _what_if(line: Wire, path: str, body: Any) -> dict[str, Any]:
    """Ask for a what-if and follow it to its end; return the result."""
    status, answer = await line.call("POST", path, body)
    while status == 202:
        await asyncio.sleep(0.005)
        place = line.headers["location"].split("/", 3)[3]
        status, answer = await line.call("GET", f"/{place}")
    if status != 200 or answer["status"] != "Succeeded":
        raise RuntimeError(f"{path}: {status} {answer}")
    found: dict[str, Any] = answer
    return found


async def _load(server: Simulator) -> tuple[float, list[str]]:
    """Return (CPU seconds of the server per what-if, kinds of the changes found)."""
    group = f"{server.subscription}/resourcegroups/rg"
    given = {
        "mode": "Incremental",
        "template": template(shop(COPIES), parameters=KEY),
        "parameters": {"key": {"value": "a"}},
    }
    path = f"{group}/providers/Microsoft.Resources/deployments/d/whatIf?api-version={API}"
    async with wire(server) as line:
        await line.good("PUT", f"{group}?api-version={API}", {"location": "westeurope"})
        await line.deploy(group, "d", given)
        for _ in range(WARM_UP):
            result = await _what_if(line, path, {"properties": given})
        cpu = server.cpu_s()
        for _ in range(TIMES):
            result = await _what_if(line, path, {"properties": given})
        spent = server.cpu_s() - cpu
    return spent / TIMES, [change["changeType"] for change in result["properties"]["changes"]]


def measure() -> Iterator[Figure]:
    """Deploy a hundred resources and ask what the same template would change."""
    with simulator() as server:
        each, kinds = asyncio.run(_load(server))
    count = 5 * COPIES
    clean = kinds.count("NoChange")
    yield Figure(
        what=f"ARM simulator: what-if of {count} resources, CPU of the server's process",
        target=f"≤ {CPU_MS:.0f} ms",
        measured=f"{each * 1000:.0f} ms, {clean} NoChange of {len(kinds)} changes",
        met=each * 1000 <= CPU_MS and clean == count,
        command=COMMAND,
    )
