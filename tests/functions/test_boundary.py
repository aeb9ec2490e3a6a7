"""What the boundary makes of each outcome, for each function (docs/architecture.md, part 7).

The decorated functions are called as the worker calls them, over flows that end as the table says.
"""

import importlib
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from shared import wiring
from shared.core.errors import BadMessage, PlumblineError, Stalled, Transient, Waiting
from shared.core.message import QUEUES, REPOSITORY_QUEUES, Queue, decode
from shared.settings import SettingProblem, SettingsError
from tests.fakes.queues import MemoryQueues
from tests.fakes.system import FakeClock, Faults, ListLog

HTTP = ("receive_push", "status", "operate", "replay")
TIMERS = ("sweep", "poison")
INVOCATION = "the-id-of-the-invocation"
ELSEWHERE = "canary-of-what-only-the-log-may-say"


class Troubled:
    """Services whose every flow ends with the same error; the queues are real enough to look at."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.calls = 0
        self.faults = Faults()
        self.clock = FakeClock()
        self.queues = MemoryQueues(self.clock, self.faults)
        self.log = ListLog()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the flow of this name."""
        if name not in {*HTTP, *TIMERS, *QUEUES}:
            raise AttributeError(name)
        return self._flow

    def _flow(self, *_: object) -> Any:
        self.calls += 1
        raise self.error


Place = Callable[[BaseException], Troubled]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return what puts an error behind the functions."""

    def placed(error: BaseException) -> Troubled:
        services = Troubled(error)
        monkeypatch.setattr(wiring, "services", lambda: services)
        monkeypatch.setattr(wiring, "log", lambda: services.log)
        return services

    return placed


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> ListLog:
    """Make the settings wrong; return the log."""
    problem = SettingProblem("PLUMBLINE_DIGEST_KEY", "it is missing", "give 32 characters")

    def refused() -> None:
        raise SettingsError((problem,))

    log = ListLog()
    monkeypatch.setattr(wiring, "services", refused)
    monkeypatch.setattr(wiring, "log", lambda: log)
    return log


def run(name: str, **trigger: Any) -> Any:
    """Call the function of this name as the worker does."""
    decorated = getattr(importlib.import_module(f"functions.{name}"), name)
    context: Any = SimpleNamespace(invocation_id=INVOCATION, function_name=name)
    return decorated(**trigger, context=context)


def message(queue: str, **changed: Any) -> bytes:
    """Return a message of this queue as JSON."""
    stack = {} if queue in REPOSITORY_QUEUES else {"stack": "web"}
    return json.dumps({"v": 1, "repository": "shop", **stack, **changed}).encode()


def enqueue(queue: str, body: bytes) -> None:
    """Run a queue function with this body."""
    run(queue, message=func.QueueMessage(id="m1", body=body))


def ask(name: str) -> func.HttpResponse:
    """Run an HTTP function."""
    answered: func.HttpResponse = run(
        name, req=func.HttpRequest("GET", "http://x/api/", headers={}, params={}, body=b"")
    )
    return answered


def tick(name: str) -> None:
    """Run a timer function."""
    run(name, timer=SimpleNamespace(past_due=False))


def sent(services: Troubled, queue: Queue) -> list[tuple[Any, float]]:
    """Return what was put into a queue: the message and its delay in seconds."""
    return [
        (decode(queue, found.body), (found.visible_at - services.clock.now()).total_seconds())
        for found in services.queues.waiting(queue)
    ]


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize(
    ("tries", "retry_after_s", "delay_s"),
    [(0, None, 2), (1, None, 4), (3, 7.5, 16), (0, 17.2, 18), (30, None, 300), (30, 3600, 3600)],
)
def test_a_hiccup_becomes_a_copy_for_later(
    place: Place, queue: Queue, tries: int, retry_after_s: float | None, delay_s: int
) -> None:
    """Transient: a copy with one more try, after the longer of Retry-After and back-off."""
    services = place(Transient("ArmThrottled", "busy", retry_after_s=retry_after_s))

    enqueue(queue, message(queue, tries=tries))

    [(copy, delayed_s)] = sent(services, queue)
    [event] = services.log.named("message_delayed")
    assert (copy.repository, copy.tries, delayed_s) == ("shop", tries + 1, delay_s)
    assert (event["reason"], event["tries"]) == ("ArmThrottled", tries + 1)


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize(("ahead_s", "delay_s"), [(45.0, 45), (0.2, 1), (-10.0, 1)])
def test_waiting_counts_no_try(place: Place, queue: Queue, ahead_s: float, delay_s: int) -> None:
    """Waiting: the same message again when the other one is done, a second from now at least."""
    services = place(Waiting("StackBusy", "somebody works on it", wait_s=ahead_s))

    enqueue(queue, message(queue, tries=4))

    [(copy, delayed_s)] = sent(services, queue)
    assert (copy.tries, delayed_s) == (4, delay_s)


def test_a_copy_says_all_that_the_message_said(place: Place) -> None:
    """How often a release was looked at is not forgotten over a hiccup."""
    services = place(Transient("ArmUnavailable", "no answer"))

    enqueue("watch", message("watch", looks=7))

    [(copy, _)] = sent(services, "watch")
    assert (copy.stack, copy.looks) == ("web", 7)


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize(
    "lost", [Transient("StorageUnavailable", "no answer"), Stalled("StorageRefused", "no role")]
)
def test_a_copy_that_cannot_be_sent_raises(
    place: Place, queue: Queue, lost: PlumblineError
) -> None:
    """Then the message comes back by itself: nothing is lost, and the log says why."""
    services = place(Transient("ArmUnavailable", "no answer"))
    services.faults.fail("queues.send", lambda: lost)

    with pytest.raises(type(lost)):
        enqueue(queue, message(queue))

    told = [fields["reason"] for _, fields in services.log.events if "reason" in fields]
    assert lost.reason in told


@pytest.mark.parametrize("queue", QUEUES)
def test_what_a_person_must_mend_is_done_and_told(place: Place, queue: Queue) -> None:
    """Stalled: the message is completed, nothing is sent, and the log has reason and hint."""
    services = place(Stalled("AuthorizationFailed", "no", hint="grant the action"))

    enqueue(queue, message(queue))

    [event] = services.log.named("stalled")
    assert sent(services, queue) == []
    assert (event["reason"], event["hint"]) == ("AuthorizationFailed", "grant the action")
    assert event["repository"] == "shop"


BAD_BODIES = {
    "empty": b"",
    "no JSON": b"look at this",
    "no UTF-8": b"\xff\xfe",
    "half": b'{"v":1,"repository":',
    "a list": b"[]",
    "null": b"null",
    "of another version": b'{"v":2,"repository":"shop","stack":"web"}',
    "an unknown key": b'{"v":1,"repository":"shop","stack":"web","force":true}',
    "a wrong type": b'{"v":1,"repository":7,"stack":7}',
    "no repository": b'{"v":1,"stack":"web"}',
    "a path as a repository": b'{"v":1,"repository":"../state","stack":"web"}',
    "a long repository": b'{"v":1,"repository":"abcdefghijklmnopq","stack":"web"}',
    "capitals": b'{"v":1,"repository":"Shop","stack":"Web"}',
}
BAD_STACKS = {
    "no stack": b'{"v":1,"repository":"shop"}',
    "a path as a stack": b'{"v":1,"repository":"shop","stack":"a/b"}',
    "a wildcard": b'{"v":1,"repository":"shop","stack":"*"}',
}
BAD_SYNCS = {"a stack": b'{"v":1,"repository":"shop","stack":"web"}'}


@pytest.mark.parametrize(
    ("queue", "body"),
    [
        pytest.param(queue, body, id=f"{queue}: {what}")
        for queue in QUEUES
        for what, body in (
            BAD_BODIES | (BAD_SYNCS if queue in REPOSITORY_QUEUES else BAD_STACKS)
        ).items()
    ],
)
def test_a_message_that_cannot_be_read_raises(place: Place, queue: Queue, body: bytes) -> None:
    """BadMessage: no flow runs, nothing is sent; storage hands it on to the poison queue."""
    services = place(AssertionError("no flow should run"))

    with pytest.raises(BadMessage):
        enqueue(queue, body)

    [event] = services.log.named("invocation_failed")
    assert services.calls == 0
    assert sent(services, queue) == []
    assert (event["function"], event["queue"]) == (queue, queue)


@pytest.mark.parametrize("queue", QUEUES)
def test_a_defect_raises_and_is_logged_once(place: Place, queue: Queue) -> None:
    """Anything else: the very error reaches the host, and the log has it with the message's facts."""
    defect = ZeroDivisionError("a defect")
    services = place(defect)

    with pytest.raises(ZeroDivisionError) as raised:
        enqueue(queue, message(queue, tries=2))

    [event] = services.log.named("invocation_failed")
    assert raised.value is defect
    assert sent(services, queue) == []
    assert event["exception"] is defect
    assert (event["repository"], event["tries"], event["invocation_id"]) == ("shop", 2, INVOCATION)


@pytest.mark.parametrize("name", TIMERS)
@pytest.mark.parametrize("error", [Transient("StorageUnavailable", "x"), Stalled("Refused", "x")])
def test_a_timer_leaves_the_rest_to_its_next_tick(
    place: Place, name: str, error: PlumblineError
) -> None:
    """A timer that could not do its work does not fail: it says why, and comes again."""
    services = place(error)

    tick(name)

    [event] = services.log.named("invocation_finished")
    assert (event["function"], event["outcome"]) == (name, "postponed")
    assert error.reason in [fields.get("reason") for _, fields in services.log.events]


@pytest.mark.parametrize("name", TIMERS)
def test_a_hiccup_of_a_timer_calls_nobody(place: Place, name: str) -> None:
    """The event `stalled` means that a person must act: a storage that was slow once is no such."""
    services = place(Transient("StorageUnavailable", "no answer"))

    tick(name)

    assert services.log.named("stalled") == []


@pytest.mark.parametrize("name", TIMERS)
def test_a_defect_in_a_timer_raises(place: Place, name: str) -> None:
    """The host counts it as a failure, and the log has it."""
    services = place(KeyError("a defect"))

    with pytest.raises(KeyError):
        tick(name)

    assert len(services.log.named("invocation_failed")) == 1


@pytest.mark.parametrize("name", HTTP)
@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (Transient("StorageUnavailable", ELSEWHERE), "5"),
        (Transient("StorageUnavailable", ELSEWHERE, retry_after_s=17.2), "17"),
        (Transient("StorageUnavailable", ELSEWHERE, retry_after_s=0.1), "1"),
        (Transient("StorageUnavailable", ELSEWHERE, hint=ELSEWHERE), "5"),
        (Stalled("ConfigurationInvalid", ELSEWHERE, hint=ELSEWHERE, detail=ELSEWHERE), "5"),
    ],
)
def test_what_cannot_be_done_now_is_503(
    place: Place, name: str, error: PlumblineError, retry_after: str
) -> None:
    """The sender is told when to come back, and nothing of what is wrong inside but its name."""
    services = place(error)

    answered = ask(name)

    assert (answered.status_code, answered.headers["Retry-After"]) == (503, retry_after)
    assert json.loads(answered.get_body())["error"] == error.reason
    assert ELSEWHERE not in answered.get_body().decode()
    [event] = services.log.named("invocation_finished")
    assert (event["function"], event["status"]) == (name, 503)
    assert event["invocation_id"] == INVOCATION


@pytest.mark.parametrize("name", HTTP)
@pytest.mark.parametrize("kind", [ZeroDivisionError, RuntimeError, UnicodeDecodeError, BadMessage])
def test_a_defect_is_500_without_a_word(place: Place, name: str, kind: type[Exception]) -> None:
    """The sender learns nothing; the log has the error, by the invocation's id."""
    arguments: dict[type[Exception], tuple[Any, ...]] = {
        UnicodeDecodeError: ("utf-8", ELSEWHERE.encode(), 0, 1, ELSEWHERE),
        BadMessage: ("MessageVersion", ELSEWHERE),
    }
    defect = kind(*arguments.get(kind, (ELSEWHERE,)))
    services = place(defect)

    answered = ask(name)

    [event] = services.log.named("invocation_failed")
    assert answered.status_code == 500
    assert json.loads(answered.get_body()) == {
        "error": "InternalError",
        "message": "see the log of this invocation",
    }
    assert event["exception"] is defect
    assert event["invocation_id"] == INVOCATION


@pytest.mark.parametrize("name", HTTP)
def test_wrong_settings_are_503_and_the_log_says_which(refuse: ListLog, name: str) -> None:
    """The sender comes back later; the operator reads what to mend."""
    answered = ask(name)

    [event] = refuse.named("stalled")
    assert answered.status_code == 503
    assert b"PLUMBLINE" not in answered.get_body()
    assert "PLUMBLINE_DIGEST_KEY: it is missing; give 32 characters" in str(event["message"])


@pytest.mark.parametrize("name", [*QUEUES, *TIMERS])
def test_wrong_settings_keep_every_event(refuse: ListLog, name: str) -> None:
    """A message stays in its queue and a tick has failed: nothing is done half, or dropped."""
    with pytest.raises(SettingsError):
        enqueue(name, message(name)) if name in QUEUES else tick(name)

    [event] = refuse.named("stalled")
    assert (event["function"], event["invocation_id"]) == (name, INVOCATION)


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Transient("X", "x"), "delayed"),
        (Stalled("X", "x"), "stalled"),
        (BadMessage("X", "x"), "failed"),
        (ZeroDivisionError(), "failed"),
    ],
)
def test_every_invocation_ends_with_one_line(
    place: Place, queue: Queue, error: Exception, outcome: str
) -> None:
    """Whatever came of it: function, outcome and milliseconds, as docs/events.md promises."""
    services = place(error)

    try:
        enqueue(queue, message(queue))
    except (BadMessage, ZeroDivisionError):
        assert outcome == "failed"

    [event] = services.log.named("invocation_finished")
    assert (event["function"], event["outcome"]) == (queue, outcome)
    assert isinstance(event["elapsed_ms"], float)
