"""From a compiled source to what one PUT to ARM says."""

from collections.abc import Mapping
from typing import Any

from shared.core.arm_model import DeploymentRequest
from shared.core.waves import Inputs


def deployment_request(
    source: Mapping[str, Any], inputs: Inputs, deployment_id: str, tags: Mapping[str, str]
) -> DeploymentRequest:
    """Return the PUT of a compiled source (``Compiled.source``) with the values it takes. Pure."""
    taken = {name: {"value": value} for name, value in inputs.values.items()}
    return DeploymentRequest(
        id=deployment_id,
        scope=source["scope"],
        template=source["template"],
        parameters={**source["parameters"], **taken},
        tags=tags,
        location=source["location"],
    )
