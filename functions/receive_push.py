"""Trigger: a push webhook of a Git host. Flow: shared/flows/receive_push.py."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions import _boundary

if TYPE_CHECKING:
    from shared.wiring import Services

blueprint = func.Blueprint()


@blueprint.function_name("receive_push")
@blueprint.route(
    route="push/{hook}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)  # the signature is the key: a Git host cannot send another one outside of the URL
def receive_push(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Accept a signed push: 202 once it is durable."""

    def run(services: "Services") -> func.HttpResponse:
        from shared.core.view import to_json
        from shared.flows.receive_push import Delivery

        headers = req.headers
        reply = services.receive_push(
            Delivery(
                hook=req.route_params.get("hook", ""),
                body=req.get_body(),
                signature=headers.get("x-hub-signature-256"),
                event=headers.get("x-github-event"),
                key=headers.get("x-github-delivery"),
                content_length=headers.get("content-length"),
                content_encoding=headers.get("content-encoding"),
            )
        )
        return func.HttpResponse(
            to_json(reply), status_code=reply.status, mimetype="application/json"
        )

    return _boundary.answer(context, run)
