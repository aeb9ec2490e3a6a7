"""A release that runs longer than its stack allows is canceled (rules 6, 10 and 12)."""

from typing import Any, Final

import pytest

from shared import events
from shared.core import names
from shared.core.errors import Transient
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.chains import chain, manifest, outputs
from tests.flows.world import Killed, World, deployment_id, template

FOR_EVER: Final = Outcome(seconds=10**6)


def limited(timeout: str | None = "5m", note: str = "one") -> dict[str, Any]:
    """Return a repository with one stack, which may have a timeout."""
    said = {} if timeout is None else {"timeout": timeout}
    return {"plumbline.yaml": manifest(a=said), "a.json": template(note)}


def test_a_release_that_takes_too_long_is_canceled(world: World) -> None:
    """ARM is asked to cancel it; it has failed, says how long it ran, and is not tried again."""
    world.arm.default = FOR_EVER
    revision = world.push(limited())
    world.run(290)
    before = world.record("a")
    world.run(7200)

    record = world.record("a")
    assert (before.phase, before.timed_out_s) == ("releasing", None)
    assert record.phase == "failed"
    assert record.attempted is not None
    assert record.attempted.outcome == "canceled"
    assert record.problem is not None
    assert record.problem.code == "ReleaseTimedOut"
    assert "after 5m" in record.problem.message
    assert "stays" in (record.problem.hint or "")
    assert world.puts("a") == 1
    assert world.status(revision) == "failed"


def test_the_history_and_the_log_say_that_it_was_the_timeout(world: World) -> None:
    """Once decided, asked with a name, and kept with the release."""
    world.arm.default = FOR_EVER
    world.push(limited())
    world.run(600)

    (told,) = world.log.named(events.RELEASE_TIMED_OUT)
    assert (told["release"], told["timeout_s"]) == ("1.1", 300)
    assert [e["by"] for e in world.log.named(events.RELEASE_CANCELED)] == ["timeout"]
    (release,) = world.api("stacks/a/releases")
    assert (release["outcome"], release["problem"]["code"]) == ("canceled", "ReleaseTimedOut")


def test_without_a_timeout_a_release_may_take_as_long_as_it_likes(world: World) -> None:
    """It is shown as slow after a while, and nobody cancels it."""
    world.arm.default = FOR_EVER
    world.push(limited(None))
    world.run(world.settings.release_timeout_s + 200)

    assert world.record("a").phase == "releasing"
    assert world.faults.count("arm.cancel") == 0


def test_dependents_of_a_canceled_release_wait(world: World) -> None:
    """They are pending and say for whom, as after any other failure."""
    content = chain() | {
        "plumbline.yaml": manifest(network={"timeout": "5m"}, web={"dependsOn": "[network]"}),
        "network.json": template(**outputs("v1")),
    }
    world.arm.plan(deployment_id("network"), FOR_EVER)
    revision = world.push(content)
    world.run(900)

    shown = world.api("stacks/web")
    assert (shown["phase"], world.puts("web")) == ("pending", 0)
    assert shown["waiting"][0]["stack"] == "network"
    assert world.status(revision) == "failed"


def test_one_that_ends_before_the_cancel_arrives_counts_as_it_ended(world: World) -> None:
    """ARM refuses the cancel, which is no fault, and says that all went well."""
    world.arm.default = FOR_EVER

    def end(moment: Moment, call: str, _: str) -> None:
        if (moment, call) == ("before", "arm.cancel"):
            world.arm.let_end(deployment_id("a"))

    world.hook = end
    revision = world.push(limited())
    world.run(900)

    assert world.faults.count("arm.cancel") == 1
    record = world.record("a")
    assert (record.phase, record.problem) == ("steady", None)
    assert world.status(revision) == "deployed"


def test_a_cancel_that_arm_does_not_take_is_sent_again(world: World) -> None:
    """The record says that it is to be canceled, until ARM has ended it."""
    world.faults.fail("arm.cancel", lambda: Transient("X", "x"), times=3)
    world.arm.default = FOR_EVER
    world.push(limited())
    world.run(320)
    shown = world.api("stacks/a")
    world.run(600)

    assert (shown["phase"], shown["problem"]["code"]) == ("releasing", "ReleaseTimedOut")
    assert world.faults.count("arm.cancel") == 4
    assert world.record("a").problem == world.record("a").failure
    assert len(world.log.named(events.RELEASE_TIMED_OUT)) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", ["documents.replace", "arm.cancel"])
def test_a_worker_that_dies_over_it_changes_nothing(
    world: World, call: str, moment: Moment
) -> None:
    """Killed before or after it wrote its decision, or asked ARM: it ends as it would have."""
    died: list[str] = []

    def kill(when: Moment, what: str, _: str) -> None:
        overdue = world.clock.monotonic() > 1000 + 301 and world.turn == "watch"
        if overdue and not died and (when, what) == (moment, call):
            died.append(what)
            raise Killed(what)

    world.hook = kill
    world.arm.default = FOR_EVER
    revision = world.push(limited())
    world.run(900)

    assert died
    record = world.record("a")
    assert record.failure is not None
    assert (record.phase, record.failure.code) == ("failed", "ReleaseTimedOut")
    assert world.puts("a") == 1
    assert world.status(revision) == "failed"


def test_a_retry_and_a_push_start_again_with_the_whole_time(world: World) -> None:
    """What ran out is the time of one release, not that of the stack."""
    world.arm.default = FOR_EVER
    world.push(limited())
    world.run(400)
    world.arm.default = Outcome(seconds=200)
    world.order("a", "retry", "the gateway is up")
    world.run(400)
    retried = world.record("a")
    world.push(limited(note="two"))
    world.run(400)

    assert (retried.phase, retried.timed_out_s) == ("steady", None)
    assert world.note("a") == "two"


def test_the_newest_timeout_counts_for_the_release_under_way(world: World) -> None:
    """It is policy: a push that changes only the timeout releases nothing, and is heeded at once."""
    world.arm.default = Outcome(seconds=700)
    world.push(limited("5m"))
    world.run(200)
    world.push(limited("1h"))
    world.run(900)
    patient = world.record("a")
    world.push(limited("5m"))
    world.run(100)

    assert (patient.phase, patient.timeout_s) == ("steady", 3600)
    assert world.record("a").timeout_s == 300
    assert world.puts("a") == 1


def test_an_operators_cancel_stays_the_reason(world: World) -> None:
    """What was canceled by a person is not said to have run out of time."""
    world.arm.default = FOR_EVER
    world.push(limited())
    world.run(295)
    world.order("a", "cancel", "wrong size")
    world.run(60)

    record = world.record("a")
    assert record.failure is not None
    assert record.failure.code == "DeploymentCanceled"
    assert world.log.named(events.RELEASE_TIMED_OUT) == []


def test_a_canceled_release_is_not_repeated_whatever_arm_says_of_it(world: World) -> None:
    """ARM may name a passing code among the errors of a deployment that was canceled."""
    world.arm.default = FOR_EVER
    world.arm.cancel_error = {"code": "Conflict", "message": "try again"}
    world.push(limited())
    world.run(3600)

    assert world.puts("a") == 1
    assert world.record("a").phase == "failed"


def test_while_the_configuration_is_wrong_nothing_is_canceled(world: World) -> None:
    """Nobody knows which scopes are allowed; the release is canceled once the file is mended."""
    world.arm.default = FOR_EVER
    world.push(limited())
    world.run(200)
    stored = world.documents.read(names.CONFIGURATION)
    assert stored is not None
    world.documents.overwrite(names.CONFIGURATION, b"{")
    world.run(600)
    meanwhile = world.record("a")
    world.documents.overwrite(names.CONFIGURATION, stored.data)
    world.run(300)

    assert meanwhile.phase == "releasing"
    assert meanwhile.in_flight is not None
    assert world.record("a").phase == "failed"
