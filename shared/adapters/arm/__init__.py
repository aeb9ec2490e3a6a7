"""Azure Resource Manager through the Azure SDK: the ports Arm and ActivityLog for real."""

from shared.adapters.arm.client import AzureArm
from shared.adapters.arm.identity import ManagedIdentity
from shared.adapters.arm.pipeline import Account, ArmEndpoint

__all__ = ["Account", "ArmEndpoint", "AzureArm", "ManagedIdentity"]
