"""Trigger: an operator's order about a kept message. Flow: shared/flows/replay.py."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions import _boundary

if TYPE_CHECKING:
    from shared.wiring import Services

blueprint = func.Blueprint()


@blueprint.function_name("replay")
@blueprint.route(
    route="poison/{id}/{operation}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)  # the operator's token is the key, as in operate.py
def replay(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Replay or discard a message that was tried too often: 202 once it was dealt with."""

    def run(services: "Services") -> func.HttpResponse:
        from shared.core.view import to_json
        from shared.flows.sign_in import Credentials

        answered = services.replay(
            req.route_params.get("id", ""),
            req.route_params.get("operation", ""),
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
