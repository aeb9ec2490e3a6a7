"""Timers: schedules, status, past due, retries, one host of many, no loss when that host dies."""

import base64
import json
import os
import signal
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.host import ncrontab
from local.host.timers import NEVER, Status, first_status, retry_pause_s
from local.host.wire import Retry
from local.waiting import until
from tests.conftest import Azurite
from tests.host.running import environment, gone, running

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOURLY = ncrontab.parse("0 0 * * * *")
HOUR = timedelta(hours=1)
STEP = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        pytest.param(None, Status(NEVER, NOON + HOUR, NOON + STEP), id="first start"),
        pytest.param(
            Status(NOON - HOUR, NOON, NOON - HOUR),
            Status(NOON - HOUR, NOON, NOON - HOUR),
            id="missed one: kept, so it is past due",
        ),
        pytest.param(
            Status(NOON, NOON + HOUR, NOON), Status(NOON, NOON + HOUR, NOON), id="nothing missed"
        ),
        pytest.param(
            Status(NOON - 3 * HOUR, NOON - STEP, NOON - 3 * HOUR),
            Status(NEVER, NOON + HOUR, NOON + STEP),
            id="schedule changed and its run is over: not past due",
        ),
        pytest.param(
            Status(NOON, NOON + 5 * HOUR, NOON),
            Status(NEVER, NOON + HOUR, NOON),
            id="schedule changed, next run ahead",
        ),
        pytest.param(
            Status(NEVER, NOON, NOON - HOUR),
            Status(NEVER, NOON, NOON - HOUR),
            id="never ran, was due while the host was down",
        ),
    ],
)
def test_first_status(stored: Status | None, expected: Status) -> None:
    """A missed run is past due; a changed schedule is not."""
    assert first_status(stored, HOURLY, NOON + STEP) == expected


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"Last": 1, "Next": 2}', b"\xff"])
def test_unreadable_status_counts_as_none(content: bytes) -> None:
    """A broken status blob does not stop a timer."""
    assert Status.parse(content) is None


def test_status_survives_writing() -> None:
    """What is written is what is read, in the real host's form."""
    status = Status(NOON, NOON + HOUR, NOON)
    azure = b'{"Last":"2026-05-04T12:00:00","Next":"2026-05-04T13:00:00Z","LastUpdated":"2026-05-04T12:00:00+00:00"}'

    assert Status.parse(json.dumps(status.document()).encode()) == status
    assert Status.parse(azure) == status


@pytest.mark.parametrize(
    ("retry", "pauses"),
    [
        (Retry(3, fixed_delay_s=2.0), [2.0, 2.0, 2.0]),
        (Retry(3, minimum_s=1.0, maximum_s=3.0), [1.0, 2.0, 3.0]),
    ],
)
def test_retry_pauses(retry: Retry, pauses: list[float]) -> None:
    """Fixed delays stay, exponential ones double up to their maximum."""
    assert [retry_pause_s(retry, attempt) for attempt in range(3)] == pauses


def drain(queues: QueueServiceClient, name: str) -> list[dict[str, Any]]:
    """Take all messages off a queue."""
    queue = queues.get_queue_client(name)
    try:
        messages = list(queue.receive_messages(messages_per_page=32))
    except ResourceNotFoundError:
        return []
    for message in messages:
        queue.delete_message(message)
    return [json.loads(base64.b64decode(message.content)) for message in messages]


def test_missed_run_comes_at_start_is_retried_and_noted(
    azurite: Azurite, queues: QueueServiceClient, tmp_path: Path
) -> None:
    """After a pause the run that was missed comes at once; a failure is retried by its policy."""
    host_id = f"test{uuid.uuid4().hex[:8]}"
    path = f"timers/{host_id}/Host.Functions.tick/status"
    now = datetime.now(UTC)
    schedule = ncrontab.parse("0 * * * * *")
    before = Status(now - HOUR, schedule.after(now - HOUR), now - HOUR)
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        container = blobs.get_container_client("azure-webjobs-hosts")
        if not container.exists():
            container.create_container()
        container.upload_blob(path, json.dumps(before.document()))
        settings = environment(
            azurite.connection_string,
            ORDERS="ticking",
            TICK="0 * * * * *",
            AzureFunctionsJobHost__id=host_id,
        )
        with running(tmp_path, settings) as host:
            note = until(lambda: drain(queues, "ticks"), limit_s=15, what="a tick")[0]
            runs = host.events("executed", function="tick")
            status = until(
                lambda: (
                    (s := Status.parse(container.download_blob(path).readall()))
                    and s.last > now
                    and s
                ),
                limit_s=10,
                what="the new status",
            )

    assert note["past_due"] is True
    assert note["attempt"] == 1
    assert datetime.fromisoformat(note["status"]["Next"]) == before.next
    assert [run["outcome"] for run in runs[:2]] == ["failed", "succeeded"]
    assert runs[0]["reason"] == "timer, past due"
    assert isinstance(status, Status)
    assert status.next == schedule.after(status.last)


def test_one_host_of_two_runs_a_timer_and_the_other_takes_over(
    azurite: Azurite, queues: QueueServiceClient, tmp_path: Path
) -> None:
    """Two hosts, one beat; the host that beats is killed: the other answers and beats.

    Without their launcher, hosts and workers end.
    """
    settings = environment(
        azurite.connection_string,
        ORDERS="scaled",
        BEAT="* * * * * *",
        AzureFunctionsJobHost__id=f"test{uuid.uuid4().hex[:8]}",
    )
    drain(queues, "beats")
    beats: list[dict[str, Any]] = []

    def count() -> int:
        beats.extend(drain(queues, "beats"))
        return len(beats)

    with running(tmp_path, settings, "--hosts", "2", "--lock-seconds", "15") as fleet:
        until(lambda: count() >= 3, limit_s=15, what="three beats")
        workers = dict(zip(fleet.facts["workers"], fleet.facts["pids"], strict=True))
        (owner,) = {beat["pid"] for beat in beats}
        seconds = [round(beat["at"]) for beat in beats]
        os.kill(workers[owner], signal.SIGKILL)
        gone(workers[owner])  # a connection that it had accepted would be lost with it
        answered = {fleet.api("echo").json()["pid"] for _ in range(5)}
        known = count()
        until(lambda: count() > known, limit_s=25, what="the beat of the other host")
        heirs = {beat["pid"] for beat in beats[known:]}
        fleet.process.kill()
        for pid in (*fleet.facts["pids"], *fleet.facts["workers"]):
            gone(pid)

    assert len(set(fleet.facts["pids"])) == 2
    assert len(seconds) == len(set(seconds))
    assert answered == heirs == set(workers) - {owner}
