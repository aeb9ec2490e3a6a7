"""Trigger: an operator's order to rebuild a repository's state. Flow: shared/flows/rebuild.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("rebuild")
@blueprint.route(
    route="repositories/{key}/rebuild", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)  # as for operate: the operator's token is the key
def rebuild(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Rebuild a repository's lost state from Git and ARM's tags: 202 with what was found."""
    return _boundary.order(
        req,
        context,
        lambda services, body, credentials: services.rebuild(
            req.route_params.get("key", ""),
            body,
            credentials,
        ),
    )
