"""Azure Resource Manager through the Azure SDK: the Arm port for real."""

from shared.adapters.arm.client import AzureArm
from shared.adapters.arm.identity import ManagedIdentity
from shared.adapters.arm.pipeline import ArmEndpoint

__all__ = ["ArmEndpoint", "AzureArm", "ManagedIdentity"]
