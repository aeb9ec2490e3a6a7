"""Noise as clients of the real SDK meet it: in GET, in lists and in what-if, with labels beside it."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm.noise import NAMES
from tests.arm.azure import API, Azure, ask, nested, network, plain, storage
from tests.arm.noise.stage import declared
from tests.arm.whatif.world import World, leaves, new_cloud

STORAGE = "/providers/Microsoft.Storage/storageAccounts/stshop001"
WHOLE = frozenset({"N10", "N11", "N17"})
"""Classes that take a resource, or the what-if, as a whole."""


def correlation(result: Any) -> str:
    """Return the correlation id, which the SDK's model keeps and has no attribute for."""
    return str(result.properties["correlationId"])


def foretell(azure: Azure, *resources: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    """Run a what-if through the SDK; return its result and the labels of its noise."""
    poller = azure.deployments.deployments.begin_what_if("rg-shop", "w", ask(list(resources)))
    result = poller.result()
    if result.properties is None:
        return result, []
    labels = azure.control("GET", f"/noise?correlationId={correlation(result)}")
    return result, labels["value"]


def test_without_noise_the_whole_catalogue_is_clean() -> None:
    """A template of all catalogue types, deployed, would change nothing; and there is no label."""
    world = World()
    world.deploy(declared())
    result = world.foretell(declared())
    changes = result.body["properties"]["changes"]

    assert {one["changeType"] for one in changes} == {"NoChange"}
    assert [one["delta"] for one in changes if one["delta"]] == []
    assert (result.labels.noise, result.labels.truth) == ([], [])


@pytest.mark.parametrize("seed", range(3))
def test_with_noise_exactly_what_is_labelled_shows(seed: int) -> None:
    """All classes on for all types: every entry has one label, every label an entry."""
    world = World(new_cloud(noise={"*": sorted(NAMES - WHOLE)}, noise_seed=seed))
    world.deploy(declared())
    result = world.foretell(declared())
    shown = {
        (one["resourceId"], *entry)
        for one in result.body["properties"]["changes"]
        for entry in (leaves(one["delta"]) if "delta" in one else [("", one["changeType"])])
    }
    labels = [(one["resourceId"], one["path"], one["kind"]) for one in result.labels.noise]

    assert sorted(labels) == sorted(shown)
    assert len({one["class"] for one in result.labels.noise}) >= 12
    assert [one for one in result.labels.truth if one["path"]] == []


def test_a_class_that_does_not_exist_is_refused(azure: Azure) -> None:
    """The refusal names it and says which there are."""
    reply = azure.call("PATCH", "/_control/knobs", {"noise": {"*": ["N24"]}}, token=None)

    assert reply.status == 400
    assert "'N24'" in reply.message
    assert "N1 to N23" in reply.message
    assert azure.control("GET", "/knobs")["noise"] == {}


def test_what_if_through_the_sdk_shows_noise_with_its_labels(azure: Azure) -> None:
    """A storage account deployed twice: the computed creation time looks deleted (N1)."""
    azure.group()
    azure.deploy("d", [storage()]).result()
    azure.turn(noise={"Microsoft.Storage/STORAGEACCOUNTS": ["N1"]})
    result, labels = foretell(azure, storage())
    change = result.properties.changes[0]
    paths = {entry.path for entry in change.delta}

    assert change.change_type == "Modify"
    assert "properties.creationTime" in paths
    assert {(one["path"], one["class"]) for one in labels} == {(path, "N1") for path in paths}


def test_a_get_shows_noise_and_the_side_channel_labels_it(azure: Azure) -> None:
    """Location and sku in another case (N6); the resource itself is as before."""
    group = azure.group()
    azure.deploy("d", [storage()]).result()
    azure.turn(noise={"*": ["N6"]})
    noisy = azure.resources.resources.get_by_id(group + STORAGE, api_version=API)
    listed = list(azure.resources.resources.list_by_resource_group("rg-shop"))
    labels = azure.control("GET", f"/noise?resource={group}{STORAGE}")["value"]
    azure.turn(noise={})
    clean = azure.resources.resources.get_by_id(group + STORAGE, api_version=API)

    assert (noisy.location, noisy.sku.name) == ("West Europe", "standard_lrs")
    assert (listed[0].location, listed[0].sku.name) == ("West Europe", "standard_lrs")
    assert (clean.location, clean.sku.name) == ("westeurope", "Standard_LRS")
    assert {(one["path"], one["class"]) for one in labels} == {
        ("location", "N6"),
        ("sku.name", "N6"),
    }


def test_the_same_state_reads_the_same_but_for_volatile_values(azure: Azure) -> None:
    """All classes but N20: two reads are equal. N20: they are not."""
    group = azure.group()
    shelf = f"{group}/providers/Contoso.Shop/shelves/a?api-version=2024-01-01"
    azure.deploy("d", [plain("a")]).result()
    azure.turn(noise={"*": sorted(NAMES - {"N20"})})
    quiet = [azure.call("GET", shelf).body for _ in range(3)]
    azure.turn(noise={"*": ["N20"]})
    restless = [azure.call("GET", shelf).body for _ in range(3)]

    assert quiet[0] == quiet[1] == quiet[2]
    assert len({str(body) for body in restless}) == 3


def test_a_put_adds_to_an_array_that_merges(azure: Azure) -> None:
    """N15: the element left out stays, and what-if says every time that it would go."""
    group = azure.group()
    azure.turn(noise={"Contoso.Shop/shelves": ["N15"]})
    two = plain("a", properties={"rules": [{"name": "x", "on": 1}, {"name": "y"}]})
    one = plain("a", properties={"rules": [{"name": "x", "on": 2}]})
    for body in (two, one):
        azure.deploy("d", [body]).result()
    record = azure.control(
        "POST", "/change", {"id": f"{group}/providers/Contoso.Shop/shelves/a", "set": {}}
    )
    result, labels = foretell(azure, one)
    delta = result.properties.changes[0].delta

    assert record["properties"]["rules"] == [{"name": "x", "on": 2}, {"name": "y"}]
    assert [(one.path, one.children[0].path) for one in delta] == [("properties.rules", "1")]
    assert [(one["path"], one["kind"], one["class"]) for one in labels] == [
        ("properties.rules.1", "Delete", "N15")
    ]


def test_a_property_that_the_provider_does_not_know_is_dropped(azure: Azure) -> None:
    """N16: GET never shows it, and what-if creates it every time."""
    group = azure.group()
    azure.turn(noise={"*": ["N16"]})
    account = storage(properties={"accessTier": "Cool", "acessTier": "Hot"})
    azure.deploy("d", [account]).result()
    shown = azure.call("GET", f"{group}{STORAGE}?api-version={API}").body["properties"]
    result, labels = foretell(azure, account)

    assert "acessTier" not in shown
    assert shown["accessTier"] == "Cool"
    assert [one.path for one in result.properties.changes[0].delta] == ["properties.acessTier"]
    assert [one["class"] for one in labels] == ["N16"]


def test_children_declared_apart_look_deleted_in_their_parent(azure: Azure) -> None:
    """N8: nothing without it; with it a Delete of the subnets, which is noise."""
    azure.group()
    vnet = network(subnets=())
    del vnet["properties"]["subnets"]
    subnet = {
        "type": "Microsoft.Network/virtualNetworks/subnets",
        "apiVersion": "2024-05-01",
        "name": "vnet/web",
        "dependsOn": ["[resourceId('Microsoft.Network/virtualNetworks', 'vnet')]"],
        "properties": {"addressPrefix": "10.0.0.0/24"},
    }
    azure.deploy("d", [vnet, subnet]).result()
    clean, _ = foretell(azure, vnet, subnet)
    azure.turn(noise={"Microsoft.Network/virtualNetworks": ["N8"]})
    noisy, labels = foretell(azure, vnet, subnet)

    assert {one.change_type for one in clean.properties.changes} == {"NoChange"}
    assert [(one["path"], one["kind"]) for one in labels] == [("properties.subnets", "Delete")]
    assert noisy.properties.changes[0].delta[0].before == [
        {"name": "web", "properties": {"addressPrefix": "10.0.0.0/24"}}
    ] or "privateEndpointNetworkPolicies" in str(noisy.properties.changes[0].delta[0].before)


COMPONENT = {
    "type": "Microsoft.Insights/components",
    "apiVersion": "2020-02-02",
    "name": "ai",
    "location": "westeurope",
    "kind": "web",
    "properties": {"Application_Type": "web"},
}


@pytest.mark.parametrize(("noise", "ignored"), [("N12", 2), ("N21", 0)])
def test_what_a_provider_makes_unasked_is_ignored_or_never_spoken_of(
    azure: Azure, noise: str, ignored: int
) -> None:
    """Application Insights brings an action group and an alert rule: Ignore (N12), or absent (N21)."""
    azure.group()
    azure.turn(noise={"*": [noise]})
    azure.deploy("d", [COMPONENT]).result()
    names = {one.name for one in azure.resources.resources.list_by_resource_group("rg-shop")}
    result, labels = foretell(azure, COMPONENT)

    assert {"Application Insights Smart Detection", "Failure Anomalies - ai"} < names
    assert [one.change_type for one in result.properties.changes].count("Ignore") == ignored
    assert [one["class"] for one in labels] == ["N12"] * ignored


def test_without_noise_nobody_makes_anything_unasked(azure: Azure) -> None:
    """The group holds what was deployed."""
    azure.group()
    azure.deploy("d", [COMPONENT]).result()

    assert [one.name for one in azure.resources.resources.list_by_resource_group("rg-shop")] == [
        "ai"
    ]


@pytest.mark.parametrize(
    ("noise", "changes", "code"),
    [("N10", [], "NestedDeploymentShortCircuited"), ("N11", ["Unsupported"], None)],
)
def test_resources_of_a_nested_deployment_can_be_missed(
    azure: Azure, noise: str, changes: list[str], code: str | None
) -> None:
    """N10 leaves them out with a diagnostic; N11 names them and says no more."""
    azure.group()
    azure.turn(noise={"Contoso.Shop/shelves": [noise]})
    result, labels = foretell(azure, nested("inner", [plain("a")]))

    assert [one.change_type for one in result.properties.changes] == changes
    assert [one.code for one in result.properties.diagnostics] == ([code] if code else [])
    assert {one["class"] for one in labels} == {noise}


def test_a_provider_that_refuses_the_get_fails_the_what_if(azure: Azure) -> None:
    """N17: status Failed in a good answer, as trap T4 has it."""
    azure.group()
    azure.deploy("d", [plain("a")]).result()
    azure.turn(noise={"Contoso.Shop/shelves": ["N17"]})
    result, _ = foretell(azure, plain("a"))

    assert result.status == "Failed"
    assert result.error.code


def test_a_lookalike_is_a_true_change(azure: Azure) -> None:
    """Made by the side channel, shown by what-if, and labelled as true although it looks like N2."""
    group = azure.group()
    azure.deploy("d", [storage()]).result()
    wish = {"id": group + STORAGE, "path": "properties.allowBlobPublicAccess"}
    made = azure.control("POST", "/lookalike", wish)
    azure.turn(noise={"*": ["N2", "N23"]})
    result, _ = foretell(azure, storage())
    found = azure.control("GET", f"/noise?correlationId={correlation(result)}")
    delta = {one.path: one for one in result.properties.changes[0].delta}

    assert made["value"] is True
    assert delta["properties.allowBlobPublicAccess"].property_change_type == "Delete"
    assert "properties.allowBlobPublicAccess" in {one["path"] for one in found["true"]}


def test_the_side_channel_lists_the_classes(azure: Azure) -> None:
    """All 23, with what each is, where it arises and for which types."""
    found = azure.control("GET", "/noise")
    by_name = {one["name"]: one for one in found["value"]}

    assert set(by_name) == NAMES
    assert by_name["N5"]["types"] == ["*"]
    assert "Microsoft.Network/virtualNetworks" in by_name["N8"]["types"]
    assert "Microsoft.Web/sites" in by_name["N3"]["known"]
    assert (found["on"], found["seed"]) == ({}, 0)
