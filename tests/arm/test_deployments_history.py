"""The history of deployments: quota, grooming, locks, expiry, one active run per name."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from local.arm.knobs import Knobs
from local.arm.server import Settings, start
from tests.arm.azure import API, Azure, ask, clients, eventually, nested

SMALL = {"history_limit": 5, "groom_above": 3, "groom_to": 2}
LOCK = "providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01"
FEATURE = "providers/Microsoft.Features/providers/Microsoft.Resources/features"
DAY = 24 * 3600


@pytest.fixture
def small(azure: Azure) -> Azure:
    """Return a simulator whose history is groomed above three rows, with a resource group."""
    azure.group()
    azure.turn(**SMALL)
    return azure


def fill(azure: Azure, count: int, first: int = 1) -> None:
    """Deploy under so many names, one after the other."""
    for number in range(first, first + count):
        azure.deploy(f"d{number}", []).result()


def names(azure: Azure) -> list[str]:
    """Return the names in the history, newest first."""
    return [one.name for one in azure.deployments.deployments.list_by_resource_group("rg-shop")]


def lock(azure: Azure, scope: str) -> None:
    """Put a CanNotDelete lock on a scope."""
    reply = azure.call("PUT", f"{scope}/{LOCK}", {"properties": {"level": "CanNotDelete"}})
    assert reply.status == 201, reply


def test_the_oldest_rows_are_groomed_when_there_are_too_many(small: Azure) -> None:
    """The fourth row is one too many: the history shrinks to the newest two."""
    fill(small, 3)
    before = names(small)
    fill(small, 1, first=4)

    assert before == ["d3", "d2", "d1"]
    assert names(small) == ["d4", "d3"]


def test_a_run_under_an_old_name_renews_its_place(small: Azure) -> None:
    """What was deployed again is not the oldest any more."""
    fill(small, 3)
    fill(small, 1)
    fill(small, 1, first=4)

    assert names(small) == ["d4", "d1"]


def test_a_running_deployment_is_never_groomed(small: Azure) -> None:
    """The oldest row stays while it is active."""
    small.turn(deployment_seconds=2.0)
    small.begin("slow", [])
    small.turn(deployment_seconds=0.0)
    fill(small, 3)

    assert names(small)[-1] == "slow"
    assert len(names(small)) == 2


def test_validate_and_what_if_groom_too(small: Azure) -> None:
    """Asking is enough."""
    for verb in ("validate", "whatIf"):
        small.turn(groom_above=None)
        fill(small, 4)
        small.turn(groom_above=3)
        path = "/resourceGroups/rg-shop/providers/Microsoft.Resources/deployments/new"
        small.call("POST", f"{small.subscription}{path}/{verb}?api-version={API}", ask([]))

        assert len(names(small)) == 2


def test_a_lock_stops_the_grooming_until_the_quota_is_spent(small: Azure) -> None:
    """Timestamped names on a locked group run into DeploymentQuotaExceeded."""
    group = f"{small.subscription}/resourceGroups/rg-shop"
    lock(small, group)
    fill(small, 5)
    with pytest.raises(ResourceExistsError, match="DeploymentQuotaExceeded"):
        small.deploy("d6", [])
    with pytest.raises(ResourceExistsError, match="DeploymentQuotaExceeded"):
        small.deployments.deployments.begin_validate("rg-shop", "d6", ask([]))
    small.deploy("d1", []).result()
    locked = len(names(small))
    small.call("DELETE", f"{group}/{LOCK}")
    with pytest.raises(ResourceExistsError, match="DeploymentQuotaExceeded"):
        small.deploy("d6", [])
    small.deploy("d6", []).result()

    assert locked == 5
    assert "d6" in names(small)


def test_a_lock_further_down_stops_nothing(small: Azure) -> None:
    """What is locked inside the group is not the history."""
    group = f"{small.subscription}/resourceGroups/rg-shop"
    small.deploy("d0", [shelf()]).result()
    lock(small, f"{group}/providers/Contoso.Shop/shelves/s1")
    fill(small, 3)

    assert names(small) == ["d3", "d2"]


def test_a_lock_keeps_rows_from_being_deleted(small: Azure) -> None:
    """409 ScopeLocked names the locked scope."""
    fill(small, 1)
    lock(small, f"{small.subscription}/resourceGroups/rg-shop")
    with pytest.raises(ResourceExistsError) as caught:
        small.deployments.deployments.begin_delete("rg-shop", "d1")

    assert caught.value.error is not None
    assert caught.value.error.code == "ScopeLocked"
    assert "'/subscriptions/" in str(caught.value.error.message)
    assert names(small) == ["d1"]


def test_a_read_only_scope_takes_no_deployments(small: Azure) -> None:
    """Neither its own nor nested ones."""
    group = small.group("rg-locked")
    small.call("PUT", f"{group}/{LOCK}", {"properties": {"level": "ReadOnly"}})
    inner = nested("inner", [], resourceGroup="rg-locked")
    with pytest.raises(ResourceExistsError, match="ScopeLocked"):
        small.deploy("main", [], group="rg-locked")
    with pytest.raises(HttpResponseError) as caught:
        small.deploy("main", [inner]).result()

    assert caught.value.error is not None
    assert [one.code for one in caught.value.error.details] == ["ScopeLocked"]


def test_a_subscription_can_opt_out_of_grooming(small: Azure) -> None:
    """The feature stops it, its absence lets it begin again."""
    feature = f"{small.subscription}/{FEATURE}/DisableDeploymentGrooming"
    version = "?api-version=2021-07-01"
    before = small.call("GET", feature + version).body["properties"]["state"]
    small.call("POST", f"{feature}/register{version}")
    during = small.call("GET", feature + version).body["properties"]["state"]
    fill(small, 4)
    kept = len(names(small))
    listed = small.call("GET", f"{small.subscription}/{FEATURE}{version}").body["value"]
    small.call("POST", f"{feature}/unregister{version}")
    fill(small, 1)

    assert (before, during) == ("NotRegistered", "Registered")
    assert kept == 4
    assert [one["name"] for one in listed] == ["Microsoft.Resources/DisableDeploymentGrooming"]
    assert len(names(small)) == 2


def test_the_quota_counts_by_location_above_groups(azure: Azure) -> None:
    """A subscription has a history per location."""
    azure.turn(history_limit=1, groom_above=None)
    put = azure.deployments.deployments.begin_create_or_update_at_subscription_scope
    put("one", {**ask([]), "location": "westeurope"}).result()
    put("two", {**ask([]), "location": "East US"}).result()
    with pytest.raises(ResourceExistsError, match="DeploymentQuotaExceeded"):
        put("three", {**ask([]), "location": "eastus"})


def test_an_active_deployment_expires_after_seven_days(azure: Azure) -> None:
    """Until then its name is taken, and the refusal says when that ends."""
    azure.group()
    azure.turn(deployment_seconds=60)
    azure.begin("main", [])
    azure.turn(deployment_seconds=0, clock_offset_seconds=7 * DAY - 60)
    with pytest.raises(ResourceExistsError, match="and will expire at") as caught:
        azure.deploy("main", [])
    azure.turn(clock_offset_seconds=7 * DAY + 60)
    done = azure.deploy("main", []).result()

    assert caught.value.error is not None
    assert caught.value.error.code == "DeploymentActive"
    assert done.properties.provisioning_state == "Succeeded"


def test_a_nested_run_is_cancelled_on_its_own(azure: Azure) -> None:
    """The parent fails, and says that its child was cancelled."""
    azure.group()
    azure.turn(resource_seconds=0.5)
    poller = azure.deploy("main", [nested("inner", [shelf()])])
    eventually(lambda: bool(azure.deployments.deployments.check_existence("rg-shop", "inner")))
    azure.deployments.deployments.cancel("rg-shop", "inner")
    with pytest.raises(HttpResponseError) as caught:
        poller.result()

    assert caught.value.error is not None
    [detail] = caught.value.error.details
    assert detail.code == "ResourceDeploymentFailure"
    assert "'Canceled'" in str(detail.message)


def shelf() -> dict[str, Any]:
    """Return a resource that takes its time."""
    return {"type": "Contoso.Shop/shelves", "apiVersion": "2024-01-01", "name": "s1"}


def test_pages_of_operations_follow_each_other(azure: Azure) -> None:
    """$top is the size of a page; the SDK walks through all of them."""
    azure.group()
    shelves = [{**shelf(), "name": f"s{number}"} for number in range(5)]
    azure.deploy("main", shelves).result()
    all_steps = list(azure.deployments.deployment_operations.list("rg-shop", "main", top=2))
    pages = azure.deployments.deployment_operations.list("rg-shop", "main", top=2).by_page()

    assert len(all_steps) == 5
    assert [len(list(page)) for page in pages] == [2, 2, 1]


def test_a_deployment_survives_a_restart_with_its_secrets(tmp_path: Any) -> None:
    """What it takes to run again is on disk, and in no answer."""
    settings = Settings(folder=tmp_path, knobs=Knobs(retry_after=0.02, deployment_seconds=30))
    secret = {"key": {"type": "securestring"}}
    with start(settings) as address, clients(address) as azure:
        azure.group()
        azure.begin("main", [], parameters=secret, given={"key": {"value": "hush"}})
    knobs = Knobs(retry_after=0.02)
    with start(Settings(folder=tmp_path, knobs=knobs)) as address, clients(address) as azure:
        get = azure.deployments.deployments.get
        eventually(
            lambda: bool(get("rg-shop", "main").properties.provisioning_state == "Succeeded")
        )
        shown = azure.call(
            "GET",
            f"{azure.subscription}/resourceGroups/rg-shop/providers/Microsoft.Resources/"
            f"deployments/main?api-version={API}",
        )

    assert "hush" not in str(shown.body)
