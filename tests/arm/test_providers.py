"""Resource providers: which are there, and which the subscription may use."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.arm.azure import API, Azure, eventually, nested, plain, storage


def test_a_provider_registers_in_its_own_time(azure: Azure) -> None:
    """NotRegistered, Registering, Registered; and back again."""
    azure.turn(registered=[], registration_seconds=0.2)
    providers = azure.resources.providers
    before = providers.get("Microsoft.Storage").registration_state
    during = providers.register("microsoft.storage").registration_state
    eventually(lambda: providers.get("Microsoft.Storage").registration_state == "Registered")
    leaving = providers.unregister("Microsoft.Storage").registration_state

    assert (before, during, leaving) == ("NotRegistered", "Registering", "Unregistering")


def test_the_knob_says_which_are_registered(azure: Azure) -> None:
    """Those named, and the two that always are."""
    azure.turn(registered=["microsoft.web"])
    states = {one.namespace: one.registration_state for one in azure.resources.providers.list()}

    assert states["Microsoft.Web"] == "Registered"
    assert states["Microsoft.Resources"] == "Registered"
    assert states["Microsoft.Network"] == "NotRegistered"


def test_a_provider_lists_its_types_and_versions(azure: Azure) -> None:
    """What a client needs to pick an api-version."""
    provider = azure.resources.providers.get("microsoft.network")
    kinds = {kind.resource_type: kind.api_versions for kind in provider.resource_types}

    assert provider.namespace == "Microsoft.Network"
    assert "2024-05-01" in kinds["virtualNetworks/subnets"]


def test_an_unknown_namespace_is_refused(azure: Azure) -> None:
    """404 InvalidResourceNamespace."""
    with pytest.raises(ResourceNotFoundError, match="InvalidResourceNamespace"):
        azure.resources.providers.get("Contoso.Nothing")


def test_an_unregistered_provider_cannot_be_used_until_it_is_registered(azure: Azure) -> None:
    """Resource PUT and deployment fail with MissingSubscriptionRegistration, then work."""
    azure.turn(registered=[])
    group = azure.group()
    with pytest.raises(
        ResourceExistsError, match=r"not registered to use namespace 'Microsoft\.Storage'"
    ):
        azure.deploy("d", [storage()])
    direct = azure.call(
        "PUT",
        f"{group}/providers/Microsoft.Storage/storageAccounts/stshop001?api-version={API}",
        storage(),
    )
    azure.resources.providers.register("Microsoft.Storage")
    azure.deploy("d", [storage()]).result()

    assert (direct.status, direct.code) == (409, "MissingSubscriptionRegistration")
    assert [one.name for one in azure.resources.resources.list()] == ["stshop001"]


def test_a_provider_of_a_nested_template_is_missed(azure: Azure) -> None:
    """The deployment fails with the inner provider's name, at once or when its turn comes."""
    azure.turn(registered=[])
    azure.group()
    with pytest.raises(HttpResponseError, match=r"Contoso\.Shop"):
        azure.deploy("d", [nested("inner", [plain("s1")])]).result()


def test_operations_of_a_provider_are_named_as_roles_name_them(azure: Azure) -> None:
    """Reads, writes, deletions and actions of every type."""
    path = f"/providers/Microsoft.ContainerRegistry/operations?api-version={API}"
    names = {one["name"] for one in azure.call("GET", path).body["value"]}

    assert names >= {
        "Microsoft.ContainerRegistry/registries/read",
        "Microsoft.ContainerRegistry/registries/replications/write",
        "Microsoft.ContainerRegistry/registries/listCredentials/action",
    }


def test_types_of_a_provider_are_listed_alone(azure: Azure) -> None:
    """With their api-versions, newest first."""
    types = azure.resources.provider_resource_types.list("Microsoft.Sql").value
    [server] = [one for one in types if one.resource_type == "servers"]

    assert server.api_versions == sorted(server.api_versions, reverse=True)
    assert "2023-08-01" in server.api_versions
