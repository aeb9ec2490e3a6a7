"""Trigger: an operator's order over HTTP. Flow: shared/flows/operate.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("operate")
@blueprint.route(
    route="stacks/{name}/{operation}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)  # the operator's token is the key: it says who, which a function key does not
def operate(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Release, retry, cancel, freeze, unfreeze, take over or approve a stack: 202 once it is durable."""
    return _boundary.order(
        req,
        context,
        lambda services, body, credentials: services.operate(
            req.route_params.get("name", ""),
            req.route_params.get("operation", ""),
            body,
            credentials,
        ),
    )
