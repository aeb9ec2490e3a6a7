"""Trigger: questions over HTTP. Flow: shared/flows/status.py."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions import _boundary

if TYPE_CHECKING:
    from shared.wiring import Services

blueprint = func.Blueprint()


@blueprint.function_name("status")
@blueprint.route(route="{*path}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def status(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer GET /api/stacks, /api/revisions/{sha}, /api/health and their like."""

    def run(services: "Services") -> func.HttpResponse:
        from shared.core.view import to_json

        answered = services.status(req.route_params.get("path") or "")
        return func.HttpResponse(
            to_json(answered.body), status_code=answered.status, mimetype="application/json"
        )

    return _boundary.answer(context, run)
