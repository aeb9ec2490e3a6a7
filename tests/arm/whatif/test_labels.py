"""Whose doing each entry of a what-if is, as the side channel tells it."""

from __future__ import annotations

from typing import Any

from local.arm.knobs import Knobs
from local.arm.whatif.labels import Labels, entries
from tests.arm.azure import network, plain, template
from tests.arm.whatif.world import GROUP, World, kinds, leaves, nested

VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
SHELVES = f"{GROUP}/providers/Contoso.Shop/shelves"


def _entry(path: str, kind: str) -> dict[str, Any]:
    return {"resourceId": "r", "path": path, "kind": kind}


def test_a_class_is_named_for_what_it_adds_changes_and_hides() -> None:
    """What a class added or changed is its own, and so is what it hid; the rest is true."""
    labels = Labels()

    labels.add(
        "r",
        [
            ("", {("kept", "Modify"): b"1", ("bent", "Modify"): b"1", ("lost", "Delete"): b"1"}),
            ("N1", {("kept", "Modify"): b"1", ("bent", "Modify"): b"2", ("lost", "Delete"): b"1"}),
            ("N2", {("kept", "Modify"): b"1", ("bent", "Modify"): b"2", ("new", "Create"): b"1"}),
        ],
    )

    assert labels.shown() == {
        "true": [_entry("bent", "Modify"), _entry("kept", "Modify"), _entry("lost", "Delete")],
        "value": [
            {**_entry("bent", "Modify"), "class": "N1", "hidden": False},
            {**_entry("new", "Create"), "class": "N2", "hidden": False},
            {**_entry("lost", "Delete"), "class": "N2", "hidden": True},
        ],
    }


def test_what_one_class_adds_and_another_takes_back_is_nobodys() -> None:
    """Only what is shown in the end, or is missing in the end, has a label."""
    labels = Labels()

    labels.add("r", [("", {}), ("N1", {("x", "Delete"): b"1"}), ("N2", {})])

    assert labels.shown() == {"true": [], "value": []}


def test_entries_are_leaves_with_their_way() -> None:
    """Elements are told apart by their index, arrays themselves are no entries."""
    delta = [
        {
            "path": "a.b",
            "propertyChangeType": "Array",
            "children": [
                {"path": "0", "propertyChangeType": "Delete", "before": 1},
                {
                    "path": "1",
                    "propertyChangeType": "Modify",
                    "children": [
                        {"path": "c.d", "propertyChangeType": "Create", "after": 2},
                        {
                            "path": "",
                            "propertyChangeType": "Array",
                            "children": [{"path": "3", "propertyChangeType": "Create", "after": 1}],
                        },
                    ],
                },
            ],
        }
    ]

    assert list(entries(delta)) == [
        ("a.b.0", "Delete"),
        ("a.b.1.c.d", "Create"),
        ("a.b.1.3", "Create"),
    ]


def test_without_noise_everything_is_true() -> None:
    """Creates, deletes, and entries of deltas are all listed as the truth, none as noise."""
    world = World()
    world.deploy([plain("changed"), plain("old"), network()])

    result = world.foretell([plain("changed", properties={}), plain("new"), network()])

    assert result.labels.shown() == {
        "value": [],
        "true": [
            {"resourceId": f"{SHELVES}/changed", "path": "properties.depth", "kind": "Delete"},
            {"resourceId": f"{SHELVES}/new", "path": "", "kind": "Create"},
            {"resourceId": f"{SHELVES}/old", "path": "", "kind": "Ignore"},
        ],
    }


def test_noise_is_labelled_beside_the_truth() -> None:
    """Each shown entry is true or has a label, and no entry has both."""
    world = World()
    vnet = network(subnets=("web", "db"))
    vnet["properties"]["enableVmProtection"] = False
    world.deploy([vnet])
    world.change(VNET, {"tags": {"Owner": "me"}})
    world.cloud.turn(Knobs(noise={"*": ["N1", "N3"]}))

    result = world.foretell([vnet])
    [found] = result.body["properties"]["changes"]
    noise = {(one["path"], one["kind"]): one["class"] for one in result.labels.noise}
    true = {(one["path"], one["kind"]) for one in result.labels.truth}

    shown = set(leaves(found["delta"]))
    assert true == {("tags", "Delete")}
    assert noise[("properties.enableVmProtection", "Create")] == "N3"
    assert shown == true | noise.keys()
    assert set(noise.values()) == {"N1", "N3"}


def test_a_resource_whose_nested_deployment_is_not_expanded_is_hidden() -> None:
    """With N10 it is ignored, its deployment is named in a warning, and the truth is hidden."""
    world = World()
    resources = [nested("n", template([plain("s")]))]
    world.deploy(resources)
    world.change(f"{SHELVES}/s", {"properties": {"depth": 9}})
    world.cloud.turn(Knobs(noise={"Contoso.Shop/shelves": ["N10"]}))

    result = world.foretell(resources)

    assert kinds(result.body["properties"]["changes"]) == {"s": "Ignore"}
    assert [one["code"] for one in result.body["properties"]["diagnostics"]] == [
        "NestedDeploymentShortCircuited"
    ]
    hidden = [one for one in result.labels.noise if one["hidden"]]
    assert [(one["path"], one["class"]) for one in hidden] == [("properties.depth", "N10")]


def test_a_resource_made_unsupported_by_noise_is_labelled() -> None:
    """With N11 the resource is Unsupported, and what it would have shown is hidden."""
    world = World()
    world.deploy([plain("s")])
    world.cloud.turn(Knobs(noise={"*": ["N11"]}))

    result = world.foretell([plain("s", properties={"depth": 9})])

    [found] = result.body["properties"]["changes"]
    assert found["changeType"] == "Unsupported"
    assert "https://aka.ms/WhatIfUnidentifiableResource" in found["unsupportedReason"]
    assert [(one["path"], one["kind"], one["hidden"]) for one in result.labels.noise] == [
        ("", "Unsupported", False),
        ("properties.depth", "Modify", True),
    ]


def test_a_refused_get_fails_the_whole_what_if() -> None:
    """With N17 one GET that is 405 is enough; without it the resource is read another way."""
    site = {
        "type": "Microsoft.Web/sites",
        "apiVersion": "2024-04-01",
        "name": "shop-site",
        "location": "westeurope",
        "properties": {},
    }
    config = {
        "type": "Microsoft.Web/sites/config",
        "apiVersion": "2024-04-01",
        "name": "shop-site/appsettings",
        "dependsOn": ["shop-site"],
        "properties": {"COLOUR": "red"},
    }
    strings = {**config, "name": "shop-site/connectionstrings", "properties": {}}
    world = World()
    world.deploy([site, config, strings])
    resources = [site, {**config, "properties": {"COLOUR": "blue"}}, strings]
    clean = world.changes(resources)
    world.cloud.turn(Knobs(noise={"Microsoft.Web/sites/config": ["N17"]}))
    one = world.foretell(resources[:2]).body
    two = world.foretell(resources).body

    assert list(leaves(clean[1]["delta"])) == [("properties.COLOUR", "Modify")]
    assert one["status"] == "Failed"
    assert "properties" not in one
    assert one["error"]["code"] == "DeploymentWhatIfResourceError"
    [detail] = one["error"]["details"]
    assert detail["code"] == "DeploymentWhatIfResourceInvalidResponse"
    assert "unexpected HTTP status code 'MethodNotAllowed'" in detail["message"]
    assert two["error"]["code"] == "MultipleErrorsOccurred"
    assert [detail["code"] for detail in two["error"]["details"]] == [
        "DeploymentWhatIfResourceError"
    ] * 2


def test_what_a_provider_made_by_itself_is_ignored_with_that_noise() -> None:
    """With N12 companions and implicit children show as Ignore, labelled; without it they do not."""
    server = {
        "type": "Microsoft.Sql/servers",
        "apiVersion": "2023-08-01",
        "name": "shop-sql",
        "location": "westeurope",
        "properties": {"administratorLogin": "boss", "administratorLoginPassword": "Secr3t-word"},
    }
    world = World()
    world.deploy([server])
    clean = world.changes([server])
    world.cloud.turn(Knobs(noise={"*": ["N12"]}))
    result = world.foretell([server])

    assert kinds(clean) == {"shop-sql": "NoChange"}
    assert kinds(result.body["properties"]["changes"])["master"] == "Ignore"
    assert {(one["kind"], one["class"]) for one in result.labels.noise} == {("Ignore", "N12")}
    assert result.labels.truth == []
