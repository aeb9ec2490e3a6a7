"""Small parts: back-off, message forms, frames, journal levels, keys."""

import asyncio
import io
import json

import pytest

from local.host import invocation, messages, queues, routes, web, wire
from local.host.bindings import (
    BlobBinding,
    Function,
    HttpBinding,
    HttpTrigger,
    Output,
    QueueBinding,
)
from local.host.journal import Journal
from local.host.storage import Connections
from local.host.web import Keys


def test_backoff_grows_to_its_maximum_and_starts_over() -> None:
    """At once 100 ms, then doubling with jitter, never more than the longest."""
    backoff = queues.Backoff(1.0, jitter=lambda: 1.0)
    pauses = [backoff.pause_s() for _ in range(6)]
    backoff.reset()

    assert pauses == pytest.approx([0.1, 0.2, 0.3, 0.5, 0.9, 1.0])
    assert backoff.pause_s() == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (wire.Text("a"), [b"a"]),
        (wire.Binary(b"\x00"), [b"\x00"]),
        (wire.Json('["a", {"x": 1}]'), [b"a", b'{"x": 1}']),
        (wire.Json('{"x": 1}'), [b'{"x": 1}']),
        (wire.Json('{"id": null, "body": "b"}'), [b"b"]),
        (wire.Json("[]"), []),
    ],
)
def test_messages_of_an_output(value: wire.Value, expected: list[bytes]) -> None:
    """One message, or one per item; a QueueMessage is its body."""
    assert invocation.messages_of(value) == expected


def test_message_properties_win_over_metadata() -> None:
    """A JSON message's own `id` is what {id} means; the rest is still there."""
    message = messages.Received.by_hand("")
    call = messages.call_of(message, b'{"Id": "mine", "deep": {"x": 1}}')

    assert {name: item for name, item in call.data.items() if name.lower() == "id"} == {
        "Id": "mine"
    }
    assert call.data["dequeueCount"] == 1
    assert call.metadata["Id"] == wire.Text(message.id)


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        ((HttpBinding("$return"), QueueBinding("a", "orders", "c")), False),
        ((QueueBinding("a", "{queue}", "c"),), True),
        ((BlobBinding("a", "{x}", "b", "c"),), True),
        ((BlobBinding("a", "b", "{x}.txt", "c"),), True),
    ],
)
def test_a_body_is_read_for_names_only(bindings: tuple[Output, ...], *, expected: bool) -> None:
    """Without a name in any binding nothing of an unverified request is parsed."""
    trigger = HttpTrigger("req", routes.Template("x"), frozenset(), "anonymous")
    function = Function("f", "1", trigger, (), bindings, None, ())
    request = wire.HttpRequest("POST", "http://h/x", body=b'{"queue": "q"}')
    call = web.call_of(request, "POST /x", names=function.has_names)

    assert function.has_names is expected
    assert ("queue" in call.data) is expected


def test_binary_message_is_bytes() -> None:
    """What is no UTF-8 reaches the function as bytes."""
    assert messages.call_of(messages.Received.by_hand(""), b"\xff").value == wire.Binary(b"\xff")


@pytest.mark.parametrize("content", ["a", "ab=c", "äö", "YQ==\n"])
def test_not_base64(content: str) -> None:
    """Strict: no line breaks, no other alphabets."""
    with pytest.raises(ValueError, match=r"[Bb]ase64|[Pp]adding|ASCII"):
        messages.decoded(content, as_base64=True)


def test_frames_survive_the_wire() -> None:
    """Every kind of value arrives as it was sent, in order."""

    async def echo(messages: list[wire.ToWorker]) -> list[wire.ToWorker | None]:
        reader = asyncio.StreamReader()
        for message in messages:
            reader.feed_data(wire.frame(message))
        reader.feed_eof()
        return [await wire.read_to_worker(reader) for _ in range(len(messages) + 1)]

    request = wire.HttpRequest("POST", "http://x", {"a": "é"}, {}, {}, b"\x00" * 70_000)
    sent: list[wire.ToWorker] = [
        wire.Load("/app", 20),
        wire.Invoke("i", "f", {"req": request, "none": None}, {"n": wire.Json("1")}),
        wire.Invoke("j", "f", {"t": wire.Text("x"), "b": wire.Binary(b"y"), "n": wire.Number(1)}),
    ]

    assert asyncio.run(echo(sent)) == [*sent, None]


@pytest.mark.parametrize(
    ("category", "level", "shown"),
    [
        ("Host.Startup", 20, False),
        ("Host.Startup", 40, True),
        ("Function.work", 10, True),
        ("Function.work.User", 20, False),
        ("Functional", 20, False),
    ],
)
def test_log_levels_go_by_the_longest_prefix(category: str, level: int, *, shown: bool) -> None:
    """`logging.logLevel` of host.json, as the real host reads it."""
    stream = io.StringIO()
    levels = {"default": 30, "Function": 10, "Function.work.User": 40}
    Journal(stream, levels, as_json=True).write(category, level, "said", none=None, number=1)

    assert bool(stream.getvalue()) is shown
    if shown:
        event = json.loads(stream.getvalue())
        assert (event["message"], event["number"]) == ("said", 1)
        assert "none" not in event


def test_text_log_is_one_line_and_a_traceback() -> None:
    """People read fields on the line and the traceback below it."""
    stream = io.StringIO()
    Journal(stream, {}, as_json=False).write("Function.f", 40, "executed", a=1, trace="T\n  t\n")
    first, *rest = stream.getvalue().splitlines()

    assert first.endswith("Error       Function.f: executed a=1")
    assert rest == ["T", "  t"]


@pytest.mark.parametrize(
    ("level", "key", "opens"),
    [
        ("anonymous", None, True),
        ("function", "f", True),
        ("function", "m", True),
        ("function", "é", False),
        ("function", "\udcff", False),
        ("function", "", False),
        ("admin", "f", False),
        ("admin", "m", True),
    ],
)
def test_keys(level: str, key: str | None, *, opens: bool) -> None:
    """The master key opens everything, the function key functions; junk opens nothing."""
    assert Keys("f", "m").open(level, key) is opens


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"Store__accountName": "acc"}, "https://acc.queue.core.windows.net/orders"),
        ({"Store__queueServiceUri": "https://a.example/"}, "https://a.example/orders"),
        (
            {
                "AzureWebJobsStore__queueServiceUri": "https://b.example",
                "AzureWebJobsStore__credential": "managedidentity",
                "AzureWebJobsStore__clientId": "id",
            },
            "https://b.example/orders",
        ),
        ({"Store": "UseDevelopmentStorage=true"}, "http://127.0.0.1:10001/devstoreaccount1/orders"),
        (
            {"Store": "UseDevelopmentStorage=true;", "Store__accountName": "acc"},
            "http://127.0.0.1:10001/devstoreaccount1/orders",
        ),
    ],
)
def test_connections(settings: dict[str, str], url: str) -> None:
    """A connection string wins over the settings for an identity; the emulator has its ports."""

    async def queue_url() -> str:
        connections = Connections(settings)
        try:
            return str(connections.queue("Store", "orders").url)
        finally:
            await connections.close()

    assert asyncio.run(queue_url()) == url


def test_empty_keys_open_nothing() -> None:
    """A host without keys is closed, not open."""
    assert not Keys("", "").open("function", "")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        ("nonsense", False),
        ("", False),
    ],
)
def test_trace_parent(given: str, *, kept: bool) -> None:
    """A caller's trace goes on, anything else starts a new one."""
    parts = invocation.child_of(given).split("-")

    assert [len(part) for part in parts] == [2, 32, 16, 2]
    assert (parts[1] == "0af7651916cd43dd8448eb211c80319c") is kept
