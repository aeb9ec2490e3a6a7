"""Who gives an order: the holder of an Entra token, or of a laptop's operator key.

A token is checked in code, claim by claim, and one that lacks a claim proves nobody
(docs/security.md): signature by the tenant's keys (RS256 only), issuer (v1 or v2), audience, tenant,
validity. Source: Microsoft's pages on access tokens, "validate tokens" and "claims reference".
"""

import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
from azure.core import PipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest

from shared.core.errors import Transient
from shared.core.secret import Secret
from shared.ports import Caller, Clock

OPERATOR_ROLE: Final = "Plumbline.Operator"
"""The app role that an operator has."""

LEEWAY_S: Final = 300
"""How far the clocks of the tenant and of this worker may be apart."""

REFRESH_S: Final = 60.0
"""How often the keys may be fetched because a token names one that is not known."""

KEEP_S: Final = 24 * 3600.0
"""How old the keys may be: one that the tenant has withdrawn must not count for ever."""

RETRY_S: Final = 5.0
"""How soon the tenant is asked again after it did not answer."""

_TIMEOUT_S: Final = 10.0
_REQUIRED: Final = ("exp", "nbf", "iss", "aud", "tid")
_NAMES: Final = ("preferred_username", "upn", "unique_name", "azp", "appid", "oid", "sub")


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """Whose tokens count. ``authority`` is the sign-in address, ``audience`` our application's id."""

    id: str
    audience: str
    authority: str
    ca_file: str | None = None

    @property
    def issuers(self) -> frozenset[str]:
        """The issuers of the tenant's tokens, versions 1 and 2."""
        return frozenset(
            {f"{self.authority}/{self.id}/v2.0", f"https://sts.windows.net/{self.id}/"}
        )


@dataclass
class _Keys:
    """The tenant's public keys by their id, as fetched last."""

    known: Mapping[str, Any] = field(default_factory=dict)
    fetched: float | None = None
    failed: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class OperatorCallers:
    """The port Callers. Without ``tenant`` no token counts, without ``operator_key`` no key does."""

    tenant: Tenant | None
    operator_key: Secret | None
    clock: Clock
    _keys: _Keys = field(default_factory=_Keys)

    def identify(self, bearer: str | None, key: str | None) -> Caller | None:
        """Return who it is, or None. Raises Transient when the tenant's keys cannot be fetched."""
        if key is not None and self.operator_key is not None and self._is_key(key):
            return Caller("the operator key", is_operator=True)
        scheme, _, token = (bearer or "").partition(" ")
        if self.tenant is None or scheme.lower() != "bearer" or not token.strip():
            return None
        claims = self._claims(self.tenant, token.strip())
        return None if claims is None else _caller(claims)

    def _is_key(self, given: str) -> bool:
        expected = self.operator_key.reveal() if self.operator_key else ""
        return hmac.compare_digest(given.encode(), expected.encode())

    def _claims(self, tenant: Tenant, token: str) -> Mapping[str, Any] | None:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = self._key(tenant, key_id) if isinstance(key_id, str) else None
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key=key,
                algorithms=["RS256"],
                audience=[tenant.audience, f"api://{tenant.audience}"],
                leeway=LEEWAY_S,
                options={"require": list(_REQUIRED)},
            )
        except jwt.PyJWTError:
            return None
        if claims["iss"] not in tenant.issuers or claims["tid"] != tenant.id:
            return None
        return claims

    def _key(self, tenant: Tenant, key_id: str) -> Any | None:
        keys = self._keys
        with keys.lock:
            now = self.clock.monotonic()
            age = None if keys.fetched is None else now - keys.fetched
            fresh = age is not None and age < REFRESH_S
            if (key_id not in keys.known and not fresh) or (age is not None and age > KEEP_S):
                self._fetch(tenant, now)
            return keys.known.get(key_id)

    def _fetch(self, tenant: Tenant, now: float) -> None:
        """Fetch the keys anew; after a failure not for a while: nobody knows then who it is."""
        keys = self._keys
        if keys.failed is not None and now - keys.failed < RETRY_S:
            raise _unavailable()
        keys.failed = now
        keys.known = _fetched(tenant)
        keys.fetched, keys.failed = now, None


def _fetched(tenant: Tenant) -> Mapping[str, Any]:
    """Return the tenant's keys; raises Transient."""
    url = f"{tenant.authority}/{tenant.id}/discovery/v2.0/keys"
    try:
        with PipelineClient[HttpRequest, Any](
            tenant.authority,
            policies=[RetryPolicy.no_retries()],
            connection_verify=tenant.ca_file or True,
            connection_timeout=_TIMEOUT_S,
            read_timeout=_TIMEOUT_S,
        ) as client:
            response = client.send_request(HttpRequest("GET", url))
            response.raise_for_status()
            found = jwt.PyJWKSet.from_dict(response.json())
    except (AzureError, ValueError, jwt.PyJWTError) as error:
        raise _unavailable() from error
    return {key.key_id: key.key for key in found.keys if key.key_id}


def _unavailable() -> Transient:
    return Transient("SignInUnavailable", "The keys of the tenant could not be fetched.")


def _caller(claims: Mapping[str, Any]) -> Caller:
    roles = claims.get("roles")
    name = next((claims[n] for n in _NAMES if isinstance(claims.get(n), str)), "somebody")
    oid = claims.get("oid")
    # A name can be changed and given to another; the object id cannot.
    who = f"{name} ({oid})" if isinstance(oid, str) and oid != name else name
    return Caller(
        name=str(who)[:200], is_operator=isinstance(roles, list) and OPERATOR_ROLE in roles
    )
