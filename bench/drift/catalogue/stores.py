"""What holds data and secrets."""

from __future__ import annotations

from bench.drift.catalogue.parts import (
    OTHER_TAG,
    TAGS,
    Group,
    Move,
    Piece,
    elements,
)


def storage(key: str) -> Group:
    """Return a storage account with its blob service and a container."""
    rules = [
        {"value": "203.0.113.4", "action": "Allow"},
        {"value": "203.0.113.5", "action": "Allow"},
    ]
    other = [rules[0], {"value": "203.0.113.99", "action": "Allow"}]
    account = Piece(
        "Microsoft.Storage/storageAccounts",
        f"st{key}",
        "2024-01-01",
        {
            "location": "westeurope",
            "sku": {"name": "Standard_LRS"},
            "kind": "StorageV2",
            "tags": TAGS,
            "properties": {
                "accessTier": "Hot",
                "minimumTlsVersion": "TLS1_2",
                "supportsHttpsTrafficOnly": True,
                "networkAcls": {
                    "defaultAction": "Deny",
                    "bypass": "AzureServices",
                    "ipRules": rules,
                },
            },
        },
        (
            Move("property", "properties.accessTier", set={"properties": {"accessTier": "Cool"}}),
            Move(
                "property",
                "properties.allowBlobPublicAccess",
                set={"properties": {"allowBlobPublicAccess": True}},
            ),
            Move(
                "property",
                "properties.networkAcls.defaultAction",
                set={"properties": {"networkAcls": {"defaultAction": "Allow"}}},
            ),
            Move("sku", "sku.name", set={"sku": {"name": "Standard_GRS"}}),
            OTHER_TAG,
            *elements(
                "networkAcls.ipRules",
                "198.51.100.7",
                keep=rules,
                more={"value": "198.51.100.7", "action": "Allow"},
                other=other,
            ),
        ),
    )
    service = Piece(
        "Microsoft.Storage/storageAccounts/blobServices",
        f"st{key}/default",
        "2024-01-01",
        {"properties": {"deleteRetentionPolicy": {"enabled": True, "days": 7}}},
        (
            Move(
                "child changed",
                "properties.deleteRetentionPolicy.days",
                set={"properties": {"deleteRetentionPolicy": {"days": 1}}},
            ),
            Move(
                "child added",
                put=(
                    "Microsoft.Storage/storageAccounts/blobServices/containers",
                    "byhand",
                    {"properties": {"publicAccess": "None"}},
                ),
            ),
        ),
        needs=(0,),
    )
    container = Piece(
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        f"st{key}/default/data",
        "2024-01-01",
        {"properties": {"publicAccess": "None"}},
        (
            Move(
                "child changed",
                "properties.publicAccess",
                set={"properties": {"publicAccess": "Blob"}},
            ),
            Move("child deleted", delete=True),
        ),
        needs=(1,),
    )
    return Group((account, service, container))


def vault(key: str) -> Group:
    """Return a key vault with a secret."""
    policies = [
        {
            "tenantId": "11111111-2222-3333-4444-555555555555",
            "objectId": f"aaaaaaaa-0000-0000-0000-00000000000{number}",
            "permissions": {"secrets": ["get"]},
        }
        for number in (1, 2)
    ]
    stranger = "bbbbbbbb-0000-0000-0000-000000000009"
    rogue = {**policies[0], "objectId": stranger}
    safe = Piece(
        "Microsoft.KeyVault/vaults",
        f"kv-{key}",
        "2023-07-01",
        {
            "location": "westeurope",
            "tags": TAGS,
            "properties": {
                "tenantId": "11111111-2222-3333-4444-555555555555",
                "createMode": "default",
                "sku": {"family": "A", "name": "standard"},
                "enabledForDeployment": False,
                "accessPolicies": policies,
            },
        },
        (
            *elements(
                "accessPolicies",
                stranger,
                keep=policies,
                more=rogue,
                other=[policies[0], {**policies[1], "permissions": {"secrets": ["all"]}}],
            ),
            Move(
                "property",
                "properties.enabledForDeployment",
                set={"properties": {"enabledForDeployment": True}},
            ),
            Move("sku", "properties.sku.name", set={"properties": {"sku": {"name": "premium"}}}),
            OTHER_TAG,
        ),
    )
    secret = Piece(
        "Microsoft.KeyVault/vaults/secrets",
        f"kv-{key}/word",
        "2023-07-01",
        {"properties": {"value": "hush", "contentType": "text/plain"}},
        (
            Move(
                "secret rotated",
                "properties.value",
                set={"properties": {"value": "louder"}},
                hidden="write-only: no GET shows the value of a secret",
            ),
            Move(
                "child changed",
                "properties.contentType",
                set={"properties": {"contentType": "application/json"}},
            ),
        ),
        needs=(0,),
    )
    return Group((safe, secret))


def database(key: str) -> Group:
    """Return a SQL server with a database and a firewall rule."""
    server = Piece(
        "Microsoft.Sql/servers",
        f"sql-{key}",
        "2023-08-01",
        {
            "location": "westeurope",
            "properties": {
                "administratorLogin": "chief",
                "administratorLoginPassword": "Passw0rd!",
                "minimalTlsVersion": "1.2",
                "publicNetworkAccess": "Disabled",
            },
        },
        (
            Move(
                "property",
                "properties.publicNetworkAccess",
                set={"properties": {"publicNetworkAccess": "Enabled"}},
            ),
            Move(
                "secret rotated",
                "properties.administratorLoginPassword",
                set={"properties": {"administratorLoginPassword": "An0ther!"}},
                hidden="write-only: no GET shows a password",
            ),
            Move(
                "child added",
                put=(
                    "Microsoft.Sql/servers/firewallRules",
                    "byhand",
                    {
                        "properties": {
                            "startIpAddress": "203.0.113.1",
                            "endIpAddress": "203.0.113.254",
                        }
                    },
                ),
            ),
        ),
    )
    data = Piece(
        "Microsoft.Sql/servers/databases",
        f"sql-{key}/db",
        "2023-08-01",
        {
            "location": "West Europe",
            "sku": {"name": "S2", "tier": "Standard"},
            "tags": TAGS,
            "properties": {"createMode": "Default", "maxSizeBytes": 268435456000},
        },
        (
            Move("sku", "sku.name", set={"sku": {"name": "S3"}}),
            Move("child deleted", delete=True),
            OTHER_TAG,
        ),
        needs=(0,),
    )
    rule = Piece(
        "Microsoft.Sql/servers/firewallRules",
        f"sql-{key}/office",
        "2023-08-01",
        {"properties": {"startIpAddress": "203.0.113.10", "endIpAddress": "203.0.113.20"}},
        (
            Move(
                "child changed",
                "properties.endIpAddress",
                set={"properties": {"endIpAddress": "203.0.113.250"}},
            ),
            Move("child deleted", delete=True),
        ),
        needs=(0,),
    )
    return Group((server, data, rule))
