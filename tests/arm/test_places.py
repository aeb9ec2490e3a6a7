"""Subscriptions, tenants, locations, the cloud's description, tags."""

from __future__ import annotations

from azure.mgmt.resource.resources.models import Tags, TagsPatchResource, TagsResource

from tests.arm.azure import API, Azure, plain


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
