"""Mode Complete: what goes, what stays, what refuses."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.arm.azure import Azure, ask, nested, network, plain

LOCK = "providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01"


def complete(azure: Azure, resources: Any, name: str = "main") -> Any:
    """Deploy in mode Complete and return the end."""
    return azure.deploy(name, resources, mode="Complete").result()


def names(azure: Azure) -> set[str]:
    """Return the names of what is in the group."""
    return {one.name for one in azure.resources.resources.list()}


def steps(azure: Azure) -> list[Any]:
    """Return the deletions among the operations of the deployment."""
    found = azure.deployments.deployment_operations.list("rg-shop", "main")
    kind = "DeploymentCleanup"
    return [one.properties for one in found if one.properties.provisioning_operation == kind]


def test_each_deletion_is_an_operation(azure: Azure) -> None:
    """It names what went."""
    azure.group()
    azure.deploy("before", [plain("old"), plain("kept")]).result()
    complete(azure, [plain("kept"), plain("new")])
    [gone] = steps(azure)

    assert names(azure) == {"kept", "new"}
    assert gone.target_resource.resource_name == "old"
    assert gone.provisioning_state == "Succeeded"


def test_children_stay_with_their_parent_and_go_with_it(azure: Azure) -> None:
    """A child that the template does not name is not the group's own."""
    group = azure.group()
    box = plain("shelf/box", type="Contoso.Shop/shelves/boxes", dependsOn=["shelf"])
    azure.deploy("before", [plain("shelf"), box]).result()
    child = f"{group}/providers/Contoso.Shop/shelves/shelf/boxes/box?api-version=2024-01-01"
    complete(azure, [plain("shelf")])
    while_kept = azure.call("GET", child).status
    complete(azure, [])

    assert while_kept == 200
    assert azure.call("GET", child).status == 404


def test_a_child_alone_keeps_its_parent(azure: Azure) -> None:
    """The template names the child only."""
    azure.group()
    box = plain("shelf/box", type="Contoso.Shop/shelves/boxes")
    azure.deploy("before", [plain("shelf"), plain("old")]).result()
    complete(azure, [box])

    assert names(azure) == {"shelf", "shelf/box"}


def test_a_condition_that_is_false_deletes(azure: Azure) -> None:
    """What the template names and does not want goes."""
    azure.group()
    azure.deploy("before", [plain("a"), plain("b")]).result()
    complete(azure, [plain("a", condition=False), plain("b")])

    assert names(azure) == {"b"}


def test_what_nested_deployments_make_in_the_group_stays(azure: Azure) -> None:
    """They are part of the whole; another group is none of it."""
    azure.group()
    azure.group("rg-other")
    azure.deploy("there", [plain("far")], group="rg-other").result()
    azure.deploy("before", [plain("old")]).result()
    complete(azure, [nested("inner", [plain("near")])])

    assert names(azure) == {"near", "far"}


def test_locks_and_assignments_are_not_the_groups_own(azure: Azure) -> None:
    """What hangs on the group survives, and a locked resource refuses to go."""
    group = azure.group()
    azure.deploy("before", [plain("old"), plain("free")]).result()
    locked = f"{group}/providers/Contoso.Shop/shelves/old"
    put = azure.call("PUT", f"{locked}/{LOCK}", {"properties": {"level": "CanNotDelete"}})
    with pytest.raises(HttpResponseError) as caught:
        complete(azure, [])
    error = azure.deployments.deployments.get("rg-shop", "main").properties.error
    failed = [one for one in steps(azure) if one.provisioning_state == "Failed"]

    assert put.status == 201
    assert caught.value.error is not None
    assert caught.value.error.code == error.code == "DeploymentFailedCleanUp"
    assert [(one.code, one.target) for one in error.details] == [("ScopeLocked", locked)]
    assert [one.target_resource.resource_name for one in failed] == ["old"]
    assert names(azure) == {"old"}


def test_a_type_that_modes_do_not_delete_survives(azure: Azure) -> None:
    """A budget hangs on the group: the knowledge says that mode Complete leaves it."""
    azure.group()
    budget = plain("budget", type="Microsoft.Consumption/budgets", apiVersion="2023-11-01")
    del budget["location"]
    azure.deploy("before", [budget, plain("old")]).result()
    complete(azure, [])
    path = f"{azure.subscription}/resourceGroups/rg-shop/providers/Microsoft.Consumption/budgets"

    assert azure.call("GET", f"{path}/budget?api-version=2023-11-01").status == 200
    assert "old" not in names(azure)


def test_what_is_still_needed_goes_after_what_needs_it(azure: Azure) -> None:
    """The order of deletions follows from what refuses."""
    azure.group()
    card = {
        "type": "Microsoft.Network/networkInterfaces",
        "apiVersion": "2024-05-01",
        "name": "card",
        "location": "westeurope",
        "dependsOn": ["vnet"],
        "properties": {
            "ipConfigurations": [
                {
                    "name": "first",
                    "properties": {
                        "subnet": {
                            "id": "[resourceId('Microsoft.Network/virtualNetworks/subnets',"
                            " 'vnet', 'web')]"
                        }
                    },
                }
            ]
        },
    }
    azure.deploy("before", [network(), card]).result()
    complete(azure, [])

    assert names(azure) == set()


def test_a_failed_step_deletes_nothing(azure: Azure) -> None:
    """First everything is written, then the rest goes."""
    azure.group()
    azure.deploy("before", [plain("old")]).result()
    azure.script(
        {"status": 409, "error": {"code": "SkuNotAvailable", "message": "not today"}},
        None,
        origin="deployment",
    )
    with pytest.raises(HttpResponseError, match="DeploymentFailed"):
        complete(azure, [plain("new")])

    assert names(azure) == {"old"}


def test_mode_complete_is_for_groups(azure: Azure) -> None:
    """At subscription scope it is refused."""
    body = {**ask([], mode="Complete"), "location": "westeurope"}
    with pytest.raises(HttpResponseError, match="InvalidDeploymentMode"):
        azure.deployments.deployments.begin_create_or_update_at_subscription_scope("main", body)
