"""The fake's own teeth, which no other ARM can be made to show on demand."""

from typing import Any

import pytest

from shared.core.arm_errors import Active, Unknown
from shared.core.arm_model import Deployment
from shared.core.errors import Stalled, Transient
from shared.core.prediction import Diagnostic, Predicting, Prediction, PropertyChange
from tests.contract.arm_worlds import DEPLOYMENT, GROUP, SUBSCRIPTION, request, vnet, vnet_id
from tests.fakes.arm import FakeArm, Outcome, Outlook, Taken
from tests.fakes.arm.differences import differences
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


# ---- a world that drifts -------------------------------------------------------------------


VERSION = "2024-05-01"


def at_once(arm: FakeArm, *resources: dict[str, Any]) -> Prediction:
    """Return how a what-if ends that needs no look."""
    found = arm.predict(request(*resources))
    assert isinstance(found, Prediction)
    return found


def test_who_wrote_what_is_kept() -> None:
    """A deployment's writes carry its correlation id, a hand's the caller; deletions too."""
    clock, arm = fake(Outcome(seconds=0))
    arm.put(request(vnet("v")))
    ended = arm.deployment(DEPLOYMENT)
    clock.advance(5)
    arm.change(vnet_id("v"), lambda body: body.update(tags={}), caller="eve@example.com")
    arm.make(vnet_id("w"), {"location": "westeurope"})
    arm.remove(vnet_id("w"))

    assert ended is not None
    kind = "Microsoft.Network/virtualNetworks"
    assert [
        (one.resource_id, one.operation, one.caller, one.correlation_id) for one in arm.writes
    ] == [
        (vnet_id("v"), f"{kind}/write", "plumbline", ended.correlation_id),
        (vnet_id("v"), f"{kind}/write", "eve@example.com", None),
        (vnet_id("w"), f"{kind}/write", "hand@example.com", None),
        (vnet_id("w"), f"{kind}/delete", "hand@example.com", None),
    ]
    assert [one.at for one in arm.writes][1:] == [clock.now()] * 3
    assert len({one.id for one in arm.writes}) == 4


def test_a_what_if_is_scripted() -> None:
    """Looks, failures, what cannot be told, remarks, and noise that comes every time."""
    _, arm = fake(Outcome(seconds=0))
    arm.put(request(vnet("v"), vnet("w")))
    arm.outlook = Outlook(looks=None)
    arm.noise[vnet_id("v").lower()] = (PropertyChange("properties.x", "delete", before=1),)
    arm.noise[vnet_id("w").lower()] = (PropertyChange("sku.tier", "no_effect", after="a"),)
    remark = Diagnostic("Warning", "NestedDeploymentShortCircuited", "stopped")
    failure = {"code": "InternalServerError", "message": "later"}
    arm.foretell(
        DEPLOYMENT,
        Outlook(looks=None, error=failure),
        Outlook(looks=None, unsupported={"v": "later"}, diagnostics=(remark,)),
        Outlook(looks=None, potential=frozenset({"w"})),
    )
    failed, vague, maybe, noisy = (at_once(arm, vnet("v"), vnet("w")) for _ in range(4))

    assert (failed.error, failed.changes) == (failure, ())
    assert [change.kind for change in vague.changes] == ["unsupported", "no_change", "ignore"]
    assert vague.diagnostics == (remark,)
    assert [change.resource_id for change in maybe.potential] == [vnet_id("w")]
    assert [(change.kind, len(change.delta)) for change in noisy.changes] == [
        ("modify", 1),
        ("no_change", 1),
    ]


def test_a_what_if_runs_for_a_number_of_looks_and_can_be_forgotten() -> None:
    """What it says is what was there when it was asked for."""
    _, arm = fake()
    arm.outlook = Outlook(looks=2)
    started = arm.predict(request(vnet("v")))
    assert isinstance(started, Predicting)
    arm.make(vnet_id("v"), {})
    looks = [arm.prediction(started.address) for _ in range(4)]
    arm.forget_predictions()
    with pytest.raises(Stalled) as caught:
        arm.prediction(started.address)

    assert [type(one) for one in looks] == [Predicting, Predicting, Prediction, Prediction]
    assert isinstance(looks[-1], Prediction)
    assert [change.kind for change in looks[-1].changes] == ["create"]
    assert caught.value.reason == "PredictionGone"
    assert arm.taken == []


def test_differences_are_said_in_arms_own_form() -> None:
    """Leaves by dotted path, equal elements aligned, the rest paired by position."""
    before = {"a": {"b": 1, "c": 2}, "l": ["x", "y", {"n": 1}], "gone": {"d": 1}}
    after = {"a": {"b": 1, "c": 3}, "l": ["y", {"n": 2}, "z"], "new": None}

    assert differences(before, before) == ()
    assert differences(before, after) == (
        PropertyChange("a.c", "modify", 2, 3),
        PropertyChange("gone", "delete", {"d": 1}),
        PropertyChange(
            "l",
            "array",
            children=(
                PropertyChange("0", "delete", "x"),
                PropertyChange("1", "modify", children=(PropertyChange("n", "modify", 1, 2),)),
                PropertyChange("2", "create", None, "z"),
            ),
        ),
        PropertyChange("new", "create"),
    )


def test_what_hangs_together_is_deleted_in_order() -> None:
    """What another one uses stays until that is gone; a deletion takes its time."""
    clock, arm = fake()
    arm.make(vnet_id("used"), {})
    arm.make(vnet_id("user"), {})
    arm.attach(vnet_id("user"), to=vnet_id("used"))
    arm.deletion_s = 10
    with pytest.raises(Transient):
        arm.delete_resource(vnet_id("used"), VERSION)
    arm.delete_resource(vnet_id("user"), VERSION)
    with pytest.raises(Transient):
        arm.delete_resource(vnet_id("used"), VERSION)
    clock.advance(10)
    arm.delete_resource(vnet_id("used"), VERSION)
    clock.advance(10)

    assert arm.resources == {}
    assert arm.deletions == [vnet_id(name) for name in ("used", "user", "used", "used")]
    with pytest.raises(AssertionError, match="no resource"):
        arm.delete_resource(GROUP, VERSION)


def test_an_old_version_can_be_retired() -> None:
    """Reads with it stall, and the new one is told."""
    _, arm = fake(Outcome(seconds=0))
    arm.put(request(vnet("v")))
    arm.retire("Microsoft.Network/virtualNetworks", "2025-01-01")
    with pytest.raises(Stalled) as caught:
        arm.resource(vnet_id("v"), VERSION)
    newest = arm.api_version(SUBSCRIPTION, "Microsoft.Network/virtualNetworks")

    assert caught.value.reason == "NoRegisteredProviderFound"
    assert newest == "2025-01-01"
    assert arm.resource(vnet_id("v"), newest) is not None
