"""What the flows may rely on from listings and deletions, shown on the fake and on the simulator."""

from collections.abc import Mapping
from datetime import UTC

import pytest

from local.waiting import until
from shared.adapters.arm import estate
from shared.core.arm_model import Sighting
from shared.core.errors import Stalled, Transient
from tests.contract.arm_worlds import (
    DEPLOYMENT,
    GROUP,
    OTHER_GROUP,
    SUBSCRIPTION,
    FakeWorld,
    World,
    nested,
    request,
    vnet,
    vnet_id,
)

ABOVE = f"/subscriptions/{SUBSCRIPTION}"
VERSION = "2024-05-01"
SUBNET = {
    "type": "Microsoft.Network/virtualNetworks/subnets",
    "apiVersion": VERSION,
    "name": "v/s",
    "dependsOn": [vnet_id("v")],
    "properties": {"addressPrefix": "10.0.1.0/24"},
}


def deployed(world: World, *resources: Mapping[str, object]) -> None:
    """Deploy these resources."""
    world.arm.put(request(*resources))
    assert world.finished(DEPLOYMENT).state == "succeeded"


def seen(world: World, scope: str = GROUP) -> dict[str, Sighting]:
    """Return what is listed in a scope, page by page, by the last part of its id."""
    found: list[Sighting] = []
    page = world.arm.sightings(scope)
    found += page.sightings
    while page.after is not None:
        page = world.arm.sightings(scope, page.after)
        found += page.sightings
    assert len({one.id.lower() for one in found}) == len(found)
    return {one.id.rpartition("/")[2]: one for one in found}


def gone(world: World, name: str) -> None:
    """Wait until a network is not there any more."""
    missing = lambda: world.arm.resource(vnet_id(name), VERSION) is None  # noqa: E731
    until(missing, limit_s=10, what=f"the deletion of {name}")


# ---- listings ------------------------------------------------------------------------------


def test_what_is_in_a_scope_is_listed(world: World) -> None:
    """Ids, types and times, of a group and of the subscription; a scope that is not there has none."""
    deployed(world, vnet("v"), nested("inner", vnet("w"), group="rg-other"))
    group, subscription = seen(world), seen(world, ABOVE)

    assert set(group) == {"v"}
    assert set(seen(world, GROUP.upper())) == {"v"}
    assert set(seen(world, OTHER_GROUP)) == {"w"}
    assert set(subscription) == {"v", "w"}
    assert group["v"].id.lower() == vnet_id("v").lower()
    assert group["v"].type.lower() == "microsoft.network/virtualnetworks"
    assert group["v"].changed_at is not None
    assert group["v"].changed_at.tzinfo is UTC
    assert group["v"].created_at is not None
    assert world.arm.sightings(GROUP + "-gone") == world.arm.sightings(OTHER_GROUP + "-gone")
    assert world.arm.sightings(GROUP + "-gone").sightings == ()


def test_times_move_with_every_write_and_tell_when_it_began_to_be(world: World) -> None:
    """A hand's write and a deployment's move the changed time; the created time stays."""
    deployed(world, vnet("v"))
    first = seen(world)["v"]
    world.wait(5)
    world.edit(vnet_id("v"), {"tags": {"owner": "somebody"}})
    edited = seen(world)["v"]
    world.wait(5)
    deployed(world, vnet("v"))
    healed = seen(world)["v"]

    times = [first.changed_at, edited.changed_at, healed.changed_at]
    assert None not in times
    assert sorted(set(times), key=str) == times
    assert {first.created_at, edited.created_at, healed.created_at} == {first.created_at}


def test_what_was_deleted_by_hand_is_not_listed(world: World) -> None:
    """Absence is how a deletion shows."""
    deployed(world, vnet("v"), vnet("w"))
    world.erase(vnet_id("v"))

    assert set(seen(world)) == {"w"}


def test_children_are_not_listed(world: World) -> None:
    """A subnet stands in no listing, so its absence there says nothing."""
    deployed(world, vnet("v"), SUBNET)

    assert set(seen(world)) == {"v"}
    assert world.arm.resource(vnet_id("v") + "/subnets/s", VERSION) is not None


def test_a_listing_comes_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One page a call; what leads to the next is a path at ARM; times are told on each."""
    monkeypatch.setattr(estate, "PAGE_SIZE", 2)
    if isinstance(world, FakeWorld):
        world.fake.page_size = 2
    deployed(world, *(vnet(f"v{n}") for n in range(5)))
    first = world.arm.sightings(GROUP)
    whole = seen(world)

    assert len(first.sightings) == 2
    assert first.after is not None
    assert first.after.startswith(f"/subscriptions/{SUBSCRIPTION}/")
    assert set(whole) == {f"v{n}" for n in range(5)}
    assert all(one.changed_at and one.created_at for one in whole.values())
    assert set(seen(world, ABOVE)) == set(whole)


# ---- api-versions --------------------------------------------------------------------------


def test_the_newest_version_of_a_type_is_told(world: World) -> None:
    """Of any type that ARM knows, in any casing; None of others."""
    deployed(world, vnet("v"), SUBNET)
    version = world.arm.api_version(SUBSCRIPTION, "microsoft.network/VIRTUALNETWORKS")

    assert version is not None
    assert version >= VERSION
    assert world.arm.api_version(SUBSCRIPTION, "Microsoft.Network/virtualNetworks/subnets")
    assert world.arm.api_version(SUBSCRIPTION, "Microsoft.Network/nothing") is None
    assert world.arm.api_version(SUBSCRIPTION, "Microsoft.Nowhere/things") is None
    assert world.arm.resource(vnet_id("v"), version) is not None


# ---- deletions -----------------------------------------------------------------------------


def test_a_resource_is_deleted_with_what_is_below_it(world: World) -> None:
    """Its neighbours stay; once more, or what never was, is no error."""
    deployed(world, vnet("v"), SUBNET, vnet("w"))
    world.arm.delete_resource(vnet_id("v"), VERSION)
    gone(world, "v")
    world.arm.delete_resource(vnet_id("v"), VERSION)
    world.arm.delete_resource(vnet_id("x", GROUP + "-gone"), VERSION)

    assert world.arm.resource(vnet_id("v") + "/subnets/s", VERSION) is None
    assert set(seen(world)) == {"w"}


def test_a_deletion_may_take_a_while(world: World) -> None:
    """The call is over at once; the resource is there until it is not; asking again is no error."""
    deployed(world, vnet("v"))
    world.slow_deletions(1.0)
    world.arm.delete_resource(vnet_id("v"), VERSION)
    meanwhile = world.arm.resource(vnet_id("v"), VERSION)
    world.wait(1.0)
    gone(world, "v")

    assert meanwhile is not None


def test_a_lock_stalls_and_is_named(world: World) -> None:
    """A person must act: nothing is deleted."""
    deployed(world, vnet("v"))
    world.refuse_deletion("scope_locked", GROUP)
    with pytest.raises(Stalled) as caught:
        world.arm.delete_resource(vnet_id("v"), VERSION)

    assert caught.value.reason == "ScopeLocked"
    assert GROUP.lower() in caught.value.message.lower()
    assert "lock" in (caught.value.hint or "")
    assert world.arm.resource(vnet_id("v"), VERSION) is not None


def test_another_conflict_may_pass(world: World) -> None:
    """Somebody else is at work on it: later."""
    deployed(world, vnet("v"))
    world.refuse_deletion("conflict")
    with pytest.raises(Transient):
        world.arm.delete_resource(vnet_id("v"), VERSION)
    world.arm.delete_resource(vnet_id("v"), VERSION)
    gone(world, "v")

    assert seen(world) == {}
