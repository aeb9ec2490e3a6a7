"""The fake's own teeth, which no other ARM can be made to show on demand."""

from typing import Any

import pytest

from shared.core.arm_errors import Active, Unknown
from shared.core.arm_model import Deployment
from tests.contract.arm_worlds import DEPLOYMENT, GROUP, request, vnet, vnet_id
from tests.fakes.arm import FakeArm, Outcome, Taken
from tests.fakes.system import FakeClock


def fake(outcome: Outcome | None = None) -> tuple[FakeClock, FakeArm]:
    """Return a fake with one group, and its clock."""
    clock = FakeClock()
    return clock, FakeArm(clock, groups=[GROUP], outcome=outcome)


def test_a_late_put_arrives_after_its_sender_gave_up() -> None:
    """Unknown, nothing there; later it is taken all the same, as any PUT."""
    _, arm = fake()
    arm.postpone_put()
    with pytest.raises(Unknown):
        arm.put(request(vnet("v")))
    before = arm.deployment(DEPLOYMENT)
    [arrived] = arm.deliver()

    assert before is None
    assert isinstance(arrived, Deployment)
    assert arm.deployment(DEPLOYMENT) is not None


def test_a_late_put_meets_the_mutex() -> None:
    """When another one runs by then, ARM answers DeploymentActive to nobody."""
    _, arm = fake()
    arm.postpone_put()
    with pytest.raises(Unknown):
        arm.put(request(vnet("v")))
    arm.put(request(vnet("w"), release="1.2"))

    assert [type(one) for one in arm.deliver()] == [Active]
    assert [one.request.tags["plumbline-release"] for one in arm.puts(DEPLOYMENT)] == ["1.2"]
    arm.check()


def test_a_run_can_last_a_number_of_looks() -> None:
    """For tests without time: it ends at the second GET."""
    _, arm = fake(Outcome(looks=2))
    arm.put(request(vnet("v")))
    states = [found.state for _ in range(3) if (found := arm.deployment(DEPLOYMENT))]
    assert states == ["running", "succeeded", "succeeded"]


def test_outcomes_are_taken_in_order_and_canceled_makes_nothing() -> None:
    """A planned outcome is for one PUT; the default comes after."""
    clock, arm = fake()
    arm.plan(DEPLOYMENT, Outcome(seconds=1, canceled=True))
    arm.put(request(vnet("v")))
    clock.advance(1)
    canceled = arm.deployment(DEPLOYMENT)
    assert arm.resource(vnet_id("v"), "2024-05-01") is None
    arm.put(request(vnet("v")))
    clock.advance(10)
    succeeded = arm.deployment(DEPLOYMENT)

    assert canceled is not None
    assert succeeded is not None
    assert (canceled.state, succeeded.state) == ("canceled", "succeeded")
    assert arm.resource(vnet_id("v"), "2024-05-01") is not None


def test_what_people_do_by_hand() -> None:
    """A changed body, a deleted resource, a forgotten deployment, a deleted group."""
    clock, arm = fake(Outcome(seconds=0))
    arm.put(request(vnet("v"), vnet("w")))
    clock.advance(1)

    def tag(body: dict[str, Any]) -> None:
        body["tags"] = {"by": "hand"}

    arm.change(vnet_id("v"), tag)
    arm.remove(vnet_id("w"))
    assert [body.get("tags") for body in arm.resources.values()] == [{"by": "hand"}]
    arm.forget_deployment(DEPLOYMENT)
    assert arm.deployment(DEPLOYMENT) is None
    arm.remove(GROUP)
    assert arm.resources == {}
    assert not arm.has_group(GROUP)


def test_two_active_deployments_are_noticed() -> None:
    """The invariant's own test: a history that breaks it fails the check."""
    clock, arm = fake()
    arm.taken = [Taken(request(vnet("v")), clock.now()), Taken(request(vnet("w")), clock.now())]
    with pytest.raises(AssertionError, match="active twice"):
        arm.check()


def test_putting_an_existing_group_is_a_defect() -> None:
    """Rule 13: a PUT would replace the group's tags."""
    _, arm = fake()
    with pytest.raises(AssertionError, match="tags"):
        arm.create_group(GROUP, "westeurope", {})
