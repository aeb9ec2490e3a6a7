"""Key Vault references in parameters, resolved against the vaults that the simulator holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.providers.model import find


def resolve(cloud: Cloud, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with every reference replaced by its secret; raises `ArmError`."""
    return {
        name: {"value": _secret(cloud, name, entry["reference"])}
        if isinstance(entry, dict) and isinstance(entry.get("reference"), dict)
        else entry
        for name, entry in parameters.items()
    }


def _secret(cloud: Cloud, parameter: str, reference: Mapping[str, Any]) -> str:
    vault_id = str(find(dict(reference), "keyVault.id") or "")
    secret_name = str(find(dict(reference), "secretName") or "")
    if cloud.resource(vault_id) is None:
        raise ArmError(
            400,
            "KeyVaultParameterReferenceNotFound",
            f"The specified KeyVault '{vault_id}' could not be found. Please see"
            " https://aka.ms/arm-keyvault for usage details.",
        )
    record = cloud.resource(f"{vault_id}/secrets/{secret_name}")
    value = find(record.put, "properties.value") if record else None
    if not isinstance(value, str):
        raise ArmError(
            400,
            "KeyVaultParameterReferenceSecretRetrieveFailed",
            f"The secret of KeyVault parameter '{parameter}' cannot be retrieved. Http status code:"
            f" 'NotFound'. Error message: 'A secret with (name/id) {secret_name} was not found in"
            " this key vault.'. Please see https://aka.ms/arm-keyvault for usage details.",
        )
    return value
