"""The worker child: killed for taking too long, replaced when it dies, never left behind."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.waiting import until
from tests.conftest import Azurite
from tests.host.running import RunningHost, environment, gone, running

LIMIT_S = 15.0


@pytest.fixture(scope="module")
def frail(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """Return a host whose functions may take one second."""
    settings = environment(
        azurite.connection_string,
        ORDERS="frail",
        AzureFunctionsJobHost__functionTimeout="00:00:01",
        AzureFunctionsJobHost__extensions__http__maxOutstandingRequests="4",
    )
    with running(tmp_path_factory.mktemp("frail"), settings) as started:
        yield started


def restarts(host: RunningHost) -> int:
    """Return how often the worker was replaced."""
    return int(host.status()["worker"]["restarts"])


def test_timeout_costs_the_worker(frail: RunningHost) -> None:
    """An invocation that outlives functionTimeout ends in 500; a new worker serves the next."""
    before = frail.status()["worker"]["pid"]
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(frail.act, do="sleep", seconds=30)
        reply = slow.result()
    after = frail.api("echo").json()["pid"]
    invocation = reply.headers["x-ms-invocation-id"]
    (event,) = frail.events("executed", invocation_id=invocation)

    assert reply.status == 500
    assert event["error"] == "functionTimeout of 1 s exceeded"
    assert 1000 <= event["elapsed_ms"] < 5000
    assert after != before
    gone(before)


def test_timeout_loses_what_else_was_running(frail: RunningHost) -> None:
    """As in Azure, the other invocations of that worker fail with it."""
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(frail.act, do="sleep", seconds=30)
        until(lambda: frail.api("echo").status == 200, limit_s=LIMIT_S, what="a quick answer")
        other = pool.submit(frail.act, do="sleep", seconds=30)
        replies = [slow.result(), other.result()]

    assert [reply.status for reply in replies] == [500, 500]
    assert frail.api("echo").status == 200


def test_crash_is_an_error_and_the_worker_is_replaced(frail: RunningHost) -> None:
    """A worker that dies takes its request along; the next one is served by a new worker."""
    assert frail.api("echo").status == 200  # a worker is up
    before = restarts(frail)
    reply = frail.act(do="die")
    (event,) = frail.events("executed", invocation_id=reply.headers["x-ms-invocation-id"])

    assert reply.status == 500
    assert event["error"] == "the worker process ended (signal 9)"
    assert frail.api("echo").status == 200
    assert restarts(frail) == before + 1


def test_too_many_requests_are_turned_away(frail: RunningHost) -> None:
    """Beyond maxOutstandingRequests (4 here) the answer is 429 at once, not a longer queue."""
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda _: frail.act(do="sleep", seconds=0.5), range(12)))

    assert {reply.status for reply in replies} == {200, 429}
    assert all(reply.headers["Retry-After"] for reply in replies if reply.status == 429)
    assert frail.api("echo").status == 200


def test_stop_lets_a_request_finish(azurite: Azurite, tmp_path: Path) -> None:
    """SIGTERM waits for what runs (within the grace), then ends worker and host."""
    settings = environment(azurite.connection_string, ORDERS="stopping")
    with running(tmp_path, settings) as host, ThreadPoolExecutor(1) as pool:
        (worker,) = host.facts["workers"]
        slow = pool.submit(host.act, do="sleep", seconds=1)
        until(lambda: host.api("echo").status == 200, limit_s=LIMIT_S, what="the first answer")
        host.process.terminate()
        reply = slow.result()
        code = host.process.wait(LIMIT_S)
        gone(worker)

    assert reply.status == 200
    assert code == 0
