"""From a compiled source to what one PUT to ARM says."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from shared.core.arm_model import DeploymentRequest

NO_INPUTS: Final = hashlib.sha256(b"{}").hexdigest()
"""The inputs digest of a stack that takes nothing from others."""


def deployment_request(
    source: Mapping[str, Any], deployment_id: str, tags: Mapping[str, str]
) -> DeploymentRequest:
    """Return the PUT of a compiled source (``Compiled.source``). Pure."""
    return DeploymentRequest(
        id=deployment_id,
        scope=source["scope"],
        template=source["template"],
        parameters=source["parameters"],
        tags=tags,
        location=source["location"],
    )
