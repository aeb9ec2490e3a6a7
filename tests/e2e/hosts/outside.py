"""What can be seen of a running laptop from the outside: its API, Azure, storage, logs, Git host."""

import contextlib
import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local import waiting
from local.demo.githost import GitHost
from tests.e2e.hosts.templates import account

REPOSITORY = "example"
RELEASE_TAG = "plumbline-release"
QUEUES = ("sync", "settle", "release", "watch", "snapshot", "prune")
CALL_LIMIT_S = 30.0


class NoAnswerError(Exception):
    """Something answered that it cannot; the message has its words."""


@dataclass(frozen=True)
class Deployment:
    """What ARM says of a stack's one deployment."""

    release: str
    state: str

    @property
    def is_over(self) -> bool:
        """Whether ARM has finished with it."""
        return self.state in {"Succeeded", "Failed", "Canceled"}


class Outside:
    """Reads one laptop; knows its line and the folder with its logs."""

    def __init__(self, line: Mapping[str, Any], names: Sequence[str]) -> None:
        self._line = line
        self._context = ssl.create_default_context(cafile=line["arm"]["ca_file"])
        self._blobs = BlobServiceClient.from_connection_string(line["storage_connection_string"])
        self._queues = QueueServiceClient.from_connection_string(line["storage_connection_string"])
        self._statuses = GitHost(line["git"]["status_api"], line["git"]["token"])
        folder = Path(line["dir"]) / "logs"
        self.log = EventLog({name: folder / f"{name}.log" for name in names})

    def __enter__(self) -> Self:
        """Return the view itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the clients."""
        self._blobs.close()
        self._queues.close()

    def api(self, path: str) -> Any:
        """GET a path of Plumbline's API; None for 404. A host that dies over it is asked again."""
        url = f"{self._line['functions']}/api/{path}"
        key = {"x-functions-key": self._line["function_key"]}

        def answer() -> list[Any]:
            with contextlib.suppress(NoAnswerError, OSError, http.client.HTTPException):
                return [self._call("GET", url, key)]
            return []

        found = waiting.until(answer, limit_s=CALL_LIMIT_S, what=f"an answer to {path}")
        return found[0]

    def azure(self, path: str, api_version: str) -> Any:
        """GET a path of (simulated) Azure; None for 404."""
        arm = self._line["arm"]
        return self._call(
            "GET",
            f"{arm['endpoint']}{path}?api-version={api_version}",
            {"Authorization": f"Bearer {arm['token']}"},
        )

    def control(self, path: str, body: Any = None) -> Any:
        """Call the simulator's side channel: GET, or POST of a body."""
        url = f"{self._line['arm']['control']}/{path}"
        return self._call("GET" if body is None else "POST", url, {}, body)

    def deployment(self, stack: str) -> Deployment | None:
        """Return a stack's deployment as ARM has it now."""
        path = f"{self.group(stack)}/providers/Microsoft.Resources/deployments"
        found = self.azure(f"{path}/plumbline.{REPOSITORY}.{stack}", "2024-03-01")
        if found is None:
            return None
        return Deployment(found["tags"][RELEASE_TAG], found["properties"]["provisioningState"])

    def deployments(self, stack: str) -> list[str]:
        """Return the names of all deployments in a stack's resource group."""
        path = f"{self.group(stack)}/providers/Microsoft.Resources/deployments"
        return [one["name"] for one in self.azure(path, "2024-03-01")["value"]]

    def tags(self, stack: str) -> Any:
        """Return the tags of a stack's storage account in Azure."""
        path = f"{self.group(stack)}/providers/Microsoft.Storage/storageAccounts"
        return self.azure(f"{path}/{account(stack)}", "2024-01-01")["tags"]

    def group(self, stack: str) -> str:
        """Return the id of a stack's resource group."""
        return f"/subscriptions/{self._line['subscription_id']}/resourceGroups/rg-{stack}"

    def record(self, stack: str) -> Any:
        """Return a stack's record as it is in storage; {} if there is none."""
        name = f"stacks/{REPOSITORY}.{stack}/record.json"
        with self._blobs.get_blob_client("state", name) as blob:
            return json.loads(blob.download_blob().readall()) if blob.exists() else {}

    def documents(self, container: str, prefix: str) -> dict[str, Any]:
        """Return the JSON documents below a prefix, by name."""
        with self._blobs.get_container_client(container) as client:
            return {
                name: json.loads(client.download_blob(name).readall())
                for name in self.names(container, prefix)
            }

    def names(self, container: str, prefix: str) -> list[str]:
        """Return the names of the blobs below a prefix."""
        with self._blobs.get_container_client(container) as client:
            return list(client.list_blob_names(name_starts_with=prefix))

    def messages(self, suffix: str = "") -> dict[str, tuple[int, int]]:
        """Return (visible, all) messages of each queue that has any; hidden ones count in all."""
        found = {}
        for name in self._queue_names(suffix):
            with self._queues.get_queue_client(name) as queue:
                everything = queue.get_queue_properties().approximate_message_count or 0
                if everything:
                    found[name] = (len(queue.peek_messages(32)), everything)
        return found

    def _queue_names(self, suffix: str) -> list[str]:
        wanted = {f"plumbline-{name}{suffix}" for name in QUEUES}
        return [queue.name for queue in self._queues.list_queues() if queue.name in wanted]

    def send(self, queue: str, text: str) -> None:
        """Put a message, already encoded, into a queue."""
        with self._queues.get_queue_client(f"plumbline-{queue}") as client:
            client.send_message(text)

    def statuses(self, sha: str) -> dict[str, list[str]]:
        """Return every state of each context of a commit, oldest first."""
        return self._statuses.statuses(sha)

    def puts(self) -> list[tuple[str, int]]:
        """Return path and status of each PUT of a deployment, oldest first."""
        asked = self.control("requests?limit=5000")
        assert asked["total"] <= len(asked["requests"]), "the request log forgot some"
        return [
            (one["path"].lower(), one["status"])
            for one in asked["requests"]
            if (one["method"], one["route"]) == ("PUT", "deployment")
        ]

    def _call(self, method: str, url: str, headers: Mapping[str, str], body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - loopback
            url, method=method, data=data, headers=dict(headers)
        )
        context = self._context if url.startswith("https") else None
        try:
            with urllib.request.urlopen(  # noqa: S310 - loopback
                request, timeout=CALL_LIMIT_S, context=context
            ) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    return None
                raise NoAnswerError(f"{method} {url}: {error.code} {error.read()!r}") from None


@dataclass(frozen=True)
class Event:
    """One of Plumbline's own events, and the host that logged it."""

    host: str
    fields: Mapping[str, Any]


@dataclass
class EventLog:
    """Reads the hosts' logs as they grow."""

    logs: Mapping[str, Path]
    _read: dict[str, int] = field(default_factory=dict)
    _events: list[Event] = field(default_factory=list)

    def mark(self) -> int:
        """Return a mark: `since` gives what was logged after it."""
        self._look()
        return len(self._events)

    def since(self, mark: int, event: str, **fields: object) -> list[Event]:
        """Return the events of this name with these fields that were logged after a mark."""
        self._look()
        wanted = {"event": event, **fields}.items()
        return [one for one in self._events[mark:] if wanted <= one.fields.items()]

    def count(self, event: str) -> int:
        """Return how often an event was logged in all."""
        return len(self.since(0, event))

    def _look(self) -> None:
        for host, log in self.logs.items():
            for line in self._fresh(host, log):
                if (found := _fields(line)) is not None:
                    self._events.append(Event(host, found))

    def _fresh(self, host: str, log: Path) -> Iterator[str]:
        if not log.exists():
            return
        with log.open("rb") as file:
            file.seek(self._read.get(host, 0))
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read[host] = self._read.get(host, 0) + len(whole)
        yield from whole.decode(errors="replace").splitlines()


def _fields(line: str) -> dict[str, Any] | None:
    """Return the fields of an event that a log line tells of, those that can be compared. Pure."""
    try:
        said = json.loads(json.loads(line)["message"])
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(said, dict) or "event" not in said:
        return None
    return {key: value for key, value in said.items() if isinstance(value, str | int | float)}
