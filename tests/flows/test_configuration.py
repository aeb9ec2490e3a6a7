"""The operator's configuration while it is in use: two environments, rotation, changes, mistakes."""

from datetime import timedelta
from typing import Any, Final

import msgspec
import pytest

from shared.core import names
from shared.core.document import decode, to_text
from shared.core.record import Record
from shared.flows.receive_push import Reply
from shared.state.configurations import KEEP_S
from tests.fakes.arm import Outcome
from tests.flows.chains import manifest
from tests.flows.world import (
    CONFIGURATION,
    HOOK_SECRET,
    SUB,
    URL,
    World,
    deployment_id,
    files,
    template,
)

EXAMPLE: Final[dict[str, Any]] = CONFIGURATION["repositories"]["example"]  # type: ignore[index]
OTHER_SUB: Final = "22222222-2222-2222-2222-222222222222"
STAGING_HOOK: Final = "another-random-hook"
NEW_SECRET: Final = "the next secret"
STATUSES: Final = {
    "github": "https://api.git.example/repos/acme/shop",
    "token": "PLUMBLINE_SECRET_HOOK",
}


def following(**repositories: Any) -> dict[str, Any]:
    """Return a configuration that follows these repositories."""
    return {**CONFIGURATION, "repositories": repositories}


def environment(**changed: Any) -> dict[str, Any]:
    """Return the example's repository as another environment: a hook and subscription of its own."""
    own = {
        "hook": STAGING_HOOK,
        "default_subscription": OTHER_SUB,
        "scopes": [f"/subscriptions/{OTHER_SUB}"],
        "statuses": STATUSES,
    }
    return {**EXAMPLE, **own, **changed}


def record_of(world: World, repository: str, stack: str) -> Record:
    """Return a stack's record in any repository."""
    stored = world.documents.read(names.record(repository, stack))
    assert stored is not None
    return decode(Record, stack, stored.data).document


def note_in(world: World, subscription: str, stack: str) -> str | None:
    """Return what a stack's resource says in a subscription."""
    resource = (
        f"/subscriptions/{subscription}/resourceGroups/rg-{stack}"
        "/providers/Microsoft.Network/networkSecurityGroups/nsg"
    )
    body = world.arm.resources.get(resource.lower())
    return None if body is None else str(body["tags"]["note"])


def status_of(reply: Reply | None) -> int:
    """Return the status of an answer that came."""
    assert reply is not None
    return reply.status


# ---- one repository, two environments -------------------------------------------------------


@pytest.fixture
def two_manifests(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world in which one branch is followed twice, with two manifests."""
    staging = environment(manifest="staging.yaml")
    example = {**EXAMPLE, "statuses": STATUSES}
    return World(monkeypatch, configuration=following(example=example, staging=staging))


def test_one_branch_with_two_manifests_is_two_environments(two_manifests: World) -> None:
    """Each has its own records, deployments and statuses; the revision is answered for both."""
    world = two_manifests
    content: dict[str, str | bytes] = {
        "plumbline.yaml": manifest(a={}),
        "staging.yaml": manifest(a={}, b={}),
        "a.json": template("one"),
        "b.json": template("one"),
    }
    revision = world.commit(content)
    replies = [
        world.announce(revision, key="d1"),
        world.announce(revision, key="d2", hook=STAGING_HOOK),
    ]
    world.run(120)

    assert [status_of(reply) for reply in replies] == [202, 202]
    ids = {one.request.id for one in world.arm.taken}
    assert len(ids) == len(world.arm.taken) == 3
    assert (note_in(world, SUB, "a"), note_in(world, OTHER_SUB, "a")) == ("one", "one")
    assert record_of(world, "example", "a").deployment_id != (
        record_of(world, "staging", "a").deployment_id
    )
    contexts = {
        "plumbline/example",
        "plumbline/example/a",
        "plumbline/staging",
        "plumbline/staging/a",
        "plumbline/staging/b",
    }
    assert {one.context for _, one in world.hosts.kept} == contexts
    for context in contexts:
        assert world.hosts.states(revision, context)[-1] == "success"
        assert world.hosts.states(revision, context).count("success") == 1
    answered = world.api(f"revisions/{revision}")
    assert set(answered["stacks"]) == {"example.a", "staging.a", "staging.b"}
    assert (answered["status"], answered["final"]) == ("deployed", True)


def test_one_environment_fails_and_the_other_does_not(two_manifests: World) -> None:
    """A failure is told where it happened; for the revision as a whole the worst counts."""
    world = two_manifests
    failing = names.deployment_id(f"/subscriptions/{OTHER_SUB}/resourceGroups/rg-a", "staging", "a")
    world.arm.plan(failing, Outcome(seconds=1, canceled=True))
    revision = world.commit(files("a") | {"staging.yaml": manifest(a={})})
    world.announce(revision, key="d1")
    world.announce(revision, key="d2", hook=STAGING_HOOK)
    world.run(120)

    assert world.hosts.states(revision, "plumbline/example")[-1] == "success"
    assert world.hosts.states(revision, "plumbline/staging")[-1] == "failure"
    assert world.status(revision) == "failed"


def test_two_branches_of_one_url_are_two_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A push to one branch moves its own environment; the other's hook ignores it."""
    staging = environment(branch="staging")
    world = World(monkeypatch, configuration=following(example=EXAMPLE, staging=staging))
    first = world.push(files("a", a="main"))
    second = world.git.push(URL, files("a", a="staged"), branch="staging")
    ignored = world.announce(second, key="d1", branch="staging")
    heard = world.announce(second, key="d2", branch="staging", hook=STAGING_HOOK)
    world.run(120)

    assert ignored is not None
    assert heard is not None
    assert (ignored.result, heard.result) == ("ignored", "accepted")
    assert (note_in(world, SUB, "a"), note_in(world, OTHER_SUB, "a")) == ("main", "staged")
    assert (world.status(first), world.status(second)) == ("deployed", "deployed")


def test_an_order_names_the_environment(two_manifests: World) -> None:
    """A bare name that two environments have is asked back; the whole one is carried out."""
    world = two_manifests
    world.push(files("a") | {"staging.yaml": manifest(a={})})
    world.run(120)
    unclear = world.ordered("a", "release")
    world.order("staging.a", "release")
    world.run(60)

    assert unclear.status == 409
    assert set(unclear.body.candidates) == {"example.a", "staging.a"}
    assert record_of(world, "example", "a").attempt == 1
    assert record_of(world, "staging", "a").attempt == 2


# ---- hook secrets ---------------------------------------------------------------------------


def test_a_hook_secret_is_rotated_without_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old, then both, then the new one only; each change is heeded within half a minute."""
    world = World(monkeypatch, PLUMBLINE_SECRET_HOOK_2=NEW_SECRET)
    revision = world.commit(files("a"))

    def answers() -> list[int]:
        world.clock.advance(KEEP_S + 1)
        return [
            status_of(world.announce(revision, key=f"{world.clock.monotonic()}{n}", secret=secret))
            for n, secret in enumerate((HOOK_SECRET, NEW_SECRET))
        ]

    def accept(*secrets: str) -> None:
        world.configure(following(example={**EXAMPLE, "hook_secrets": list(secrets)}))

    before = answers()
    accept("PLUMBLINE_SECRET_HOOK", "PLUMBLINE_SECRET_HOOK_2")
    during = answers()
    accept("PLUMBLINE_SECRET_HOOK_2")
    after = answers()

    assert (before, during, after) == ([202, 401], [202, 202], [401, 202])


# ---- changed while it is used ---------------------------------------------------------------


def test_a_repository_that_is_added_is_followed_by_itself(world: World) -> None:
    """Without a push and without a restart: the next sweep asks for its tip."""
    world.push(files("a", a="one"))
    world.run(60)
    world.configure(following(example=EXAMPLE, staging=environment()))
    world.run(KEEP_S + 60)

    assert note_in(world, OTHER_SUB, "a") == "one"
    assert world.puts("a") == 1


def test_another_branch_or_manifest_is_heeded_without_a_push(world: World) -> None:
    """What the operator follows is compiled again at the next look."""
    world.push(files("a", a="one") | {"other.yaml": manifest(a={}, b={}), "b.json": template()})
    world.run(60)
    world.configure(following(example={**EXAMPLE, "manifest": "other.yaml"}))
    world.run(world.settings.sync_poll_s + 2 * KEEP_S)

    assert (world.puts("a"), world.puts("b")) == (1, 1)


@pytest.mark.parametrize("lost", [False, True])
def test_a_repository_that_is_taken_out_in_mid_release_is_watched_to_its_end(
    world: World, *, lost: bool
) -> None:
    """Its release ends as ARM says, also when its watch message was lost; then it is left alone."""
    world.arm.default = Outcome(seconds=300)
    revision = world.push(files("a"))
    world.run(30)
    world.configure(following(staging=environment()))
    if lost:
        for message in world.queues.waiting("watch"):
            world.queues.drop("watch", message.id)
    world.run(900)
    ended = world.record("a")
    world.push(files("a", a="two"))
    world.run(3 * 3600)

    assert ended.applied is not None
    assert ended.applied.release == "1.1"
    assert world.puts("a") == 1
    assert world.record("a").applied == ended.applied
    assert world.errors == []
    stored = world.documents.read(names.revision("example", revision))
    assert stored is not None
    assert msgspec.json.decode(stored.data)["visits"][-1]["settled"]["status"] == "deployed"


def test_a_repository_that_is_not_followed_is_not_written_to(world: World) -> None:
    """Its running release is neither canceled by order nor for its timeout: nothing is allowed."""
    world.arm.default = Outcome(seconds=900)
    world.push({"plumbline.yaml": manifest(a={"timeout": "5m"}), "a.json": template()})
    world.run(30)
    world.configure(following(staging=environment()))
    world.run(KEEP_S + 1)
    world.order("example.a", "cancel")
    world.run(1200)

    assert ("arm.cancel", deployment_id("a")) not in world.faults.calls
    assert world.record("a").applied is not None


def test_one_that_is_followed_again_goes_on(world: World) -> None:
    """Its documents were kept: what was pushed meanwhile is released, and nothing twice."""
    world.push(files("a", a="one"))
    world.run(60)
    world.configure(following(staging=environment()))
    world.run(600)
    world.commit(files("a", a="two"))
    world.configure(CONFIGURATION)
    world.run(900)

    assert (world.note("a"), world.puts("a")) == ("two", 2)
    assert world.record("a").phase == "steady"


# ---- mistakes -------------------------------------------------------------------------------


def test_a_wrong_configuration_stops_everything_that_is_new(world: World) -> None:
    """No push is taken, nothing is released and no freeze is lifted; what is wrong is shown."""
    until = to_text(world.clock.now() + timedelta(hours=1))
    rule = {"stacks": ["*"], "by": "ops", "why": "audit", "until": until}
    world.push(files("a", a="one"))
    world.run(60)
    world.configure({**CONFIGURATION, "freezes": [rule]})
    world.run(KEEP_S + 1)
    world.push(files("a", a="two"))
    world.run(60)
    world.configure({**CONFIGURATION, "freezes": [{**rule, "until": "soon"}]})
    world.run(2 * 3600)
    health = world.services.status("health")

    assert (world.note("a"), world.puts("a")) == ("one", 1)
    assert health.status == 503
    assert health.body.problem.code == "ConfigurationInvalid"
    assert "$.freezes[0].until" in health.body.problem.message
    assert health.body.problem.hint

    world.configure(CONFIGURATION)
    world.run(300)

    assert world.note("a") == "two"


def test_a_running_release_is_watched_while_the_configuration_is_wrong(world: World) -> None:
    """Also when its worker died over it: the sweep looks after what needs no configuration."""
    world.arm.default = Outcome(seconds=120)
    revision = world.push(files("a"))
    world.run(30)
    world.configure(b"{")
    for message in world.queues.waiting("watch"):
        world.queues.drop("watch", message.id)
    world.run(600)
    record = world.record("a")

    assert (record.phase, record.owed) == ("steady", ())
    world.configure(CONFIGURATION)
    world.run(60)
    assert world.status(revision) == "deployed"


# ---- ceilings --------------------------------------------------------------------------------


def test_no_group_is_created_after_the_operator_forbade_it(world: World) -> None:
    """A ceiling that came after the sync holds all the same: the release asks it again."""
    capped = {**EXAMPLE, "ceilings": {"create_resource_groups": False}}
    world.push(files("a"))
    for message in world.queues.take("sync", 1, hidden_s=600):
        world.handle(message)
    world.configure(following(example=capped))
    world.restart()
    for message in world.queues.take("release", 1, hidden_s=600):
        world.handle(message)
    stalled = world.record("a")
    world.configure(following(example=EXAMPLE))
    world.run(1200)

    assert stalled.problem is not None
    assert stalled.problem.code == "CeilingExceeded"
    assert stalled.reached is None
    assert world.note("a") == ""


def test_a_release_that_runs_longer_than_the_ceiling_is_canceled(world: World) -> None:
    """Also where the manifest names no timeout."""
    world.configure(following(example={**EXAMPLE, "ceilings": {"timeout_minutes": 10}}))
    world.arm.default = Outcome(seconds=3600)
    world.push(files("a"))
    world.run(1200)

    assert world.api("stacks/a")["problem"]["code"] == "ReleaseTimedOut"


NOT_COMPILED: Final[dict[str, dict[str, Any]]] = {
    "a mistake in its template": {"plumbline.yaml": manifest(a={}), "a.json": b"{"},
    "gone": {"plumbline.yaml": manifest(b={}), "b.json": template()},
    "a manifest that cannot be read": {"plumbline.yaml": "stacks: ["},
}


@pytest.mark.parametrize("then", NOT_COMPILED)
def test_a_lowered_ceiling_ends_releases_of_stacks_that_are_not_compiled_any_more(
    world: World, then: str
) -> None:
    """What sync copied before it stays in the record; the ceiling is asked where it counts."""
    world.arm.default = Outcome(seconds=10**6)
    both = manifest(a={"timeout": "24h"}, b={})
    world.push({"plumbline.yaml": both, "a.json": template(), "b.json": template()})
    world.run(60)
    world.push(NOT_COMPILED[then])
    world.run(60)
    world.configure(following(example={**EXAMPLE, "ceilings": {"timeout_minutes": 10}}))
    world.run(2400)

    failure = world.record("a").failure
    assert failure is not None
    assert failure.code == "ReleaseTimedOut"
