"""Rate limits: the SDK gets through with nothing but its own retries."""

import json
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.request import Request, urlopen

from azure.core.credentials import AccessToken
from azure.mgmt.resource.resources import ResourceManagementClient

from bench.arm_server import Simulator, simulator
from bench.figures import Figure

OPERATIONS, AT_ONCE = 1000, 8
BUCKET, RATE = 250, 25
COMMAND = "python -m bench arm_throttled"


class _Token:
    """A credential that always has the same token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        """Return the token."""
        return AccessToken(self._token, int(time.time()) + 3600)


def _statuses(server: Simulator) -> dict[str, int]:
    trust = ssl.create_default_context(cafile=server.line["ca_file"])
    asked = Request(f"{server.line['control']}/requests?limit=0")  # noqa: S310 - our own server
    with urlopen(asked, context=trust, timeout=20) as answer:  # noqa: S310 - our own server
        found: dict[str, int] = json.load(answer)["statuses"]
    return found


def _run(server: Simulator) -> tuple[int, float]:
    """Return (operations that succeeded, seconds)."""
    with ResourceManagementClient(
        _Token(server.line["token"]),
        server.line["subscription_id"],
        base_url=server.line["endpoint"],
        credential_scopes=["https://management.azure.com/.default"],
        connection_verify=server.line["ca_file"],
        retry_total=20,
        retry_status=20,
    ) as client:
        client.resource_groups.create_or_update("rg", {"location": "westeurope"})

        def one(_: int) -> bool:
            return client.resource_groups.get("rg").name == "rg"

        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            good = sum(pool.map(one, range(OPERATIONS)))
    return good, time.perf_counter() - began


def measure() -> Iterator[Figure]:
    """Read a thousand times through the real SDK while the buckets are on."""
    knobs = json.dumps({"throttle": {"reads": [BUCKET, RATE]}})
    with simulator("--memory", "--knobs", knobs) as server:
        good, seconds = _run(server)
        refused = _statuses(server).get("429", 0)
    least = (OPERATIONS - BUCKET) / RATE
    yield Figure(
        what=f"ARM simulator: {OPERATIONS:,} operations of the SDK against a bucket of {BUCKET}/{RATE} per s",
        target="all succeed, with 429s on the way",
        measured=f"{good} succeeded in {seconds:.0f} s ({least:.0f} s at least), {refused} times 429",
        met=good == OPERATIONS and refused > 0,
        command=COMMAND,
    )
