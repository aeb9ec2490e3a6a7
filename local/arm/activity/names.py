"""What the portal calls an operation; what it has no name for is shown as the action itself."""

from __future__ import annotations

_RESOURCES = "Microsoft.Resources"
NAMES = {
    f"{_RESOURCES}/deployments/write": "Create Deployment",
    f"{_RESOURCES}/deployments/delete": "Delete Deployment",
    f"{_RESOURCES}/deployments/cancel/action": "Cancel Deployment",
    f"{_RESOURCES}/deployments/validate/action": "Validate Deployment",
    f"{_RESOURCES}/deployments/whatIf/action": "Predict template deployment changes",
    f"{_RESOURCES}/deployments/exportTemplate/action": "Export template for a deployment",
    f"{_RESOURCES}/subscriptions/resourceGroups/write": "Update resource group",
    f"{_RESOURCES}/subscriptions/resourceGroups/delete": "Delete resource group",
    f"{_RESOURCES}/tags/write": "Write tags",
    f"{_RESOURCES}/tags/delete": "Delete tags",
    "Microsoft.Authorization/locks/write": "Add management locks",
    "Microsoft.Authorization/locks/delete": "Delete management locks",
    "Microsoft.Authorization/roleAssignments/write": "Create role assignment",
    "Microsoft.Authorization/roleAssignments/delete": "Delete role assignment",
    "Microsoft.ContainerRegistry/registries/write": "Create or Update Container Registry",
    "Microsoft.ContainerService/managedClusters/write": "Create or Update Managed Cluster",
    "Microsoft.Insights/components/write": "Create or update Application Insights component",
    "Microsoft.Insights/actionGroups/write": "Create or update action group",
    "Microsoft.Insights/metricAlerts/write": "Create or update metric alert",
    "Microsoft.Insights/diagnosticSettings/write": "Create or update resource diagnostic setting",
    "Microsoft.KeyVault/vaults/write": "Update Key Vault",
    "Microsoft.KeyVault/vaults/delete": "Delete Key Vault",
    "Microsoft.ManagedIdentity/userAssignedIdentities/write": "Create/Update User Assigned Identity",
    "Microsoft.Network/networkSecurityGroups/write": "Create or Update Network Security Group",
    "Microsoft.Network/publicIPAddresses/write": "Create or Update Public Ip Address",
    "Microsoft.Network/virtualNetworks/write": "Create or Update Virtual Network",
    "Microsoft.Network/virtualNetworks/delete": "Delete Virtual Network",
    "Microsoft.Network/virtualNetworks/subnets/write": "Create or Update Virtual Network Subnet",
    "Microsoft.OperationalInsights/workspaces/write": "Create Workspace",
    "Microsoft.Sql/servers/write": "Create or update server",
    "Microsoft.Sql/servers/databases/write": "Create or update database",
    "Microsoft.Storage/storageAccounts/write": "Create/Update Storage Account",
    "Microsoft.Storage/storageAccounts/delete": "Delete Storage Account",
    "Microsoft.Storage/storageAccounts/listKeys/action": "List Storage Account Keys",
    "Microsoft.Web/serverfarms/write": "Update App Service Plan",
    "Microsoft.Web/sites/write": "Update website",
    "Microsoft.Web/sites/delete": "Delete website",
    "Microsoft.Web/sites/config/write": "Update Web App Configuration",
}
_BY_ACTION = {action.lower(): name for action, name in NAMES.items()}


def localized(action: str) -> str:
    """Return the name of an operation in English. Pure."""
    return _BY_ACTION.get(action.lower(), action)
