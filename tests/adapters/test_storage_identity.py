"""Storage through an identity: real azure-identity, real TLS, Azurite that wants bearer tokens."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from azure.core.credentials import AccessToken

from shared.adapters.blobs import BlobDocuments
from shared.adapters.queues import StorageQueues
from shared.adapters.storage_connection import StorageConnection
from shared.core.errors import Stalled, Transient
from shared.settings import StorageSettings
from tests.adapters.storage_identity import (
    HEADER,
    IdentityEndpoint,
    SecureAzurite,
    identity_endpoint,
    secure_azurite,
)
from tests.fakes.system import FakeIds

CLIENT_ID = "22222222-2222-4222-8222-222222222222"


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureAzurite]:
    """Run one Azurite with OAuth."""
    with secure_azurite(tmp_path_factory.mktemp("secure-azurite")) as running:
        yield running


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityEndpoint]:
    """Offer an identity as the Functions platform does."""
    with identity_endpoint() as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", server.url)
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        yield server


@contextmanager
def connected(
    azurite: SecureAzurite, client_id: str | None = None, credential: str | None = "managedidentity"
) -> Iterator[StorageConnection]:
    """Connect with an identity, and close all sockets in the end."""
    connection = StorageConnection(
        StorageSettings(
            blob_service_uri=azurite.blob_uri,
            queue_service_uri=azurite.queue_uri,
            credential=credential,
            client_id=client_id,
            ca_file=azurite.ca_file,
        )
    )
    try:
        yield connection
    finally:
        connection.close()


def test_one_token_serves_blobs_and_queues(
    azurite: SecureAzurite, endpoint: IdentityEndpoint
) -> None:
    """A user-assigned identity is asked for by its client id, once, for the storage audience."""
    with connected(azurite, CLIENT_ID) as connection:
        documents = BlobDocuments(connection, FakeIds(), "state-one")
        documents.ensure()
        version = documents.create("a", b"1", {"n": "1"})
        documents.replace("a", b"2", version.etag, {})
        queues = StorageQueues(connection, "one-")
        queues.send("sync", b"1")

        assert queues.length("sync") == 1
        assert [listed.name for listed in documents.list("")] == ["a"]
    (asked,) = endpoint.asked
    assert asked["resource"].rstrip("/") == "https://storage.azure.com"
    assert (asked["client_id"], asked["header"]) == (CLIENT_ID, HEADER)


def test_identity_that_is_refused_stalls(
    azurite: SecureAzurite, endpoint: IdentityEndpoint
) -> None:
    """No such identity: a person must assign one."""
    endpoint.failures.extend([400] * 10)

    with connected(azurite) as connection, pytest.raises(Stalled) as raised:
        BlobDocuments(connection, FakeIds()).read("a")

    assert raised.value.reason == "StorageIdentityUnavailable"
    assert "PlumblineStorage__clientId" in (raised.value.hint or "")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_identity_endpoint_that_hiccups_is_transient(
    azurite: SecureAzurite, endpoint: IdentityEndpoint, status: int
) -> None:
    """The platform's token service has bad minutes; the message comes again."""
    endpoint.failures.extend([status] * 20)

    with connected(azurite) as connection, pytest.raises(Transient):
        BlobDocuments(connection, FakeIds()).create("a", b"1", {})


def test_identity_endpoint_that_does_not_answer_is_transient(
    azurite: SecureAzurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there yet: the app has just started."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)

    with connected(azurite) as connection, pytest.raises(Transient) as raised:
        BlobDocuments(connection, FakeIds()).create("a", b"1", {})

    assert raised.value.reason == "StorageUnreachable"
    assert HEADER not in str(raised.value)


def test_certificate_that_is_not_trusted_is_said(azurite: SecureAzurite) -> None:
    """A proxy that opens TLS shows as what it is."""
    connection = StorageConnection(
        StorageSettings(blob_service_uri=azurite.blob_uri, credential="managedidentity"),
        credential=_AnyToken(),
    )

    with pytest.raises(Transient, match="CERTIFICATE_VERIFY_FAILED"):
        BlobDocuments(connection, FakeIds()).create("a", b"1", {})
    connection.close()


class _AnyToken:
    """A credential that gives the same token to everybody."""

    def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:  # noqa: ARG002 — the protocol's
        return AccessToken("token", 2**31)
