"""The App Service managed-identity endpoint, on plain http as in Azure.

azure-identity's `ManagedIdentityCredential` and `az login --identity` get their tokens here.
"""

from __future__ import annotations

import secrets
import time

from aiohttp import web

from local.arm.tokens import Identity

PATH = "/msi/token"
_VALID_S = 24 * 3600


def handler(identity: Identity, header: str) -> web.Server:
    """Return a server that hands out tokens to whoever knows the header."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != PATH or request.method != "GET":
            return _refusal(404, "not_found", f"this endpoint answers GET {PATH}")
        given = request.headers.get("X-IDENTITY-HEADER", "")
        if not secrets.compare_digest(given.encode(), header.encode()):
            return _refusal(401, "unauthorized_client", "X-IDENTITY-HEADER is missing or wrong")
        resource = request.query.get("resource")
        if not resource:
            return _refusal(400, "invalid_request", "the query parameter 'resource' is missing")
        now = int(time.time())
        return web.json_response(
            {
                "access_token": identity.token(resource, now, now + _VALID_S),
                "expires_on": str(now + _VALID_S),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": identity.appid,
            }
        )

    return web.Server(answer)


def _refusal(status: int, error: str, text: str) -> web.Response:
    return web.json_response({"error": error, "error_description": text}, status=status)
