"""The managed-identity endpoint, asked by the real credential."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import urlencode

import pytest
from azure.identity import ManagedIdentityCredential

from tests.arm.azure import SCOPE, Azure, clients


def ask(azure: Azure, header: str | None, **query: str) -> Any:
    """Ask for a token without a library."""
    identity = azure.address.identity
    url = f"{identity.endpoint}?{urlencode({'api-version': '2019-08-01', **query})}"
    request = urllib.request.Request(url)  # noqa: S310 - the simulator's own address
    if header is not None:
        request.add_header("X-IDENTITY-HEADER", header)
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - as above
        return json.load(reply)


def test_the_real_credential_gets_a_token_that_arm_takes(
    azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ManagedIdentityCredential needs nothing but the two environment variables."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", azure.address.identity.endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", azure.address.identity.header)
    with ManagedIdentityCredential() as credential, clients(azure.address, credential) as real:
        token = credential.get_token(SCOPE).token
        listed = list(real.resources.resource_groups.list())
    part = token.split(".")[1]
    claims = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))

    assert listed == []
    assert claims["aud"] == "https://management.azure.com"
    assert claims["tid"] == azure.address.tenant_id
    assert claims.keys() >= {"iss", "oid", "appid", "exp", "xms_mirid"}


def test_the_answer_has_the_protocols_fields(azure: Azure) -> None:
    """What `az login --identity` reads."""
    found = ask(azure, azure.address.identity.header, resource="https://x.example/")

    assert found.keys() == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert found["resource"] == "https://x.example/"
    assert found["expires_on"].isdecimal()


@pytest.mark.parametrize(
    ("header", "query", "status"),
    [(None, {"resource": "x"}, 401), ("wrong", {"resource": "x"}, 401), ("", {}, 400)],
)
def test_without_header_or_resource_there_is_no_token(
    azure: Azure, header: str | None, query: dict[str, str], status: int
) -> None:
    """401 for a stranger, 400 for half a question."""
    given = azure.address.identity.header if header == "" else header
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(azure, given, **query)
    caught.value.close()

    assert caught.value.code == status
