"""What providers say when a size is not to be had or a quota is used up, each in its own way."""

from __future__ import annotations

# Status, code and text; {id}, {location}, {sku}, {subscription} and {type} are filled in.
QUOTAS = {
    "microsoft.compute": (
        409,
        "OperationNotAllowed",
        (
            "Operation could not be completed as it results in exceeding approved Total Regional Cores"
            " quota. Additional details - Deployment Model: Resource Manager, Location: {location},"
            " Current Limit: 10, Current Usage: 10, Additional Required: 4, (Minimum) New Limit"
            " Required: 14."
        ),
    ),
    "microsoft.containerservice": (
        400,
        "ErrCode_InsufficientVCPUQuota",
        (
            "Insufficient regional vcpu quota left for location {location}. left regional vcpu quota 0,"
            " requested quota 4."
        ),
    ),
    "microsoft.network": (
        400,
        "PublicIPCountLimitReached",
        "Cannot create more than 20 public IP addresses for this subscription in this region.",
    ),
    "microsoft.storage": (
        409,
        "MaxStorageAccountsCountPerSubscriptionExceeded",
        (
            "The maximum number of storage accounts (250) for the subscription has been reached in"
            " location '{location}'."
        ),
    ),
    "microsoft.web": (
        401,
        "Unauthorized",
        (
            "Operation cannot be completed without additional quota. Additional details - Location:"
            " {location}. Current Limit (Basic VMs): 0. Current Usage: 0. Amount required for this"
            " deployment (Basic VMs): 1."
        ),
    ),
}
QUOTA = (
    409,
    "QuotaExceeded",
    "The quota for resources of type '{type}' in location '{location}' has been exceeded.",
)
SKUS = {
    "microsoft.containerservice": (
        400,
        "BadRequest",
        "The VM size of '{sku}' is not allowed in your subscription in location '{location}'.",
    ),
    "microsoft.sql": (
        400,
        "ProvisioningDisabled",
        "Provisioning of '{sku}' is restricted in this region. Please choose a different region.",
    ),
}
SKU = (
    409,
    "SkuNotAvailable",
    (
        "The requested size for resource '{id}' is currently not available in location '{location}'"
        " zones '' for subscription '{subscription}'. Please try another size or deploy to a different"
        " location or zones. See https://aka.ms/azureskunotavailable for details."
    ),
)
