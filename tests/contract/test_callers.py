"""Who may give orders: tokens of the tenant are checked claim by claim (docs/security.md)."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.adapters.callers import OPERATOR_ROLE, OperatorCallers, Tenant
from shared.core.errors import Transient
from shared.core.secret import Secret
from tests.fakes.system import FakeClock

TENANT = "11111111-0000-4000-8000-000000000000"
AUDIENCE = "22222222-0000-4000-8000-000000000000"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """A tenant's sign-in service of our own, over TLS."""

    url: str
    ca_file: str
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"k1": KEY})
    asked: list[str] = field(default_factory=list)
    status: int = 200

    def callers(self, clock: FakeClock | None = None) -> OperatorCallers:
        """Return the port over this issuer."""
        tenant = Tenant(id=TENANT, audience=AUDIENCE, authority=self.url, ca_file=self.ca_file)
        return OperatorCallers(tenant, Secret("the key"), clock or FakeClock())

    def claims(self) -> dict[str, Any]:
        """Return the claims of a good token."""
        now = int(time.time())
        return {
            "iss": f"{self.url}/{TENANT}/v2.0",
            "aud": AUDIENCE,
            "tid": TENANT,
            "nbf": now - 10,
            "exp": now + 600,
            "roles": [OPERATOR_ROLE],
            "preferred_username": "kim@example.org",
        }


def _jwk(key_id: str, key: rsa.RSAPrivateKey) -> dict[str, str]:
    found: dict[str, str] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {**found, "kid": key_id, "use": "sig", "alg": "RS256"}


@contextmanager
def _served(folder: Path) -> Iterator[Issuer]:
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    issuer = Issuer("", str(ca_file))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            body = json.dumps({"keys": [_jwk(i, k) for i, k in issuer.keys.items()]}).encode()
            self.send_response(issuer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    issuer.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """Return one issuer for all tests of this file."""
    with _served(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture
def issuer(served: Issuer) -> Issuer:
    """Return the issuer as it is after a start."""
    served.keys, served.status = {"k1": KEY}, 200
    served.asked.clear()
    return served


def token(claims: dict[str, Any], key: Any = KEY, key_id: str | None = "k1", **more: Any) -> str:
    """Return a signed token as a request brings it."""
    headers = {} if key_id is None else {"kid": key_id}
    made = jwt.encode(claims, key, algorithm=more.get("algorithm", "RS256"), headers=headers)
    return f"Bearer {made}"


def test_a_good_token_tells_who_gives_the_order(issuer: Issuer) -> None:
    """The name of the person and the role come from the token."""
    caller = issuer.callers().identify(token(issuer.claims()), None)

    assert caller is not None
    assert (caller.name, caller.is_operator) == ("kim@example.org", True)


def test_tokens_of_version_one_count_too(issuer: Issuer) -> None:
    """Their issuer and audience are spelled in another way."""
    claims = issuer.claims() | {
        "iss": f"https://sts.windows.net/{TENANT}/",
        "aud": f"api://{AUDIENCE}",
    }
    caller = issuer.callers().identify(token(claims), None)

    assert caller is not None


@pytest.mark.parametrize("roles", [None, [], ["Reader"], OPERATOR_ROLE, [OPERATOR_ROLE.lower()]])
def test_a_token_without_the_role_is_known_and_gives_no_orders(issuer: Issuer, roles: Any) -> None:
    """Missing is not granted, and a text that holds the role's name is no list of roles."""
    claims = issuer.claims() | {"roles": roles}
    if roles is None:
        del claims["roles"]
    caller = issuer.callers().identify(token(claims), None)

    assert caller is not None
    assert not caller.is_operator


WRONG: dict[str, Callable[[dict[str, Any]], None]] = {
    "another audience": lambda c: c.update(aud="33333333-0000-4000-8000-000000000000"),
    "another issuer": lambda c: c.update(iss="https://evil.example/v2.0"),
    "another tenant": lambda c: c.update(tid="33333333-0000-4000-8000-000000000000"),
    "expired": lambda c: c.update(exp=int(time.time()) - 3600),
    "not valid yet": lambda c: c.update(nbf=int(time.time()) + 3600),
    "without exp": lambda c: c.pop("exp"),
    "without nbf": lambda c: c.pop("nbf"),
    "without iss": lambda c: c.pop("iss"),
    "without aud": lambda c: c.pop("aud"),
    "without tid": lambda c: c.pop("tid"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_token_that_is_not_for_us_proves_nobody(
    issuer: Issuer, wrong: Callable[[dict[str, Any]], None]
) -> None:
    """Each claim is checked, and a missing one is a refusal."""
    claims = issuer.claims()
    wrong(claims)

    assert issuer.callers().identify(token(claims), None) is None


def _unsigned(claims: dict[str, Any]) -> str:
    parts = [{"alg": "none", "typ": "JWT", "kid": "k1"}, claims]
    text = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
    )
    return f"Bearer {text}."


def test_forged_tokens_prove_nobody(issuer: Issuer) -> None:
    """Another key, no signature, the public key as a shared secret, no key id, plain garbage."""
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    shared_secret = _hmac_token(issuer.claims(), public)
    forged = [
        token(issuer.claims(), OTHER),
        _unsigned(issuer.claims()),
        shared_secret,
        token(issuer.claims(), key_id=None),
        token(issuer.claims(), key_id="unknown"),
        "Bearer garbage",
        "Bearer ",
        "Basic abc",
        "",
        "Bearer \u00e4.\u00f6.\u00fc",
    ]
    callers = issuer.callers()

    assert [callers.identify(one, None) for one in forged] == [None] * len(forged)


def _hmac_token(claims: dict[str, Any], secret: bytes) -> str:
    """Return a token that is signed with the public key as if it were a shared secret."""
    import hashlib  # noqa: PLC0415 - one use
    import hmac  # noqa: PLC0415 - one use

    parts = [{"alg": "HS256", "typ": "JWT", "kid": "k1"}, claims]
    signed = b".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts
    )
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"Bearer {(signed + b'.' + base64.urlsafe_b64encode(digest).rstrip(b'=')).decode()}"


def test_unknown_keys_are_asked_for_once_a_minute(issuer: Issuer) -> None:
    """Forged key ids cannot make us ask the tenant again and again; a rotation is seen."""
    clock = FakeClock()
    callers = issuer.callers(clock)
    callers.identify(token(issuer.claims()), None)
    for n in range(20):
        callers.identify(token(issuer.claims(), key_id=f"x{n}"), None)
    before = len(issuer.asked)
    issuer.keys = {"k2": OTHER}
    clock.advance(61)
    rotated = callers.identify(token(issuer.claims(), OTHER, "k2"), None)

    assert before == 1
    assert rotated is not None
    assert callers.identify(token(issuer.claims()), None) is None


def test_a_tenant_that_does_not_answer_is_a_hiccup(issuer: Issuer) -> None:
    """The request is answered with 503, and not with 401."""
    issuer.status = 503
    with pytest.raises(Transient) as caught:
        issuer.callers().identify(token(issuer.claims()), None)

    assert caught.value.reason == "SignInUnavailable"


@pytest.mark.parametrize("key", ["the key ", "The key", "", "the ke\u00ff"])
def test_only_the_whole_key_counts(issuer: Issuer, key: str) -> None:
    """A key that is nearly right proves nobody; the right one does."""
    callers = issuer.callers()

    assert callers.identify(None, key) is None
    assert callers.identify(None, "the key") is not None


def test_without_settings_nobody_gives_orders(issuer: Issuer) -> None:
    """What is not configured is closed."""
    closed = OperatorCallers(None, None, FakeClock())

    assert closed.identify(token(issuer.claims()), "the key") is None
    assert closed.identify(None, "") is None
