"""Asking whether a name can still be had."""

from __future__ import annotations

from typing import Any

import pytest

from tests.arm.azure import API, Azure, storage

STORAGE = "Microsoft.Storage"


def ask(azure: Azure, place: str, **body: Any) -> Any:
    """Ask and return the answer's body."""
    path = f"{azure.subscription}/providers/{place}?api-version={API}"
    return azure.call("POST", path, body).body


@pytest.mark.parametrize(
    ("name", "free", "reason"),
    [
        ("stfree001", True, None),
        ("stshop001", False, "AlreadyExists"),
        ("St-Shop", False, "AccountNameInvalid"),
    ],
)
def test_a_name_is_free_taken_or_none_at_all(
    azure: Azure,
    name: str,
    free: bool,  # noqa: FBT001 - a column
    reason: str | None,
) -> None:
    """With the provider's reason and words."""
    azure.group()
    azure.deploy("d", [storage()]).result()
    kind = f"{STORAGE}/storageAccounts"
    answer = ask(azure, f"{STORAGE}/checkNameAvailability", name=name, type=kind)

    assert (answer["nameAvailable"], answer.get("reason")) == (free, reason)
    assert free or name in answer["message"]


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (
            "Microsoft.ContainerRegistry/checkNameAvailability",
            "Microsoft.ContainerRegistry/registries",
        ),
        ("Microsoft.Sql/checkNameAvailability", "Microsoft.Sql/servers"),
        ("Microsoft.Web/checknameavailability", "Site"),
        ("Microsoft.Cache/CheckNameAvailability", "Microsoft.Cache/Redis"),
        ("Microsoft.ServiceBus/CheckNameAvailability", None),
        ("Microsoft.KeyVault/checkNameAvailability", "Microsoft.KeyVault/vaults"),
        (
            "Microsoft.Batch/locations/westeurope/checkNameAvailability",
            "Microsoft.Batch/batchAccounts",
        ),
    ],
)
def test_every_provider_with_global_names_answers(azure: Azure, place: str, kind: Any) -> None:
    """However it spells the question."""
    assert ask(azure, place, name="shop123456", type=kind)["nameAvailable"] is True


def test_a_cosmos_account_is_asked_for_by_head(azure: Azure) -> None:
    """404 is free, 200 is taken."""
    path = f"/providers/Microsoft.DocumentDB/databaseAccountNames/shop?api-version={API}"
    free = azure.call("HEAD", path).status
    account = f"{azure.group()}/providers/Microsoft.DocumentDB/databaseAccounts/shop"
    azure.call("PUT", f"{account}?api-version=2024-11-15", {"location": "westeurope"})

    assert (free, azure.call("HEAD", path).status) == (404, 200)


def test_a_question_without_a_name_is_refused(azure: Azure) -> None:
    """InvalidRequestContent, and 404 where no name is global."""
    path = f"{azure.subscription}/providers/{STORAGE}/checkNameAvailability?api-version={API}"
    other = path.replace(STORAGE, "Microsoft.Consumption")

    assert azure.call("POST", path, {}).code == "InvalidRequestContent"
    assert azure.call("POST", other, {"name": "x"}).status == 404
