"""Azurite, Microsoft's storage emulator: blobs and queues on disk, on 127.0.0.1."""

import http.client
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from local import ports, processes

ROOT = Path(__file__).resolve().parent.parent
SERVER = Path(__file__).resolve().parent / "azurite" / "server.js"
ACCOUNT = "devstoreaccount1"
# The key of every Azurite in the world, published by Microsoft: it protects nothing.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
START_LIMIT_S = 30.0


class NotSetUpError(Exception):
    """Something that ``make setup`` provides is missing; the message says what."""


@dataclass(frozen=True)
class Endpoints:
    """Where one Azurite listens."""

    blob_port: int
    queue_port: int

    @property
    def connection_string(self) -> str:
        """What the Azure SDK and the Functions host take."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint=http://{ports.LOOPBACK}:{self.blob_port}/{ACCOUNT};"
            f"QueueEndpoint=http://{ports.LOOPBACK}:{self.queue_port}/{ACCOUNT};"
        )


def start(folder: Path, endpoints: Endpoints, *, log: Path, mark: str) -> processes.Process:
    """Start Azurite on ``folder`` and return once both services answer.

    Raises what ``launch`` raises, and ``processes.DiedAtStartError`` with the end of the log when
    it does not come up.
    """
    process = launch(folder, endpoints, log=log, mark=mark)
    processes.wait_until_answering(
        process, lambda: answers(endpoints), name="Azurite", limit_s=START_LIMIT_S
    )
    return process


def launch(folder: Path, endpoints: Endpoints, *, log: Path, mark: str) -> processes.Process:
    """Start Azurite on ``folder``; it answers a moment later.

    What it acknowledged survives a SIGKILL: start it again on the same folder and ports.
    Raises ``NotSetUpError`` without Node or the npm packages.
    """
    node = shutil.which("node")
    if node is None:
        raise NotSetUpError("node is not on PATH: install Node.js 18 or newer")
    if not (ROOT / "local" / "node_modules" / "azurite").is_dir():
        raise NotSetUpError("Azurite is not installed: run make setup")
    return processes.start(
        [
            *(node, SERVER, "--silent", "--location", folder),
            *("--blobHost", ports.LOOPBACK, "--blobPort", str(endpoints.blob_port)),
            *("--queueHost", ports.LOOPBACK, "--queuePort", str(endpoints.queue_port)),
        ],
        log=log,
        cwd=ROOT,
        environment=dict(os.environ),
        mark=mark,
    )


def answers(endpoints: Endpoints) -> bool:
    """Whether Azurite (and not just anyone) answers on both ports."""
    expected = {endpoints.blob_port: "Azurite-Blob", endpoints.queue_port: "Azurite-Queue"}
    return all(_server_name(port).startswith(name) for port, name in expected.items())


def _server_name(port: int) -> str:
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", f"/{ACCOUNT}")
        return connection.getresponse().getheader("Server", "") or ""
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
