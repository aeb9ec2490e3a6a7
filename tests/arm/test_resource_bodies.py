"""What providers make of a PUT: whole GET bodies of the catalogue, as golden files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.arm.azure import Azure

FOLDER = Path(__file__).parent.parent / "golden" / "resources"
SERVER = "Microsoft.Sql/servers/sql-shop"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")


def golden(name: str) -> dict[str, Any]:
    """Return one golden file."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def timeless(body: Any) -> Any:
    """Return a body with a word in the place of every time."""
    return json.loads(_TIME.sub("<time>", json.dumps(body)))


def put(azure: Azure, case: Any) -> str:
    """Put a golden case's resource, its parent before it, and return its path."""
    group = azure.group()
    if case["path"].startswith(f"{SERVER}/"):
        server = golden("sql_server")
        azure.call("PUT", f"{group}/providers/{SERVER}?api-version=2023-08-01", server["put"])
    path = f"{group}/providers/{case['path']}?api-version={case['api_version']}"
    azure.call("PUT", path, case["put"])
    return path


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_get_shows_what_the_provider_made_of_a_put(azure: Azure, name: str) -> None:
    """Defaults, computed values, normal forms and secrets of items 9 to 13 of the catalogue."""
    case = golden(name)
    path = put(azure, case)
    body = azure.call("GET", path).body

    assert case["get"] == timeless(body)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_what_get_shows_can_be_put_again_and_changes_nothing(azure: Azure, name: str) -> None:
    """A PUT of the GET body comes to the same body."""
    case = golden(name)
    path = put(azure, case)
    shown = azure.call("GET", path).body
    again = azure.call("PUT", path, shown)
    body = azure.call("GET", path).body

    assert again.status == 200
    assert timeless(shown) == timeless(body)


def test_a_sql_server_comes_with_its_master_database(azure: Azure) -> None:
    """Nobody asks for `master`; the generic list shows it (noise N12)."""
    group = azure.group()
    azure.call(
        "PUT", f"{group}/providers/{SERVER}?api-version=2023-08-01", golden("sql_server")["put"]
    )
    names = [one.name for one in azure.resources.resources.list_by_resource_group("rg-shop")]

    assert names == ["sql-shop", "sql-shop/master"]


def test_agent_pools_are_shown_by_the_cluster_and_on_their_own(azure: Azure) -> None:
    """Inline without `properties`, as a child with them."""
    case = golden("managed_cluster")
    group = azure.group()
    cluster = f"{group}/providers/{case['path']}"
    version = f"?api-version={case['api_version']}"
    azure.call("PUT", cluster + version, case["put"])
    azure.call("PUT", f"{cluster}/agentPools/user{version}", {"properties": {"count": 1}})
    pools = azure.call("GET", cluster + version).body["properties"]["agentPoolProfiles"]
    child = azure.call("GET", f"{cluster}/agentPools/system{version}").body

    assert [pool["name"] for pool in pools] == ["system", "user"]
    assert child["properties"]["osDiskSizeGB"] == 128
    assert child["properties"]["count"] == 2


def test_a_cluster_brings_a_group_for_its_nodes_and_takes_it_away(azure: Azure) -> None:
    """The group is managed by the cluster, what-if never foretells it (noise N21)."""
    case = golden("managed_cluster")
    cluster = f"{azure.group()}/providers/{case['path']}"
    version = f"?api-version={case['api_version']}"
    azure.call("PUT", cluster + version, case["put"])
    groups = azure.resources.resource_groups
    made = groups.get("MC_rg-shop_aks-shop_westeurope")
    azure.call("DELETE", cluster + version)

    assert made.managed_by == cluster
    assert [one.name for one in groups.list()] == ["rg-shop"]


@pytest.mark.parametrize(
    ("kind", "verb", "asked", "listing"),
    [
        (
            "Microsoft.ContainerRegistry/registries",
            "regenerateCredential",
            {"name": "password"},
            "listCredentials",
        ),
        (
            "Microsoft.DocumentDB/databaseAccounts",
            "regenerateKey",
            {"keyKind": "primary"},
            "listKeys",
        ),
        ("Microsoft.Cache/redis", "regenerateKey", {"keyType": "Primary"}, "listKeys"),
        ("Microsoft.CognitiveServices/accounts", "regenerateKey", {"keyName": "Key1"}, "listKeys"),
    ],
)
def test_a_key_that_is_made_anew_is_another_one(
    azure: Azure, kind: str, verb: str, asked: Any, listing: str
) -> None:
    """One key changes, the other stays."""
    path = f"{azure.group()}/providers/{kind}/shop00001"
    azure.call("PUT", f"{path}?api-version=2025-06-01", {"location": "westeurope", "sku": {}})

    def keys() -> str:
        return json.dumps(azure.call("POST", f"{path}/{listing}?api-version=2025-06-01").body)

    before, again = keys(), keys()
    azure.call("POST", f"{path}/{verb}?api-version=2025-06-01", asked)

    assert before == again
    assert keys() != before
