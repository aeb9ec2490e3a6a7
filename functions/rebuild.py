"""Trigger: an operator's order to rebuild a repository's state. Flow: shared/flows/rebuild.py."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions import _boundary

if TYPE_CHECKING:
    from shared.wiring import Services

blueprint = func.Blueprint()


@blueprint.function_name("rebuild")
@blueprint.route(
    route="repositories/{key}/rebuild", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)  # as for operate: the operator's token is the key
def rebuild(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Rebuild a repository's lost state from Git and ARM's tags: 202 with what was found."""

    def run(services: "Services") -> func.HttpResponse:
        from shared.core.view import to_json
        from shared.flows.sign_in import Credentials

        answered = services.rebuild(
            req.route_params.get("key", ""),
            req.get_body(),
            Credentials(
                bearer=req.headers.get("authorization"),
                key=req.headers.get("x-plumbline-operator-key"),
            ),
        )
        return func.HttpResponse(
            to_json(answered.body), status_code=answered.status, mimetype="application/json"
        )

    return _boundary.answer(context, run)
