"""What the flows may rely on from what-if, shown on the fake and on the simulator."""

import dataclasses

import pytest

from shared.core.arm_errors import Refused
from shared.core.arm_model import DeploymentRequest
from shared.core.errors import Stalled, Transient
from shared.core.prediction import Predicting, Prediction, ResourceChange
from tests.contract.arm_worlds import (
    DEPLOYMENT,
    GROUP,
    OTHER_GROUP,
    SUBSCRIPTION,
    World,
    ended,
    nested,
    request,
    vnet,
    vnet_id,
)

PREFIXES = "properties.addressSpace.addressPrefixes"
ABOVE = f"/subscriptions/{SUBSCRIPTION}"


def deployed(world: World, *resources: object) -> DeploymentRequest:
    """Deploy these resources, and return what was asked."""
    asked = request(*resources)  # type: ignore[arg-type] # templates
    world.arm.put(asked)
    assert world.finished(DEPLOYMENT).state == "succeeded"
    return asked


def by_name(found: Prediction) -> dict[str, ResourceChange]:
    """Return the changes by the last part of their ids."""
    assert found.error is None
    return {change.resource_id.rpartition("/")[2]: change for change in found.changes}


def test_what_is_as_it_was_deployed_has_no_change(world: World) -> None:
    """The quiet case: each resource is named, and nothing is different."""
    asked = deployed(world, vnet("v"), vnet("w"))
    found = world.foresee(asked)

    assert {name: change.kind for name, change in by_name(found).items()} == {
        "v": "no_change",
        "w": "no_change",
    }
    assert [change.delta for change in found.changes] == [(), ()]
    assert (found.potential, found.diagnostics) == ((), ())
    assert found.correlation_id


def test_a_change_by_hand_is_found_with_both_sides(world: World) -> None:
    """Before is what Azure has, after what Git wants; what nobody said is taken away."""
    asked = deployed(world, vnet("v"))
    world.edit(vnet_id("v"), {"tags": {"owner": "somebody"}})
    world.edit(vnet_id("v"), {"properties": {"addressSpace": {"addressPrefixes": ["10.8.0.0/16"]}}})
    change = by_name(world.foresee(asked))["v"]

    assert change.kind == "modify"
    assert change.resource_id.lower() == vnet_id("v").lower()
    assert change.before is not None
    assert change.after is not None
    assert change.before["properties"]["addressSpace"] == {"addressPrefixes": ["10.8.0.0/16"]}
    assert change.after["properties"]["addressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    delta = {one.path: one for one in change.delta}
    [tag] = [path for path in delta if path.startswith("tags")]
    assert delta[tag].kind == "delete"
    assert delta[PREFIXES].kind == "array"
    assert [(one.path, one.kind, one.before, one.after) for one in delta[PREFIXES].children] == [
        ("0", "delete", "10.8.0.0/16", None),
        ("0", "create", None, "10.0.0.0/16"),
    ]


def test_what_is_missing_would_be_created_and_what_is_not_declared_is_ignored(
    world: World,
) -> None:
    """Deleted by hand: create, with its body; in the group and not in the template: ignore."""
    deployed(world, vnet("v"), vnet("stray"))
    world.erase(vnet_id("v"))
    changes = by_name(world.foresee(request(vnet("v"))))

    assert {name: change.kind for name, change in changes.items()} == {
        "v": "create",
        "stray": "ignore",
    }
    assert changes["v"].before is None
    assert changes["v"].after is not None
    assert changes["stray"].before is not None


def test_a_what_if_changes_nothing(world: World) -> None:
    """No deployment appears, and no resource."""
    world.foresee(request(vnet("v")))

    assert world.arm.deployment(DEPLOYMENT) is None
    assert world.arm.resource(vnet_id("v"), "2024-05-01") is None


def test_nested_deployments_are_looked_into(world: World) -> None:
    """Of another group, and from a subscription's scope: what they would make is in the changes."""
    inner = nested("inner", vnet("in"), group="rg-other")
    in_group = world.foresee(request(vnet("v"), inner))
    above = dataclasses.replace(request(inner, scope=ABOVE), location="westeurope")
    from_above = world.foresee(above)

    expected = vnet_id("in", OTHER_GROUP).lower()
    assert {change.resource_id.lower() for change in in_group.changes} == {
        vnet_id("v").lower(),
        expected,
    }
    assert [change.resource_id.lower() for change in from_above.changes] == [expected]


def test_a_what_if_runs_until_it_has_ended(world: World) -> None:
    """What is kept of it meanwhile is a path at ARM: no host, and good for many looks."""
    world.slow_what_ifs(2)
    started = world.arm.predict(request(vnet("v")))
    assert isinstance(started, Predicting)
    looked = world.arm.prediction(started.address)

    assert started.address.startswith(f"/subscriptions/{SUBSCRIPTION}/")
    assert "://" not in started.address
    assert isinstance(looked, Predicting)
    assert by_name(ended(world.arm, started))["v"].kind == "create"
    assert by_name(ended(world.arm, started))["v"].kind == "create"


def test_a_what_if_that_arm_does_not_know_is_gone(world: World) -> None:
    """After hours ARM has forgotten it: start another one."""
    started = world.arm.predict(request(vnet("v")))
    assert isinstance(started, Predicting)
    path, _, query = started.address.partition("?")
    with pytest.raises(Stalled) as caught:
        world.arm.prediction(f"{path.rpartition('/')[0]}/bm9uZQ?{query}")

    assert caught.value.reason == "PredictionGone"


def test_a_wrong_template_is_refused_before_anything_is_worked_out(world: World) -> None:
    """As a PUT would be, with a line for the user."""
    with pytest.raises(Refused) as caught:
        world.arm.predict(request(vnet("v"), parameters={"size": {"type": "int"}}))

    assert caught.value.problem.code == "InvalidTemplate"


def test_a_missing_group_is_named(world: World) -> None:
    """As by a PUT."""
    with pytest.raises(Stalled) as caught:
        world.arm.predict(request(vnet("v"), scope=GROUP + "-gone"))

    assert caught.value.reason == "ResourceGroupNotFound"


def test_a_what_if_that_failed_is_told_as_its_end(world: World) -> None:
    """T4: it is no exception, and never looks like one that found nothing."""
    world.only_registered("Microsoft.Storage")
    found = world.foresee(request(vnet("v")))

    assert found.error is not None
    assert found.error["code"] == "MissingSubscriptionRegistration"
    assert found.changes == ()


def test_a_throttled_what_if_is_asked_for_once(world: World) -> None:
    """ARM's wish is the delay of the message."""
    world.throttle("POST", 7)
    with pytest.raises(Transient) as caught:
        world.arm.predict(request(vnet("v")))

    assert caught.value.retry_after_s == 7.0
