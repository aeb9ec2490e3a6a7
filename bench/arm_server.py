"""A simulator in a process of its own, and a client so thin that the server is what is measured."""

import asyncio
import json
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bench import processes
from bench.laptops import ROOT

API = "2025-04-01"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_ENDED = frozenset({"Succeeded", "Failed", "Canceled"})


@dataclass(frozen=True)
class Simulator:
    """A running simulator: the line that it printed, and how long it took to print it."""

    line: Mapping[str, Any]
    start_s: float

    @property
    def subscription(self) -> str:
        """The path of the subscription."""
        return f"/subscriptions/{self.line['subscription_id']}"

    def cpu_s(self) -> float:
        """Return the CPU time of the server's process so far, user and system."""
        return processes.cpu_s(self.line["pid"])

    def memory_mib(self, field: str = "VmRSS") -> float:
        """Return a size from the process's status: VmRSS now, VmHWM at most so far."""
        return processes.memory_mib(self.line["pid"], field)


@contextmanager
def simulator(*options: str) -> Iterator[Simulator]:
    """Run a simulator in memory, or with other options, until the block is left."""
    command = [sys.executable, "-m", "local.arm", "--json", *(options or ("--memory",))]
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = json.loads(process.stdout.readline())
            yield Simulator(line, time.perf_counter() - began)
        finally:
            process.terminate()
            process.wait(20)


class Wire:
    """One TLS connection that is kept open."""

    def __init__(
        self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], token: str
    ) -> None:
        self._reader, self._writer = streams
        self._token = token

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Make one call; return status and decoded body."""
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        self._writer.write(head.encode() + data)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = [line.partition(": ") for line in lines[1:]]
        headers = {name.lower(): value for name, _, value in pairs}
        text = await self._reader.readexactly(int(headers.get("content-length", "0")))
        self.headers = headers
        return int(lines[0].split()[1]), json.loads(text) if text else None

    async def good(self, method: str, path: str, body: Any = None) -> Any:
        """Make one call that must succeed; return its body."""
        status, answer = await self.call(method, path, body)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    async def deploy(self, group: str, name: str, properties: Mapping[str, Any]) -> None:
        """Deploy and look until the end, which must be good."""
        path = f"{group}/providers/Microsoft.Resources/deployments/{name}?api-version={API}"
        await self.good("PUT", path, {"properties": {"mode": "Incremental", **properties}})
        while True:
            await asyncio.sleep(0.005)
            found = (await self.good("GET", path))["properties"]
            if found["provisioningState"] in _ENDED:
                break
        if found["provisioningState"] != "Succeeded":
            raise RuntimeError(f"{path}: {found.get('error')}")


@asynccontextmanager
async def wire(server: Simulator) -> AsyncIterator[Wire]:
    """Open a connection until the block is left."""
    place = urlsplit(server.line["endpoint"])
    trust = ssl.create_default_context(cafile=server.line["ca_file"])
    reader, writer = await asyncio.open_connection(place.hostname, place.port, ssl=trust)
    try:
        yield Wire((reader, writer), server.line["token"])
    finally:
        writer.transport.abort()


def template(resources: Sequence[Any] | Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a template."""
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources, **more}


def shop(copies: int = 0) -> list[dict[str, Any]]:
    """Return five resources of five types, each once or in as many copies as are wanted."""
    common = {"apiVersion": "2024-01-01", "location": "westeurope"}
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("Microsoft.Storage/storageAccounts", "st", _STORAGE),
        ("Microsoft.Network/networkSecurityGroups", "nsg", {"properties": {}}),
        ("Microsoft.Network/virtualNetworks", "vnet", {"properties": _NETWORK}),
        ("Microsoft.Web/serverfarms", "plan", {"sku": {"name": "S1"}, "properties": {}}),
        ("Microsoft.Insights/components", "ai", _INSIGHTS),
    ]
    index = ", copyIndex()" if copies else ""
    found = []
    for kind, name, body in kinds:
        one = {"type": kind, "name": f"[concat('{name}', parameters('key'){index})]"}
        loop = {"copy": {"name": name, "count": copies}} if copies else {}
        found.append({**one, **common, **body, **loop})
    return found


_STORAGE = {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}}
_INSIGHTS = {"kind": "web", "properties": {"Application_Type": "web"}}
_NETWORK = {
    "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
    "subnets": [{"name": "web", "properties": {"addressPrefix": "10.0.0.0/24"}}],
}
KEY = {"key": {"type": "string"}}
