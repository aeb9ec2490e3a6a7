"""What was tried too often: kept, shown on health, and dealt with by an operator (invariant I18)."""

from typing import Any

import orjson
import pytest

from shared import events
from shared.core import names
from shared.core.document import encode
from shared.core.errors import Transient
from shared.core.message import QUEUES
from shared.core.poison import Poisoned
from shared.flows.lookup import Answered
from shared.flows.poison import PATIENCE
from shared.flows.sign_in import Credentials
from tests.fakes.system import Moment
from tests.flows.world import OPERATOR_KEY, Killed, World, files

STACK = b'{"v":1,"repository":"example","stack":"a"}'
TRIED = b'{"v":1,"repository":"example","stack":"a","tries":9,"looks":4}'
UNREADABLE = b'{"v":99,"secret":"never shown"}'


def dealt(
    world: World, message_id: str, operation: str = "replay", key: str = OPERATOR_KEY, **body: Any
) -> Answered:
    """Order something of a kept message; returns the answer."""
    sent = orjson.dumps({"why": "a test", **body})
    return world.services.replay(message_id, operation, sent, Credentials(None, key))


def poisoned(world: World, queue: str, body: bytes) -> str:
    """Let the owner take over a message of a poison queue; returns its id."""
    world.queues.put(f"{queue}-poison", body)
    (message,) = world.queues.waiting(f"{queue}-poison")
    world.services.poison()
    return message.id


def told(world: World) -> Any:
    """Return what health says of poison, and check that it agrees with the status."""
    health = world.api("health")
    poison = health["poison"]
    waiting = any(queue["waiting"] for queue in poison["queues"].values())
    assert health["status"] == ("problem" if waiting or poison["newest"] else "ok")
    return poison


def bodies(world: World, queue: str) -> list[bytes]:
    """Return the messages in a queue."""
    return [message.body for message in world.queues.waiting(queue)]


def audits(world: World) -> list[Any]:
    """Return what is kept of orders."""
    names_of = [name for name in world.kept() if name.startswith("audit/")]
    return [orjson.loads(world.history.read(name) or b"") for name in names_of]


# ---- shown ------------------------------------------------------------------------------------


def test_health_counts_what_waits_in_the_poison_queues(world: World) -> None:
    """Also before their owner has looked, and though somebody has taken the message."""
    assert told(world)["queues"]["sync"] == {"waiting": 0, "kept": 0}
    world.queues.put("sync-poison", b"x")
    world.queues.take("sync-poison")

    poison = told(world)
    assert poison["queues"]["sync"] == {"waiting": 1, "kept": 0}
    assert set(poison["queues"]) == set(QUEUES)


@pytest.mark.parametrize(
    ("queue", "body", "subject"),
    [
        ("release", STACK, "example.a"),
        ("watch", b'{"v":1,"repository":"example","stack":"a~3"}', "example.a~3"),
        ("snapshot", b'{"v":1,"repository":"nobody","stack":"knows"}', "nobody.knows"),
        ("sync", b'{"v":1,"repository":"example"}', "example"),
        ("settle", b'{"v":1,"repository":"example"}', "example"),
        ("release", UNREADABLE, None),
        ("settle", b"\xff\x00", None),
    ],
)
def test_every_poison_message_is_kept_and_shown(
    world: World, queue: str, body: bytes, subject: str | None
) -> None:
    """Readable or not: with its id, queue, time, size and subject, and never its body."""
    at = world.clock.now()
    message = poisoned(world, queue, body)

    poison = told(world)
    (shown,) = poison["newest"]
    assert shown == {
        "id": message,
        "queue": queue,
        "at": at.isoformat().replace("+00:00", "Z"),
        "size": len(body),
        "dequeue_count": 1,
        "subject": subject,
    }
    assert poison["queues"][queue] == {"waiting": 0, "kept": 1}
    kept = world.services.poison.poisons.archive.poison(queue, message)
    assert kept is not None
    assert (kept.id, kept.body, kept.dequeue_count) == (message, body, 1)
    assert kept.inserted_at is not None


def test_the_newest_are_listed_and_all_are_counted(world: World) -> None:
    """Ten are enough to see what is wrong; the count says how many there are."""
    for number in range(12):
        world.queues.put("sync-poison", b"%d" % number)
        world.services.poison()
        world.clock.advance(60)

    poison = told(world)
    assert poison["queues"]["sync"]["kept"] == 12
    assert [shown["size"] for shown in poison["newest"]] == [2, 2] + [1] * 8
    times = [shown["at"] for shown in poison["newest"]]
    assert times == sorted(times, reverse=True)


def test_health_lists_once_for_all_of_it(world: World) -> None:
    """What is open costs one storage call, however much there is."""
    for number in range(7):
        poisoned(world, "sync", b"%d" % number)
    calls: list[tuple[str, str]] = []
    world.hook = lambda moment, call, name: (
        calls.append((call, name)) if moment == "before" else None
    )

    told(world)

    assert [name for call, name in calls if call == "documents.list"] == [names.PENDING_POISON]
    assert not [name for call, name in calls if call == "documents.read" and "poison" in name]
    assert not [call for call, _ in calls if call.startswith("history")]


def test_health_counts_no_more_than_one_listing_tells(world: World) -> None:
    """A flood of poison makes the question no dearer; it is a problem in any case."""
    for number in range(5_003):
        world.documents.create(names.pending_poison(f"m{number}"), b"{}", {"queue": "sync"})

    assert told(world)["queues"]["sync"]["kept"] == 5_000


def test_a_marker_that_somebody_damaged_still_counts(world: World) -> None:
    """Facts that cannot be read hide neither the message nor its neighbours."""
    message = poisoned(world, "sync", b"x")
    marker = names.pending_poison(message)
    world.documents.overwrite(marker, b"rot", {"taken_at": "once", "size": "-"})

    (shown,) = told(world)["newest"]
    assert shown["id"] == message


# ---- replayed ---------------------------------------------------------------------------------


def test_a_replay_sends_the_message_back_and_health_is_ok_again(world: World) -> None:
    """Exactly its bytes; the order is kept for good, with who and why."""
    body = b' {"v":1, "repository":"example", "stack":"a"}'
    message = poisoned(world, "release", body)

    answered = dealt(world, message, why="the defect is mended")

    assert answered.status == 202
    assert (answered.body.queue, answered.body.subject) == ("release", "example.a")
    assert bodies(world, "release") == [body]
    assert told(world)["newest"] == []
    (audit,) = audits(world)
    assert (audit["operation"], audit["by"]) == ("replay", "the operator key")
    assert audit["why"] == "the defect is mended"
    assert (audit["repository"], audit["stack"]) == ("example", "a")
    assert audit["message"] == f"release/{message}"
    assert world.log.named(events.POISON_DEALT_WITH)


def test_a_replay_counts_tries_from_nothing(world: World) -> None:
    """Whatever else the message says goes back as it was."""
    message = poisoned(world, "watch", TRIED)

    assert dealt(world, message).status == 202
    (body,) = bodies(world, "watch")
    assert orjson.loads(body) == {"v": 1, "repository": "example", "stack": "a", "looks": 4}


def test_a_replay_ends_what_the_message_was_about(world: World) -> None:
    """The stack is due at once, and its problem goes when it is looked at."""
    world.push(files("a", a="one"))
    world.run(300)
    message = poisoned(world, "watch", STACK)
    assert world.api("stacks")[0]["problem"]["code"] == "MessagePoisoned"
    assert message in world.api("stacks")[0]["problem"]["hint"]

    assert dealt(world, message).status == 202
    due_at = world.record("a").due_at
    assert due_at is not None
    assert due_at <= world.clock.now()
    world.run(60)

    assert world.api("stacks")[0]["problem"] is None
    assert world.api("health")["status"] == "ok"


@pytest.mark.parametrize("queue", ["sync", "settle"])
def test_a_replay_ends_the_trouble_of_a_repository(world: World, queue: str) -> None:
    """As with a stack: what sync's message left on the repository is gone after the next look."""
    world.push(files("a", a="one"))
    world.run(300)
    message = poisoned(world, queue, b'{"v":1,"repository":"example"}')

    assert dealt(world, message).status == 202
    world.run(60)

    assert world.api("health")["repositories"][0]["problems"] == []
    assert world.api("health")["status"] == "ok"


def test_a_replay_leaves_other_problems_alone(world: World) -> None:
    """A stack that has a problem of its own by now is looked at when that says so."""
    world.push(files("a", a="one"))
    world.run(300)
    message = poisoned(world, "release", STACK)
    world.order("a", "release", "look at it")
    world.run(300)
    before = world.record("a")

    assert dealt(world, message).status == 202
    assert world.record("a") == before


def test_a_replay_of_a_message_whose_stack_cannot_be_read_goes_back_too(world: World) -> None:
    """What is damaged is shown where it is; it keeps no message back."""
    world.push(files("a", a="one"))
    world.run(300)
    world.documents.overwrite(names.record("example", "a"), b"rot")
    message = poisoned(world, "release", STACK)

    assert dealt(world, message).status == 202
    assert bodies(world, "release") == [STACK]


# ---- refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [UNREADABLE, b"not json", b'{"v":1,"repository":"../x"}'])
def test_an_unreadable_message_is_not_replayed_but_may_be_discarded(
    world: World, body: bytes
) -> None:
    """The refusal says what is wrong and how to mend it; discarding is kept like any order."""
    message = poisoned(world, "sync", body)

    refused = dealt(world, message)

    assert (refused.status, refused.body.error) == (409, "PoisonUnreadable")
    assert "discard" in refused.body.hint
    assert bodies(world, "sync") == []
    assert told(world)["queues"]["sync"]["kept"] == 1
    assert audits(world) == []

    assert dealt(world, message, "discard", why="nobody needs it").status == 202

    assert bodies(world, "sync") == []
    assert told(world)["newest"] == []
    (audit,) = audits(world)
    assert (audit["operation"], audit["why"]) == ("discard", "nobody needs it")
    assert any(name.startswith("poison/sync/") for name in world.kept())


@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ({"operation": "explode"}, 404, "OperationUnknown"),
        ({"operation": "release"}, 404, "OperationUnknown"),
        ({"why": ""}, 400, "OperationUnreadable"),
        ({"why": "x", "force": True}, 400, "OperationUnreadable"),
        ({"why": "x", "until": "2999-01-01T00:00:00Z"}, 400, "OperationUnreadable"),
        ({"why": "x" * 20_000}, 413, "BodyTooLarge"),
        ({"key": "wrong"}, 401, "NotSignedIn"),
    ],
)
def test_an_order_that_makes_no_sense_says_why(
    world: World, order: dict[str, Any], status: int, code: str
) -> None:
    """The same complaints as for a stack, and the message still waits."""
    message = poisoned(world, "release", STACK)

    answered = dealt(world, message, **order)

    assert (answered.status, answered.body.error) == (status, code)
    assert answered.body.hint
    assert bodies(world, "release") == []
    assert told(world)["queues"]["release"]["kept"] == 1


@pytest.mark.parametrize("message", ["m999", "..", "a/b", "x" * 65, ""])
def test_a_message_that_is_not_there_is_404(world: World, message: str) -> None:
    """Whatever the path says: no document is named by what is not an id."""
    assert dealt(world, message).status == 404


# ---- once -------------------------------------------------------------------------------------


def test_a_second_replay_sends_nothing(world: World) -> None:
    """The first one ended the matter."""
    message = poisoned(world, "release", STACK)

    assert [dealt(world, message).status for _ in range(3)] == [202, 404, 404]
    assert bodies(world, "release") == [STACK]
    assert len(audits(world)) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "call", ["documents.read", "documents.replace", "history.put", "queues.send"]
)
def test_two_replays_at_once_send_one_message(world: World, call: str, moment: Moment) -> None:
    """Whoever loses the compare-and-swap is told; so is who comes while the first is at it."""
    message = poisoned(world, "release", STACK)
    other: list[Answered] = []

    def meddle(at: Moment, called: str, _: str) -> None:
        if (at, called) == (moment, call):
            world.hook = None
            other.append(dealt(world, message))

    world.hook = meddle
    mine = dealt(world, message)

    statuses = sorted((mine.status, other[0].status))
    assert statuses in ([202, 404], [202, 409])
    assert bodies(world, "release") == [STACK]
    assert len(audits(world)) == 1


def test_a_message_that_is_taken_again_after_its_replay_stays_closed(world: World) -> None:
    """The owner died before it could remove the message from the poison queue."""
    world.faults.fail("queues.discard", lambda: Transient("X", "x"))
    world.queues.put("release-poison", STACK)
    with pytest.raises(Transient):
        world.services.poison()
    message = told(world)["newest"][0]["id"]
    assert dealt(world, message).status == 202

    world.clock.advance(400)
    world.services.poison()

    assert told(world)["newest"] == []
    assert bodies(world, "release") == [STACK]
    assert world.queues.length("release-poison") == 0


REPLAY_STEPS = ("documents.replace", "history.put", "queues.send", "documents.delete")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("operation", "call"),
    [
        *(("replay", call) for call in REPLAY_STEPS),
        *(("discard", call) for call in REPLAY_STEPS if call != "queues.send"),
    ],
)
def test_an_order_is_carried_out_though_its_worker_died(
    world: World, call: str, moment: Moment, operation: str
) -> None:
    """Killed at any step: the timer does the rest of an order that is durable, and doubles none."""
    message = poisoned(world, "release", STACK)

    def strike(at: Moment, called: str, _: str) -> None:
        if (at, called) == (moment, call):
            world.hook = None
            raise Killed

    world.hook = strike
    with pytest.raises(Killed):
        dealt(world, message, operation)
    world.restart()
    durable = (call, moment) != ("documents.replace", "before")
    assert dealt(world, message).status in ({404, 409} if durable else {202})
    world.services.poison()
    world.clock.advance(PATIENCE.total_seconds() + 2)
    world.services.poison()

    assert told(world)["newest"] == []
    assert set(bodies(world, "release")) == (
        {STACK} if operation == "replay" or not durable else set()
    )
    assert len(audits(world)) == 1


def test_the_timer_leaves_a_fresh_order_to_its_worker(world: World) -> None:
    """A worker that is at it is not overtaken: the message would be sent twice."""
    message = poisoned(world, "release", STACK)
    world.hook = lambda at, call, _: (
        world.services.poison() if (at, call) == ("before", "queues.send") else None
    )

    assert dealt(world, message).status == 202
    assert bodies(world, "release") == [STACK]


def test_an_order_whose_message_is_damaged_stops_no_other(world: World) -> None:
    """A message that rots between the order and its end is told of, and the rest goes on."""
    first, second = (poisoned(world, "release", STACK) for _ in range(2))
    for message in (first, second):
        world.faults.fail("queues.send", lambda: Transient("X", "x"))
        with pytest.raises(Transient):
            dealt(world, message)
    world.history.corrupt(names.poison("release", first), b"rot")
    world.clock.advance(PATIENCE.total_seconds() + 2)

    world.services.poison()

    assert bodies(world, "release") == [STACK]
    assert [shown["id"] for shown in told(world)["newest"]] == [first]
    assert world.log.named(events.STALLED)


def test_a_damaged_message_may_be_discarded(world: World) -> None:
    """Nobody needs to read what is thrown away."""
    message = poisoned(world, "release", STACK)
    world.history.corrupt(names.poison("release", message), b"rot")

    assert dealt(world, message, "discard").status == 202
    assert told(world)["newest"] == []


def test_a_message_is_not_lost_when_storage_refuses_to_keep_it(world: World) -> None:
    """What could not be kept stays in its poison queue."""
    world.faults.fail("history.put", lambda: Transient("X", "x"))
    world.queues.put("sync-poison", b"x")
    with pytest.raises(Transient):
        world.services.poison()
    (shown,) = told(world)["newest"]
    assert world.queues.length("sync-poison") == 1
    assert dealt(world, shown["id"]).body.error == "PoisonNotKept"

    world.clock.advance(400)
    world.services.poison()

    assert told(world)["queues"]["sync"] == {"waiting": 0, "kept": 1}


def test_an_order_that_this_version_cannot_read_stops_no_other(world: World) -> None:
    """A worker of another version took it and died: whoever can read it finishes it."""
    first, second = (poisoned(world, "release", STACK) for _ in range(2))
    for message in (first, second):
        world.faults.fail("queues.send", lambda: Transient("X", "x"))
        with pytest.raises(Transient):
            dealt(world, message)
    newer = Poisoned(
        id=first,
        queue="release",
        dequeue_count=1,
        inserted_at=None,
        taken_at=world.clock.now(),
        body=b'{"v":2}',
    )
    world.history.corrupt(names.poison("release", first), encode(newer))
    world.clock.advance(PATIENCE.total_seconds() + 2)
    world.services.poison()

    assert bodies(world, "release") == [STACK]


def test_nothing_is_discarded_before_it_is_kept(world: World) -> None:
    """Else the next look at the poison queue would open it once more."""
    world.faults.fail("history.put", lambda: Transient("X", "x"))
    world.queues.put("sync-poison", b"x")
    with pytest.raises(Transient):
        world.services.poison()
    (shown,) = told(world)["newest"]

    assert dealt(world, shown["id"], "discard").body.error == "PoisonNotKept"
