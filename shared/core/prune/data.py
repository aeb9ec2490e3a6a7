"""Which resource types hold data: their deletion is never done without ``approve``.

From the provider references of Azure (learn.microsoft.com/azure/templates). A type that is not
here, and not below one in ``WITH_ALL_BELOW``, holds none. Where a property decides (a cache with
persistence, a machine whose disks go with it) the type counts as holding data.
"""

from typing import Final

from shared.core.scopes import fold

WITH_ALL_BELOW: Final = (
    "microsoft.keyvault/vaults/keys",
    "microsoft.keyvault/managedhsms",
    "microsoft.documentdb/databaseaccounts/sqldatabases",
    "microsoft.documentdb/databaseaccounts/mongodbdatabases",
    "microsoft.documentdb/databaseaccounts/cassandrakeyspaces",
    "microsoft.documentdb/databaseaccounts/gremlindatabases",
    "microsoft.documentdb/databaseaccounts/tables",
    "microsoft.netapp/netappaccounts/capacitypools",
    "microsoft.elasticsan/elasticsans/volumegroups",
)

HOLDING_DATA: Final = frozenset(
    {
        # Storage: accounts and what is kept in them.
        "microsoft.storage/storageaccounts",
        "microsoft.storage/storageaccounts/blobservices",
        "microsoft.storage/storageaccounts/blobservices/containers",
        "microsoft.storage/storageaccounts/fileservices",
        "microsoft.storage/storageaccounts/fileservices/shares",
        "microsoft.storage/storageaccounts/queueservices",
        "microsoft.storage/storageaccounts/queueservices/queues",
        "microsoft.storage/storageaccounts/tableservices",
        "microsoft.storage/storageaccounts/tableservices/tables",
        "microsoft.classicstorage/storageaccounts",
        "microsoft.netapp/netappaccounts",
        "microsoft.netapp/netappaccounts/backupvaults",
        "microsoft.elasticsan/elasticsans",
        "microsoft.storagesync/storagesyncservices",
        "microsoft.storagecache/caches",
        "microsoft.storagecache/amlfilesystems",
        "microsoft.fileshares/fileshares",
        "microsoft.datalakestore/accounts",
        # Databases.
        "microsoft.sql/servers",
        "microsoft.sql/servers/databases",
        "microsoft.sql/servers/elasticpools",
        "microsoft.sql/managedinstances",
        "microsoft.sql/managedinstances/databases",
        "microsoft.sqlvirtualmachine/sqlvirtualmachines",
        "microsoft.dbforpostgresql/servers",
        "microsoft.dbforpostgresql/servers/databases",
        "microsoft.dbforpostgresql/flexibleservers",
        "microsoft.dbforpostgresql/flexibleservers/databases",
        "microsoft.dbforpostgresql/servergroupsv2",
        "microsoft.dbformysql/servers",
        "microsoft.dbformysql/servers/databases",
        "microsoft.dbformysql/flexibleservers",
        "microsoft.dbformysql/flexibleservers/databases",
        "microsoft.dbformariadb/servers",
        "microsoft.dbformariadb/servers/databases",
        "microsoft.documentdb/databaseaccounts",
        "microsoft.documentdb/cassandraclusters",
        "microsoft.documentdb/mongoclusters",
        "microsoft.cache/redis",
        "microsoft.cache/redisenterprise",
        "microsoft.cache/redisenterprise/databases",
        "microsoft.kusto/clusters",
        "microsoft.kusto/clusters/databases",
        "microsoft.synapse/workspaces",
        "microsoft.synapse/workspaces/sqlpools",
        "microsoft.synapse/workspaces/sqldatabases",
        "microsoft.search/searchservices",
        # Secrets, keys, settings.
        "microsoft.keyvault/vaults",
        "microsoft.keyvault/vaults/secrets",
        "microsoft.appconfiguration/configurationstores",
        "microsoft.appconfiguration/configurationstores/keyvalues",
        # Machines and disks.
        "microsoft.compute/disks",
        "microsoft.compute/snapshots",
        "microsoft.compute/images",
        "microsoft.compute/galleries",
        "microsoft.compute/galleries/images",
        "microsoft.compute/galleries/images/versions",
        "microsoft.compute/restorepointcollections",
        "microsoft.compute/restorepointcollections/restorepoints",
        "microsoft.compute/virtualmachines",
        "microsoft.compute/virtualmachinescalesets",
        "microsoft.containerservice/managedclusters",
        "microsoft.containerinstance/containergroups",
        # Backups.
        "microsoft.recoveryservices/vaults",
        "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers",
        "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems",
        "microsoft.dataprotection/backupvaults",
        "microsoft.dataprotection/backupvaults/backupinstances",
        # Images, logs, messages, analytics.
        "microsoft.containerregistry/registries",
        "microsoft.operationalinsights/workspaces",
        "microsoft.operationalinsights/workspaces/tables",
        "microsoft.operationalinsights/clusters",
        "microsoft.insights/components",
        "microsoft.monitor/accounts",
        "microsoft.eventhub/namespaces",
        "microsoft.eventhub/namespaces/eventhubs",
        "microsoft.servicebus/namespaces",
        "microsoft.servicebus/namespaces/queues",
        "microsoft.servicebus/namespaces/topics",
        "microsoft.servicebus/namespaces/topics/subscriptions",
        "microsoft.devices/iothubs",
        "microsoft.timeseriesinsights/environments",
        "microsoft.databricks/workspaces",
        "microsoft.datafactory/factories",
        "microsoft.machinelearningservices/workspaces",
        "microsoft.machinelearningservices/registries",
        "microsoft.cognitiveservices/accounts",
        "microsoft.fabric/capacities",
        "microsoft.healthcareapis/workspaces",
        "microsoft.healthcareapis/services",
        "microsoft.digitaltwins/digitaltwinsinstances",
        "microsoft.media/mediaservices",
        "microsoft.purview/accounts",
        "microsoft.communication/communicationservices",
        "microsoft.apimanagement/service",
        "microsoft.automation/automationaccounts",
        "microsoft.managedidentity/userassignedidentities",
        "microsoft.aad/domainservices",
        "microsoft.azureactivedirectory/b2cdirectories",
        "microsoft.azureactivedirectory/ciamdirectories",
        "microsoft.network/dnszones",
        "microsoft.network/privatednszones",
    }
)
"""Types in lower case. Identities and zones hold what cannot be made again: an object id that others
were granted rights by, and records that machines wrote."""

NEVER_DELETED: Final = frozenset(
    {"", "microsoft.resources/resourcegroups", "microsoft.resources/tags"}
)
"""``Microsoft.Resources/tags`` is all tags of what it lies on, those that others wrote included."""


def holds_data(resource_type: str) -> bool:
    """Tell whether resources of a type hold data. Pure."""
    kind = fold(resource_type)
    below = any(kind == outer or kind.startswith(f"{outer}/") for outer in WITH_ALL_BELOW)
    return below or kind in HOLDING_DATA


def may_go(resource_type: str) -> bool:
    """Tell whether resources of a type are deleted at all: groups and their tags never are. Pure."""
    return fold(resource_type) not in NEVER_DELETED
