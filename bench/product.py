"""The product in this process, over a laptop's storage, Git and simulator, with counters in it.

Only the flows are counted: what the Functions host does (polling, leases, deleting messages) is not
the product's.
"""

import hashlib
import hmac
import json
import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from azure.core.pipeline.transport import RequestsTransport
from azure.storage.queue import QueueServiceClient, TextBase64DecodePolicy

from bench.laptops import Running
from local import waiting
from shared import wiring
from shared.adapters.arm import Account, ArmEndpoint, AzureArm, ManagedIdentity
from shared.adapters.arm.activity import AzureActivityLog
from shared.adapters.arm.activity_table import LogsEndpoint
from shared.adapters.blobs import BlobDocuments, BlobHistory
from shared.adapters.callers import OperatorCallers
from shared.adapters.git import DulwichGit
from shared.adapters.github import GitHubStatuses
from shared.adapters.queues import StorageQueues
from shared.adapters.recent import RecentHistory
from shared.adapters.storage_connection import StorageConnection
from shared.adapters.system import JsonLog, SystemClock, SystemIds, ThreadParallel
from shared.core.message import QUEUES, Queue, decode
from shared.flows.receive_push import Delivery
from shared.settings import load


class CountingTransport(RequestsTransport):  # type: ignore[misc]  # the SDK leaves it untyped
    """Counts the requests that leave for storage."""

    def __init__(self) -> None:
        # As the product has it: else each request reads the whole environment for proxies.
        super().__init__(use_env_settings=False)
        self.count: Counter[str] = Counter()

    def send(self, request: Any, **options: Any) -> Any:
        """Count, then send."""
        path = urlsplit(request.url).path.split("/")
        self.count[f"{request.method} {'/'.join(path[2:4])}"] += 1
        return super().send(request, **options)


@dataclass
class Cost:
    """What one release has cost so far."""

    storage: Counter[str] = field(default_factory=Counter)
    arm: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0


@dataclass(frozen=True)
class RealPorts:
    """The world for real, with counters in it."""

    documents: BlobDocuments
    history: RecentHistory
    queues: StorageQueues
    git: DulwichGit
    arm: AzureArm
    activity: AzureActivityLog
    hosts: GitHubStatuses
    callers: OperatorCallers
    clock: SystemClock
    ids: SystemIds
    parallel: ThreadParallel
    log: JsonLog


class Product:
    """The product in this process; each call of a flow is accounted for."""

    def __init__(self, running: Running) -> None:
        line = running.line
        os.environ["IDENTITY_ENDPOINT"] = line["identity"]["endpoint"]
        os.environ["IDENTITY_HEADER"] = line["identity"]["header"]
        settings = load(
            {
                "PlumblineStorage": line["storage_connection_string"],
                "PLUMBLINE_ARM_ENDPOINT": line["arm"]["endpoint"],
                "PLUMBLINE_ARM_CA_FILE": line["arm"]["ca_file"],
                "PLUMBLINE_LOGS_ENDPOINT": line["arm"]["endpoint"],
                "PLUMBLINE_DIGEST_KEY": "k" * 40,
                "PLUMBLINE_DIGEST_KEY_ID": "bench",
                "PLUMBLINE_SECRET_EXAMPLE_GIT": unquote(
                    urlsplit(line["git"]["url"]).password or ""
                ),
                "PLUMBLINE_SECRET_EXAMPLE_HOOK": line["git"]["hook_secret"],
            }
        )
        clock, ids = SystemClock(), SystemIds()
        self.cost = Cost()
        self.transport = CountingTransport()
        self.storage = StorageConnection(settings.storage, transport=self.transport)
        self.arm = AzureArm(
            ArmEndpoint(
                url=settings.arm.endpoint,
                credential_scopes=(settings.arm.audience,),
                ca_file=settings.arm.ca_file,
            ),
            ManagedIdentity(),
            clock,
            ids,
            on_call=self._called,
        )
        self.git = DulwichGit()
        self.parallel = ThreadParallel()
        self.documents = BlobDocuments(self.storage, ids)
        self.services = wiring.Services(
            settings,
            RealPorts(
                documents=self.documents,
                history=RecentHistory(BlobHistory(self.storage, ids)),
                queues=StorageQueues(self.storage),
                git=self.git,
                arm=self.arm,
                activity=AzureActivityLog(
                    ArmEndpoint(
                        url=settings.arm.endpoint,
                        credential_scopes=(settings.arm.audience,),
                        ca_file=settings.arm.ca_file,
                    ),
                    LogsEndpoint(
                        url=settings.logs.endpoint,
                        credential_scopes=(settings.logs.audience,),
                        ca_file=settings.arm.ca_file,
                    ),
                    ManagedIdentity(),
                    clock,
                    Account(ids.new, self._called, self.arm.heard),
                ),
                hosts=GitHubStatuses(),
                callers=OperatorCallers(None, None, clock),
                ids=ids,
                clock=clock,
                parallel=self.parallel,
                log=JsonLog(),
            ),
        )
        self.queues = QueueServiceClient.from_connection_string(line["storage_connection_string"])

    def _called(self, kind: str) -> None:
        self.cost.arm[kind] += 1

    def begin(self) -> None:
        """Start a new account."""
        self.cost = Cost()
        self.transport.count = self.cost.storage

    def receive(self, running: Running, revision: str) -> None:
        """Hand a signed push to the product."""
        git = running.line["git"]
        clone_url = "http://" + git["url"].partition("@")[2]
        body = json.dumps(
            {
                "ref": f"refs/heads/{git['branch']}",
                "after": revision,
                "repository": {"clone_url": clone_url},
            }
        ).encode()
        digest = hmac.new(git["hook_secret"].encode(), body, hashlib.sha256).hexdigest()
        delivery = Delivery(
            hook=git["hook_url"].rpartition("/")[2],
            body=body,
            signature=f"sha256={digest}",
            event="push",
            key=str(uuid.uuid4()),
        )
        started = time.process_time()
        reply = self.services.receive_push(delivery)
        self.cost.cpu_s += time.process_time() - started
        if reply.status != 202:
            raise RuntimeError(f"the push was not accepted: {reply}")

    def drain(self, queues: Iterable[Queue] = QUEUES) -> int:
        """Handle every visible message of these queues once; return how many there were."""
        handled = 0
        for queue in queues:
            with self.queues.get_queue_client(
                f"plumbline-{queue}", message_decode_policy=TextBase64DecodePolicy()
            ) as client:
                for message in client.receive_messages(messages_per_page=1, max_messages=1):
                    self._handle(queue, message.content.encode())
                    client.delete_message(message)
                    handled += 1
        return handled

    def taken(self, queue: Queue) -> Any:
        """Take one visible message off a queue, to be handled by the caller; None: there is none."""
        with self.queues.get_queue_client(
            f"plumbline-{queue}", message_decode_policy=TextBase64DecodePolicy()
        ) as client:
            for message in client.receive_messages(messages_per_page=1, max_messages=1):
                client.delete_message(message)
                return decode(queue, message.content.encode())
        return None

    def _handle(self, queue: Queue, body: bytes) -> None:
        message: Any = decode(queue, body)
        flow: Any = {
            "sync": self.services.sync,
            "release": self.services.release,
            "watch": self.services.watch,
            "snapshot": self.services.snapshot,
            "settle": self.services.settle,
            "prune": self.services.prune,
        }[queue]
        started = time.process_time()
        flow(message)
        self.cost.cpu_s += time.process_time() - started

    def close(self) -> None:
        """Close what was opened."""
        self.parallel.close()
        self.arm.close()
        self.git.close()
        self.storage.close()
        self.queues.close()


def without_host(running: Running) -> None:
    """End the Functions host of this laptop: the product runs in this process."""
    for pid in running.line["pids"]["functions"]:
        os.kill(pid, signal.SIGTERM)

    def gone() -> bool:
        return not any(os.path.exists(f"/proc/{pid}") for pid in running.line["pids"]["functions"])  # noqa: PTH110

    waiting.until(gone, limit_s=20, what="the end of the Functions host")
