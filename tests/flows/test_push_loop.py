"""The push loop, rule by rule (docs/architecture.md part 2)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.core.arm_errors import Refused
from shared.core.errors import Stalled, Transient
from shared.core.problem import Problem
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.world import URL, World, deployment_id, files, manifest, template

REFUSAL = Problem(code="InvalidTemplate", message="Deployment template validation failed: 'x'.")


def _refuse() -> Refused:
    return Refused(REFUSAL)


def test_a_push_ends_in_a_deployment_and_a_snapshot(world: World) -> None:
    """The whole way: webhook, sync, release, watch, snapshot; the revision is deployed."""
    revision = world.push(files("a", a="one"))

    world.run(30)

    assert world.note("a") == "one"
    assert world.status(revision) == "deployed"
    (stack,) = world.api("stacks")
    assert (stack["name"], stack["phase"], stack["problem"]) == ("a", "steady", None)
    assert stack["applied"]["revision"] == revision
    assert world.record("a").owed == ()
    assert any("/snapshots/1.1.json" in name for name in world.kept())
    assert world.errors == []


def test_only_the_stack_that_a_push_touched_is_released(world: World) -> None:
    """A second push that touches one of three deploys only that one."""
    world.push(files("a", "b", "c"))
    world.run(30)

    revision = world.push(files("a", "b", "c", b="new"))
    world.run(30)

    assert [world.puts(s) for s in "abc"] == [1, 2, 1]
    assert world.api(f"revisions/{revision}")["stacks"] == {"b": "deployed"}


@pytest.mark.parametrize(
    "change",
    [
        {"README.md": "hello"},
        {"a.json": b"// why\n" + template().replace(b",", b",\n  ")},
    ],
)
def test_a_push_without_meaning_for_arm_deploys_nothing_and_says_so(
    world: World, change: dict[str, Any]
) -> None:
    """README, formatting and comments end as ``nothing``."""
    world.push(files("a"))
    world.run(30)

    revision = world.push(files("a") | change)
    world.run(30)

    assert world.puts("a") == 1
    assert world.status(revision) == "nothing"


def test_a_refused_template_shows_arms_message_while_the_others_go_on(world: World) -> None:
    """One broken stack stops nobody; the mending push recovers it."""
    world.push(files("a", "b"))
    world.run(30)
    world.faults.fail("arm.put", _refuse)

    bad = world.push(files("a", "b", a="bad", b="new"))
    world.run(60)
    stacks = {s["name"]: s for s in world.api("stacks")}

    assert stacks["a"]["phase"] == "failed"
    assert stacks["a"]["problem"]["message"] == REFUSAL.message
    assert (stacks["b"]["phase"], world.note("b")) == ("steady", "new")
    assert world.status(bad) == "failed"

    good = world.push(files("a", "b", a="mended", b="new"))
    for message in world.queues.take("sync", 32):
        world.handle(message)
    assert world.status(good) == "pending"
    assert world.api("stacks/a")["phase"] == "pending"
    assert world.api("stacks/a")["problem"] is None
    world.run(30)

    assert world.note("a") == "mended"
    assert (world.status(good), world.status(bad)) == ("deployed", "failed")


def test_a_refused_generation_is_not_put_again(world: World) -> None:
    """Rule 10: only a new revision or a person starts another attempt."""
    world.faults.fail("arm.put", _refuse)
    world.push(files("a", a="bad"))

    world.run(3 * 3600)

    assert world.puts("a") == 0
    assert world.faults.count("arm.put") == 1


# ---- rule 1: level-triggered ----------------------------------------------------------------


def test_messages_may_be_lost(world: World) -> None:
    """Rule 1: what a lost message would have started the sweep starts."""
    world.commit(files("a", a="one"))
    for _ in range(20):
        world.sweep()
        # Every second message is lost on its way.
        for queue in ("sync", "release", "watch", "snapshot"):
            for n, message in enumerate(world.queues.take(queue, 32)):
                if n % 2:
                    world.queues.drop(queue, message.id)
                else:
                    world.handle(message)
        world.clock.advance(60)

    assert world.note("a") == "one"
    assert world.record("a").owed == ()


def test_a_push_without_a_webhook_is_found(world: World) -> None:
    """Rule 1: a lost delivery costs time, not the push."""
    revision = world.commit(files("a", a="one"))

    world.run(120)

    assert world.status(revision) == "deployed"


def test_messages_may_be_doubled(world: World) -> None:
    """Invariant I12: each message twice, at once and later, changes nothing."""
    handle = world.handle

    def twice(message: Any) -> None:
        handle(message)
        world.queues.put(message.queue, message.body)

    world.push(files("a", a="one"))
    world.handle = twice  # type: ignore[method-assign]  # the host that doubles
    world.deliver_visible()
    world.deliver_visible()
    world.handle = handle  # type: ignore[method-assign]
    world.run(60)

    assert world.puts("a") == 1
    assert world.note("a") == "one"
    world.arm.check()


# ---- rule 2: sync ---------------------------------------------------------------------------


def test_a_push_during_a_sync_is_not_missed(world: World) -> None:
    """Rule 2: the dirty flag makes the busy worker look again."""
    world.push(files("a", a="one"))
    pushed: list[str] = []

    def push_again(moment: str, call: str, _: str) -> None:
        if (moment, call) == ("after", "git.tree") and not pushed:
            pushed.append(world.push(files("a", a="two")))
            world.queues.put("sync", b'{"v":1,"repository":"example"}')
            for message in world.queues.take("sync", 32):
                world.handle(message)

    world.hook = push_again
    world.run(60)

    assert world.note("a") == "two"
    assert world.status(pushed[0]) == "deployed"
    assert world.log.named("sync_skipped") != []


def test_an_unchanged_tip_costs_no_fetch(world: World) -> None:
    """Rule 2: the tip is asked for first, and nothing else when it did not move."""
    world.push(files("a"))
    world.run(30)
    fetched = len([c for c in world.git.calls if c[0] == "tree"])

    world.run(300)

    assert len([c for c in world.git.calls if c[0] == "tree"]) == fetched


def test_a_host_that_shows_an_old_tip_is_asked_again(world: World) -> None:
    """A replica that lags behind its own webhook does not make the push superseded."""
    first = world.push(files("a", a="one"))
    world.run(30)
    second = world.commit(files("a", a="two"))
    world.git.move(URL, first)
    world.announce(second)
    world.run(5)
    world.git.move(URL, second)
    world.run(60)

    assert world.status(second) == "deployed"
    assert world.note("a") == "two"


def test_a_push_that_was_pushed_over_is_superseded(world: World) -> None:
    """Rule 12: every announced revision gets an answer, also one that nobody looked at."""
    first = world.push(files("a", a="one"))
    second = world.push(files("a", a="two"))

    world.run(60)

    assert world.api(f"revisions/{first}")["by"] == second
    assert world.status(first) == "superseded"
    assert world.status(second) == "deployed"


def test_a_deleted_branch_touches_nothing(world: World) -> None:
    """What is deployed stays, and the repository says what is missing."""
    world.push(files("a", a="one"))
    world.run(30)
    world.git.delete_branch(URL)
    world.run(120)

    assert world.note("a") == "one"
    (repository,) = world.api("health")["repositories"]
    assert [p["code"] for p in repository["problems"]] == ["BranchMissing"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({}, "ManifestMissing"),
        ({"plumbline.yaml": "a: [b"}, None),
        ({"plumbline.yaml": "version: 7\nstacks: {}"}, None),
    ],
)
def test_an_unreadable_manifest_keeps_the_last_good_state(
    world: World, content: dict[str, Any], code: str | None
) -> None:
    """Nothing is orphaned, nothing is released, and the revision has failed."""
    world.push(files("a", a="one"))
    world.run(30)

    revision = world.push(content)
    world.run(60)

    assert (world.note("a"), world.puts("a")) == ("one", 1)
    assert not world.record("a").orphaned
    assert world.status(revision) == "failed"
    (repository,) = world.api("health")["repositories"]
    assert repository["problems"][0]["hint"]
    assert code is None or repository["problems"][0]["code"] == code


def test_a_stack_that_left_is_orphaned_and_comes_back(world: World) -> None:
    """Rule 15: it is kept and shown; a push that brings it back releases nothing new."""
    world.push(files("a", "b", b="one"))
    world.run(30)
    world.push(files("a"))
    world.run(60)
    gone = {s["name"]: s["phase"] for s in world.api("stacks")}
    world.push(files("a", "b", b="one"))
    world.run(60)

    assert gone == {"a": "steady", "b": "orphaned"}
    assert {s["name"]: s["phase"] for s in world.api("stacks")} == {"a": "steady", "b": "steady"}
    assert (world.note("b"), world.puts("b")) == ("one", 1)


def test_a_burst_of_webhooks_is_one_or_two_syncs(world: World) -> None:
    """A hundred deliveries of one moment are all kept and answered, by two looks at Git."""
    revisions = [world.push(files("a", a=str(n))) for n in range(100)]
    world.run(30)

    asked = [call for call in world.git.calls if call[0] == "tip"]
    assert len(asked) <= 3
    assert world.status(revisions[-1]) == "deployed"
    assert {world.status(r) for r in revisions[:-1]} == {"superseded"}
    assert list(world.documents.list("pending/")) == []


def test_a_message_whose_push_was_answered_costs_two_reads(world: World) -> None:
    """A webhook that rings late finds its delivery answered, and leaves."""
    world.push(files("a"))
    world.run(30)
    before = len(world.faults.calls)
    world.queues.put("sync", b'{"v":1,"repository":"example","pushed":true}')
    world.deliver_visible()

    calls = [call for call, name in world.faults.calls[before:] if "config" not in name]
    assert calls == ["documents.read", "documents.list"]


# ---- rules 5 to 7: ARM is the mutex, and ARM's word counts -----------------------------------


def test_a_foreign_deployment_is_never_overwritten(world: World) -> None:
    """Rule 5: a deployment of our name that somebody else made stalls the stack."""
    world.push(files("a", a="one"))
    world.run(30)
    request = world.arm.puts(deployment_id("a"))[0].request
    world.arm.forget_deployment(deployment_id("a"))
    foreign = {**request.tags, "plumbline-installation": "theirs"}
    world.arm.put(type(request)(**{**vars(request), "tags": foreign}))

    world.push(files("a", a="two"))
    world.run(3600)

    (stack,) = world.api("stacks")
    assert (stack["phase"], stack["problem"]["code"]) == ("stalled", "DeploymentForeign")
    assert "theirs" in stack["problem"]["message"]
    assert world.note("a") == "one"


def test_a_lost_reply_of_the_put_is_settled_by_asking(world: World) -> None:
    """Rule 6: ARM took it, nobody heard: the running deployment is adopted, not put again."""
    world.faults.fail("arm.put", _unknown, moment="after")
    world.arm.default = Outcome(seconds=20)

    revision = world.push(files("a", a="one"))
    world.run(90)

    assert world.puts("a") == 1
    assert world.status(revision) == "deployed"


def test_a_put_that_did_not_arrive_is_sent_again(world: World) -> None:
    """Rule 6: ARM never got it: the same release is put again."""
    world.faults.fail("arm.put", _unknown, moment="before")

    revision = world.push(files("a", a="one"))
    world.run(90)

    assert world.puts("a") == 1
    assert world.record("a").applied is not None
    assert world.status(revision) == "deployed"


def _unknown() -> Exception:
    from shared.core.arm_errors import Unknown  # noqa: PLC0415 — one use

    return Unknown("AnswerLost", "no answer")


def test_a_stale_put_that_arrives_late_is_repaired(world: World) -> None:
    """Rule 7: ARM's tags are read again after the time in which a PUT can still arrive."""
    world.arm.postpone_put()
    world.push(files("a", a="old"))
    world.run(3, sweeps=False)
    world.push(files("a", a="new"))
    world.run(40)
    assert world.note("a") == "new"

    world.arm.deliver()
    world.clock.advance(5)
    assert world.note("a") == "old"

    world.run(400)
    assert world.note("a") == "new"
    world.arm.check()


def test_lost_state_does_not_reuse_release_ids(world: World) -> None:
    """A record that is made anew starts above what ARM and history remember."""
    world.push(files("a", a="one"))
    world.run(30)
    for name in [found.name for found in world.documents.list("")]:
        if name.startswith(("stacks/", "repositories/")):
            world.documents.delete(name)

    world.run(120)

    record = world.record("a")
    assert record.generation > 1
    assert record.phase == "steady"
    assert world.errors == []


# ---- rules 8 to 10: outbox, patience, retries ------------------------------------------------


def test_nothing_is_acknowledged_before_it_is_durable(world: World) -> None:
    """Rule 8: when storage fails under the webhook, the sender hears no 2xx."""
    revision = world.commit(files("a"))
    for call in ("history.put", "documents.create", "queues.send"):
        world.faults.fail(call, lambda: Transient("StorageDown", "no answer"))
        with pytest.raises(Transient):
            world.announce(revision, key=call)

    reply = world.announce(revision)
    assert reply is not None
    assert reply.status == 202


def test_a_throttled_put_waits_as_long_as_arm_asks(world: World) -> None:
    """Rule 9: ARM's Retry-After is honoured, and the sweep does not defeat it."""
    world.faults.fail(
        "arm.put", lambda: Transient("TooManyRequests", "slow down", retry_after_s=100.0)
    )
    world.push(files("a", a="one"))
    world.run(80)
    (stack,) = world.api("stacks")
    early = world.faults.count("arm.put")
    world.run(60)

    assert early == 1
    assert stack["problem"]["code"] == "TooManyRequests"
    assert world.note("a") == "one"
    assert world.api("stacks")[0]["problem"] is None


@pytest.mark.parametrize("call", ["git.tip", "git.tree", "arm.deployment", "arm.operations"])
def test_a_hiccup_anywhere_only_delays(world: World, call: str) -> None:
    """Rule 9: a transient fault becomes a delayed message."""
    world.faults.fail(call, lambda: Transient("Hiccup", "again"), times=2)

    revision = world.push(files("a", a="one"))
    world.run(120)

    assert world.status(revision) == "deployed"
    assert world.log.named("message_delayed") != []


@pytest.mark.parametrize("call", ["documents.*", "history.*", "queues.send"])
def test_storage_hiccups_only_delay(world: World, call: str) -> None:
    """A storage account that fails now and then loses nothing."""
    revision = world.push(files("a", a="one"))
    for skip in range(0, 60, 7):
        world.faults.fail(call, lambda: Transient("StorageDown", "again"), skip=skip)

    world.run(900)

    assert world.status(revision) == "deployed"
    assert world.record("a").owed == ()


def test_a_withdrawn_permission_stalls_and_names_the_action(world: World) -> None:
    """What a person must do is shown on the stack; when it is done, the stack goes on."""
    world.push(files("a", a="one"))
    world.run(30)
    missing = "does not have authorization to perform action 'Microsoft.Network/x/write'"
    world.faults.fail("arm.put", lambda: Stalled("AuthorizationFailed", missing, hint="grant it"))

    revision = world.push(files("a", a="two"))
    world.run(60)
    (stack,) = world.api("stacks")

    assert stack["phase"] == "stalled"
    assert "Microsoft.Network/x/write" in stack["problem"]["message"]
    assert world.status(revision) == "failed"

    world.run(900)
    assert world.note("a") == "two"
    assert world.record("a").phase == "steady"
    assert world.status(revision) == "failed"  # one final status: what comes later is an event


def test_a_missing_provider_is_registered(world: World) -> None:
    """Resource providers are registered on demand, and the release goes on."""
    world.arm.only_registered("Microsoft.Storage")
    world.arm.registration_s = 7

    revision = world.push(files("a", a="one"))
    world.run(120)

    assert world.status(revision) == "deployed"
    assert world.log.named("provider_registered") != []


def test_a_passing_failure_is_tried_three_times(world: World) -> None:
    """Rule 10: a deployment that failed for a passing reason is tried again, with back-off."""
    failure = {"nsg": {"code": "InternalServerError", "message": "try again"}}
    world.arm.default = Outcome(seconds=1, failures=failure)

    revision = world.push(files("a", a="one"))
    world.run(3 * 3600)

    assert world.puts("a") == 3
    assert world.status(revision) == "failed"
    releases = world.api("stacks/a/releases")
    assert [r["release"] for r in releases] == ["1.3", "1.2", "1.1"]
    assert {r["outcome"] for r in releases} == {"failed"}


def test_a_failure_for_good_is_tried_once(world: World) -> None:
    """Rule 10: what ARM refuses by its nature is not repeated; its message is shown."""
    failure = {"nsg": {"code": "SkuNotAvailable", "message": "not in this region"}}
    world.arm.default = Outcome(seconds=1, failures=failure)

    world.push(files("a", a="one"))
    world.run(3 * 3600)

    assert world.puts("a") == 1
    (stack,) = world.api("stacks")
    assert stack["problem"]["code"] == "SkuNotAvailable"
    assert "not in this region" in stack["problem"]["message"]


def test_half_applied_and_back_is_released(world: World) -> None:
    """Rule 10: D1, then D2 half-applied, then D1 again: Azure is not at D1, so it is put."""
    world.push(files("a", a="d1"))
    world.run(30)
    failure = {"nsg": {"code": "SkuNotAvailable", "message": "no"}}
    world.arm.plan(deployment_id("a"), Outcome(seconds=1, failures=failure))
    world.push(files("a", a="d2"))
    world.run(30)

    revision = world.push(files("a", a="d1"))
    world.run(30)

    assert world.puts("a") == 3
    assert world.status(revision) == "deployed"


def test_refused_and_back_is_not_released(world: World) -> None:
    """Rule 10: D1, then D2 refused outright, then D1 again: nothing ever changed in Azure."""
    world.push(files("a", a="d1"))
    world.run(30)
    world.faults.fail("arm.put", _refuse)
    world.push(files("a", a="d2"))
    world.run(30)

    revision = world.push(files("a", a="d1"))
    world.run(30)

    assert world.puts("a") == 1
    assert world.status(revision) == "deployed"
    assert world.api("stacks")[0]["phase"] == "steady"


# ---- rules 12 and 13 -------------------------------------------------------------------------


def test_a_burst_of_pushes_ends_in_two_deployments(world: World) -> None:
    """Rule 12: while a release runs, newer revisions only change what is desired."""
    world.arm.default = Outcome(seconds=90)
    revisions = []
    for n in range(10):
        revisions.append(world.push(files("a", a=f"v{n}")))
        world.run(5)
    world.run(400)

    assert world.puts("a") == 2
    assert world.note("a") == "v9"
    assert {world.status(r) for r in revisions[1:-1]} == {"superseded"}
    assert [world.status(revisions[n]) for n in (0, -1)] == ["deployed", "deployed"]


def test_an_existing_group_is_never_put(world: World) -> None:
    """Rule 13: createResourceGroup acts only where the group is missing."""
    world.push(files("a", a="one"))
    world.run(30)
    world.push(files("a", a="two"))
    world.run(30)

    assert world.faults.count("arm.create_group") == 1


def test_a_missing_group_that_nobody_asked_for_stalls(world: World) -> None:
    """Without createResourceGroup the group is the person's to make."""
    content = files("a") | {"plumbline.yaml": manifest("a", create=False)}

    world.push(content)
    world.run(60)

    (stack,) = world.api("stacks")
    assert (stack["phase"], stack["problem"]["code"]) == ("stalled", "ResourceGroupNotFound")


def test_a_stack_that_always_fails_delays_no_other(world: World) -> None:
    """Invariant I23: trouble stays where it is."""
    world.faults.fail("arm.put", _refuse)
    world.push(files("a", "b", a="bad"))
    world.run(10)

    assert world.note("b") == ""


# ---- snapshots and secrets -------------------------------------------------------------------


def test_secrets_of_resources_are_never_stored(world: World) -> None:
    """Invariant I28: a captured secret is replaced by a keyed digest before it is kept."""
    world.push(files("a", a="one"))
    canary = "c4n4ry-0451"
    slow: Callable[..., None] = lambda moment, call, _: (  # noqa: E731
        _plant(world, canary) if (moment, call) == ("before", "arm.resource") else None
    )
    world.hook = slow
    world.run(60)

    stored = b"".join(world.history.read(name) or b"" for name in world.kept())
    unpacked = b"".join(_unpacked(world, name) for name in world.kept())
    assert canary.encode() not in stored + unpacked
    assert b"secret-digest:" in unpacked


def _plant(world: World, canary: str) -> None:
    for resource in world.arm.resources:
        if "networksecuritygroups" in resource:
            world.arm.change(resource, lambda body: body.update(adminPassword=canary))


def _unpacked(world: World, name: str) -> bytes:
    import zlib  # noqa: PLC0415 — one use

    data = world.history.read(name) or b""
    return zlib.decompress(data) if name.startswith("contents/") else data


def test_a_release_that_begins_during_a_capture_makes_it_worthless(world: World) -> None:
    """A snapshot never mixes two releases: the newer one owes its own."""
    world.push(files("a", a="one"))

    def push_meanwhile(moment: str, call: str, _: str) -> None:
        if (moment, call) == ("after", "arm.resource") and world.puts("a") == 1:
            world.hook = None
            world.push(files("a", a="two"))
            for queue in ("sync", "release"):
                for message in world.queues.take(queue, 32):
                    world.handle(message)

    world.hook = push_meanwhile
    world.run(60)

    kept = sorted(name for name in world.kept() if "/snapshots/" in name)
    assert [name.rpartition("/")[2] for name in kept] == ["2.1.json"]


# ---- poison ----------------------------------------------------------------------------------


def test_a_message_that_fails_again_and_again_is_shown(world: World) -> None:
    """Invariant I18: ten failures end in the poison queue, whose owner shows them on the stack."""
    world.push(files("a", a="one"))
    world.run(30)
    world.faults.fail("arm.deployment", lambda: ZeroDivisionError("a defect"), times=1000)
    world.queues.put("release", b'{"v":1,"repository":"example","stack":"a"}')
    world.run(1200, sweeps=False)

    world.services.poison()

    (stack,) = world.api("stacks")
    assert stack["problem"]["code"] == "MessagePoisoned"
    world.faults.heal()
    world.run(2 * 3600)
    assert world.api("stacks")[0]["problem"] is None


def test_an_unreadable_message_is_kept(world: World) -> None:
    """A message of another version is never guessed at and never dropped."""
    world.queues.put("release", b'{"v":99,"repository":"example","stack":"a"}')
    world.queues.put("sync", b"not json")
    world.run(1200, sweeps=False)

    world.services.poison()

    kept = sorted(n.split("/")[1] for n in world.kept() if n.startswith("poison/"))
    assert kept == ["release", "sync"]


def test_health_tells_whether_the_webhook_is_heard(world: World) -> None:
    """A push that the sweep had to find counts as healed; one that was announced does not."""
    world.push(files("a", a="one"))
    world.run(30)
    (heard,) = world.api("health")["repositories"]
    world.commit(files("a", a="two"))
    world.run(300)
    (healed,) = world.api("health")["repositories"]

    assert heard["last_delivery_at"] is not None
    assert (heard["healed_pushes"], heard["last_healed_at"]) == (0, None)
    assert healed["last_delivery_at"] == heard["last_delivery_at"]
    assert healed["healed_pushes"] == 1
    assert healed["last_healed_at"] is not None


def test_a_late_delivery_is_not_a_lost_one(world: World) -> None:
    """A push that was found before its webhook came is taken out of the count again."""
    world.push(files("a", a="one"))
    world.run(30)
    revision = world.commit(files("a", a="two"))
    world.run(300)
    world.announce(revision)
    world.run(30)

    (shown,) = world.api("health")["repositories"]
    assert shown["healed_pushes"] == 0


@pytest.mark.parametrize("slow_s", [60.0, 170.0])
def test_a_sync_that_outlasts_its_hold_ends_all_the_same(world: World, slow_s: float) -> None:
    """Who is overtaken stops; the next has more time, so that a large repository is read at last."""
    depth = 0

    def others(moment: Moment, call: str, _: str) -> None:
        """Let the time pass in which Git is read, and other workers do what they find."""
        nonlocal depth
        if (moment, call) != ("after", "git.tree") or depth > 6:
            return
        depth += 1
        end = world.clock.monotonic() + slow_s
        while world.clock.monotonic() < end:
            world.clock.advance(10.0)
            world.sweep()
            world.deliver_visible()
        depth -= 1

    world.hook = others
    revision = world.push(files("a"))
    world.run(900)

    assert world.status(revision) == "deployed"
    assert world.faults.count("git.tree") <= 4
