"""What an operator may order, and what comes of it (rules 4, 10 and 14; invariant I26)."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from shared import events
from shared.core import names
from shared.core.document import to_text
from shared.core.errors import Transient
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment
from tests.flows.chains import FAILED
from tests.flows.world import CONFIGURATION, World, deployment_id, files


def soon(world: World, **ahead: float) -> str:
    """Return a moment ahead of now, as a request writes it."""
    return to_text(world.clock.now() + timedelta(**ahead))


def test_a_release_is_made_again_when_an_operator_asks(world: World) -> None:
    """Nothing has changed, and it is deployed once more: one attempt for one order."""
    world.push(files("a"))
    world.run()
    world.order("a", "release", "prove that it still deploys")
    world.run(4 * 3600)

    assert world.puts("a") == 2
    record = world.record("a")
    assert record.applied is not None
    assert record.applied.release == "1.2"
    assert record.phase == "steady"


def test_a_failed_generation_is_tried_again_on_request(world: World) -> None:
    """A failure that was final is not: somebody who mended the world says so."""
    world.arm.plan(deployment_id("a"), FAILED)
    revision = world.push(files("a"))
    world.run()
    world.order("a", "retry", "the quota was raised")
    world.run()

    assert world.puts("a") == 2
    assert world.record("a").phase == "steady"
    assert world.status(revision) == "failed"  # its one final status; the retry is an event


def test_an_order_is_kept_for_good_with_who_and_why(world: World) -> None:
    """The audit is written before anything changes, and never changed."""
    world.push(files("a"))
    world.run()
    world.order("a", "release", "for the audit")

    (name,) = [n for n in world.kept() if n.startswith("audit/")]
    audit = orjson.loads(world.history.read(name) or b"")
    assert audit["why"] == "for the audit"
    assert audit["operation"] == "release"
    assert audit["by"] == "the operator key"
    assert (audit["repository"], audit["stack"], audit["phase"]) == ("example", "a", "steady")


def test_nobody_without_the_role_gives_orders(world: World) -> None:
    """A wrong key is 401, is logged without what was sent, and changes nothing."""
    world.push(files("a"))
    world.run()
    before = world.record("a")
    answered = world.ordered("a", "release", key="wrong")
    world.run()

    assert answered.status == 401
    assert world.record("a").asked == before.asked is None
    assert world.log.named(events.OPERATION_REFUSED)
    assert not [n for n in world.kept() if n.startswith("audit/")]


@pytest.mark.parametrize(
    ("operation", "body", "status", "code"),
    [
        ("explode", {}, 404, "OperationUnknown"),
        ("release", {"why": ""}, 400, "OperationUnreadable"),
        ("release", {"why": " "}, 400, "OperationUnreadable"),
        ("release", {"why": "x", "force": True}, 400, "OperationUnreadable"),
        ("release", {"why": "x" * 501}, 400, "OperationUnreadable"),
        ("freeze", {"why": "x"}, 400, "OperationUnreadable"),
        ("freeze", {"why": "x", "until": "tomorrow"}, 400, "OperationUnreadable"),
        ("freeze", {"why": "x", "until": "2026-01-01T00:00:00"}, 400, "OperationUnreadable"),
        ("freeze", {"why": "x", "until": "2001-01-01T00:00:00Z"}, 400, "FreezeTooLong"),
        ("freeze", {"why": "x", "until": "2999-01-01T00:00:00Z"}, 400, "FreezeTooLong"),
        ("release", {"why": "x", "until": "2999-01-01T00:00:00Z"}, 400, "OperationUnreadable"),
        ("retry", {"why": "x"}, 409, "NothingFailed"),
        ("cancel", {"why": "x"}, 409, "NothingRuns"),
        ("unfreeze", {"why": "x"}, 409, "NotFrozen"),
        ("takeover", {"why": "x"}, 409, "NothingForeign"),
    ],
)
def test_an_order_that_makes_no_sense_says_why(
    world: World, operation: str, body: dict[str, Any], status: int, code: str
) -> None:
    """Each refusal has a code and a hint, and leaves no trace."""
    world.push(files("a"))
    world.run()
    answered = world.ordered("a", operation, **body)

    assert (answered.status, answered.body.error) == (status, code)
    assert answered.body.hint
    assert not [n for n in world.kept() if n.startswith("audit/")]


def test_a_running_release_is_canceled_and_what_it_did_stays(world: World) -> None:
    """ARM's cancel is asked for; the generation counts as failed and is not tried by itself."""
    world.arm.default = Outcome(seconds=600)
    revision = world.push(files("a"))
    world.run(10)
    world.order("a", "cancel", "wrong size")
    world.run()

    record = world.record("a")
    assert record.phase == "failed"
    assert record.attempted is not None
    assert record.attempted.outcome == "canceled"
    assert world.puts("a") == 1
    assert world.status(revision) == "failed"
    assert world.log.named(events.RELEASE_CANCELED)


def test_a_release_that_never_reached_arm_is_withdrawn(world: World) -> None:
    """Canceled while ARM does not answer: nothing is put when it answers again."""
    world.faults.fail("arm.put", lambda: Transient("X", "x"), times=99)
    world.push(files("a"))
    world.run(10)
    world.order("a", "cancel", "not now")
    world.faults.heal()
    world.run()

    assert world.puts("a") == 0
    record = world.record("a")
    assert record.phase == "failed"
    assert record.problem is not None
    assert record.problem.code == "ReleaseCanceled"


def test_a_release_is_refused_while_one_runs(world: World) -> None:
    """Two releases of one stack at a time do not exist, whoever asks."""
    world.arm.default = Outcome(seconds=600)
    world.push(files("a"))
    world.run(10)

    assert world.ordered("a", "release").body.error == "ReleaseRuns"


def test_a_frozen_stack_is_left_alone_until_the_freeze_ends(world: World) -> None:
    """Pushes are seen and kept; the first one after the freeze is what is deployed."""
    world.push(files("a", a="one"))
    world.run()
    world.order("a", "freeze", "holidays", until=soon(world, hours=2))
    world.push(files("a", a="two"))
    revision = world.push(files("a", a="three"))
    world.run(3600)

    shown = world.api("stacks/a")
    assert shown["phase"] == "pending"
    assert shown["frozen"]["why"] == "holidays"
    assert world.note("a") == "one"
    assert world.status(revision) == "pending"

    world.run(2 * 3600)

    assert world.note("a") == "three"
    assert world.puts("a") == 2
    assert world.api("stacks/a")["frozen"] is None


def test_lifting_a_freeze_releases_at_once(world: World) -> None:
    """Nobody waits for a sweep or for the old expiry."""
    world.push(files("a", a="one"))
    world.run()
    world.order("a", "freeze", until=soon(world, days=30))
    world.push(files("a", a="two"))
    world.run(600)
    world.order("a", "unfreeze", "all clear")
    world.run(10)

    assert world.note("a") == "two"


def test_a_freeze_in_the_configuration_counts_too(world: World) -> None:
    """The operator's file freezes by pattern; when it is unreadable, nothing is released."""
    rule = {"stacks": ["example.*"], "by": "ops", "why": "audit", "until": soon(world, hours=1)}
    world.documents.overwrite(
        names.CONFIGURATION, orjson.dumps({**CONFIGURATION, "freezes": [rule]})
    )
    world.restart()
    world.push(files("a"))
    world.run(600)
    frozen = world.api("stacks/a")["frozen"]
    world.documents.overwrite(names.CONFIGURATION, b"{")
    world.restart()
    world.run(2 * 3600)

    assert frozen["by"] == "ops"
    assert world.puts("a") == 0


def test_a_freeze_that_comes_before_the_intent_wins(world: World) -> None:
    """Rule 14: between a look and its intent somebody freezes, and the intent is not written."""
    done: list[str] = []

    def freeze(moment: Moment, call: str, _: str) -> None:
        if not done and (moment, call) == ("after", "arm.deployment"):
            done.append(call)
            world.order("a", "freeze", until=soon(world, hours=1))

    world.hook = freeze
    world.push(files("a"))
    world.run(600)

    assert done
    assert world.puts("a") == 0
    world.run(2 * 3600)
    assert world.puts("a") == 1


def test_a_running_release_ends_although_the_stack_is_frozen(world: World) -> None:
    """A freeze forbids new releases; one that ARM has begun is watched to its end."""
    world.arm.default = Outcome(seconds=120)
    revision = world.push(files("a"))
    world.run(10)
    world.order("a", "freeze", until=soon(world, hours=1))
    world.run(600)

    assert world.record("a").phase == "steady"
    assert world.status(revision) == "deployed"


def test_a_foreign_deployment_is_taken_over_only_when_told(world: World) -> None:
    """An operator's order names the deployment that was seen; then the stack's name is ours."""
    world.push(files("a"))
    world.run()
    world.arm.retag(deployment_id("a"), {"owner": "somebody"})
    world.run(4000)
    stalled = world.api("stacks/a")
    world.order("a", "takeover", "it was ours before the restore")
    world.run(600)

    assert stalled["problem"]["code"] == "DeploymentForeign"
    assert world.record("a").phase == "steady"
    assert world.puts("a") == 2
