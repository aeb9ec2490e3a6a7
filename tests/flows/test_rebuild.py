"""An operator has lost state rebuilt: what cannot be read is set aside and made anew (part 4)."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import orjson
import pytest

from functions import rebuild
from shared import events
from shared.core import names
from shared.core.document import to_text
from shared.ports import Caller
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows import chains
from tests.flows.losses import lose, lose_history, spoil
from tests.flows.world import CONFIGURATION, OPERATOR_KEY, Killed, World, files, manifest

RECORD_A = names.record("example", "a")
TIP = names.tip("example")
BROKEN = [b"", b"{", b"\xff\xfe", b"[]", b'{"repository": 1}', b'{"repository": "example"}']


def audits(world: World) -> list[dict[str, object]]:
    """Return what is kept for good of rebuilds."""
    kept = [orjson.loads(world.history.read(n) or b"") for n in world.kept() if "audit/" in n]
    return [audit for audit in kept if audit["operation"] == "rebuild"]


@pytest.mark.parametrize("data", BROKEN)
def test_an_unreadable_record_is_shown_and_a_rebuild_mends_it(world: World, data: bytes) -> None:
    """It is its stack's problem and nobody else's; its bytes are kept, and nothing is put for it."""
    world.push(files("a", "b", a="one", b="one"))
    world.run()
    spoil(world, RECORD_A, data)
    world.push(files("a", "b", a="one", b="two"))
    world.run()
    shown = {stack["name"]: stack for stack in world.api("stacks")}
    answered = world.rebuild()
    world.run()

    assert shown["a"]["problem"]["code"] == "DocumentUnreadable"
    assert "rebuild" in shown["a"]["problem"]["hint"]
    assert shown["b"]["phase"] == "steady"
    assert world.note("b") == "two"
    assert answered.status == 202
    assert (answered.body.unreadable, answered.body.records) == (("a",), 1)
    (aside,) = [name for name in world.kept() if name.startswith("unreadable/")]
    assert aside.startswith(f"unreadable/{RECORD_A}/")
    assert world.history.read(aside) == data
    assert world.record("a").phase == "steady"
    assert (world.puts("a"), world.puts("b")) == (1, 2)
    assert world.log.named(events.DOCUMENT_SET_ASIDE)
    assert world.errors == []


def test_a_push_that_an_unreadable_record_held_back_is_deployed(world: World) -> None:
    """What Git wanted meanwhile comes after the rebuild, and its revision gets its status."""
    world.push(files("a", a="one"))
    world.run()
    spoil(world, RECORD_A)
    revision = world.push(files("a", a="two"))
    world.run()
    waiting = world.status(revision)
    world.rebuild()
    world.run()

    assert waiting == "pending"
    assert world.note("a") == "two"
    assert world.status(revision) == "deployed"


def test_fences_rise_over_a_rebuild(world: World) -> None:
    """I14: a worker that still holds the record that was set aside finds a higher fence, and stops."""
    world.push(files("a"))
    world.run()
    before = world.record("a").fence
    spoil(world, RECORD_A)
    world.rebuild()

    assert world.record("a").fence > before + 10**6


@pytest.mark.parametrize("data", BROKEN[:-1])
def test_an_unreadable_tip_is_shown_and_a_rebuild_mends_it(world: World, data: bytes) -> None:
    """Health says so and still answers; after the rebuild pushes are deployed again."""
    world.push(files("a", "b"))
    world.run()
    spoil(world, TIP, data)
    late = world.push(files("a", "b", a="two"))
    world.run()
    health = world.api("health")
    answered = world.rebuild()
    world.run()

    (shown,) = health["repositories"]
    assert health["status"] == "problem"
    assert [p["code"] for p in shown["problems"]] == ["DocumentUnreadable"]
    assert answered.body.tip == "unreadable"
    assert world.api("health")["status"] == "ok"
    assert world.note("a") == "two"
    assert (world.puts("a"), world.puts("b")) == (2, 1)
    assert world.status(late) == "deployed"


def test_an_unreadable_tip_harms_no_other_repository(world: World) -> None:
    """Two repositories share one worker; one's tip is damaged, and the other is asked about."""
    configuration = orjson.loads(orjson.dumps(CONFIGURATION))
    again = {**configuration["repositories"]["example"], "hook": "another-hook"}
    configuration["repositories"]["again"] = again
    world.documents.overwrite(names.CONFIGURATION, orjson.dumps(configuration))
    world.restart()
    both = manifest("a").replace("stacks:", "defaults: {adopt: take}\nstacks:")
    revision = world.push({**files("a"), "plumbline.yaml": both})
    world.run()
    spoil(world, names.tip("again"))
    world.run()

    assert world.api(f"revisions/{revision}")["final"]
    problems = {r["repository"]: r["problems"] for r in world.api("health")["repositories"]}
    assert problems["example"] == []
    assert [p["code"] for p in problems["again"]] == ["DocumentUnreadable"]


def test_a_missing_tip_is_made_anew_and_said_so(world: World) -> None:
    """The sweep would do it, too; the order says what was missing."""
    world.push(files("a"))
    world.run()
    lose(world, "repositories/")
    answered = world.rebuild()
    world.run(10, sweeps=False)

    assert answered.body.tip == "missing"
    assert world.api("health")["status"] == "ok"
    assert world.puts("a") == 1


def test_a_tip_that_was_restored_from_a_backup_goes_on_above_the_records(world: World) -> None:
    """Rule 2: its seq is below theirs, so that nothing it says would count, until the rebuild."""
    world.push(files("a", "b", a="one"))
    world.run(30)
    backup = world.documents.read(TIP)
    assert backup is not None
    for note in ("two", "three", "four"):
        world.push(files("a", "b", a=note))
        world.run(60)
    world.push(files("a", a="five"))
    world.run(60)
    spoil(world, TIP, backup.data)
    world.rebuild()
    world.push(files("a", a="six"))
    world.run(10, sweeps=False)

    assert world.note("a") == "six"
    assert world.record("b").orphaned


def test_a_rebuild_of_sound_state_changes_nothing(world: World) -> None:
    """Everything is read and compiled once more; no generation rises and nothing is put."""
    world.push(files("a", "b"))
    world.run()
    before = {name: world.record(name).generation for name in ("a", "b")}
    answered = world.rebuild()
    world.run()

    assert (answered.body.tip, answered.body.records) == ("readable", 2)
    assert answered.body.unreadable == answered.body.missing == answered.body.gone == ()
    assert {name: world.record(name).generation for name in ("a", "b")} == before
    assert (world.puts("a"), world.puts("b")) == (1, 1)


def test_a_rebuild_asked_twice_is_done_once(world: World) -> None:
    """The second finds nothing any more; both are kept for good with who and why."""
    world.push(files("a"))
    world.run()
    spoil(world, RECORD_A)
    first, second = world.rebuild(why="it broke"), world.rebuild(why="did it work?")
    world.run()

    assert (first.body.unreadable, second.body.unreadable) == (("a",), ())
    assert world.record("a").phase == "steady"
    assert world.puts("a") == 1
    kept = audits(world)
    assert [audit["why"] for audit in kept] == ["it broke", "did it work?"]
    assert {audit["by"] for audit in kept} == {"the operator key"}
    assert kept[0]["found"] == {
        "tip": "readable",
        "records": 0,
        "unreadable": ["a"],
        "missing": [],
        "gone": [],
        "without_history": [],
        "frozen": [],
        "unread": [],
    }


def test_two_rebuilds_at_a_time_mend_a_record_once(world: World) -> None:
    """Whoever is late replaces nothing: what the other put there is in use already."""
    world.push(files("a"))
    world.run()
    spoil(world, RECORD_A)
    done: list[str] = []

    def other(moment: Moment, call: str, name: str) -> None:
        if not done and (moment, call, name) == ("before", "documents.replace", RECORD_A):
            done.append(name)
            world.rebuild()
            world.run(60)

    world.hook = other
    answered = world.rebuild()
    world.hook = None
    settled = world.record("a")
    world.run()

    assert done
    assert answered.status == 202
    assert settled.applied is not None
    assert world.record("a").applied is not None
    assert world.puts("a") == 1


def test_a_rebuild_in_the_middle_of_a_release_adopts_it(world: World) -> None:
    """The release that runs is watched to its end; no second one is put beside it or after it."""
    world.arm.default = Outcome(seconds=300)
    revision = world.push(files("a", a="one"))
    world.run(20)
    spoil(world, RECORD_A)
    world.rebuild()
    world.run(60)
    running = world.record("a")
    world.run(600)

    assert running.phase == "releasing"
    assert running.in_flight is not None
    assert running.in_flight.release == "1.1"
    assert world.record("a").phase == "steady"
    assert world.puts("a") == 1
    assert world.status(revision) == "deployed"
    world.arm.check()


def test_a_worker_whose_record_was_set_aside_stops_and_its_release_is_adopted(world: World) -> None:
    """I13: between its intent and its PUT the record is lost and made anew; one PUT is enough."""
    done: list[str] = []

    def lost(moment: Moment, call: str, _: str) -> None:
        if not done and (moment, call) == ("before", "arm.put"):
            done.append(call)
            spoil(world, RECORD_A)
            world.rebuild()

    world.hook = lost
    revision = world.push(files("a", a="one"))
    world.run(600)

    assert done
    assert world.log.named(events.FENCED)
    assert world.puts("a") == 1
    assert world.record("a").phase == "steady"
    assert world.status(revision) == "deployed"
    world.arm.check()


@pytest.mark.parametrize("step", range(1, 7))
def test_a_worker_that_dies_over_a_rebuild_leaves_nothing_that_a_second_does_not_mend(
    world: World, step: int
) -> None:
    """I11: killed after any of its writes, it has lost no bytes; the order is given again."""
    world.push(files("a", "b"))
    world.run()
    spoil(world, RECORD_A)
    spoil(world, TIP, b"[")
    left = [step]

    def kill(moment: Moment, call: str, _: str) -> None:
        if moment == "after" and call in {"history.put", "documents.replace", "queues.send"}:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

    world.hook = kill
    with pytest.raises(Killed):
        world.rebuild()
    world.hook = None
    world.restart()
    world.rebuild()
    world.run()

    assert {world.history.read(n) for n in world.kept() if "unreadable/" in n} == {b"{", b"["}
    assert (world.puts("a"), world.puts("b")) == (1, 1)
    assert world.record("a").phase == world.record("b").phase == "steady"
    assert world.api("health")["status"] == "ok"


def test_a_rebuild_says_what_history_has_lost(world: World) -> None:
    """Releases that records tell of and history does not have are named; what is there is not."""
    world.push(files("a", "b"))
    world.run()
    lose_history(world, "stacks/example.a/")
    answered = world.rebuild()

    assert answered.body.gone == (names.release("example", "a", "1.1"),)
    assert answered.body.without_history == ()
    spoil(world, RECORD_A)
    assert world.rebuild().body.without_history == ("a",)


def test_a_rebuild_says_which_records_are_missing(world: World) -> None:
    """Those that the tip or history knows; the next sync makes the first ones anew."""
    world.push(files("a", "b"))
    world.run()
    world.push(files("a"))
    world.run()
    lose(world, "stacks/")
    answered = world.rebuild()
    world.run()

    assert answered.body.missing == ("a", "b")
    assert world.record("a").phase == "steady"
    assert world.puts("a") == 1


def test_contents_that_were_lost_are_written_anew(world: World) -> None:
    """Git has them: a release that an operator orders afterwards finds what it puts."""
    world.push(files("a"))
    world.run()
    lose_history(world, "contents/")
    world.restart()
    world.rebuild()
    world.run(60)
    world.order("a", "release")
    world.run()

    assert world.record("a").phase == "steady"
    assert world.puts("a") == 2


def test_a_rebuild_that_is_ordered_during_a_sync_is_not_lost(world: World) -> None:
    """The sync that runs commits, and the next one reads everything anew."""
    world.push(files("a", "b"))
    world.run()
    lose_history(world, "contents/")
    world.restart()
    done: list[str] = []

    def order(moment: Moment, call: str, _: str) -> None:
        if not done and (moment, call) == ("before", "git.tree"):
            done.append(call)
            world.rebuild()

    world.hook = order
    world.push(files("a", "b", b="two"))
    world.run(60)

    assert done
    assert names.contents(world.record("a").desired.digest) in world.kept()  # type: ignore[union-attr]


def test_a_freeze_is_not_lost_with_its_record(world: World) -> None:
    """I26: the audits know who froze the stack; it stays frozen over the rebuild."""
    world.push(files("a", "b", a="one"))
    world.run()
    until = to_text(world.clock.now() + timedelta(hours=2))
    world.order("a", "freeze", "holidays", until=until)
    world.order("b", "freeze", "holidays", until=until)
    world.run(5)
    world.order("b", "unfreeze", "they are over")
    spoil(world, RECORD_A)
    spoil(world, names.record("example", "b"))
    world.push(files("a", "b", a="two", b="two"))
    answered = world.rebuild()
    world.run(3600)

    assert answered.body.frozen == ("a",)
    assert world.api("stacks/a")["frozen"]["why"] == "holidays"
    assert (world.note("a"), world.note("b")) == ("one", "two")
    world.run(2 * 3600)
    assert world.note("a") == "two"


def test_an_unreadable_record_of_a_stack_that_left_is_not_forgotten(world: World) -> None:
    """Rule 15: history says where it is, so that it is shown as orphaned with what it had."""
    world.push(files("a", "b"))
    world.run()
    world.push(files("b"))
    world.run()
    spoil(world, RECORD_A)
    world.rebuild()
    world.run(4000)

    shown = world.api("stacks/a")
    assert shown["phase"] == "orphaned"
    assert shown["applied"] is not None
    assert world.puts("a") == 1
    world.push(files("a", "b"))
    world.run()
    assert world.record("a").phase == "steady"
    assert world.puts("a") == 1


def test_an_unreadable_half_is_not_forgotten(world: World) -> None:
    """Rule 15: what a stack left in another scope is still shown after its record was lost."""
    world.push(files("a"))
    world.run()
    moved = files("a")["plumbline.yaml"].replace("scope: rg-a", "scope: rg-z")
    world.push({**files("a"), "plumbline.yaml": moved})
    world.run()
    (half,) = world.api("stacks/a")["halves"]
    spoil(world, names.record("example", half))
    world.rebuild()
    world.run(4000)

    shown = world.api(f"stacks/{half}")
    assert shown["phase"] == "orphaned"
    assert shown["scope"].endswith("rg-a")
    assert shown["applied"] is not None
    assert world.puts("a") == 1


def test_a_stack_that_waits_for_an_unreadable_one_goes_on_after_the_rebuild(world: World) -> None:
    """Rule 11: its dependency is at its digests again, and gives the value that it gave."""
    world.push(chains.pair())
    world.run()
    spoil(world, names.record("example", "network"))
    world.push(chains.pair(more={"web.json": chains.takes("two")}))
    world.run()
    waited = world.puts("web")
    world.rebuild()
    world.run()

    assert waited == 1
    assert (world.puts("network"), world.puts("web")) == (1, 2)
    assert world.record("web").phase == "steady"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"why": ""}, 400, "OperationUnreadable"),
        ({"why": "x", "until": "2999-01-01T00:00:00Z"}, 400, "OperationUnreadable"),
        ({"why": "x", "force": True}, 400, "OperationUnreadable"),
    ],
)
def test_an_order_that_cannot_be_read_changes_nothing(
    world: World, body: dict[str, Any], status: int, code: str
) -> None:
    """Each refusal has a code and a hint, and leaves no trace."""
    world.push(files("a"))
    world.run()
    spoil(world, RECORD_A)
    answered = world.rebuild(**body)

    assert (answered.status, answered.body.error) == (status, code)
    assert answered.body.hint
    assert audits(world) == []


def test_nobody_without_the_role_rebuilds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong key is 401; somebody who is known and no operator is 403; nothing is touched."""
    world.push(files("a"))
    world.run()
    spoil(world, RECORD_A)
    stranger = world.rebuild(key="wrong")
    monkeypatch.setattr(
        type(world.services.rebuild.sign_in.callers),
        "identify",
        lambda *_: Caller(name="a reader", is_operator=False),
    )
    reader = world.rebuild()
    stored = world.documents.read(RECORD_A)

    assert (stranger.status, stranger.body.error) == (401, "NotSignedIn")
    assert (reader.status, reader.body.error) == (403, "NotAnOperator")
    assert stored is not None
    assert stored.data == b"{"
    assert audits(world) == []
    assert world.log.named(events.OPERATION_REFUSED)


def test_a_repository_that_is_not_followed_is_not_rebuilt(world: World) -> None:
    """Its key is no door to documents of others."""
    for repository in ("nobody", "../x", ""):
        assert world.rebuild(repository=repository).status == 404


def test_the_route_hands_over_who_orders_and_what(world: World) -> None:
    """Over HTTP: the key in the header is the sign-in, the path names the repository."""
    world.push(files("a"))
    world.run()
    spoil(world, RECORD_A)
    function: Any = rebuild.rebuild
    context: Any = SimpleNamespace(invocation_id="i", function_name="rebuild")

    def post(key: str) -> func.HttpResponse:
        request = func.HttpRequest(
            method="POST",
            url="/api/repositories/example/rebuild",
            headers={"X-Plumbline-Operator-Key": key},
            route_params={"key": "example"},
            body=b'{"why": "it broke"}',
        )
        answer: func.HttpResponse = function(request, context)
        return answer

    refused, accepted = post("wrong"), post(OPERATOR_KEY)

    assert (refused.status_code, accepted.status_code) == (401, 202)
    assert orjson.loads(accepted.get_body())["unreadable"] == ["a"]
