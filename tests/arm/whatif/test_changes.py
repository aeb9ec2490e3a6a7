"""Which resources are named in a what-if, as what, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm.knobs import Knobs
from tests.arm.azure import SCHEMA, network, plain, storage, template
from tests.arm.whatif.world import GROUP, SUBSCRIPTION, World, kinds, leaves, nested

SUB = f"/subscriptions/{SUBSCRIPTION}"


def test_a_create_has_only_after() -> None:
    """What is not there yet has the body that GET would show, defaults included."""
    [found] = World().changes([storage()])

    assert found["changeType"] == "Create"
    assert found["after"]["properties"]["accessTier"] == "Hot"
    assert found["after"]["apiVersion"] == "2024-01-01"
    assert "before" not in found
    assert "delta" not in found


def test_a_modify_has_before_after_and_delta() -> None:
    """The location and the names of what exists are as ARM writes them."""
    world = World()
    world.deploy([plain("s")])

    [found] = world.changes([plain("S", location="West Europe", properties={"depth": 4})])

    assert found["changeType"] == "Modify"
    assert found["resourceId"] == f"{GROUP}/providers/Contoso.Shop/shelves/s"
    assert found["delta"] == [
        {"path": "properties.depth", "propertyChangeType": "Modify", "before": 3, "after": 4}
    ]
    assert (found["before"]["name"], found["after"]["name"]) == ("s", "s")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"tags": {"a": "1"}}, [("tags.b", "Delete")], id="a-tag-less"),
        pytest.param({"tags": {"a": "1", "B": "2"}}, [], id="a-tag-in-another-case"),
        pytest.param({"tags": {}}, [("tags", "Delete")], id="no-tag-left"),
        pytest.param({"kind": "wide"}, [("kind", "Create")], id="kind"),
        pytest.param({"zones": ["1"]}, [("zones", "Create")], id="zones"),
        pytest.param({"sku": {"name": "big"}}, [("sku.name", "Modify")], id="sku"),
        pytest.param({"identity": {"type": "None"}}, [("identity.userAssignedIdentities", "Delete"), ("identity.type", "Modify")], id="identity"),
        pytest.param({"properties": {"depth": 3, "x": {"y": []}}}, [], id="empty-containers"),
        pytest.param({"properties": {"depth": 3, "x": None}}, [], id="null"),
        pytest.param({"properties": {}}, [("properties.depth", "Delete")], id="nothing-left"),
    ],
)  # fmt: skip
def test_members_of_the_envelope(changed: dict[str, Any], expected: list[Any]) -> None:
    """Every member that a template can decide is compared, and empty ones are as absent ones."""
    user = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u"
    shelf = plain(
        "s",
        tags={"a": "1", "b": "2"},
        sku={"name": "small"},
        identity={"type": "UserAssigned", "userAssignedIdentities": {user: {}}},
    )
    world = World()
    world.deploy([shelf])

    [found] = world.changes([{**shelf, **changed}])

    assert list(leaves(found["delta"])) == expected


def test_an_identity_less_is_one_less() -> None:
    """Which identities there are is compared, not what the directory says of them."""
    users = [
        f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
        for name in ("one", "two")
    ]

    def shelf(*names: str) -> dict[str, Any]:
        identity = {"type": "UserAssigned", "userAssignedIdentities": {name: {} for name in names}}
        return plain("s", identity=identity)

    world = World()
    world.deploy([shelf(*users)])

    [found] = world.changes([shelf(users[0])])

    assert [one["path"] for one in found["delta"]] == [
        f"identity.userAssignedIdentities.{users[1]}"
    ]


def test_what_exists_besides_is_ignored() -> None:
    """Resources of a touched group that the template does not declare are shown as they are."""
    world = World()
    world.deploy([plain("b"), plain("a"), network()])

    found = world.changes([plain("new")])

    assert [(one["resourceId"].rpartition("/")[2], one["changeType"]) for one in found] == [
        ("new", "Create"),
        ("a", "Ignore"),
        ("b", "Ignore"),
        ("vnet", "Ignore"),
    ]
    assert found[1]["before"]["properties"] == {"depth": 3}
    assert "after" not in found[1]


def test_other_groups_are_not_touched() -> None:
    """Only groups to which something of the deployment goes are looked at."""
    world = World()
    world.group("other")
    world.group("third")
    for name in ("other", "third"):
        world.deploy([plain(f"in-{name}")], f"{SUB}/resourceGroups/{name}")

    found = world.changes([nested("n", template([plain("x")]), resourceGroup="other")])

    assert kinds(found) == {"x": "Create", "in-other": "Ignore"}


def test_children_and_what_hangs_on_resources_are_not_ignored() -> None:
    """Children, locks and role assignments are no resources of the group."""
    lock = {
        "type": "Microsoft.Authorization/locks",
        "apiVersion": "2020-05-01",
        "name": "keep",
        "properties": {"level": "CanNotDelete"},
    }
    world = World()
    world.deploy([network(), lock])

    assert kinds(world.changes([])) == {"vnet": "Ignore"}


def test_mode_complete_deletes_what_it_can() -> None:
    """What supports no deletion by mode is ignored."""
    world = World()
    world.deploy([plain("old"), storage()])

    found = world.changes([plain("new")], mode="Complete")

    assert kinds(found) == {"new": "Create", "old": "Delete", "stshop001": "Delete"}
    assert found[1]["before"]["properties"] == {"depth": 3}


@pytest.mark.parametrize(("mode", "kind"), [("Incremental", "Ignore"), ("Complete", "Delete")])
def test_a_false_condition_leaves_a_resource_out(mode: str, kind: str) -> None:
    """It is absent, and what exists of it is ignored or deleted."""
    world = World()
    world.deploy([plain("s")])

    assert kinds(world.changes([plain("s", condition=False)], mode=mode)) == {"s": kind}


def test_what_is_only_referred_to_is_no_change() -> None:
    """`existing` resources are skipped, and not deleted in mode Complete."""
    world = World()
    world.deploy([plain("old")])
    whole = {
        "$schema": SCHEMA,
        "languageVersion": "2.0",
        "contentVersion": "1.0.0.0",
        "resources": {"old": {**plain("old"), "existing": True}, "new": plain("new")},
    }

    assert kinds(world.changes(whole)) == {"new": "Create", "old": "Ignore"}
    assert kinds(world.changes(whole, mode="Complete")) == {"new": "Create", "old": "Ignore"}


def test_ids_only() -> None:
    """Without bodies there is Create, Deploy, Ignore and Delete, and nothing else."""
    world = World()
    world.deploy([plain("same"), plain("other"), plain("old")])
    ids_only = {"whatIfSettings": {"resultFormat": "ResourceIdOnly"}}
    resources = [plain("same"), plain("other", properties={}), plain("new")]

    found = world.changes(resources, properties=ids_only)
    complete = world.changes(resources, properties=ids_only, mode="Complete")

    assert found == [
        {"resourceId": f"{GROUP}/providers/Contoso.Shop/shelves/{name}", "changeType": kind}
        for name, kind in (
            ("same", "Deploy"),
            ("other", "Deploy"),
            ("new", "Create"),
            ("old", "Ignore"),
        )
    ]
    assert kinds(complete)["old"] == "Delete"


def test_nested_deployments_are_taken_apart_in_place() -> None:
    """Their resources stand where they are declared and say by which deployment."""
    inner = nested("n", template([plain("b"), nested("m", template([plain("c")]))]))

    found = World().changes([plain("a"), inner, plain("d")])

    assert [one["resourceId"].rpartition("/")[2] for one in found] == ["a", "b", "c", "d"]
    deployment = f"{GROUP}/providers/Microsoft.Resources/deployments"
    assert [one.get("deploymentId") for one in found] == [
        None,
        f"{deployment}/n",
        f"{deployment}/m",
        None,
    ]


def test_symbolic_names_are_shown() -> None:
    """A 2.0 template's changes carry its symbolic names; 1.0 has none."""
    whole = {
        "$schema": SCHEMA,
        "languageVersion": "2.0",
        "contentVersion": "1.0.0.0",
        "resources": {"top": plain("a")},
    }
    world = World()

    assert world.changes(whole)[0]["symbolicName"] == "top"
    assert "symbolicName" not in world.changes([plain("a")])[0]


def test_copies_are_one_change_each() -> None:
    """A loop's turns stand in their order."""
    loop = plain("[concat('s', copyIndex())]", copy={"name": "l", "count": 3})

    assert list(kinds(World().changes([loop]))) == ["s0", "s1", "s2"]


def test_the_same_id_twice_is_one_change() -> None:
    """What two nested deployments write is shown once, as the last of them leaves it."""
    world = World()
    world.deploy([plain("s")])
    first = nested("one", template([plain("s", properties={"depth": 1})]))
    second = nested("two", template([plain("s")]), dependsOn=["one"])

    [found] = world.changes([first, second])

    assert found["changeType"] == "NoChange"


def test_order_of_dependencies_counts_not_order_of_writing() -> None:
    """The child that is written first is deployed last."""
    vnet = network(subnets=())
    subnet = {
        "type": "Microsoft.Network/virtualNetworks/subnets",
        "apiVersion": "2024-05-01",
        "name": "vnet/web",
        "dependsOn": ["vnet"],
        "properties": {"addressPrefix": "10.0.0.0/24"},
    }
    world = World()
    world.deploy([subnet, vnet])

    assert kinds(world.changes([subnet, vnet])) == {"web": "NoChange", "vnet": "NoChange"}


def test_a_child_declared_apart_is_compared_once() -> None:
    """Its change is its own, and not its parent's too."""
    vnet = network(subnets=("web", "db"))
    subnet = {
        "type": "Microsoft.Network/virtualNetworks/subnets",
        "apiVersion": "2024-05-01",
        "name": "vnet/web",
        "dependsOn": ["vnet"],
        "properties": {"addressPrefix": "10.0.0.0/24"},
    }
    world = World()
    world.deploy([vnet, subnet])

    found = world.changes([vnet, {**subnet, "properties": {"addressPrefix": "10.0.9.0/24"}}])

    assert kinds(found) == {"vnet": "NoChange", "web": "Modify"}
    assert [item["name"] for item in found[0]["before"]["properties"]["subnets"]] == ["db"]


def test_children_inside_their_parent_are_compared_there() -> None:
    """A subnet that goes is one element less; the other one, though it shifts, is not shown."""
    world = World()
    world.deploy([network(subnets=("web", "db"))])
    smaller = network(subnets=("web", "db"))
    del smaller["properties"]["subnets"][0]

    [found] = world.changes([smaller])

    assert list(leaves(found["delta"])) == [("properties.subnets.0", "Delete")]


def test_the_example_of_the_documentation_with_its_noise() -> None:
    """Without noise enableVmProtection is no change; with N3 the documentation's delta is complete."""
    before = network("vnet-001", tags={"CostCenter": "12345", "Owner": "Team A"})
    before["properties"] = {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "enableVmProtection": False,
        "enableDdosProtection": False,
        "subnets": [
            {"name": "subnet001", "properties": {"addressPrefix": "10.0.0.0/24"}},
            {"name": "subnet002", "properties": {"addressPrefix": "10.0.1.0/24"}},
        ],
    }
    after = {**before, "tags": {"CostCenter": "12345"}}
    after["properties"] = {
        **before["properties"],
        "addressSpace": {"addressPrefixes": ["10.0.0.0/15"]},
        "subnets": before["properties"]["subnets"][1:],
    }
    true = [
        ("tags.Owner", "Delete"),
        ("properties.addressSpace.addressPrefixes.0", "Delete"),
        ("properties.addressSpace.addressPrefixes.0", "Create"),
        ("properties.subnets.0", "Delete"),
    ]
    world = World()
    world.deploy([before])
    [clean] = world.changes([after])
    world.cloud.turn(Knobs(noise={"Microsoft.Network/virtualNetworks": ["N3"]}))
    [noisy] = world.changes([after])

    assert list(leaves(clean["delta"])) == true
    assert list(leaves(noisy["delta"])) == [
        true[0],
        ("properties.enableVmProtection", "Create"),
        *true[1:],
    ]


def test_what_is_set_in_vain_has_no_effect() -> None:
    """A read-only property in the template is no change; with N13 it is listed as NoEffect."""
    account = storage(properties={"creationTime": "2020-01-01", "accessTier": "Cool"})
    world = World()
    world.deploy([account])
    [clean] = world.changes([account])
    world.cloud.turn(Knobs(noise={"*": ["N13"]}))
    [noisy] = world.changes([account])

    assert clean["delta"] == []
    assert noisy["changeType"] == "NoChange"
    assert {
        "path": "properties.creationTime",
        "propertyChangeType": "NoEffect",
        "after": "2020-01-01",
    } in noisy["delta"]
    assert {kind for _, kind in leaves(noisy["delta"])} == {"NoEffect"}


def test_what_a_provider_would_refuse_is_shown_as_a_change() -> None:
    """What-if does not know what is immutable: it shows what the body says."""
    world = World()
    world.deploy([storage()])
    hierarchical = storage(properties={"isHnsEnabled": True})
    template_only = {"validationLevel": "Template"}

    [found] = world.changes([hierarchical], properties=template_only)

    assert list(leaves(found["delta"])) == [("properties.isHnsEnabled", "Create")]


def test_nothing_is_written() -> None:
    """A what-if leaves the cloud as it was: resources, groups, deployments, tags, children."""
    world = World()
    world.deploy([network(subnets=("web", "db")), plain("s")])
    store = world.cloud.store
    before = [(table.name, list(table.changes())) for table in store._tables]

    world.changes([network(subnets=("new",)), plain("x"), nested("n", template([plain("y")]))])
    world.changes([], mode="Complete")

    assert [(table.name, list(table.changes())) for table in store._tables] == before


@pytest.mark.parametrize(
    ("scope", "resource"),
    [
        (
            SUB,
            {
                "type": "Microsoft.Resources/resourceGroups",
                "apiVersion": "2025-04-01",
                "name": "rg-new",
                "location": "westeurope",
                "tags": {"a": "1"},
            },
        ),
        (
            "",
            {
                "type": "Microsoft.Management/managementGroups",
                "apiVersion": "2021-04-01",
                "name": "mg-new",
                "properties": {"displayName": "New"},
            },
        ),
    ],
    ids=["subscription", "tenant"],
)
def test_scopes_above_groups(scope: str, resource: dict[str, Any]) -> None:
    """Resource groups and management groups are resources of a deployment like others."""
    world = World()
    before = world.changes([resource], scope)
    world.deploy([resource], scope)
    after = world.changes([resource], scope)

    assert [one["changeType"] for one in before + after] == ["Create", "NoChange"]


def test_tags_of_a_group_change_alone() -> None:
    """A group is compared like any resource: a tag that changed is one entry."""
    group = {
        "type": "Microsoft.Resources/resourceGroups",
        "apiVersion": "2025-04-01",
        "name": "rg",
        "location": "westeurope",
        "tags": {"a": "1"},
    }
    world = World()
    world.group("rg", tags={"a": "2"})

    [found] = world.changes([group], SUB)

    assert list(leaves(found["delta"])) == [("tags.a", "Modify")]


def test_a_tags_resource_is_its_scopes_tags() -> None:
    """What a template says of a group's tags is compared with the tags of the group."""
    tags = {
        "type": "Microsoft.Resources/tags",
        "apiVersion": "2025-04-01",
        "name": "default",
        "properties": {"tags": {"team": "a", "cost": "1"}},
    }
    world = World()
    world.group("rg", tags={"team": "b"})
    [before] = world.changes([tags])
    world.deploy([tags])
    [after] = world.changes([tags])

    assert list(leaves(before["delta"])) == [
        ("properties.tags.cost", "Create"),
        ("properties.tags.team", "Modify"),
    ]
    assert after["changeType"] == "NoChange"
    group = world.cloud.store.groups.get(GROUP)
    assert group is not None
    assert group.tags == {"team": "a", "cost": "1"}
