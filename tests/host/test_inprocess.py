"""The in-process mode: every function through Microsoft's library, without host or storage.

One process holds one app, and the product's own tests hold theirs; so this one runs in a child.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.host.running import ROOT, SAMPLE, environment

SCRIPT = """
import json, sys
from pathlib import Path
from local.host import inprocess
from local.host.wire import HttpRequest

settings = json.loads(sys.argv[2])
with inprocess.load(Path(sys.argv[1]), settings) as app:
    echo = app.http("echo", HttpRequest("GET", "http://x/api/echo", query={"a": "1"}))
    thing = app.http("thing", HttpRequest("GET", "http://x/", params={"id": "3"}))
    failed = app.http("act", HttpRequest("POST", "http://x/", body=b'{"do": "raise"}'))
    posted = app.http("post", HttpRequest("POST", "http://x/", body=b"a\\nb"))
    work = app.queue("work", "hello", dequeue_count=3)
    chain = app.queue("chain", '{"name": "n"}', blobs={"document": b"content"})
    empty = app.queue("chain", '{"name": "n"}')
    beat = app.timer("beat", past_due=True)
    try:
        app.timer("echo")
    except TypeError as error:
        wrong = str(error)
again = inprocess.load(Path(sys.argv[1]), settings)
again.close()
try:
    inprocess.load(Path(sys.argv[1]).parent, settings)
except RuntimeError as error:
    second = str(error)
text = lambda outcome: [message.decode() for message in outcome.outputs["$return"]]
print(json.dumps({
    "names": sorted(app.functions),
    "echo": [echo.answer.status, inprocess.json_of(echo)["query"]],
    "thing": thing.answer.body.decode(),
    "failed": [failed.error, failed.answer],
    "posted": [posted.answer.status, [m.decode() for m in posted.outputs["messages"]], posted.outputs["copy"].decode()],
    "work": json.loads(work.outputs["seen"]),
    "chain": text(chain),
    "empty": text(empty),
    "beat": json.loads(beat.outputs["beats"][0])["past_due"],
    "wrong": wrong,
    "second": second,
}))
"""


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """Run the script once and return what it printed."""
    settings = environment("UseDevelopmentStorage=true")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(SAMPLE), json.dumps(settings)],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return document


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("echo", [200, {"a": "1"}]),
        ("thing", "number 3"),
        ("failed", ["RuntimeError: as ordered", None]),
        ("posted", [202, ["a", "b"], "a\nb"]),
        ("chain", ["content"]),
        ("beat", True),
        ("wrong", "echo is a http function"),
    ],
)
def test_functions_run(result: dict[str, Any], key: str, expected: object) -> None:
    """HTTP, queue and timer functions, sync and async, with inputs and outputs."""
    assert result[key] == expected


def test_queue_metadata(result: dict[str, Any]) -> None:
    """The message carries what a real one would."""
    assert result["work"]["body"] == "hello"
    assert result["work"]["dequeue_count"] == 3
    assert result["work"]["id"]


def test_missing_blob_is_none(result: dict[str, Any]) -> None:
    """A blob input that is not given is None."""
    assert result["empty"][0].startswith("nothing for")


def test_one_process_one_app(result: dict[str, Any]) -> None:
    """A second app is refused with a reason, the same one may be loaded again."""
    assert "one process, one app" in result["second"]
