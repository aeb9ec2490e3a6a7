"""Trigger: an operator's order over HTTP. Flow: shared/flows/operate.py."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions import _boundary

if TYPE_CHECKING:
    from shared.wiring import Services

blueprint = func.Blueprint()


@blueprint.function_name("operate")
@blueprint.route(
    route="stacks/{name}/{operation}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)  # the operator's token is the key: it says who, which a function key does not
def operate(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Release, retry, cancel, freeze, unfreeze or take over a stack: 202 once it is durable."""

    def run(services: "Services") -> func.HttpResponse:
        from shared.core.view import to_json
        from shared.flows.sign_in import Credentials

        answered = services.operate(
            req.route_params.get("name", ""),
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
