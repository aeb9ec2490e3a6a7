"""Ways in which the push loop was broken once; each test is one finding of a review.

The one that is marked is known and not mended yet (strict: who mends it takes the mark away).
"""

import contextlib
from typing import Any

import pytest

from shared.core import decision, names
from shared.core.arm_errors import Refused, Unknown, Unregistered
from shared.core.errors import Stalled, Transient
from shared.core.message import Queue, RepositoryMessage, StackMessage, encode
from shared.core.problem import Problem
from tests.fakes.arm import Outcome
from tests.flows.world import CONFIGURATION, URL, Killed, World, deployment_id, files

KNOWN = (
    "a worker that is paused between committing an older tip and copying it brings that tip back "
    "for half a minute; the sweep repairs it at the price of two deployments"
)

REFUSAL = Problem(code="InvalidTemplate", message="Deployment template validation failed: 'x'.")
PERMANENT = {"nsg": {"code": "SkuNotAvailable", "message": "not in this region"}}
PASSING = {"nsg": {"code": "InternalServerError", "message": "try again"}}
STACK = encode(StackMessage(repository="example", stack="a"))
REPOSITORY = encode(RepositoryMessage(repository="example"))


def _unknown() -> Unknown:
    return Unknown("AnswerLost", "no answer")


def _denied() -> Stalled:
    return Stalled("AuthorizationFailed", "no 'Microsoft.Resources/deployments/read'", hint="grant")


def _problems(world: World) -> list[str]:
    (repository,) = world.api("health")["repositories"]
    return [problem["code"] for problem in repository["problems"]]


def _deliver(world: World, *queues: Queue) -> None:
    for queue in queues:
        for message in world.queues.take(queue, 32):
            world.handle(message)


def _rot(world: World, stack: str) -> None:
    """Damage a record's bytes; its metadata stays, as it does in blob storage."""
    name = names.record("example", stack)
    (found,) = [one for one in world.documents.list(name) if one.name == name]
    world.documents.overwrite(name, b"rotten", found.facts)


# ---- what is claimed ------------------------------------------------------------------------


def test_a_push_between_the_look_and_settled_is_not_claimed_as_deployed(world: World) -> None:
    """I27: ``settled``, decided for one generation, must not be applied to the next one."""
    world.push(files("a", a="one"))
    world.run(30)
    world.arm.default = Outcome(seconds=1, failures=PERMANENT)
    pushed: list[str] = []

    def arm_looked(moment: str, call: str, _: str) -> None:
        if (moment, call) == ("after", "arm.deployment"):
            world.hook = overtake_record

    def overtake_record(moment: str, call: str, name: str) -> None:
        if (moment, call) == ("before", "documents.replace") and name.endswith("record.json"):
            world.hook = None
            pushed.append(world.push(files("a", a="two")))
            _deliver(world, "sync")

    world.hook = arm_looked
    world.queues.put("release", STACK)
    _deliver(world, "release")
    claimed = world.status(pushed[0])
    world.run(60)

    assert claimed == "pending"
    assert world.puts("a") == 2
    assert world.status(pushed[0]) == "failed"


@pytest.mark.parametrize("step", ["settled", "quiet"])
def test_a_push_between_the_look_and_the_write_is_due_without_its_message(
    world: World, step: str
) -> None:
    """Rule 1: the sweep finds the new generation though its ``release`` message was lost."""
    if step == "quiet":
        world.faults.fail("arm.put", lambda: Refused(REFUSAL))
    world.push(files("a", a="one"))
    world.run(30)

    def overtake(moment: str, call: str, name: str) -> None:
        if (moment, call) == ("before", "documents.replace") and name.endswith("record.json"):
            world.hook = None
            world.push(files("a", a="two"))
            _deliver(world, "sync")
            for message in world.queues.take("release", 32):
                world.queues.complete(message)  # lost

    world.queues.put("release", STACK)
    (message,) = world.queues.take("release", 32)
    world.hook = overtake
    world.handle(message)
    world.run(180)

    assert world.note("a") == "two"


def test_a_revision_that_was_brought_back_stays_deployed(world: World) -> None:
    """Rule 12: one final status; ``brought back to what is applied`` does not become superseded."""
    world.push(files("a", a="d1"))
    world.run(30)
    world.faults.fail("arm.put", lambda: Refused(REFUSAL))
    world.push(files("a", a="d2"))
    world.run(30)
    back = world.push(files("a", a="d1"))
    world.run(30)
    assert world.status(back) == "deployed"

    world.push(files("a", a="d3"))
    world.run(60)

    assert world.status(back) == "deployed"


def test_a_digest_that_comes_back_while_its_put_is_lost_stays_deployed(world: World) -> None:
    """A, B (its PUT is lost), A, B: the release of the first B also ends the second one for good."""
    world.push(files("a", a="A"))
    world.run(30)
    world.faults.fail("arm.put", _unknown)
    world.push(files("a", a="B"))
    world.run(2, sweeps=False)
    for note in ("A", "B"):
        again = world.push(files("a", a=note))
        world.clock.advance(2)
        _deliver(world, "sync")
    world.run(200)
    assert world.status(again) == "deployed"
    world.push(files("a", a="C"))
    world.run(60)

    assert world.status(again) == "deployed"


@pytest.mark.xfail(strict=True, reason=KNOWN)
def test_a_slow_copy_does_not_bring_an_older_tip_back(world: World) -> None:
    """Rule 2: a lower seq never overwrites a higher one, also when the higher had nothing to copy."""
    world.push(files("a", a="A"))
    world.run(30)
    world.push(files("a", a="B"))
    world.clock.advance(2)

    def overtake(moment: str, call: str, name: str) -> None:
        if (moment, call) == ("before", "documents.replace") and name.endswith("a/record.json"):
            world.hook = None
            world.push(files("a", a="A"))
            world.clock.advance(2)
            _deliver(world, "sync")

    world.hook = overtake
    _deliver(world, "sync")
    world.run(200)

    assert world.puts("a") == 1


def test_a_stalled_revision_stays_failed_when_it_is_overtaken(world: World) -> None:
    """Rule 12: stalled counts as failed, also after the next push."""
    world.push(files("a", a="one"))
    world.run(30)
    world.faults.fail("arm.put", _denied)
    stalled = world.push(files("a", a="two"))
    world.run(30)
    assert world.status(stalled) == "failed"

    world.push(files("a", a="three"))
    world.run(60)

    assert world.status(stalled) == "failed"


def test_a_revision_whose_stack_left_before_it_was_released_gets_an_end(world: World) -> None:
    """Rule 12: every revision is final in the end; an orphaned stack's is superseded."""
    world.faults.fail("arm.put", lambda: Transient("Throttled", "later", retry_after_s=60.0))
    first = world.push(files("a", "b"))
    world.run(5)
    world.push(files("b"))
    world.run(3 * 3600)

    assert world.api(f"revisions/{first}")["final"]


def test_a_stack_that_comes_back_broken_has_failed(world: World) -> None:
    """Rule 12: failed > deployed for a stack that is both back and broken at a revision."""
    world.push(files("a", "b"))
    world.run(30)
    world.push(files("a"))
    world.run(60)
    broken = world.push(files("a", "b") | {"b.json": "not json"})
    world.run(60)

    assert world.status(broken) == "failed"


def test_state_that_is_lost_during_a_release_does_not_supersede_the_tip(world: World) -> None:
    """A generation that ``catch_up`` raises is still the one that its revision changed."""
    world.arm.default = Outcome(seconds=60)
    revision = world.push(files("a", a="one"))
    world.run(20)
    for name in [found.name for found in world.documents.list("")]:
        if name.startswith(("stacks/", "repositories/", "pending/")):
            world.documents.delete(name)
    world.run(400)

    assert world.record("a").phase == "steady"
    assert world.status(revision) == "deployed"


def test_a_polled_revision_gets_its_document_although_the_worker_died(world: World) -> None:
    """I11: a commit without its revision document is repaired, also where no marker waits."""
    revision = world.commit(files("a", a="one"))

    def kill(moment: str, call: str, name: str) -> None:
        if (moment, call) == ("before", "documents.create") and "/revisions/" in name:
            world.hook = None
            raise Killed

    world.hook = kill
    world.run(1200)

    assert world.note("a") == "one"
    assert world.status(revision) == "deployed"


def test_the_second_repository_of_a_url_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two environments follow one branch: the second one's failure must be visible."""
    one = dict(CONFIGURATION["repositories"]["example"])  # type: ignore[index]
    both = {"example": one, "prod": {**one, "hook": "another-hook", "manifest": "prod.yaml"}}
    world = World(monkeypatch, configuration={**CONFIGURATION, "repositories": both})
    content = files("a") | {
        "prod.yaml": "version: 1\nstacks:\n  p: {template: none.json, scope: rg-p}"
    }
    revision = world.push(content)
    world.run(400)

    assert world.status(revision) == "failed"


def test_a_refusal_that_was_kept_before_a_crash_is_not_released_after_it(world: World) -> None:
    """A release has one outcome: history, record, snapshot and status agree."""
    world.faults.fail("arm.put", lambda: Refused(REFUSAL))

    def kill(moment: str, call: str, name: str) -> None:
        if (moment, call) == ("after", "history.put") and "/releases/" in name:
            world.hook = None
            raise Killed

    world.hook = kill
    world.push(files("a", a="one"))
    world.run(300)

    applied = world.record("a").applied
    kept = {r["release"]: r["outcome"] for r in world.api("stacks/a/releases")}
    assert applied is None or kept[applied.release] == "succeeded"


# ---- what is shown and for how long ---------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        lambda: Transient("GitUnreachable", "no answer"),
        lambda: Stalled("GitAuthenticationFailed", "refused", hint="renew the token"),
    ],
)
def test_a_repositorys_problem_goes_when_git_answers_again(world: World, error: Any) -> None:
    """One hiccup of the Git host does not stay in /api/health until the next push."""
    world.push(files("a"))
    world.run(30)
    world.faults.fail("git.tip", error)
    world.queues.put("sync", REPOSITORY)
    world.run(1200)

    assert _problems(world) == []


def test_a_manifests_problem_comes_back_after_a_hiccup(world: World) -> None:
    """What is wrong with the tip is still shown after the Git host was away."""
    world.push({})
    world.run(30)
    assert _problems(world) == ["ManifestMissing"]
    world.faults.fail("git.tip", lambda: Transient("GitUnreachable", "no answer"))
    world.queues.put("sync", REPOSITORY)
    world.run(1200)

    assert _problems(world) == ["ManifestMissing"]


@pytest.mark.parametrize("call", ["arm.deployment", "arm.operations"])
def test_a_watch_that_may_not_look_is_shown(world: World, call: str) -> None:
    """Part 7: Stalled is recorded on the stack, in ``watch`` as in ``release``."""
    world.arm.default = Outcome(seconds=20)
    world.push(files("a", a="one"))
    world.run(5)
    world.faults.fail(call, _denied, times=10**6)
    world.run(900)

    (stack,) = world.api("stacks")
    assert (stack["phase"], (stack["problem"] or {}).get("code")) == (
        "stalled",
        "AuthorizationFailed",
    )
    assert world.faults.count(call) < 20


def test_a_failed_stack_that_was_stalled_shows_its_failure_again(world: World) -> None:
    """A 403 on the hourly look is over when ARM answers again."""
    world.faults.fail("arm.put", lambda: Refused(REFUSAL))
    world.push(files("a", a="one"))
    world.run(30)
    world.faults.fail("arm.deployment", _denied)
    world.run(4 * 3600)

    (stack,) = world.api("stacks")
    assert (stack["phase"], stack["problem"]["code"]) == ("failed", REFUSAL.code)


@pytest.mark.parametrize("call", ["git.tree", "git.tip"])
def test_a_defect_in_sync_reaches_the_poison_queue(world: World, call: str) -> None:
    """I18: a message that fails each time is shown, though its first try still holds the tip."""
    world.faults.fail(call, lambda: ZeroDivisionError("a defect"), times=10**6)
    world.push(files("a", a="one"))
    for _ in range(60):
        world.run(60)
        world.services.poison()

    assert "SyncUnfinished" in _problems(world)


def test_a_defect_after_the_intent_reaches_the_poison_queue(world: World) -> None:
    """I18: the hold that a crash leaves must not turn each retry into a fresh copy."""
    world.faults.fail("arm.put", lambda: ZeroDivisionError("a defect"), times=10**6)
    world.push(files("a", a="one"))
    for _ in range(60):
        world.run(60)
        world.services.poison()

    (stack,) = world.api("stacks")
    assert (stack["problem"] or {}).get("code") == "ReleaseUnfinished"


def test_one_resource_that_cannot_be_read_does_not_stop_the_snapshot(world: World) -> None:
    """A type without GET (405) leaves a gap in the snapshot, not no snapshot at all."""
    refused = lambda: Stalled("Http405", "resource.get: HTTP status 405")  # noqa: E731
    world.faults.fail("arm.resource", refused, times=10**6)
    world.push(files("a", a="one"))
    world.run(3 * 3600)

    assert any("/snapshots/1.1.json" in name for name in world.kept())
    assert world.record("a").owed == ()


def test_a_refused_successor_does_not_cost_the_snapshot(world: World) -> None:
    """What ARM refused outright changed nothing: the good release still gets its snapshot."""
    world.faults.fail("arm.resource", lambda: Transient("Hiccup", "again"), times=3)
    world.push(files("a", a="one"))
    world.run(6)
    world.faults.fail("arm.put", lambda: Refused(REFUSAL))
    world.push(files("a", a="two"))
    world.run(900)

    assert any("/snapshots/1.1.json" in name for name in world.kept())


def test_a_snapshot_that_was_forbidden_is_taken_soon_after_the_grant(world: World) -> None:
    """A person who grants the permission does not wait an hour, nor does the problem vanish."""
    world.faults.fail("arm.resource", _denied, times=2)
    world.push(files("a", a="one"))
    world.run(1000)

    assert world.record("a").owed == ()


def test_poison_behind_a_damaged_record_is_owned(world: World) -> None:
    """One message whose stack cannot be read does not block the owner of all poison queues."""
    world.push(files("a"))
    world.run(30)
    _rot(world, "a")
    world.queues.put("release-poison", STACK)
    world.queues.put("watch-poison", b"not json")
    with contextlib.suppress(Stalled):
        world.services.poison()

    assert any(name.startswith("poison/watch/") for name in world.kept())


# ---- states that nobody leaves --------------------------------------------------------------


def test_a_stack_that_left_before_its_put_arrived_is_swept_when_it_returns(world: World) -> None:
    """``releasing`` with nothing under way is no business of ``watch``: the sweep must release."""
    world.faults.fail("arm.put", _unknown)
    world.push(files("a", "b", a="one"))
    _deliver(world, "sync")
    _deliver(world, "release")
    world.push(files("b"))
    world.run(60)
    assert world.record("a").in_flight is None
    world.push(files("a", "b", a="one"))
    _deliver(world, "sync")
    for message in world.queues.take("release", 32):
        world.queues.complete(message)  # lost
    world.run(2 * 3600)

    assert world.note("a") == "one"


def test_content_that_is_lost_does_not_keep_a_release_from_ending(world: World) -> None:
    """The hint says: push any change. So a push must get the stack going again."""
    world.arm.default = Outcome(seconds=30)
    world.push(files("a", a="one"))
    world.run(10)
    for name in world.kept():
        if name.startswith("contents/"):
            world.history.corrupt(name, b"rotten")
    world.run(60)
    world.push(files("a", a="two"))
    world.run(3 * 3600)

    assert world.note("a") == "two"


def test_one_unreadable_record_does_not_stop_its_neighbours(world: World) -> None:
    """I23: a damaged record is that stack's problem alone; nothing claims that it was deployed."""
    world.push(files("a", "b"))
    world.run(30)
    _rot(world, "a")
    revision = world.push(files("a", "b", a="new", b="new"))
    world.run(300)

    assert world.note("b") == "new"
    assert world.services.status(f"revisions/{revision}").status == 200
    assert world.status(revision) in {"pending", "releasing"}


def test_stalled_looks_do_not_use_up_the_attempts(world: World) -> None:
    """Rule 10: three attempts for passing failures, whatever permissions were missing before."""
    world.faults.fail("arm.put", _denied, times=4)
    world.arm.plan(deployment_id("a"), Outcome(seconds=1, failures=PASSING))
    world.push(files("a", a="one"))
    world.run(2 * 3600)

    assert world.note("a") == "one"
    assert world.puts("a") == 2


# ---- amplification --------------------------------------------------------------------------


def test_a_git_host_that_asks_for_patience_gets_it(world: World) -> None:
    """Rule 9: a pending delivery does not make the sweep defeat Retry-After."""
    busy = lambda: Transient("GitThrottled", "slow down", retry_after_s=300.0)  # noqa: E731
    world.faults.fail("git.tip", busy, times=10**6)
    world.push(files("a", a="one"))
    world.run(3600)

    assert world.faults.count("git.tip") <= 30
    assert world.queues.length("sync") <= 3


def test_hiccups_of_watch_do_not_multiply_its_messages(world: World) -> None:
    """One release is watched by one chain of messages, whatever ARM answered meanwhile."""
    world.arm.default = Outcome(seconds=7200)
    world.push(files("a", a="one"))
    world.run(60)
    down = lambda: Transient("TooManyRequests", "slow", retry_after_s=60.0)  # noqa: E731
    world.faults.fail("arm.deployment", down, times=10**6)
    world.run(1200)
    world.faults.heal()
    world.run(600)

    assert world.queues.length("watch") <= 2


def test_pushes_during_a_wait_do_not_multiply_the_looks(world: World) -> None:
    """Waiting for somebody else's end is one slow chain, not one of 5 s for each push."""
    world.arm.default = Outcome(seconds=3600)
    world.push(files("a", a="one"))
    world.run(30)
    tags = world.arm.puts(deployment_id("a"))[0].request.tags
    world.arm.retag(deployment_id("a"), {**tags, decision.TAG_REVISION: ""})  # nobody can adopt it
    world.documents.delete(names.record("example", "a"))
    world.run(90)
    for n in range(20):
        world.push(files("a", a=f"v{n}"))
        world.run(5)
    before = world.faults.count("arm.deployment")
    world.run(600)

    assert world.queues.length("release") <= 2
    assert world.faults.count("arm.deployment") - before <= 60


def test_a_put_that_is_never_answered_is_not_sent_every_five_seconds(world: World) -> None:
    """I19: a PUT with an unknown end backs off."""
    world.faults.fail("arm.put", _unknown, times=10**6)
    world.push(files("a", a="one"))
    world.run(3600)

    assert world.faults.count("arm.put") <= 60


def test_pushes_while_a_put_is_not_answered_do_not_multiply_it(world: World) -> None:
    """Ten pushes are not ten loops of PUTs of the same stack."""
    world.faults.fail("arm.put", _unknown, times=10**6)
    for n in range(10):
        world.push(files("a", a=str(n)))
        world.run(5)
    before = world.faults.count("arm.put")
    world.run(600)

    assert world.faults.count("arm.put") - before <= 130


def test_a_registration_that_arm_does_not_see_yet_is_no_hot_loop(world: World) -> None:
    """Registered, says one replica, and the next does not know it: wait a little."""
    world.faults.fail(
        "arm.put", lambda: Unregistered("not registered", namespace="Microsoft.Network"), times=200
    )
    world.push(files("a", a="one"))
    world.run(30)

    assert world.faults.count("arm.put") <= 12


def test_a_slow_release_stays_shown_as_slow(world: World) -> None:
    """``ReleaseSlow`` does not come and go with each look."""
    world.arm.default = Outcome(seconds=10**6)
    world.push(files("a", a="one"))
    world.run(world.settings.release_timeout_s + 200)
    seen = set()
    for _ in range(30):
        world.run(11)
        seen.add((world.api("stacks")[0]["problem"] or {}).get("code"))

    assert seen == {"ReleaseSlow"}


# ---- clocks ---------------------------------------------------------------------------------


def test_a_pushed_back_tip_is_answered(world: World) -> None:
    """Push and force back before anybody looked: soon final, and nothing is left in health."""
    first = world.push(files("a", a="one"))
    world.run(30)
    second = world.push(files("a", a="two"))
    world.git.move(URL, first)
    world.run(120)

    assert world.status(second) == "superseded"
    assert world.status(first) == "deployed"
    assert _problems(world) == []
