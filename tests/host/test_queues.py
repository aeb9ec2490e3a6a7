"""Queue triggers against a real Azurite: success, failure, poison, leases, outputs, inputs."""

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueMessage, QueueServiceClient

from local.waiting import until
from tests.conftest import Azurite
from tests.host.running import RunningHost, environment, gone, running, send

LIMIT_S = 15.0


def encoded(body: str) -> str:
    """Return a message as producers must write it."""
    return base64.b64encode(body.encode()).decode()


def notes(seen: ContainerClient, message_id: str) -> list[dict[str, Any]]:
    """Return what the sample app noted about a message, first run first."""
    try:
        names = sorted(blob.name for blob in seen.list_blobs(name_starts_with=message_id))
        return [json.loads(seen.download_blob(name).readall()) for name in names]
    except ResourceNotFoundError:
        return []


def wait_for_note(seen: ContainerClient, message_id: str, limit_s: float = LIMIT_S) -> Any:
    """Wait until a message was worked on."""
    return until(lambda: notes(seen, message_id), limit_s=limit_s, what="the message's note")[-1]


def take(queue: QueueClient, limit_s: float = LIMIT_S) -> QueueMessage:
    """Wait for a message and take it off the queue."""

    def received() -> QueueMessage | None:
        try:
            return queue.receive_message()
        except ResourceNotFoundError:
            return None

    message = until(received, limit_s=limit_s, what=f"a message in {queue.queue_name}")
    queue.delete_message(message)
    return message


def is_empty(queue: QueueClient) -> bool:
    """Tell whether a queue holds nothing, visible or not."""
    return queue.get_queue_properties().approximate_message_count == 0


def orders(queues: QueueServiceClient, name: str = "orders") -> QueueClient:
    """Return the queue that the sample app works on, made if need be."""
    client = queues.get_queue_client(name)
    if name not in [queue.name for queue in queues.list_queues(name_starts_with=name)]:
        client.create_queue()
    return client


def test_message_is_worked_on_and_deleted(
    host: RunningHost, queues: QueueServiceClient, seen: ContainerClient
) -> None:
    """The function gets body and metadata; afterwards the message is gone."""
    queue = orders(queues)
    sent = queue.send_message(encoded("grüße"))
    note = wait_for_note(seen, sent.id)
    until(
        lambda: host.events("executed", function="work", outcome="succeeded"),
        limit_s=LIMIT_S,
        what="the log line",
    )

    assert note["body"] == "grüße"
    assert note["id"] == sent.id
    assert note["dequeue_count"] == 1
    assert note["inserted"] == str(sent.inserted_on)
    assert note["receipt"]
    until(lambda: is_empty(queue), limit_s=LIMIT_S, what="an empty queue")


def test_failing_message_ends_in_poison_unchanged(
    host: RunningHost, queues: QueueServiceClient
) -> None:
    """After maxDequeueCount runs (2 here) the same text lies in the poison queue."""
    order = json.dumps({"do": "raise", "id": str(uuid.uuid4())})
    sent = orders(queues).send_message(encoded(order))
    moved = take(queues.get_queue_client("orders-poison"))
    tries = host.events(function="work", outcome="failed")
    runs = [event for event in tries if event["reason"].startswith(f"queue message {sent.id}")]

    assert moved.content == encoded(order)
    assert [event["reason"][-1] for event in runs] == ["1", "2"]


def test_undecodable_message_goes_to_poison_without_a_run(
    host: RunningHost, queues: QueueServiceClient
) -> None:
    """Text that is not base64 is moved at once."""
    sent = orders(queues).send_message("plain text")
    moved = take(queues.get_queue_client("orders-poison"))

    assert moved.content == "plain text"
    assert host.events(id=sent.id, queue="orders")
    assert not [event for event in host.events("executed") if sent.id in event["reason"]]


@dataclass(frozen=True)
class Odd:
    """A host that found a worn-out message, and one in a poison queue, when it started."""

    host: RunningHost
    worn_queue: str
    worn_id: str
    poison_queue: str


@pytest.fixture(scope="module")
def odd(
    azurite: Azurite, queues: QueueServiceClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Odd]:
    """Start that host; one of its functions is disabled, and its leases last two seconds."""
    mark = uuid.uuid4().hex[:8]
    worn = queues.create_queue(f"worn-{mark}")
    sent = worn.send_message(encoded("worn"))
    for _ in range(2):
        taken = worn.receive_message()
        assert taken is not None
        worn.update_message(taken, visibility_timeout=0)
    poison = queues.create_queue(f"odd-{mark}-poison")
    poison.send_message(encoded("fails"))
    settings = environment(
        azurite.connection_string, ORDERS=worn.queue_name, SPARE=poison.queue_name
    )
    settings["AzureWebJobs.echo.Disabled"] = "true"
    with running(tmp_path_factory.mktemp("odd"), settings, "--lease-seconds", "2") as host:
        yield Odd(host, worn.queue_name, sent.id, poison.queue_name)


def test_message_dequeued_too_often_goes_to_poison_without_a_run(
    odd: Odd, queues: QueueServiceClient
) -> None:
    """A message that arrives beyond maxDequeueCount (2 here) is not given to the function."""
    moved = take(queues.get_queue_client(f"{odd.worn_queue}-poison"))
    runs = [event for event in odd.host.events("executed") if odd.worn_id in event["reason"]]

    assert moved.content == encoded("worn")
    assert runs == []


def test_failed_message_of_a_poison_queue_waits_for_its_lease(
    odd: Odd, queues: QueueServiceClient
) -> None:
    """A queue that is itself a poison queue has none: no fast loop, no second poison queue."""

    def runs() -> list[datetime]:
        events = odd.host.events("executed", function="spare")
        return [datetime.fromisoformat(event["time"]) for event in events]

    first, second, *_ = until(
        lambda: runs() if len(runs()) > 1 else None, limit_s=LIMIT_S, what="the second run"
    )

    assert (second - first).total_seconds() > 1.5
    assert not list(queues.list_queues(name_starts_with=f"{odd.poison_queue}-"))


def test_disabled_function_is_not_served(odd: Odd) -> None:
    """AzureWebJobs.NAME.Disabled takes a route away and leaves the others."""
    assert odd.host.api("echo").status == 404
    assert odd.host.api("things/1", x_functions_key="fkey").status == 200


def test_http_output_chains_into_queues_and_blobs(
    host: RunningHost, azurite: Azurite, new_queue: QueueClient
) -> None:
    """A list becomes one message each; binding expressions come from route and built-ins."""
    reply = host.api(f"post/{new_queue.queue_name}", "POST", b"one\ntwo")
    bodies = sorted(base64.b64decode(take(new_queue).content) for _ in range(2))
    with ContainerClient.from_connection_string(azurite.connection_string, "copies") as copies:
        contents = [copies.download_blob(blob.name).readall() for blob in copies.list_blobs()]

    assert reply.status == 202
    assert bodies == [b"one", b"two"]
    assert b"one\ntwo" in contents


def test_output_that_cannot_be_written_fails_the_invocation(host: RunningHost) -> None:
    """A queue name that storage refuses is a failed run, not a lost message."""
    reply = host.api("post/A_b", "POST", b"one")
    invocation = reply.headers["x-ms-invocation-id"]
    (event,) = host.events("executed", invocation_id=invocation)

    assert reply.status == 500
    assert event["error"].startswith("output messages: ")


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("exists", [True, False])
def test_blob_input_and_return_value(
    azurite: Azurite, queues: QueueServiceClient, *, exists: bool
) -> None:
    """The blob named in the message is read, None if it is not there; `$return` is sent on."""
    name = f"{uuid.uuid4().hex}.txt"
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        container = blobs.get_container_client("inputs")
        if not container.exists():
            container.create_container()
        if exists:
            container.upload_blob(name, f"content of {name}".encode())
    orders(queues, "chain").send_message(encoded(json.dumps({"name": name})))
    returned = base64.b64decode(take(orders(queues, "chained")).content).decode()

    assert (returned == f"content of {name}") is exists
    assert returned.startswith("nothing for") is not exists


def test_run_by_hand(host: RunningHost, queues: QueueServiceClient, seen: ContainerClient) -> None:
    """POST /admin/functions/NAME runs a queue function without a queue."""
    mark = f"by hand {uuid.uuid4()}"
    body = json.dumps({"input": mark}).encode()
    url = f"{host.url}/admin/functions/work"
    orders(queues)

    assert send(url, "POST", body, {"x-functions-key": "fkey"}).status == 401
    assert send(url, "POST", b"[1]", {"x-functions-key": "mkey"}).status == 400
    assert send(url, "POST", body, {"x-functions-key": "mkey"}).status == 202

    def found() -> bool:
        try:
            blobs = [blob.name for blob in seen.list_blobs()]
        except ResourceNotFoundError:
            return False
        return any(json.loads(seen.download_blob(b).readall())["body"] == mark for b in blobs)

    until(found, limit_s=LIMIT_S, what="the note of the run by hand")


def test_long_run_keeps_its_message(
    host: RunningHost, queues: QueueServiceClient, seen: ContainerClient
) -> None:
    """A function that outlives the lease (3 s) is not given the message twice: it is renewed."""
    order = json.dumps({"do": "sleep", "seconds": 3.4})
    sent = orders(queues).send_message(encoded(order))
    note = wait_for_note(seen, sent.id)

    assert note["dequeue_count"] == 1
    assert len([e for e in host.events("executed") if sent.id in e["reason"]]) == 1


def test_killed_host_loses_no_message(
    azurite: Azurite, queues: QueueServiceClient, seen: ContainerClient, tmp_path: Path
) -> None:
    """What a host was working on when it was killed appears again when its lease ends; its worker dies along."""
    name = f"killed-{uuid.uuid4().hex[:8]}"
    queue = queues.create_queue(name)
    settings = environment(azurite.connection_string, ORDERS=name)
    sent = queue.send_message(encoded(json.dumps({"do": "sleep", "seconds": 1.0})))
    with running(tmp_path, settings, "--lease-seconds", "2") as first:
        until(
            lambda: queue.peek_messages() == [] or None,
            limit_s=LIMIT_S,
            what="the host to take the message",
        )
        first.process.kill()
        gone(first.facts["workers"][0])
    with running(tmp_path, settings, "--lease-seconds", "2"):
        note = wait_for_note(seen, sent.id)

    assert note["dequeue_count"] == 2
