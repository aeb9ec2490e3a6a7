"""Trigger: an operator's order about a kept message. Flow: shared/flows/replay.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("replay")
@blueprint.route(
    route="poison/{id}/{operation}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)  # the operator's token is the key, as in operate.py
def replay(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Replay or discard a message that was tried too often: 202 once it was dealt with."""
    return _boundary.order(
        req,
        context,
        lambda services, body, credentials: services.replay(
            req.route_params.get("id", ""),
            req.route_params.get("operation", ""),
            body,
            credentials,
        ),
    )
