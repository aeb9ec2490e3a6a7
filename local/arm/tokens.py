"""Access tokens: unsigned JWTs, made by the identity endpoint and read by the gateway.

No key is involved on purpose: clients parse the claims but check no signature, and a simulator
on the loopback address protects nothing.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import msgspec

from local.arm.clock import guid_for
from local.arm.messages import Caller

LOGIN = "https://login.microsoftonline.com"
FAR_FUTURE = 4102444800  # 2100-01-01, for the token in the start line, which must outlive restarts

PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
"""The Azure portal's application id: the client of what people click."""


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()


def _token(claims: dict[str, Any]) -> str:
    return f"{_part({'typ': 'JWT', 'alg': 'none'})}.{_part(claims)}."


@dataclass(frozen=True, slots=True)
class Identity:
    """The managed identity that the simulator vouches for."""

    subscription: str
    tenant: str

    @property
    def oid(self) -> str:
        """Object id of the identity."""
        return guid_for("oid", self.subscription)

    @property
    def appid(self) -> str:
        """Client id of the identity."""
        return guid_for("appid", self.subscription)

    def token(self, audience: str, issued: int, expires: int) -> str:
        """Return a bearer token for `audience`; times are seconds since the epoch. Pure."""
        return _token(
            {
                "aud": audience,
                "iss": f"https://sts.windows.net/{self.tenant}/",
                "iat": issued,
                "nbf": issued,
                "exp": expires,
                "tid": self.tenant,
                "oid": self.oid,
                "sub": self.oid,
                "appid": self.appid,
                "idtyp": "app",
                "ver": "1.0",
                "xms_mirid": f"/subscriptions/{self.subscription}/resourcegroups/plumbline"
                "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/plumbline",
            }
        )


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in to the portal: the Activity Log names them by their sign-in name."""

    upn: str
    tenant: str

    def token(self, audience: str) -> str:
        """Return a bearer token for `audience` that outlives restarts. Pure."""
        return _token(
            {
                "aud": audience,
                "iss": f"https://sts.windows.net/{self.tenant}/",
                "exp": FAR_FUTURE,
                "tid": self.tenant,
                "oid": guid_for("oid", self.upn),
                "appid": PORTAL,
                "idtyp": "user",
                "upn": self.upn,
                "ver": "1.0",
            }
        )


class BadTokenError(ValueError):
    """The token cannot be read."""


def read(token: str) -> tuple[Caller, float]:
    """Return who a token speaks for and when it expires. Pure. Raises `BadTokenError`."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise BadTokenError("not a JWT")
    try:
        claims = msgspec.json.decode(
            base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        )
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise BadTokenError("unreadable claims") from error
    if not isinstance(claims, dict) or not isinstance(claims.get("exp"), int | float):
        raise BadTokenError("no expiry")
    caller = Caller(
        oid=str(claims.get("oid", "")),
        appid=str(claims.get("appid", "")),
        tid=str(claims.get("tid", "")),
        upn=str(claims.get("upn", "")),
    )
    return caller, float(claims["exp"])
