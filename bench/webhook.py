"""The front door: how fast a signed push is answered, and whether each one is kept."""

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterator

import aiohttp
from azure.storage.blob import ContainerClient

from bench.figures import Figure, percentile
from bench.laptops import Running, WorkingCopy, laptop
from bench.stacks import manifest, template

WARM_UP = 50
FEW, MANY = 5, 50
REQUESTS_FEW, REQUESTS_MANY = 400, 1000
P99_MS, PER_SECOND = 150.0, 80.0
COMMAND = "python -m bench webhook"


def _body(running: Running, revision: str) -> bytes:
    place = running.line["git"]["url"]
    clone_url = "http://" + place.partition("@")[2]
    payload = {
        "ref": f"refs/heads/{running.line['git']['branch']}",
        "before": "0" * 40,
        "after": revision,
        "repository": {"full_name": "local/example", "clone_url": clone_url},
        "commits": [],
    }
    return json.dumps(payload).encode()


async def _volley(running: Running, body: bytes, count: int, at_once: int) -> list[float]:
    """Send ``count`` deliveries, ``at_once`` at a time; return the seconds that each took."""
    secret = running.line["git"]["hook_secret"].encode()
    signature = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    gate = asyncio.Semaphore(at_once)
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one() -> float:
            headers = {
                "X-GitHub-Event": "push",
                "X-GitHub-Delivery": str(uuid.uuid4()),
                "X-Hub-Signature-256": signature,
            }
            async with gate:
                started = time.perf_counter()
                async with session.post(
                    running.line["git"]["hook_url"], data=body, headers=headers
                ) as response:
                    await response.read()
                    if response.status != 202:
                        raise RuntimeError(f"status {response.status}")
                return time.perf_counter() - started

        return await asyncio.gather(*(one() for _ in range(count)))


def _kept(running: Running) -> int:
    """Return how many deliveries are in the history container."""
    with ContainerClient.from_connection_string(
        running.line["storage_connection_string"], "history"
    ) as history:
        return sum(1 for _ in history.list_blob_names(name_starts_with="deliveries/"))


def measure() -> Iterator[Figure]:
    """Measure answers with few senders, throughput with many, and count what was kept."""
    with laptop() as running:
        clone = WorkingCopy(running.line["git"]["url"], running.line["git"]["branch"])
        revision = clone.push({"plumbline.yaml": manifest("one"), "one.json": template("x")})
        clone.close()
        body = _body(running, revision)
        asyncio.run(_volley(running, body, WARM_UP, FEW))
        few = asyncio.run(_volley(running, body, REQUESTS_FEW, FEW))
        started = time.perf_counter()
        asyncio.run(_volley(running, body, REQUESTS_MANY, MANY))
        rate = REQUESTS_MANY / (time.perf_counter() - started)
        sent = 1 + WARM_UP + REQUESTS_FEW + REQUESTS_MANY
        kept = _kept(running)
    p99 = percentile(few, 0.99) * 1000
    yield Figure(
        what=f"webhook answered, warm, {FEW} concurrent",
        target=f"p99 ≤ {P99_MS:.0f} ms",
        measured=f"p50 {percentile(few, 0.5) * 1000:.0f} ms, p99 {p99:.0f} ms",
        met=p99 <= P99_MS,
        command=COMMAND,
    )
    yield Figure(
        what=f"webhook answered, warm, {MANY} concurrent",
        target=f"≥ {PER_SECOND:.0f} per second, nothing lost",
        measured=f"{rate:.0f} per second; {kept} of {sent} accepted deliveries kept",
        met=rate >= PER_SECOND and kept == sent,
        command=COMMAND,
    )
