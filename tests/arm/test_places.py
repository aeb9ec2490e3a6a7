"""Subscriptions, tenants, locations, the cloud's description, tags."""

from __future__ import annotations

from typing import Any

import pytest
from azure.mgmt.resource.resources.models import Tags, TagsPatchResource, TagsResource

from tests.arm.azure import API, Azure, Reply, plain


def test_the_subscription_and_the_tenant_are_listed(azure: Azure) -> None:
    """One of each, with the ids of the start line."""
    address = azure.address
    listed = azure.call("GET", f"/subscriptions?api-version={API}").body["value"]
    one = azure.call("GET", f"{azure.subscription}?api-version={API}").body
    tenants = azure.call("GET", f"/tenants?api-version={API}").body["value"]
    locations = azure.call("GET", f"{azure.subscription}/locations?api-version={API}").body["value"]

    assert [found["subscriptionId"] for found in listed] == [address.subscription_id]
    assert one["tenantId"] == address.tenant_id
    assert [found["tenantId"] for found in tenants] == [address.tenant_id]
    assert "westeurope" in [found["name"] for found in locations]


def test_the_cloud_describes_itself_without_a_token(azure: Azure) -> None:
    """`az cloud register` finds what it needs."""
    body = azure.call("GET", "/metadata/endpoints?api-version=2022-09-01", token=None).body

    assert body["resourceManager"] == azure.address.endpoint
    assert body["authentication"].keys() >= {
        "loginEndpoint",
        "audiences",
        "tenant",
        "identityProvider",
    }
    assert body["suffixes"].keys() >= {
        "storage",
        "keyVaultDns",
        "acrLoginServer",
        "sqlServerHostname",
    }
    assert body.keys() >= {"name", "portal", "graphAudience", "logAnalyticsResourceId"}


def test_tags_are_merged_replaced_and_deleted_at_every_scope(azure: Azure) -> None:
    """The tags resource of the subscription, of a group and of a resource."""
    group = azure.group()
    azure.deploy("d", [plain("s1")]).result()
    tags = azure.resources.tags
    for scope in (azure.subscription, group, f"{group}/providers/Contoso.Shop/shelves/s1"):
        wide = Tags(tags={"a": "1", "b": "2"})
        tags.begin_create_or_update_at_scope(scope, TagsResource(properties=wide)).result()
        tags.begin_update_at_scope(
            scope, TagsPatchResource(operation="Merge", properties=Tags(tags={"c": "3"}))
        ).result()
        tags.begin_update_at_scope(
            scope, TagsPatchResource(operation="Delete", properties=Tags(tags={"a": "1"}))
        ).result()
        merged = tags.get_at_scope(scope).properties.tags
        tags.begin_update_at_scope(
            scope, TagsPatchResource(operation="Replace", properties=Tags(tags={"d": "4"}))
        ).result()
        replaced = tags.get_at_scope(scope).properties.tags
        tags.begin_delete_at_scope(scope).result()

        assert merged == {"b": "2", "c": "3"}
        assert replaced == {"d": "4"}
        assert tags.get_at_scope(scope).properties.tags == {}


def test_names_of_tags_match_in_any_case(azure: Azure) -> None:
    """The first spelling stays; a value must be the very one to be deleted."""
    group = azure.group()
    path = f"{group}/providers/Microsoft.Resources/tags/default?api-version={API}"

    def patch(operation: str, tags: dict[str, str]) -> Any:
        body = {"operation": operation, "properties": {"tags": tags}}
        return azure.call("PATCH", path, body).body["properties"]["tags"]

    azure.call("PUT", path, {"properties": {"tags": {"Team": "shop", "b": "2"}}})

    assert patch("Merge", {"TEAM": "Shelf"}) == {"Team": "Shelf", "b": "2"}
    assert patch("Delete", {"team": "shelf", "B": "2"}) == {"Team": "Shelf"}


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"a<b": "1"}, "InvalidTagName"),
        ({"": "1"}, "InvalidTagNameLength"),
        ({"a" * 513: "1"}, "InvalidTagNameLength"),
        ({"a": "1" * 257}, "InvalidTagValueLength"),
        ({str(number): "1" for number in range(51)}, "InvalidTagsCount"),
        ({"a": 1}, "InvalidRequestContent"),
    ],
)
def test_a_tag_that_cannot_be_is_refused(azure: Azure, tags: Any, code: str) -> None:
    """Reserved characters, lengths, how many, and what is no text."""
    path = f"{azure.group()}/providers/Microsoft.Resources/tags/default?api-version={API}"
    reply = azure.call("PUT", path, {"properties": {"tags": tags}})

    assert (reply.status, reply.code) == (400, code)


def test_tag_names_are_kept_counted_and_forgotten(azure: Azure) -> None:
    """201 and 200, 200 and 204; none is forgotten while something has it."""
    names = f"{azure.subscription}/tagNames"

    def call(method: str, tail: str) -> Reply:
        return azure.call(method, f"{names}{tail}?api-version={API}")

    made = [call("PUT", "/team").status, call("PUT", "/TEAM").status]
    value = [call("PUT", "/team/tagValues/shop").status, call("PUT", "/team/tagValues/shop").status]
    azure.group()
    azure.resources.resource_groups.update("rg-shop", {"tags": {"Team": "shop"}})
    [one] = call("GET", "").body["value"]
    used = [call("DELETE", "/team/tagValues/shop"), call("DELETE", "/team")]
    azure.resources.resource_groups.update("rg-shop", {"tags": {}})
    gone = [call("DELETE", tail).status for tail in ("/team/tagValues/shop", "/team", "/team")]

    assert made == [201, 200]
    assert value == [201, 200]
    assert one["count"]["value"] == 1
    assert [(reply.status, reply.code) for reply in used] == [(409, "TagInUse")] * 2
    assert gone == [200, 200, 204]
    assert call("PUT", "/none/tagValues/x").code == "TagNotFound"


def test_a_tagged_subscription_shows_its_tags(azure: Azure) -> None:
    """In the tags resource and in its own body."""
    path = f"{azure.subscription}/providers/Microsoft.Resources/tags/default?api-version={API}"
    azure.call("PUT", path, {"properties": {"tags": {"a": "1"}}})
    body = azure.call("GET", f"{azure.subscription}?api-version={API}").body

    assert body["tags"] == {"a": "1"}


def test_locations_say_where_they_are(azure: Azure) -> None:
    """Geography, zones and the paired region."""
    body = azure.call("GET", f"{azure.subscription}/locations?api-version=2022-12-01").body
    [west] = [one for one in body["value"] if one["name"] == "westeurope"]

    assert west["regionalDisplayName"] == "(Europe) West Europe"
    assert west["metadata"]["pairedRegion"][0]["name"] == "northeurope"
    assert [zone["logicalZone"] for zone in west["availabilityZoneMappings"]] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("name", "status"), [("shop", "Allowed"), ("MyLoginShop", "Reserved"), ("Azure", "Reserved")]
)
def test_reserved_words_are_told(azure: Azure, name: str, status: str) -> None:
    """Some words are Microsoft's."""
    body = {"name": name, "type": "Microsoft.Storage/storageAccounts"}
    path = f"/providers/Microsoft.Resources/checkResourceName?api-version={API}"

    assert azure.call("POST", path, body).body["status"] == status
