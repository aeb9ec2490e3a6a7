"""The error of a what-if that failed because providers did not answer its GETs. ARM's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local.arm.clock import guid_for
from local.arm.cloud import Cloud
from local.arm.deploy.ask import Ask


def of(cloud: Cloud, ask: Ask, refused: Sequence[str]) -> dict[str, Any]:
    """Return the error object; `refused` are the GETs that failed, ids with api-versions."""
    found = [_one(cloud, ask, request) for request in refused]
    if len(found) == 1:
        return found[0]
    codes = ",".join(one["code"] for one in found)
    return {
        "code": "MultipleErrorsOccurred",
        "message": f"Multiple error occurred: {codes}. Please see details.",
        "details": found,
    }


def _one(cloud: Cloud, ask: Ask, request: str) -> dict[str, Any]:
    moment = cloud.clock.now().strftime("%Y%m%dT%H%M%SZ")
    tracking = guid_for(ask.correlation_id, request)
    return {
        "code": "DeploymentWhatIfResourceError",
        "target": request,
        "message": "The request to predict template deployment changes to scope"
        f" '{ask.scope.id or '/'}' has failed due to a resource error. See details for more"
        " information.",
        "details": [
            {
                "code": "DeploymentWhatIfResourceInvalidResponse",
                "target": request,
                "message": f"The request '{request}' resulted in an unexpected HTTP status code"
                f" 'MethodNotAllowed'. Diagnostic information: timestamp '{moment}', tracking id"
                f" '{tracking}', request correlation id '{ask.correlation_id}', location"
                f" '{ask.location or 'westeurope'}'.",
            }
        ],
    }
