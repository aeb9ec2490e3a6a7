"""Every operation of the SDK's resources client, called once against the simulator."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from azure.mgmt.resource.resources import operations
from azure.mgmt.resource.resources.models import (
    ExportTemplateRequest,
    GenericResource,
    ResourceGroup,
    ResourceGroupPatchable,
    ResourcesMoveInfo,
    Tags,
    TagsPatchResource,
    TagsResource,
)

from tests.arm.azure import Azure, plain, storage

VERSION = "2024-01-01"
PLACE = ("rg-shop", "Contoso.Shop", "", "shelves", "s1")
Call = Callable[[Azure, str], Any]


def shelf(group: str, name: str = "s1") -> str:
    """Return the id of a resource."""
    return f"{group}/providers/Contoso.Shop/shelves/{name}"


def body(**more: Any) -> GenericResource:
    """Return the body of a resource."""
    return GenericResource(location="westeurope", properties={"depth": 3}, **more)


def info(azure: Azure, group: str) -> ResourcesMoveInfo:
    """Return a request to move the shelf to the other group."""
    azure.group("rg-other")
    return ResourcesMoveInfo(
        resources=[shelf(group)],
        target_resource_group=f"{azure.subscription}/resourceGroups/rg-other",
    )


def tags(**pairs: str) -> Tags:
    """Return tags in the SDK's wrapping."""
    return Tags(tags=pairs)


def named(azure: Azure) -> Any:
    """Return the client for tags, with a name and a value made by hand."""
    azure.resources.tags.create_or_update("team")
    azure.resources.tags.create_or_update_value("team", "shop")
    return azure.resources.tags


GROUPS: dict[str, Call] = {
    "check_existence": lambda a, _: a.resources.resource_groups.check_existence("rg-shop"),
    "create_or_update": lambda a, _: (
        a.resources.resource_groups.create_or_update(
            "rg-new", ResourceGroup(location="westeurope")
        ).name
        == "rg-new"
    ),
    "begin_delete": lambda a, _: (
        a.resources.resource_groups.begin_delete(
            "rg-shop", force_deletion_types="Microsoft.Compute/virtualMachines"
        ).result()
        is None
    ),
    "get": lambda a, _: a.resources.resource_groups.get("rg-shop").name == "rg-shop",
    "update": lambda a, _: (
        a.resources.resource_groups.update("rg-shop", ResourceGroupPatchable(tags={"a": "1"})).tags
        == {"a": "1"}
    ),
    "begin_export_template": lambda a, _: (
        a.resources.resource_groups.begin_export_template(
            "rg-shop", ExportTemplateRequest(resources=["*"])
        )
        .result()
        .template["resources"]
    ),
    "list": lambda a, _: [one.name for one in a.resources.resource_groups.list()] == ["rg-shop"],
}
RESOURCES: dict[str, Call] = {
    "list_by_resource_group": lambda a, _: list(
        a.resources.resources.list_by_resource_group("rg-shop")
    ),
    "begin_move_resources": lambda a, group: (
        a.resources.resources.begin_move_resources("rg-shop", info(a, group)).result() is None
    ),
    "begin_validate_move_resources": lambda a, group: (
        a.resources.resources.begin_validate_move_resources("rg-shop", info(a, group)).result()
        is None
    ),
    "list": lambda a, _: list(a.resources.resources.list()),
    "check_existence": lambda a, _: a.resources.resources.check_existence(
        *PLACE, api_version=VERSION
    ),
    "begin_delete": lambda a, _: (
        a.resources.resources.begin_delete(*PLACE, api_version=VERSION).result() is None
    ),
    "begin_create_or_update": lambda a, _: (
        a.resources.resources.begin_create_or_update(*PLACE, api_version=VERSION, parameters=body())
        .result()
        .properties["depth"]
        == 3
    ),
    "begin_update": lambda a, _: (
        a.resources.resources.begin_update(
            *PLACE, api_version=VERSION, parameters=GenericResource(tags={"a": "1"})
        )
        .result()
        .tags
        == {"a": "1"}
    ),
    "get": lambda a, _: a.resources.resources.get(*PLACE, api_version=VERSION).name == "s1",
    "check_existence_by_id": lambda a, group: a.resources.resources.check_existence_by_id(
        shelf(group), api_version=VERSION
    ),
    "begin_delete_by_id": lambda a, group: (
        a.resources.resources.begin_delete_by_id(shelf(group), api_version=VERSION).result() is None
    ),
    "begin_create_or_update_by_id": lambda a, group: (
        a.resources.resources.begin_create_or_update_by_id(
            shelf(group, "s2"), api_version=VERSION, parameters=body()
        )
        .result()
        .name
        == "s2"
    ),
    "begin_update_by_id": lambda a, group: (
        a.resources.resources.begin_update_by_id(
            shelf(group), api_version=VERSION, parameters=GenericResource(tags={"a": "1"})
        )
        .result()
        .tags
        == {"a": "1"}
    ),
    "get_by_id": lambda a, group: (
        a.resources.resources.get_by_id(shelf(group), api_version=VERSION).name == "s1"
    ),
}
PROVIDERS: dict[str, Call] = {
    "unregister": lambda a, _: (
        a.resources.providers.unregister("Microsoft.Batch").registration_state == "NotRegistered"
    ),
    "register": lambda a, _: (
        a.resources.providers.register("Microsoft.Batch").registration_state == "Registered"
    ),
    "register_at_management_group_scope": lambda a, _: (
        a.resources.providers.register_at_management_group_scope(
            "Microsoft.Batch", a.address.tenant_id
        )
        is None
    ),
    "provider_permissions": lambda a, _: (
        a.resources.providers.provider_permissions("Microsoft.Batch").value
    ),
    "list": lambda a, _: [one.namespace for one in a.resources.providers.list(expand="metadata")],
    "list_at_tenant_scope": lambda a, _: list(a.resources.providers.list_at_tenant_scope()),
    "get": lambda a, _: a.resources.providers.get("microsoft.batch").namespace == "Microsoft.Batch",
    "get_at_tenant_scope": lambda a, _: (
        a.resources.providers.get_at_tenant_scope(
            "Microsoft.Batch", expand="resourceTypes/aliases"
        ).resource_types
    ),
}
TAGS: dict[str, Call] = {
    "create_or_update": lambda a, _: a.resources.tags.create_or_update("team").tag_name == "team",
    "create_or_update_value": lambda a, _: (
        [one.tag_value for one in next(iter(named(a).list())).values_property] == ["shop"]
    ),
    "delete_value": lambda a, _: named(a).delete_value("team", "shop") is None,
    "delete": lambda a, _: named(a).delete("team") is None,
    "list": lambda a, _: [one.tag_name for one in named(a).list()] == ["team"],
    "begin_create_or_update_at_scope": lambda a, group: (
        a.resources.tags.begin_create_or_update_at_scope(
            group, TagsResource(properties=tags(a="1"))
        )
        .result()
        .properties.tags
        == {"a": "1"}
    ),
    "begin_update_at_scope": lambda a, group: (
        a.resources.tags.begin_update_at_scope(
            group, TagsPatchResource(operation="Merge", properties=tags(b="2"))
        )
        .result()
        .properties.tags
        == {"b": "2"}
    ),
    "get_at_scope": lambda a, group: a.resources.tags.get_at_scope(group).properties.tags == {},
    "begin_delete_at_scope": lambda a, group: (
        a.resources.tags.begin_delete_at_scope(group).result() is None
    ),
}
CLIENTS: dict[str, dict[str, Call]] = {
    "Operations": {"list": lambda a, _: list(a.resources.operations.list())},
    "ResourceGroupsOperations": GROUPS,
    "ResourcesOperations": RESOURCES,
    "ProvidersOperations": PROVIDERS,
    "ProviderResourceTypesOperations": {
        "list": lambda a, _: a.resources.provider_resource_types.list("Microsoft.Batch").value
    },
    "TagsOperations": TAGS,
}
ROWS = [(client, name, call) for client, table in CLIENTS.items() for name, call in table.items()]


@pytest.mark.parametrize(
    ("client", "name", "call"), ROWS, ids=[f"{client}.{name}" for client, name, _ in ROWS]
)
def test_every_operation_of_the_sdk_succeeds(
    azure: Azure, client: str, name: str, call: Call
) -> None:
    """With a group that holds one resource; what comes back is what was asked for."""
    group = azure.group()
    azure.deploy("d", [plain("s1")]).result()

    assert call(azure, group), f"{client}.{name}"


def test_no_operation_of_the_sdk_is_left_out() -> None:
    """A new SDK with more operations shows here."""
    found = {
        client: {
            name
            for name, _ in inspect.getmembers(getattr(operations, client), inspect.isfunction)
            if not name.startswith("_")
        }
        for client in operations.__all__
    }

    assert {client: set(table) for client, table in CLIENTS.items()} == found


def test_a_long_export_and_move_are_polled_for(azure: Azure) -> None:
    """202 and a Location, then the template or nothing."""
    group = azure.group()
    azure.deploy("d", [storage()]).result()
    azure.turn(resource_seconds=0.1)
    template = (
        azure.resources.resource_groups.begin_export_template(
            "rg-shop", ExportTemplateRequest(resources=["*"])
        )
        .result()
        .template
    )
    moving = ResourcesMoveInfo(
        resources=[f"{group}/providers/Microsoft.Storage/storageAccounts/stshop001"],
        target_resource_group=azure.group("rg-b"),
    )
    azure.resources.resources.begin_move_resources("rg-shop", moving).result()

    assert template["resources"][0]["name"] == "[parameters('storageAccounts_stshop001_name')]"
    assert [one.id.split("/")[4] for one in azure.resources.resources.list()] == ["rg-b"]
